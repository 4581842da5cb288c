-- Live records of people and companies, about which a model can be learned
SELECT count(*) FROM tributary.record WHERE (flags & 1) = 0 AND customer_id IS NOT NULL
