-- 0005_spaces: a source's space is kept by name; an id whose record is deleted leads to where its customer went on.

ALTER TABLE tributary.source ADD COLUMN space text NOT NULL DEFAULT 'main';
COMMENT ON COLUMN tributary.source.space IS 'The space its records are in, as configured last.';
UPDATE tributary.source s SET space = r.space
FROM (SELECT DISTINCT ON (source_id) source_id, space FROM tributary.record ORDER BY source_id, record_id DESC) r
WHERE r.source_id = s.source_id AND s.space <> r.space;

ALTER TABLE tributary.record ADD COLUMN heir_id bigint;
COMMENT ON COLUMN tributary.record.heir_id IS 'Of a deleted record: one that was in its customer and stayed; NULL when it was the last.';
CREATE INDEX record_heir ON tributary.record (heir_id) WHERE heir_id IS NOT NULL;
UPDATE tributary.record SET lead_at = NULL WHERE flags & 1 <> 0 AND lead_at IS NOT NULL;

CREATE OR REPLACE VIEW golden.redirect AS
SELECT r.record_id AS old_id, coalesce(r.customer_id, h.customer_id) AS customer_id
FROM tributary.record r LEFT JOIN tributary.record h ON r.customer_id IS NULL AND h.record_id = r.heir_id
WHERE r.customer_id IS DISTINCT FROM r.record_id;
COMMENT ON COLUMN golden.redirect.customer_id IS 'The living customer it stands for; NULL is a tombstone: all its records are deleted.';
