-- ?1 the last id that is no longer needed
DELETE FROM entry WHERE spool_id <= ?1
