-- Counts of call logs by tenant and hour, so that a list of millions knows how long it is. The
-- triggers that keep them are made with the first counts, by `migrate --counts` or by the service.
CREATE TABLE call_logd_count (
    tenant_uuid        uuid NOT NULL,
    -- The start of the hour, in UTC.
    hour               timestamptz NOT NULL,
    -- Call logs that began in it, by direction and status.
    inbound_unknown    integer NOT NULL,
    inbound_blocked    integer NOT NULL,
    inbound_voicemail  integer NOT NULL,
    inbound_answered   integer NOT NULL,
    internal_unknown   integer NOT NULL,
    internal_blocked   integer NOT NULL,
    internal_voicemail integer NOT NULL,
    internal_answered  integer NOT NULL,
    outbound_unknown   integer NOT NULL,
    outbound_blocked   integer NOT NULL,
    outbound_voicemail integer NOT NULL,
    outbound_answered  integer NOT NULL,
    none_unknown       integer NOT NULL,
    none_blocked       integer NOT NULL,
    none_voicemail     integer NOT NULL,
    none_answered      integer NOT NULL,
    PRIMARY KEY (tenant_uuid, hour)
) WITH (fillfactor = 80);

-- What has changed since: each statement that writes call logs adds rows, and nobody changes them. So
-- writers never wait for each other. A count is the sum of both tables.
CREATE TABLE call_logd_count_change (LIKE call_logd_count);

-- Notes the rows that a statement added (1) or took away (-1), which its trigger calls changed.
CREATE FUNCTION call_logd_count_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    sign CONSTANT integer := TG_ARGV[0];
BEGIN
    INSERT INTO call_logd_count_change
    SELECT tenant_uuid, hour,
        sign * coalesce(sum(calls) FILTER (WHERE kind = 0), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 1), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 2), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 3), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 4), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 5), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 6), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 7), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 8), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 9), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 10), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 11), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 12), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 13), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 14), 0),
        sign * coalesce(sum(calls) FILTER (WHERE kind = 15), 0)
    FROM (
        SELECT tenant_uuid, date_bin('1 hour', date, '0001-01-01Z') AS hour,
            CASE direction WHEN 'inbound' THEN 0 WHEN 'internal' THEN 4 WHEN 'outbound' THEN 8 ELSE 12 END
                + CASE WHEN blocked THEN 1 WHEN date_answer IS NOT NULL THEN 3 WHEN reached_voicemail THEN 2 ELSE 0 END AS kind,
            count(*)::integer AS calls
        FROM changed GROUP BY 1, 2, 3) AS kinds
    GROUP BY 1, 2;
    RETURN NULL;
END
$$;

-- Whoever empties the table of call logs is alone with it, so that no change is under way.
CREATE FUNCTION call_logd_count_clear() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    -- Whoever adds the changes up now ends first (the number is that of this program's lock).
    PERFORM pg_advisory_xact_lock(1667329140, 0);
    TRUNCATE call_logd_count, call_logd_count_change;
    RETURN NULL;
END
$$;

-- They work for all who write call logs, and on these tables, whatever the writer's search path.
REVOKE ALL ON FUNCTION call_logd_count_note(), call_logd_count_clear() FROM PUBLIC;
DO $$
DECLARE
    place CONSTANT text := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'call_logd_count'::regclass);
BEGIN
    EXECUTE format('ALTER FUNCTION call_logd_count_note() SET search_path = %s, pg_temp', place);
    EXECUTE format('ALTER FUNCTION call_logd_count_clear() SET search_path = %s, pg_temp', place);
END
$$;
