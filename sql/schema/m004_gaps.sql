-- CEL ids that are missing while somebody who may still commit them is at work: they are not covered, and are looked for again by every run until
-- they have come or can come no more.
CREATE TABLE call_logd_gap (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    ids           int8range NOT NULL,
    first_missing timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (checkpoint_id, ids)
);
