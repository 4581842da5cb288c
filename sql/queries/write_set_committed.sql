-- $1 number: did that write set commit?
SELECT 1 FROM tributary.counter WHERE name = 'write_set' AND value >= $1::bigint
