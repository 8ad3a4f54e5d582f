-- Exports of recordings that this program makes. A row of call_logd_export without a request belongs
-- to another program.
CREATE TABLE call_logd_export_request (
    export_uuid uuid PRIMARY KEY REFERENCES call_logd_export (uuid) ON DELETE CASCADE,
    created     timestamptz NOT NULL DEFAULT now(),
    -- How often a service has begun to make the file. An orderly stop does not count.
    attempts    integer NOT NULL DEFAULT 0,
    -- Why the export failed.
    error       text,
    -- none: nobody asked for a mail. waiting: a mail is to be sent when the file is there. sent,
    -- failed: there is nothing left to do. The address goes then.
    mail        text NOT NULL DEFAULT 'none' CHECK (mail IN ('none', 'waiting', 'sent', 'failed')),
    email       text,
    -- The address of the API as the client knows it, for the link in the mail. There is no token in it.
    base_url    text NOT NULL DEFAULT '',
    mail_tries  integer NOT NULL DEFAULT 0,
    -- The next try comes at this time or later.
    mail_next   timestamptz NOT NULL DEFAULT now(),
    CHECK (mail <> 'waiting' OR email IS NOT NULL)
);

-- The recordings of a request, in the order of the file's members.
CREATE TABLE call_logd_export_recording (
    export_uuid    uuid NOT NULL REFERENCES call_logd_export_request (export_uuid) ON DELETE CASCADE,
    call_log_id    integer NOT NULL,
    recording_uuid uuid NOT NULL,
    PRIMARY KEY (export_uuid, call_log_id, recording_uuid)
);
