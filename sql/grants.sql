-- The least rights that a role needs to run wazo-call-logs. Run this file with psql as the owner of
-- the tables, after `wazo-call-logs migrate`:
--
--   psql -v role=call_logs -f grants.sql DATABASE
--
-- If CELs and call logs are in two databases, run part 1 in the database of the CELs, and part 2 in
-- the database of the call logs.

-- Part 1, the database of the CELs. UPDATE is for cel.call_log_id only. Leave it out if runs use
-- --no-link-cels.
GRANT SELECT ON cel TO :"role";
GRANT UPDATE (call_log_id) ON cel TO :"role";
GRANT SELECT ON SEQUENCE cel_id_seq TO :"role";
GRANT SELECT ON tenant, userfeatures, linefeatures, endpoint_sip, user_line, line_extension, extensions, context, voicemail TO :"role";

-- Part 2, the database of the call logs.
GRANT SELECT, INSERT ON call_logd_tenant TO :"role";
GRANT SELECT, INSERT, DELETE ON call_logd_call_log, call_logd_call_log_participant, call_logd_call_log_destination, call_logd_recording TO :"role";
-- Two calls can name the same recording. Then the uuid goes to the first one.
GRANT UPDATE (uuid) ON call_logd_recording TO :"role";
GRANT USAGE ON SEQUENCE call_logd_call_log_id_seq TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON call_logd_checkpoint, call_logd_reach, call_logd_link, call_logd_gap, call_logd_run, call_logd_claim,
    call_logd_open, call_logd_seen, call_logd_late, call_logd_awaited, call_logd_follower TO :"role";
GRANT SELECT, DELETE ON call_logd_purged TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON call_logd_remade TO :"role";
-- Whoever ends a run adds up the counts of call logs.
GRANT SELECT, INSERT, UPDATE, DELETE ON call_logd_count, call_logd_count_change TO :"role";
GRANT SELECT, INSERT ON call_logd_former TO :"role";
-- For generate, which looks up purged rows and takes over the archives of former databases.
GRANT SELECT, UPDATE ON call_logd_archive TO :"role";
GRANT USAGE ON SEQUENCE call_logd_checkpoint_id_seq, call_logd_link_id_seq, call_logd_run_id_seq, call_logd_claim_id_seq,
    call_logd_claim_owner_seq TO :"role";
GRANT SELECT ON call_logd_migration TO :"role";

-- Additional rights for archive, purge and restore, in the database of the CELs. If call logs are
-- in another database, UPDATE of the column above is needed in any case, because it allows row
-- locks. UPDATE of the sequence lets restore raise it above the restored ids.
GRANT INSERT, DELETE ON cel TO :"role";
GRANT UPDATE ON SEQUENCE cel_id_seq TO :"role";
-- The same in the database of the call logs. UPDATE of the sequence lets restore raise it above the
-- restored ids.
GRANT SELECT ON call_logd_retention, call_logd_config TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON call_logd_archive, call_logd_restored, call_logd_audio TO :"role";
GRANT INSERT, UPDATE ON call_logd_purged TO :"role";
GRANT USAGE ON SEQUENCE call_logd_archive_id_seq, call_logd_audio_id_seq TO :"role";
-- For the retention of audio files.
GRANT UPDATE (path) ON call_logd_recording TO :"role";
GRANT UPDATE ON SEQUENCE call_logd_call_log_id_seq TO :"role";

-- Additional rights for the service, wazo-call-logd, in the database of the call logs.
GRANT SELECT, INSERT, UPDATE ON call_logd_retention, call_logd_config, call_logd_export TO :"role";
GRANT USAGE ON SEQUENCE call_logd_config_id_seq TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON call_logd_export_request, call_logd_export_recording TO :"role";

-- A role that only exports needs only this:
-- GRANT SELECT ON call_logd_tenant, call_logd_call_log, call_logd_call_log_participant,
--     call_logd_call_log_destination, call_logd_recording TO :"role";
