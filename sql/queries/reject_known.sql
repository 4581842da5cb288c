-- $1 limit -> versions and bytes of the newest rejects that nobody has taken in again, oldest first
SELECT source_id, external_id, part, coalesce(content_hash, 0), coalesce(effective_at, at), body_key
FROM (SELECT * FROM tributary.reject
      WHERE state <> 'retried' AND (content_hash IS NOT NULL OR body_key IS NOT NULL)
      ORDER BY reject_id DESC LIMIT $1::integer) newest
ORDER BY reject_id
