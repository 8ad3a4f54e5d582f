-- The durable checkpoint, in the database of the call logs.

-- One row per CEL table. The transaction that writes a chunk of call logs also changes this row. So
-- at no moment is a chunk written and not recorded, or recorded and not written.
CREATE TABLE call_logd_checkpoint (
    id            serial PRIMARY KEY,
    -- The CEL table: the server's system identifier, the oid of the database, the oid of the table.
    cel_system    bigint NOT NULL,
    cel_database  bigint NOT NULL,
    cel_table     bigint NOT NULL,
    -- The table's name when the row was made, for people.
    cel_name      text NOT NULL,
    -- The covered CEL ids.
    covered       int8multirange NOT NULL DEFAULT '{}',
    -- Grows by one with every change of covered.
    generation    bigint NOT NULL DEFAULT 0,
    -- A covered CEL and its time. If that id has another time later, ids were given a second time
    -- (table truncated, or database restored).
    witness_id    bigint,
    witness_time  timestamptz,
    -- Counts of the events by their outcome, summed over all runs.
    counters      jsonb NOT NULL DEFAULT '{}',
    created       timestamptz NOT NULL DEFAULT now(),
    changed       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (cel_system, cel_database, cel_table)
);

-- Linkedids of conversations that have a CEL outside the covered ranges. A chunk that seems to hold
-- such a conversation whole reads it again under the lock.
CREATE TABLE call_logd_reach (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    linkedid      text NOT NULL,
    PRIMARY KEY (checkpoint_id, linkedid)
);

-- With CELs and call logs in two databases: values of cel.call_log_id that are still to be written
-- there. The transaction that made the call logs records them. 0 means NULL.
CREATE TABLE call_logd_link (
    id            bigserial PRIMARY KEY,
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    cel_ids       bigint[] NOT NULL,
    call_log_ids  integer[] NOT NULL
);
