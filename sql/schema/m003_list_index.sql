-- outside a transaction
-- Lists of call logs by tenant and date. CONCURRENTLY lets the server write call logs meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_logd_call_log__idx__tenant_uuid_date ON call_logd_call_log (tenant_uuid, date);
