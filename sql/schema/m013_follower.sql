-- Who follows the CELs: one process for each checkpoint makes call logs as calls end.
CREATE TABLE call_logd_follower (
    checkpoint_id integer PRIMARY KEY REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    -- A number of the process's own, new for each term.
    owner         uuid NOT NULL,
    host          text NOT NULL,
    pid           integer NOT NULL,
    program       text NOT NULL,
    since         timestamptz NOT NULL DEFAULT now(),
    -- The last sign of life. A follower without one for some seconds is gone, frozen or cut off.
    beat          timestamptz NOT NULL,
    -- The sessions of the follower, in this database and in that of the CELs: {"logs": [{"pid": 1,
    -- "start": "…"}], "cels": […]}. Whoever takes over ends them.
    sessions      jsonb NOT NULL DEFAULT '{}',
    -- What it did, for people and for monitoring.
    state         jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);
