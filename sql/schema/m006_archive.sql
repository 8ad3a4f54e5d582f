-- Archives of purged rows.

-- One row per part of an archive: the files of one table and one UTC month, from one transaction.
-- The row is committed before the first file exists. So after any interruption the next run knows
-- the files of this database.
CREATE TABLE call_logd_archive (
    id        serial PRIMARY KEY,
    kind      text NOT NULL CHECK (kind IN ('call-logs', 'cel')),
    -- For example 2025-03, and the number of the part in that month.
    month     text NOT NULL,
    part      integer NOT NULL,
    -- The archive's folder, and the names of the files in the month's folder below it.
    folder    text NOT NULL,
    files     text[] NOT NULL,
    -- The server's system identifier and the oid of this database. A copy of the database on
    -- another server must not take these files for its own.
    system    bigint NOT NULL,
    database  bigint NOT NULL,
    run_id    integer NOT NULL,
    -- Whether the transaction that sets the state done deletes the rows.
    deletes   boolean NOT NULL,
    -- intended: some files may exist; nothing is deleted.
    -- written: the files are complete and verified; the rows are being deleted in the CELs' own
    -- database.
    -- done: the part is committed; its rows are deleted, unless it is a copy. The manifest may not
    -- have its name.
    -- published: the manifest has its name.
    state     text NOT NULL DEFAULT 'intended' CHECK (state IN ('intended', 'written', 'done', 'published')),
    -- Ids of the rows: call logs or CELs.
    ids       int8multirange,
    -- The number of rows by file.
    counts    jsonb NOT NULL DEFAULT '{}',
    -- The content of the manifest.
    manifest  text,
    began     timestamptz NOT NULL DEFAULT now(),
    ended     timestamptz,
    UNIQUE (folder, kind, month, part)
);
CREATE INDEX call_logd_archive__idx__open ON call_logd_archive (id) WHERE state <> 'published';
CREATE INDEX call_logd_archive__idx__copies ON call_logd_archive (kind, id) WHERE NOT deletes;

-- Restored ids, and the time until which no purge deletes them.
CREATE TABLE call_logd_restored (
    kind      text NOT NULL,
    ids       int8range NOT NULL,
    kept_to   timestamptz NOT NULL
);
CREATE INDEX call_logd_restored__idx__ids ON call_logd_restored USING gist (ids);
