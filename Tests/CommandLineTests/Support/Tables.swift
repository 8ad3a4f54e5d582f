/// The CEL table and the directory of a Wazo server, as far as they are read.
let wazoTables = """
  CREATE TABLE cel (
    id serial PRIMARY KEY, eventtype text NOT NULL, eventtime timestamptz NOT NULL, userdeftype text NOT NULL, cid_name text NOT NULL,
    cid_num text NOT NULL, cid_ani text NOT NULL, cid_rdnis text NOT NULL, cid_dnid text NOT NULL, exten text NOT NULL,
    context text NOT NULL, channame text NOT NULL, appname text NOT NULL, appdata text NOT NULL, amaflags integer NOT NULL,
    accountcode text NOT NULL, peeraccount text NOT NULL, uniqueid text NOT NULL, linkedid text NOT NULL, userfield text NOT NULL,
    peer text NOT NULL, extra text, call_log_id integer);
  CREATE INDEX ON cel (call_log_id);
  CREATE INDEX ON cel (eventtime);
  CREATE INDEX ON cel (linkedid);
  CREATE INDEX ON cel (uniqueid);
  CREATE TABLE tenant (uuid varchar(36) PRIMARY KEY);
  CREATE TABLE context (id serial PRIMARY KEY, tenant_uuid varchar(36) NOT NULL, name varchar(79) NOT NULL UNIQUE);
  CREATE TABLE userfeatures (
    id serial PRIMARY KEY, uuid varchar(38) NOT NULL UNIQUE, tenant_uuid varchar(36) NOT NULL, firstname varchar(128) NOT NULL DEFAULT '',
    lastname varchar(128) NOT NULL DEFAULT '', userfield varchar(128) NOT NULL DEFAULT '');
  CREATE TABLE endpoint_sip (uuid uuid PRIMARY KEY, name text NOT NULL UNIQUE, tenant_uuid varchar(36) NOT NULL);
  CREATE TABLE linefeatures (
    id serial PRIMARY KEY, name varchar(128) UNIQUE, context varchar(79) NOT NULL, endpoint_sip_uuid uuid REFERENCES endpoint_sip (uuid));
  CREATE TABLE user_line (
    user_id integer NOT NULL REFERENCES userfeatures (id), line_id integer NOT NULL REFERENCES linefeatures (id),
    main_user boolean NOT NULL, main_line boolean NOT NULL, PRIMARY KEY (user_id, line_id));
  CREATE TABLE extensions (
    id serial PRIMARY KEY, context varchar(79) NOT NULL DEFAULT '', exten varchar(40) NOT NULL DEFAULT '', type text NOT NULL DEFAULT 'user',
    typeval varchar(255) NOT NULL DEFAULT '', UNIQUE (exten, context));
  CREATE TABLE line_extension (
    line_id integer NOT NULL REFERENCES linefeatures (id), extension_id integer NOT NULL REFERENCES extensions (id),
    main_extension boolean NOT NULL, PRIMARY KEY (line_id, extension_id));
  CREATE TABLE voicemail (
    uniqueid serial PRIMARY KEY, context varchar(79) NOT NULL, mailbox varchar(40) NOT NULL, fullname varchar(80) NOT NULL DEFAULT '',
    UNIQUE (mailbox, context));

  """

/// The CEL table of Asterisk's own documentation: nothing is NOT NULL, no column of Wazo's, no
/// index.
let plainTable = """
  CREATE TABLE cel (
    id serial, eventtype varchar(30), eventtime timestamp, userdeftype varchar(255), cid_name varchar(80), cid_num varchar(80),
    cid_ani varchar(80), cid_rdnis varchar(80), cid_dnid varchar(80), exten varchar(80), context varchar(80), channame varchar(80),
    appname varchar(80), appdata varchar(1024), amaflags integer, accountcode varchar(20), peeraccount varchar(20), uniqueid varchar(150),
    linkedid varchar(150), userfield varchar(255), peer varchar(80), extra varchar(4096));

  """
