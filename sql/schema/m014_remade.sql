-- Call logs that were made again under the ids that they had, for those who follow new call logs. A
-- number is from the sequence of the ids, so that new and remade call logs have one order. Rows older
-- than an hour go when the next ones come.
CREATE TABLE call_logd_remade (
    number    bigint PRIMARY KEY,
    call_logs integer[] NOT NULL,
    made      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX call_logd_remade__idx__made ON call_logd_remade (made);
