-- Records and customers into the spaces their sources are in now.
WITH records AS (
    UPDATE tributary.record r SET space = s.space FROM tributary.source s
    WHERE s.source_id = r.source_id AND r.space <> s.space)
UPDATE tributary.customer c SET space = s.space
FROM tributary.record r JOIN tributary.source s USING (source_id)
WHERE r.record_id = c.customer_id AND c.space <> s.space
