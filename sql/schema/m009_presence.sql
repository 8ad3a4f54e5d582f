-- Checks of the coverage: the rows that existed, the calls that were purged, the former databases.

-- Ids that had a row when they were covered, by blocks of 65,536 ids (the id shifted right by 16
-- bits). A row with any other covered id came later, from elsewhere. A run uncovers it and makes
-- its call log.
CREATE TABLE call_logd_seen (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    block         bigint NOT NULL,
    ids           int8multirange NOT NULL,
    -- The number of ranges and of ids, so that a run need not read the ids to count them.
    pieces        integer NOT NULL,
    rows          integer NOT NULL,
    PRIMARY KEY (checkpoint_id, block)
);

-- Conversations whose call logs a purge deleted. No run makes them again, unless regenerate asks
-- for them.
CREATE TABLE call_logd_purged (
    conversation_id text PRIMARY KEY
);

-- Conversations that got CELs while other CELs of theirs, or their call log, were only in an
-- archive, and those of which a restore brought an older state back. They are made again when the
-- rest comes back.
CREATE TABLE call_logd_late (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    linkedid      text NOT NULL,
    PRIMARY KEY (checkpoint_id, linkedid)
);

-- Former databases that this one replaces; their archives are its own. generate --adopt fills the
-- table. A usual run fills it, too, where the CELs have a database of their own.
CREATE TABLE call_logd_former (
    system   bigint NOT NULL,
    database bigint NOT NULL,
    adopted  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (system, database)
);

ALTER TABLE call_logd_checkpoint
    -- More covered CELs and their times (microseconds since 2000-01-01 UTC) in addition to
    -- witness_id, because any program may delete a single CEL.
    ADD COLUMN witness_ids bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN witness_times bigint[] NOT NULL DEFAULT '{}',
    -- Ids of call logs that this program made from the table's CELs. CELs that point to any other
    -- call log were processed by another program.
    ADD COLUMN made int8multirange NOT NULL DEFAULT '{}',
    -- The last value of the id sequence that a run has seen. A smaller value later means that ids
    -- are given a second time.
    ADD COLUMN sequence_value bigint,
    -- The time of the last check of covered ids for later rows. NULL: the coverage is from an
    -- earlier version, and call_logd_seen is not filled yet.
    ADD COLUMN looked timestamptz;
UPDATE call_logd_checkpoint SET looked = now() WHERE covered = '{}';
ALTER TABLE call_logd_checkpoint ALTER looked SET DEFAULT now();

-- Whether call_logd_purged has the conversations of the part's call logs. Parts of earlier versions
-- record purged calls only by the ids of call logs.
ALTER TABLE call_logd_archive ADD COLUMN notes_conversations boolean NOT NULL DEFAULT false;
