-- $1 generation_id: its application has ended. clock_timestamp: several may be applied to nothing within a moment
UPDATE tributary.generation SET applied_at = clock_timestamp(), applying_at = NULL WHERE generation_id = $1::integer
