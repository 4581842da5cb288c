INSERT INTO entry (spool_id, frame) VALUES (?1, ?2)
