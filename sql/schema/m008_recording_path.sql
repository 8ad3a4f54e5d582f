-- outside a transaction
-- Finds other recordings with the same file, whatever the spelling of the path. It is a hash index,
-- because a path may be too long for a B-tree.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_logd_recording__idx__path ON call_logd_recording
    USING hash (regexp_replace(path, '/(\.?/)+', '/', 'g')) WHERE path IS NOT NULL;
