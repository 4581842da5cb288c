-- customers, those that are leads, those that are companies
SELECT count(*), count(*) FILTER (WHERE lead_count > 0), count(*) FILTER (WHERE kind = 2) FROM tributary.customer
