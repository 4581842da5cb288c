-- $1 older than (ms), $2 rows
DELETE FROM tributary.activity a
USING (SELECT o.tableoid AS part, o.ctid AS place, o.at FROM tributary.activity o
       WHERE o.at < now() - $1::bigint * interval '1 millisecond' LIMIT $2::integer) old
WHERE a.tableoid = old.part AND a.ctid = old.place AND a.at = old.at
