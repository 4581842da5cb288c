-- ?1 how many
SELECT spool_id, frame FROM entry ORDER BY spool_id LIMIT ?1
