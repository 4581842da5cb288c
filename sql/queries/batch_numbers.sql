-- The highest numbers given out so far: of batches that stand, and of those that are gone.
SELECT greatest((SELECT max(batch_id) FROM tributary.batch),
                (SELECT value FROM tributary.counter WHERE name = 'batch_id'), 0)::bigint,
       greatest((SELECT max(accept_seq) FROM tributary.raw), (SELECT max(last_seq) FROM tributary.batch),
                (SELECT value FROM tributary.counter WHERE name = 'accept_seq'), 0)::bigint
