-- 0014_old_partitions: partitions of months long past go when retention has emptied them.

-- Drops the oldest partition of a table that is of a month before that of $2 and empty -> its name, NULL: there is none. It takes
-- ACCESS EXCLUSIVE on the table and the partition, after a look that locks nobody out: the caller sets lock_timeout. What still
-- comes of such a month lies in the partition for the rest.
CREATE FUNCTION tributary.drop_empty_partition_of(parent text, around timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    child text;
    filled boolean;
BEGIN
    FOR child IN
        SELECT c.relname FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = pg_catalog.to_regclass('tributary.' || parent) AND c.relname ~ ('^' || parent || '_[0-9]{6}$')
          AND pg_catalog.right(c.relname, 6) < pg_catalog.to_char(around AT TIME ZONE 'UTC', 'YYYYMM')
        ORDER BY c.relname
    LOOP
        -- Dead rows are looked through under the lock, too: until vacuum has cut them off it is not this one's turn.
        CONTINUE WHEN pg_catalog.pg_relation_size(pg_catalog.to_regclass('tributary.' || child)) > 1048576;
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM tributary.%I)', child) INTO filled;
        CONTINUE WHEN filled;
        EXECUTE pg_catalog.format('LOCK TABLE ONLY tributary.%I IN ACCESS EXCLUSIVE MODE', parent);
        EXECUTE pg_catalog.format('LOCK TABLE ONLY tributary.%I IN ACCESS EXCLUSIVE MODE', child);
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM tributary.%I)', child) INTO filled;
        CONTINUE WHEN filled;
        EXECUTE pg_catalog.format('DROP TABLE tributary.%I', child);
        RETURN child;
    END LOOP;
    RETURN NULL;
END $$;
