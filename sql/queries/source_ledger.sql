-- $1 source_id: its rows in the ledger.
WITH accept_row AS (
    INSERT INTO tributary.ledger_accept (source_id) VALUES ($1::integer) ON CONFLICT DO NOTHING)
INSERT INTO tributary.ledger_resolve (source_id) VALUES ($1::integer) ON CONFLICT DO NOTHING
