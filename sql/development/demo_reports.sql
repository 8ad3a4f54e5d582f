-- The reports at the end of the demo.

-- name: last
SELECT to_char(date, 'YYYY-MM-DD HH24:MI:SS'),
       coalesce(nullif(source_name, ''), '') || coalesce(' <' || nullif(source_exten, '') || '>', ''),
       coalesce(nullif(coalesce(nullif(destination_name, ''), requested_name), ''), '') || coalesce(' <' || nullif(destination_exten, '') || '>', ''),
       coalesce(to_char(date_end - date_answer, 'MI:SS'), '-'),
       direction,
       CASE WHEN blocked THEN 'blocked' WHEN reached_voicemail AND date_answer IS NULL THEN 'voicemail'
            WHEN date_answer IS NOT NULL THEN 'answered' ELSE 'unknown' END,
       (SELECT coalesce(string_agg(DISTINCT tag, ', '), '') FROM call_logd_call_log_participant p, unnest(p.tags) tag
         WHERE p.call_log_id = c.id AND tag <> '')
FROM call_logd_call_log c ORDER BY date DESC, id DESC LIMIT 20;

-- name: counts
SELECT CASE WHEN blocked THEN 'blocked' WHEN reached_voicemail AND date_answer IS NULL THEN 'voicemail'
            WHEN date_answer IS NOT NULL THEN 'answered' ELSE 'unknown' END AS status,
       count(*) FILTER (WHERE direction = 'inbound')::int8, count(*) FILTER (WHERE direction = 'internal')::int8,
       count(*) FILTER (WHERE direction = 'outbound')::int8, count(*)::int8
FROM call_logd_call_log GROUP BY status ORDER BY count(*) DESC;

-- name: example
SELECT conversation_id FROM call_logd_call_log c WHERE date_answer IS NOT NULL ORDER BY date DESC, id DESC LIMIT 1;
