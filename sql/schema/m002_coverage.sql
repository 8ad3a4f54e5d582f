-- The durable checkpoint of the job, in the database of the call logs.

-- One row per CEL table. It changes in the transaction that writes a batch of call logs, so that there is no moment at which a
-- batch is written and not recorded, or recorded and not written.
CREATE TABLE call_logd_checkpoint (
    id            serial PRIMARY KEY,
    -- Which CEL table: the server's system identifier, the oid of the database, the oid of the table.
    cel_system    bigint NOT NULL,
    cel_database  bigint NOT NULL,
    cel_table     bigint NOT NULL,
    -- Its name when the row was made, for people.
    cel_name      text NOT NULL,
    -- The CEL ids that are done.
    covered       int8multirange NOT NULL DEFAULT '{}',
    -- Grows with every change of covered.
    generation    bigint NOT NULL DEFAULT 0,
    -- A covered CEL and its time: another time under that id means that ids were given out anew (table truncated, database restored).
    witness_id    bigint,
    witness_time  timestamptz,
    -- Events read and what became of them, summed over all runs.
    counters      jsonb NOT NULL DEFAULT '{}',
    created       timestamptz NOT NULL DEFAULT now(),
    changed       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (cel_system, cel_database, cel_table)
);

-- Linkedids of conversations that have a CEL outside the ranges covered so far. A chunk that holds such a conversation whole, to all
-- appearance, reads it again under the lock.
CREATE TABLE call_logd_reach (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    linkedid      text NOT NULL,
    PRIMARY KEY (checkpoint_id, linkedid)
);

-- Where CELs and call logs are in two databases: values of cel.call_log_id that are still to be written there, recorded in the commit
-- that made the call logs. 0 stands for NULL.
CREATE TABLE call_logd_link (
    id            bigserial PRIMARY KEY,
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    cel_ids       bigint[] NOT NULL,
    call_log_ids  integer[] NOT NULL
);
