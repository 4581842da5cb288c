-- $1 customer ids
SELECT customer_id, version, lead_count, created_at, last_seen_at, lead_at,
       coalesce(lead_source, ''), coalesce(owner, ''), coalesce(team, ''), coalesce(provenance, provenance_json::text), kind, space
FROM tributary.customer WHERE customer_id = ANY ($1::bigint[])
