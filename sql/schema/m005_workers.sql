-- Several workers at once, a record of every run, and the calls that have not ended.

-- One row per run of a verb that changes something.
CREATE TABLE call_logd_run (
    id            serial PRIMARY KEY,
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    verb          text NOT NULL,
    -- What was asked for, without anything secret.
    parameters    text NOT NULL DEFAULT '',
    program       text NOT NULL,
    -- Where it runs, and its process there.
    host          text NOT NULL,
    pid           integer NOT NULL,
    started       timestamptz NOT NULL DEFAULT now(),
    -- NULL while it runs. A run is alive while its session holds the advisory lock (0x63616c72, id); one without lock and without
    -- end died, and the next run marks it so.
    ended         timestamptz,
    outcome       text CHECK (outcome IN ('done', 'failed', 'interrupted', 'died')),
    -- What became of the CELs, changed in the commits that do the work.
    counters      jsonb NOT NULL DEFAULT '{}',
    error         text
);

-- CEL ids that somebody is at work on. Owners take a number from the sequence and hold the advisory lock (0x63616c63, owner) in the
-- session that does the work, so that a claim whose lock is free has nobody at work any more. A claim goes in the commit that covers its ids.
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
    -- The least linkedid of the conversation, times of its first and newest event, how many CELs it has.
    conversation  text NOT NULL,
    first_event   timestamptz NOT NULL,
    newest_event  timestamptz NOT NULL,
    cels          bigint NOT NULL,
    PRIMARY KEY (checkpoint_id, linkedid)
);
CREATE INDEX call_logd_open__idx__newest_event ON call_logd_open (checkpoint_id, newest_event);

-- The sums of two objects of counts, key by key.
CREATE FUNCTION call_logd_sum(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(key, total), '{}') FROM (
        SELECT key, sum(value::int8) AS total FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS counts
        GROUP BY key) AS totals
$$;
