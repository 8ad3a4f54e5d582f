-- Audio files of recordings that are forgotten.

-- A row comes in the transaction that deletes a recording, or sets its path to NULL; it goes when the file is removed. So whatever stops a purge,
-- the next one knows which files are to go.
CREATE TABLE call_logd_audio (
    id         bigserial PRIMARY KEY,
    -- As it stood in call_logd_recording.
    path       text NOT NULL,
    -- The run that forgot it, and when.
    run_id     integer NOT NULL,
    forgotten  timestamptz NOT NULL DEFAULT now(),
    -- Why it could not be removed the last time; it is tried again.
    error      text,
    -- The recordings folder by which it is refused, for it leads elsewhere or is no file: it is not tried again until another folder is set.
    refused_by text
);
