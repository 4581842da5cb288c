-- 0007_raw_effective: when a delivery was received, and when what it says without a time of its own counts as said, are two
-- times. The second is later after a version of the same key that lies in the future, or after a clock that was set back.

ALTER TABLE tributary.raw ADD COLUMN effective_at timestamptz;
COMMENT ON COLUMN tributary.raw.effective_at IS 'When its records without a time of their own count as said; NULL: when it was received.';

UPDATE tributary.raw SET effective_at = received_at, received_at = now()
WHERE received_at > now() + interval '1 day';
