-- $1 sink -> how many dead letters are gone, sinks found.
WITH touched AS (
    UPDATE tributary.sink SET updated_at = clock_timestamp() WHERE name = $1::text RETURNING name
), gone AS (
    DELETE FROM tributary.sink_parked WHERE sink = $1::text AND dead RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM touched)
