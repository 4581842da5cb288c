-- $1 weights, ascending -> band (how many of them are at or below), pairs: links by score, and open questions
SELECT width_bucket(p.weight::float8, $1::text[]::float8[]), count(*)
FROM (SELECT weight FROM tributary.link WHERE reason = 1 AND weight IS NOT NULL
      UNION ALL SELECT weight FROM tributary.review WHERE reason = 1) p
GROUP BY 1 ORDER BY 1
