-- 0006_numbers: numbers of batches and deliveries are not given again once their rows are gone.

INSERT INTO tributary.counter (name, value)
SELECT 'batch_id', coalesce(max(batch_id), 0) FROM tributary.batch
UNION ALL
SELECT 'accept_seq', greatest(coalesce((SELECT max(last_seq) FROM tributary.batch), 0),
                              coalesce((SELECT max(accept_seq) FROM tributary.raw), 0),
                              coalesce((SELECT max(accept_seq) FROM tributary.record), 0),
                              coalesce((SELECT max(accept_seq) FROM tributary.reject), 0));
COMMENT ON TABLE tributary.counter IS 'The highest numbers given out. batch_id and accept_seq are those of batches that are gone: higher ones may stand in tributary.batch.';
