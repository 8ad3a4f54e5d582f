-- Channels whose CHAN_START is not there yet, although CELs of the channel, or of a call with that
-- linkedid, are covered. If such a channel comes later, with all of its call, those covered CELs
-- may join that call to another one. The worker then reads the call whole, under the lock.
CREATE TABLE call_logd_awaited (
    checkpoint_id integer NOT NULL REFERENCES call_logd_checkpoint (id) ON DELETE CASCADE,
    uniqueid      text NOT NULL,
    PRIMARY KEY (checkpoint_id, uniqueid)
);

-- Whether the channels that the covered CELs await are noted. Earlier versions noted none: the next
-- run looks through the newest of their CELs once.
ALTER TABLE call_logd_checkpoint ADD COLUMN knows_awaited boolean NOT NULL DEFAULT true;
UPDATE call_logd_checkpoint SET knows_awaited = false;
