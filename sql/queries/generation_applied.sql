-- $1 generation_id: its application has ended. Later than any other, whatever the server's clock says: the last one stands.
UPDATE tributary.generation
SET applied_at = greatest(clock_timestamp(), (SELECT max(applied_at) FROM tributary.generation) + interval '1 microsecond'),
    applying_at = NULL
WHERE generation_id = $1::integer
