SELECT spool_id, frame FROM entry WHERE spool_id = ?1
