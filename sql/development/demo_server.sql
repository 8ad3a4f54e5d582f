-- The tables of a Wazo server that the demo and the benchmark need: the CEL table, and users, lines
-- and mailboxes. On a real server they belong to Wazo. This program reads them, and writes only
-- cel.call_log_id.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";

CREATE TABLE cel (
    id serial PRIMARY KEY,
    eventtype text NOT NULL,
    eventtime timestamptz NOT NULL,
    userdeftype text NOT NULL,
    cid_name text NOT NULL,
    cid_num text NOT NULL,
    cid_ani text NOT NULL,
    cid_rdnis text NOT NULL,
    cid_dnid text NOT NULL,
    exten text NOT NULL,
    context text NOT NULL,
    channame text NOT NULL,
    appname text NOT NULL,
    appdata text NOT NULL,
    amaflags integer NOT NULL,
    accountcode text NOT NULL,
    peeraccount text NOT NULL,
    uniqueid text NOT NULL,
    linkedid text NOT NULL,
    userfield text NOT NULL,
    peer text NOT NULL,
    extra text,
    call_log_id integer
);
CREATE INDEX cel__idx__call_log_id ON cel (call_log_id);
CREATE INDEX cel__idx__eventtime ON cel (eventtime);
CREATE INDEX cel__idx__linkedid ON cel (linkedid);
CREATE INDEX cel__idx__uniqueid ON cel (uniqueid);

CREATE TABLE tenant (uuid varchar(36) PRIMARY KEY);
CREATE TABLE context (id serial PRIMARY KEY, tenant_uuid varchar(36) NOT NULL, name varchar(79) NOT NULL UNIQUE);
CREATE TABLE userfeatures (
    id serial PRIMARY KEY,
    uuid varchar(38) NOT NULL UNIQUE,
    tenant_uuid varchar(36) NOT NULL,
    firstname varchar(128) NOT NULL DEFAULT '',
    lastname varchar(128) NOT NULL DEFAULT '',
    userfield varchar(128) NOT NULL DEFAULT ''
);
CREATE TABLE endpoint_sip (uuid uuid PRIMARY KEY, name text NOT NULL UNIQUE, tenant_uuid varchar(36) NOT NULL);
CREATE TABLE linefeatures (
    id serial PRIMARY KEY,
    name varchar(128) UNIQUE,
    number varchar(40),
    context varchar(79) NOT NULL,
    provisioningid integer NOT NULL DEFAULT 0,
    endpoint_sip_uuid uuid REFERENCES endpoint_sip (uuid),
    endpoint_sccp_id integer,
    endpoint_custom_id integer
);
CREATE TABLE user_line (
    user_id integer NOT NULL REFERENCES userfeatures (id),
    line_id integer NOT NULL REFERENCES linefeatures (id),
    main_user boolean NOT NULL,
    main_line boolean NOT NULL,
    PRIMARY KEY (user_id, line_id)
);
CREATE TABLE extensions (
    id serial PRIMARY KEY,
    context varchar(79) NOT NULL DEFAULT '',
    exten varchar(40) NOT NULL DEFAULT '',
    type text NOT NULL DEFAULT 'user',
    typeval varchar(255) NOT NULL DEFAULT '',
    UNIQUE (exten, context)
);
CREATE TABLE line_extension (
    line_id integer NOT NULL REFERENCES linefeatures (id),
    extension_id integer NOT NULL REFERENCES extensions (id),
    main_extension boolean NOT NULL,
    PRIMARY KEY (line_id, extension_id)
);
CREATE TABLE voicemail (
    uniqueid serial PRIMARY KEY,
    context varchar(79) NOT NULL,
    mailbox varchar(40) NOT NULL,
    fullname varchar(80) NOT NULL DEFAULT '',
    UNIQUE (mailbox, context)
);
