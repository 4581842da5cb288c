SELECT count(*) FROM tributary.event WHERE type = 'lead.created' AND at >= date_trunc('day', now())
