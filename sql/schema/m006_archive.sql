-- Archives of what is purged.

-- One row per part of an archive: the files of one table and UTC month that one transaction wrote. It is committed before the first of the files
-- exists, so that whatever stops the run, the next one knows which files are its own.
CREATE TABLE call_logd_archive (
    id        serial PRIMARY KEY,
    kind      text NOT NULL CHECK (kind IN ('call-logs', 'cel')),
    -- Such as 2025-03, and the part's number there.
    month     text NOT NULL,
    part      integer NOT NULL,
    -- The archive's folder, and the names of the files in the month's folder below it.
    folder    text NOT NULL,
    files     text[] NOT NULL,
    -- The server's system identifier and the oid of this database: a copy of the database elsewhere must not take these files for its own.
    system    bigint NOT NULL,
    database  bigint NOT NULL,
    run_id    integer NOT NULL,
    -- Whether the rows are deleted in the commit that makes the part done.
    deletes   boolean NOT NULL,
    -- intended: the files may exist in part, nothing is deleted, unless the CELs are in another database.
    -- written: the same; the files are whole and verified, and the rows are being deleted in the CELs' database.
    -- done: the rows are deleted, the manifest has not its final name yet. published: it has.
    state     text NOT NULL DEFAULT 'intended' CHECK (state IN ('intended', 'written', 'done', 'published')),
    -- Ids of the rows: call logs, or CELs.
    ids       int8multirange,
    -- Rows by file.
    counts    jsonb NOT NULL DEFAULT '{}',
    -- What the manifest says, or is to say.
    manifest  text,
    began     timestamptz NOT NULL DEFAULT now(),
    ended     timestamptz,
    UNIQUE (folder, kind, month, part)
);
CREATE INDEX call_logd_archive__idx__open ON call_logd_archive (id) WHERE state <> 'published';
CREATE INDEX call_logd_archive__idx__copies ON call_logd_archive (kind, id) WHERE NOT deletes;

-- Ids that were restored, and until when they are not purged again.
CREATE TABLE call_logd_restored (
    kind      text NOT NULL,
    ids       int8range NOT NULL,
    kept_to   timestamptz NOT NULL
);
CREATE INDEX call_logd_restored__idx__ids ON call_logd_restored USING gist (ids);
