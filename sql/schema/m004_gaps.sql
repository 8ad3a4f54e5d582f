-- Missing CEL ids that a transaction may still commit. They are not covered. Every run looks for
-- them again, until their rows appear or can no longer appear.
CREATE TABLE call_logd_gap (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    ids           int8range NOT NULL,
    first_missing timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (checkpoint_id, ids)
);
