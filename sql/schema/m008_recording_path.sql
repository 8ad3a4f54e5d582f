-- outside a transaction
-- Whether another recording has the same file, however its path is spelt. A hash, since paths may be longer than a B-tree takes.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_logd_recording__idx__path ON call_logd_recording
    USING hash (regexp_replace(path, '/(\.?/)+', '/', 'g')) WHERE path IS NOT NULL;
