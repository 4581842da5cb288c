SELECT spool_id, frame FROM entry ORDER BY spool_id DESC
