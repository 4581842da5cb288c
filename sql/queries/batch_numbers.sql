-- The highest numbers given out so far.
SELECT coalesce((SELECT max(batch_id) FROM tributary.batch), 0)::bigint,
       greatest(coalesce((SELECT max(accept_seq) FROM tributary.raw), 0),
                coalesce((SELECT max(last_seq) FROM tributary.batch), 0))::bigint
