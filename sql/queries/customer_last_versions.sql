-- $1 customer ids that stood before -> customer_id, highest version told of it
SELECT customer_id, max(version)::integer FROM tributary.history
WHERE customer_id = ANY ($1::bigint[]) GROUP BY customer_id
