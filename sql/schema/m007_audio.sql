-- Audio files of forgotten recordings.

-- The transaction that deletes a recording, or sets its path to NULL, inserts a row. The row goes
-- when the file is removed. So after any interruption the next purge knows the files to remove.
CREATE TABLE call_logd_audio (
    id         bigserial PRIMARY KEY,
    -- The path, as it was in call_logd_recording.
    path       text NOT NULL,
    -- The run that forgot the recording, and the time.
    run_id     integer NOT NULL,
    forgotten  timestamptz NOT NULL DEFAULT now(),
    -- Why the last removal failed. Every purge tries again.
    error      text,
    -- The recordings folder that refuses the path, because it leads elsewhere or is not an ordinary
    -- file. No purge tries again until another folder is set.
    refused_by text
);
