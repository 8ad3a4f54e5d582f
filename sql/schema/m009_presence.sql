-- What is claimed to be done is checked: which rows there were, which calls were purged, which database it was.

-- Ids that had a row when they were covered, by blocks of 65,536 ids (the id shifted right by 16 bits). A row with a covered id that is not among
-- them came later, from elsewhere: it is uncovered and made.
CREATE TABLE call_logd_seen (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    block         bigint NOT NULL,
    ids           int8multirange NOT NULL,
    -- How many ranges and how many ids these are, so that they need not be read to know.
    pieces        integer NOT NULL,
    rows          integer NOT NULL,
    PRIMARY KEY (checkpoint_id, block)
);

-- Conversations whose call logs a purge deleted: they are not made again, unless regenerate asks for them.
CREATE TABLE call_logd_purged (
    conversation_id text PRIMARY KEY
);

-- Conversations that got CELs while others of theirs, or their call log, were in an archive only. A restore has them made anew.
CREATE TABLE call_logd_late (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    linkedid      text NOT NULL,
    PRIMARY KEY (checkpoint_id, linkedid)
);

-- Databases that this one has taken the place of, by generate --adopt: their archives are its own.
CREATE TABLE call_logd_former (
    system   bigint NOT NULL,
    database bigint NOT NULL,
    adopted  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (system, database)
);

ALTER TABLE call_logd_checkpoint
    -- More covered CELs and their times (microseconds since 2000-01-01 UTC) beside witness_id, which alone may be deleted by anybody.
    ADD COLUMN witness_ids bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN witness_times bigint[] NOT NULL DEFAULT '{}',
    -- Ids of call logs that this program has made of the table's CELs. CELs that point to another one were done by another program.
    ADD COLUMN made int8multirange NOT NULL DEFAULT '{}',
    -- The last value of the sequence of ids that a run has seen. A lesser one later means that ids are given out anew.
    ADD COLUMN sequence_value bigint,
    -- When covered ids were last looked through for rows that came later. NULL: call_logd_seen is not filled yet, the coverage is of an earlier version.
    ADD COLUMN looked timestamptz;
UPDATE call_logd_checkpoint SET looked = now() WHERE covered = '{}';
ALTER TABLE call_logd_checkpoint ALTER looked SET DEFAULT now();

-- Whether the conversations of the part's call logs are in call_logd_purged. Parts of earlier versions tell purged calls by the ids of call logs alone.
ALTER TABLE call_logd_archive ADD COLUMN notes_conversations boolean NOT NULL DEFAULT false;
