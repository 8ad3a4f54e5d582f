-- The part of the archive that has the newest state of a purged call log: the id in
-- call_logd_archive; the greatest integer for a purge without an archive. NULL: an earlier version
-- recorded the purge. A restore of an older part brings back an older state. The call is then made
-- again from its CELs.
ALTER TABLE call_logd_purged ADD COLUMN archive_id integer;
