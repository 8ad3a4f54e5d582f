/// The tables of other programs that the job reads.
package enum Schemas {
  /// Wazo's CEL table.
  package static let wazoCEL = """
    CREATE TABLE cel (
      id serial PRIMARY KEY, eventtype text NOT NULL, eventtime timestamptz NOT NULL, userdeftype text NOT NULL DEFAULT '',
      cid_name text NOT NULL DEFAULT '', cid_num text NOT NULL DEFAULT '', cid_ani text NOT NULL DEFAULT '',
      cid_rdnis text NOT NULL DEFAULT '', cid_dnid text NOT NULL DEFAULT '', exten text NOT NULL DEFAULT '',
      context text NOT NULL DEFAULT '', channame text NOT NULL DEFAULT '', appname text NOT NULL DEFAULT '',
      appdata text NOT NULL DEFAULT '', amaflags integer NOT NULL DEFAULT 3, accountcode text NOT NULL DEFAULT '',
      peeraccount text NOT NULL DEFAULT '', uniqueid text NOT NULL, linkedid text NOT NULL, userfield text NOT NULL DEFAULT '',
      peer text NOT NULL DEFAULT '', extra text, call_log_id integer
    );
    CREATE INDEX ON cel (call_log_id);
    CREATE INDEX ON cel (eventtime);
    CREATE INDEX ON cel (linkedid);
    CREATE INDEX ON cel (uniqueid);

    """

  /// Wazo's directory, reduced to the columns that are read or that simulated directories fill.
  package static let wazoDirectory = """
    CREATE TABLE tenant (uuid varchar(36) PRIMARY KEY);
    CREATE TABLE context (id serial PRIMARY KEY, tenant_uuid varchar(36) NOT NULL, name varchar(79) NOT NULL UNIQUE);
    CREATE TABLE userfeatures (
      id serial PRIMARY KEY, uuid varchar(38) NOT NULL UNIQUE, tenant_uuid varchar(36) NOT NULL,
      firstname varchar(128) NOT NULL DEFAULT '', lastname varchar(128) NOT NULL DEFAULT '', userfield varchar(128) NOT NULL DEFAULT ''
    );
    CREATE TABLE endpoint_sip (uuid uuid PRIMARY KEY, name text NOT NULL UNIQUE, tenant_uuid varchar(36) NOT NULL);
    CREATE TABLE linefeatures (
      id serial PRIMARY KEY, name varchar(128) UNIQUE, number varchar(40), context varchar(79) NOT NULL,
      endpoint_sip_uuid uuid REFERENCES endpoint_sip (uuid)
    );
    CREATE TABLE user_line (
      user_id integer NOT NULL, line_id integer NOT NULL, main_user boolean NOT NULL, main_line boolean NOT NULL, PRIMARY KEY (user_id, line_id)
    );
    CREATE TABLE extensions (
      id serial PRIMARY KEY, context varchar(79) NOT NULL DEFAULT '', exten varchar(40) NOT NULL DEFAULT '', type text NOT NULL DEFAULT 'user',
      typeval varchar(255) NOT NULL DEFAULT ''
    );
    CREATE TABLE line_extension (
      line_id integer NOT NULL, extension_id integer NOT NULL, main_extension boolean NOT NULL, PRIMARY KEY (line_id, extension_id)
    );
    CREATE TABLE voicemail (
      uniqueid serial PRIMARY KEY, context varchar(79) NOT NULL, mailbox varchar(40) NOT NULL, fullname varchar(80) NOT NULL DEFAULT ''
    );

    """

  /// What cel_pgsql fills on an Asterisk without Wazo.
  package static let plainCEL = """
    CREATE SCHEMA asterisk;
    CREATE TABLE asterisk.cel (
      id bigserial, eventtype integer NOT NULL, eventtime timestamp NOT NULL, userdeftype varchar(255) NOT NULL DEFAULT '',
      cid_name varchar(80) NOT NULL DEFAULT '', cid_num varchar(80) NOT NULL DEFAULT '', exten varchar(80) NOT NULL DEFAULT '',
      context varchar(80) NOT NULL DEFAULT '', channame varchar(80) NOT NULL DEFAULT '', appname varchar(80) NOT NULL DEFAULT '',
      appdata varchar(80) NOT NULL DEFAULT '', uniqueid varchar(150) NOT NULL, linkedid varchar(150) NOT NULL,
      userfield varchar(255) NOT NULL DEFAULT '', peer varchar(80) NOT NULL DEFAULT '', extra text
    );

    """
}
