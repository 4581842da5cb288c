SELECT count(*), count(*) FILTER (WHERE lead_count > 0) FROM tributary.customer
