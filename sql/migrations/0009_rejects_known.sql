-- 0009_rejects_known: what was rejected is known again after a start, so that it is a repeat when it is delivered again.

ALTER TABLE tributary.reject ADD COLUMN content_hash bigint;
ALTER TABLE tributary.reject ADD COLUMN effective_at timestamptz;
ALTER TABLE tributary.reject ADD COLUMN body_key uuid;
COMMENT ON COLUMN tributary.reject.content_hash IS 'Of a record the rules refused: with effective_at its version. NULL when there was no record.';
COMMENT ON COLUMN tributary.reject.body_key IS 'Of a delivery no record could be made of: hash of its bytes. NULL when there was a record.';
