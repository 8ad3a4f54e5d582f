-- Several workers at a time, a record of every run, and the calls that have not ended.

-- One row per run of a verb that changes something.
CREATE TABLE call_logd_run (
    id            serial PRIMARY KEY,
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    verb          text NOT NULL,
    -- The options of the run, without secrets.
    parameters    text NOT NULL DEFAULT '',
    program       text NOT NULL,
    -- The host, and the process id there.
    host          text NOT NULL,
    pid           integer NOT NULL,
    started       timestamptz NOT NULL DEFAULT now(),
    -- NULL while it runs. A run is alive while its session holds the advisory lock (0x63616c72,
    -- id). A run without that lock and without an end has died. The next run marks it so.
    ended         timestamptz,
    outcome       text CHECK (outcome IN ('done', 'failed', 'interrupted', 'died')),
    -- Counts of the CELs by their outcome. The transactions that do the work change them.
    counters      jsonb NOT NULL DEFAULT '{}',
    error         text
);

-- CEL ids that a worker has claimed. Each owner takes a number from the sequence, and holds the
-- advisory lock (0x63616c63, owner) in the session that does its work. So a claim whose lock is
-- free is abandoned. The transaction that covers the ids deletes the claim.
CREATE SEQUENCE call_logd_claim_owner_seq AS integer CYCLE;
CREATE TABLE call_logd_claim (
    id            bigserial PRIMARY KEY,
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    ids           int8range NOT NULL,
    owner         integer NOT NULL,
    run_id        integer NOT NULL,
    claimed       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT call_logd_claim_ids_excl EXCLUDE USING gist (int4range(checkpoint_id, checkpoint_id, '[]') WITH &&, ids WITH &&)
);

-- Linkedids of conversations whose covered CELs lack a LINKEDID_END.
CREATE TABLE call_logd_open (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    linkedid      text NOT NULL,
    -- The smallest linkedid of the conversation, the times of its first and newest event, the
    -- number of its CELs.
    conversation  text NOT NULL,
    first_event   timestamptz NOT NULL,
    newest_event  timestamptz NOT NULL,
    cels          bigint NOT NULL,
    PRIMARY KEY (checkpoint_id, linkedid)
);
CREATE INDEX call_logd_open__idx__newest_event ON call_logd_open (checkpoint_id, newest_event);

-- The sums of two objects of counts, by key.
CREATE FUNCTION call_logd_sum(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(key, total), '{}') FROM (
        SELECT key, sum(value::int8) AS total FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS counts
        GROUP BY key) AS totals
$$;
