-- The directory of a Wazo server, which tells the owner of each line. A run sends one query per
-- table, by its name.

-- name: tenants
SELECT uuid::text FROM tenant ORDER BY uuid::text;

-- name: users
SELECT id, uuid::text, tenant_uuid::text, coalesce(userfield, '') FROM userfeatures ORDER BY id;

-- The name of a line is in the name of its channels: linefeatures.name, or in older rows the name
-- of its SIP endpoint.
-- name: lines
SELECT l.id, coalesce(l.name, e.name, '') FROM linefeatures l LEFT JOIN endpoint_sip e ON e.uuid = l.endpoint_sip_uuid ORDER BY l.id;

-- The first user of a line is its main user; the first line of a user is the main line.
-- name: user_lines
SELECT user_id, line_id, main_user, main_line FROM user_line ORDER BY line_id, main_user DESC, user_id;

-- The first extension of a line is its main extension.
-- name: extensions
SELECT le.line_id, x.exten::text, x.context::text
FROM line_extension le JOIN extensions x ON x.id = le.extension_id
ORDER BY le.line_id, le.main_extension DESC, x.id;

-- name: contexts
SELECT name::text, tenant_uuid::text FROM context ORDER BY id;

-- name: voicemails
SELECT v.uniqueid, v.mailbox::text, v.context::text, coalesce(v.fullname, ''), c.tenant_uuid::text
FROM voicemail v LEFT JOIN context c ON c.name = v.context
ORDER BY v.uniqueid;
