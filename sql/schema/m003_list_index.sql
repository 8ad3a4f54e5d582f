-- outside a transaction
-- Lists of call logs by tenant and date. CONCURRENTLY, so that a server that carries calls is not held up.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_logd_call_log__idx__tenant_uuid_date ON call_logd_call_log (tenant_uuid, date);
