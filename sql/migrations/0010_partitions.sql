-- 0010_partitions: the months to come are made for one table at a time, so that a transaction holds the locks of one only.

-- This month and the next two of one table partitioned by time, and a partition for the rest -> how many were made. What is there
-- takes no lock; what is made takes ACCESS EXCLUSIVE on the table: the caller sets lock_timeout.
CREATE FUNCTION tributary.ensure_partitions_of(parent text, around timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    made integer := 0;
    month timestamptz;
    child text;
BEGIN
    IF pg_catalog.to_regclass('tributary.' || parent || '_rest') IS NULL THEN
        EXECUTE pg_catalog.format('CREATE TABLE tributary.%I PARTITION OF tributary.%I DEFAULT', parent || '_rest', parent);
        made := made + 1;
    END IF;
    FOR i IN 0..2 LOOP
        month := pg_catalog.date_trunc('month', around, 'UTC') + pg_catalog.make_interval(months => i);
        child := parent || '_' || pg_catalog.to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
        IF pg_catalog.to_regclass('tributary.' || child) IS NULL THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE TABLE tributary.%I PARTITION OF tributary.%I FOR VALUES FROM (%L) TO (%L)',
                                          child, parent, month, month + interval '1 month');
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                -- Rows of that month already lie in the rest (the clock stood elsewhere): they stay there.
                RAISE NOTICE 'partition % not made: its rows lie in the default partition', child;
            END;
        END IF;
    END LOOP;
    RETURN made;
END $$;
