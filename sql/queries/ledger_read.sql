SELECT source, received, stored, updated, deleted, repeat, rejected, quarantined, suppressed, in_flight
FROM tributary.ledger ORDER BY source
