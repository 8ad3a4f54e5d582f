-- Wazo's own tables for call logs, exactly as Wazo creates them, for databases without them. On a
-- Wazo server they exist, and nothing here changes them.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS unaccent;

CREATE TABLE IF NOT EXISTS call_logd_tenant (
    uuid uuid NOT NULL,
    CONSTRAINT call_logd_tenant_pkey PRIMARY KEY (uuid)
);

CREATE TABLE IF NOT EXISTS call_logd_call_log (
    id                         serial NOT NULL,
    date                       timestamptz NOT NULL,
    date_answer                timestamptz,
    date_end                   timestamptz,
    tenant_uuid                uuid NOT NULL,
    source_name                varchar(255),
    source_exten               varchar(255),
    source_internal_name       text,
    source_internal_exten      text,
    source_internal_context    text,
    source_line_identity       varchar(255),
    requested_name             text,
    requested_exten            varchar(255),
    requested_context          varchar(255),
    requested_internal_exten   text,
    requested_internal_context text,
    destination_name           varchar(255),
    destination_exten          varchar(255),
    destination_internal_exten text,
    destination_internal_context text,
    destination_line_identity  varchar(255),
    direction                  varchar(255),
    user_field                 varchar(255),
    conversation_id            varchar(255),
    blocked                    boolean,
    reached_voicemail          boolean,
    CONSTRAINT call_logd_call_log_pkey PRIMARY KEY (id),
    CONSTRAINT call_logd_call_log_tenant_uuid_fkey FOREIGN KEY (tenant_uuid) REFERENCES call_logd_tenant (uuid) ON DELETE CASCADE,
    CONSTRAINT call_logd_call_log_direction_check CHECK (direction IN ('inbound', 'internal', 'outbound'))
);
CREATE INDEX IF NOT EXISTS call_logd_call_log__idx__conversation_id ON call_logd_call_log (conversation_id);

DO $$
BEGIN
    IF to_regtype('call_logd_call_log_participant_role') IS NULL THEN
        CREATE TYPE call_logd_call_log_participant_role AS ENUM ('source', 'destination');
    END IF;
END
$$;

CREATE TABLE IF NOT EXISTS call_logd_call_log_participant (
    uuid        uuid NOT NULL DEFAULT uuid_generate_v4(),
    call_log_id integer,
    user_uuid   uuid NOT NULL,
    line_id     integer,
    role        call_logd_call_log_participant_role NOT NULL,
    tags        varchar(128)[] NOT NULL DEFAULT '{}',
    answered    boolean NOT NULL DEFAULT false,
    requested   boolean NOT NULL DEFAULT false,
    CONSTRAINT call_logd_call_log_participant_pkey PRIMARY KEY (uuid),
    CONSTRAINT call_logd_call_log_participant_call_log_id_fkey FOREIGN KEY (call_log_id) REFERENCES call_logd_call_log (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS call_logd_call_log_participant__idx__call_log_id ON call_logd_call_log_participant (call_log_id);
CREATE INDEX IF NOT EXISTS call_logd_call_log_participant__idx__user_uuid ON call_logd_call_log_participant (user_uuid);

CREATE TABLE IF NOT EXISTS call_logd_call_log_destination (
    uuid                      uuid NOT NULL DEFAULT uuid_generate_v4(),
    call_log_id               integer,
    destination_details_key   varchar(32) NOT NULL,
    destination_details_value varchar(255) NOT NULL,
    CONSTRAINT call_logd_call_log_destination_pkey PRIMARY KEY (uuid),
    CONSTRAINT call_logd_call_log_destination_call_log_id_fkey FOREIGN KEY (call_log_id) REFERENCES call_logd_call_log (id) ON DELETE CASCADE,
    CONSTRAINT call_logd_call_log_destination_details_key_check CHECK (destination_details_key IN (
        'type', 'user_uuid', 'user_name', 'meeting_uuid', 'meeting_name', 'conference_id', 'group_label', 'group_id', 'voicemail_id',
        'voicemail_name'))
);
CREATE INDEX IF NOT EXISTS call_logd_call_log_destination__idx__call_log_id ON call_logd_call_log_destination (call_log_id);

CREATE TABLE IF NOT EXISTS call_logd_recording (
    uuid        uuid NOT NULL DEFAULT uuid_generate_v4(),
    start_time  timestamptz NOT NULL,
    end_time    timestamptz NOT NULL,
    path        text,
    call_log_id integer NOT NULL,
    CONSTRAINT call_logd_recording_pkey PRIMARY KEY (uuid),
    CONSTRAINT call_logd_recording_call_log_id_fkey FOREIGN KEY (call_log_id) REFERENCES call_logd_call_log (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS call_logd_recording__idx__call_log_id ON call_logd_recording (call_log_id);

CREATE TABLE IF NOT EXISTS call_logd_retention (
    tenant_uuid    uuid NOT NULL,
    cdr_days       integer,
    export_days    integer,
    recording_days integer,
    CONSTRAINT call_logd_retention_pkey PRIMARY KEY (tenant_uuid),
    CONSTRAINT call_logd_retention_tenant_uuid_fkey FOREIGN KEY (tenant_uuid) REFERENCES call_logd_tenant (uuid) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS call_logd_config (
    id                                 serial NOT NULL,
    retention_cdr_days                 integer,
    retention_cdr_days_from_file       boolean NOT NULL,
    retention_export_days              integer,
    retention_export_days_from_file    boolean NOT NULL,
    retention_recording_days           integer,
    retention_recording_days_from_file boolean NOT NULL,
    CONSTRAINT call_logd_config_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS call_logd_export (
    uuid         uuid NOT NULL DEFAULT uuid_generate_v4(),
    tenant_uuid  uuid NOT NULL,
    user_uuid    uuid NOT NULL,
    requested_at timestamptz NOT NULL,
    status       varchar(32),
    path         text,
    CONSTRAINT call_logd_export_pkey PRIMARY KEY (uuid),
    CONSTRAINT call_logd_export_tenant_uuid_fkey FOREIGN KEY (tenant_uuid) REFERENCES call_logd_tenant (uuid) ON DELETE CASCADE,
    CONSTRAINT call_logd_export_status_check CHECK (status IN ('pending', 'processing', 'finished', 'deleted', 'error'))
);
CREATE INDEX IF NOT EXISTS call_logd_export__idx__user_uuid ON call_logd_export (user_uuid);
