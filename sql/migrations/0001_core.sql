-- 0001_core: everything private lives in schema tributary; schema golden is the contract with readers.
-- Columns of tributary.customer that depend on the configured fields are added by daemon/store/ddl.c.

CREATE SCHEMA IF NOT EXISTS tributary;
CREATE SCHEMA IF NOT EXISTS golden;
COMMENT ON SCHEMA golden IS 'Tributary: the golden record of every customer. A stable contract; see docs/golden.md.';
COMMENT ON SCHEMA tributary IS 'Tributary: private. Nothing here is a contract.';

-- One row: who resolves. Every resolve transaction reads it FOR SHARE; a takeover bumps the epoch.
CREATE TABLE tributary.leader (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL DEFAULT 0,
    holder text NOT NULL DEFAULT '',
    since timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tributary.leader DEFAULT VALUES;

-- Numbers given out inside resolve transactions: no gap at commit, never given twice.
CREATE TABLE tributary.counter (
    name text PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO tributary.counter VALUES ('record_id', 0), ('event_seq', 0), ('write_set', 0);

-- Random keys made at first start: that of the hashes in tributary.reject.
CREATE TABLE tributary.secret (
    name text PRIMARY KEY,
    bytes bytea NOT NULL
);

CREATE TABLE tributary.generation (
    generation_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz,
    detail jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE tributary.source (
    source_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    type text NOT NULL,
    cursor text NOT NULL DEFAULT '',
    cursor_at timestamptz,
    paused boolean NOT NULL DEFAULT false,
    lawful_basis text,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- How the bodies of a source's deliveries are to be read (CSV: encoding, delimiter, header).
CREATE TABLE tributary.layout (
    layout_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id integer NOT NULL REFERENCES tributary.source,
    hash uuid NOT NULL,
    layout text NOT NULL,
    UNIQUE (source_id, hash)
);

-- One accept transaction. `pending` arrivals are in flight until resolved_at is set.
CREATE TABLE tributary.batch (
    batch_id bigint PRIMARY KEY,
    token bigint NOT NULL,
    live boolean NOT NULL,
    accepted_at timestamptz NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    resolved_at timestamptz
);
CREATE INDEX batch_in_flight ON tributary.batch (batch_id) WHERE resolved_at IS NULL;

-- What a batch holds of each source (a batch of live posts may hold several).
CREATE TABLE tributary.batch_source (
    batch_id bigint NOT NULL REFERENCES tributary.batch ON DELETE CASCADE,
    source_id integer NOT NULL,
    received integer NOT NULL,
    pending integer NOT NULL,
    PRIMARY KEY (batch_id, source_id)
);

-- The exact bytes received, one row a delivery. pending_parts: bit n set when record n of the delivery went on
-- to be resolved (the others were repeats). flags: 1 back-fill, 2 retried from rejects.
CREATE TABLE tributary.raw (
    accept_seq bigint NOT NULL,
    received_at timestamptz NOT NULL,
    source_id integer NOT NULL,
    layout_id integer,
    pending_parts integer NOT NULL,
    flags smallint NOT NULL,
    refusal text,
    refusal_param text,
    position text NOT NULL,
    meta text NOT NULL,
    body bytea NOT NULL
) PARTITION BY RANGE (received_at);
CREATE INDEX raw_seq ON tributary.raw (accept_seq);

-- The ledger has two writers, so it has two tables; the view tributary.ledger puts them together.
CREATE TABLE tributary.ledger_accept (
    source_id integer PRIMARY KEY REFERENCES tributary.source,
    received bigint NOT NULL DEFAULT 0,
    repeat bigint NOT NULL DEFAULT 0,
    suppressed bigint NOT NULL DEFAULT 0
);
CREATE TABLE tributary.ledger_resolve (
    source_id integer PRIMARY KEY REFERENCES tributary.source,
    stored bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    deleted bigint NOT NULL DEFAULT 0,
    repeat bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    suppressed bigint NOT NULL DEFAULT 0
);

CREATE TABLE tributary.record (
    record_id bigint PRIMARY KEY,
    source_id integer NOT NULL,
    kind smallint NOT NULL,
    flags smallint NOT NULL,
    version integer NOT NULL,
    customer_id bigint,
    effective_at timestamptz NOT NULL,
    content_hash bigint NOT NULL,
    accept_seq bigint NOT NULL,
    stored_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    lead_at timestamptz,
    space text NOT NULL,
    external_id text NOT NULL,
    part text NOT NULL,
    clean json NOT NULL,
    features bytea NOT NULL
);
COMMENT ON COLUMN tributary.record.flags IS '1 deleted, 2 from a lead-making source, 4 back-fill, 8 test, 16 from a verified source';
CREATE UNIQUE INDEX record_natural_key ON tributary.record (external_id, source_id, part);
CREATE INDEX record_customer ON tributary.record (customer_id);

-- The spanning forest of each customer: the links that make it one, with evidence (levels and weights, never values).
CREATE TABLE tributary.link (
    a bigint NOT NULL,
    b bigint NOT NULL,
    reason smallint NOT NULL,
    weight real,
    decision_id bigint,
    generation_id integer NOT NULL,
    linked_at timestamptz NOT NULL,
    evidence json NOT NULL,
    PRIMARY KEY (a, b)
);
CREATE INDEX link_b ON tributary.link (b);

CREATE TABLE tributary.customer (
    customer_id bigint PRIMARY KEY,
    kind smallint NOT NULL,
    space text NOT NULL,
    version integer NOT NULL,
    record_count integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    lead_at timestamptz,
    lead_source text,
    lead_count integer NOT NULL,
    owner text,
    team text,
    provenance json NOT NULL
);

-- changes: {"field": [old, new], ...}; what happened in a word and who did it.
CREATE TABLE tributary.history (
    at timestamptz NOT NULL,
    customer_id bigint NOT NULL,
    version integer NOT NULL,
    what text NOT NULL,
    actor text NOT NULL,
    event_seq bigint,
    changes json NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX history_customer ON tributary.history (customer_id, version);

CREATE TABLE tributary.activity (
    at timestamptz NOT NULL,
    record_id bigint NOT NULL,
    source_id integer NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    data json NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX activity_record ON tributary.activity (record_id);

CREATE TABLE tributary.consent (
    record_id bigint NOT NULL,
    purpose text NOT NULL,
    granted boolean NOT NULL,
    at timestamptz NOT NULL,
    method text NOT NULL,
    version text NOT NULL,
    wording text NOT NULL,
    ip text NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX consent_record ON tributary.consent (record_id);

CREATE TABLE tributary.reject (
    reject_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id integer NOT NULL,
    accept_seq bigint NOT NULL,
    record_no smallint NOT NULL,
    at timestamptz NOT NULL,
    quarantined boolean NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retried', 'dropped')),
    code text NOT NULL,
    field text NOT NULL,
    param text NOT NULL,
    position text NOT NULL,
    external_id text NOT NULL,
    part text NOT NULL,
    layout_id integer,
    meta text NOT NULL,
    body bytea NOT NULL,
    identifiers bytea NOT NULL
);
COMMENT ON COLUMN tributary.reject.identifiers IS 'Keyed hashes (16 bytes each) of the e-mails and phones in it, so that it can be found for erasure.';
CREATE INDEX reject_open ON tributary.reject (source_id, reject_id) WHERE state = 'open';

CREATE TABLE tributary.review (
    review_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    a bigint NOT NULL,
    b bigint NOT NULL,
    reason smallint NOT NULL,
    weight real NOT NULL,
    bridge_a bigint,
    bridge_b bigint,
    opened_at timestamptz NOT NULL,
    UNIQUE (a, b)
);

-- A steward's word, by natural keys, so that it outlives deletion and redelivery. The newest wins.
CREATE TABLE tributary.decision (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('always', 'never')),
    a_source text NOT NULL,
    a_external_id text NOT NULL,
    a_part text NOT NULL,
    b_source text NOT NULL,
    b_external_id text NOT NULL,
    b_part text NOT NULL,
    actor text NOT NULL,
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    retracted_at timestamptz,
    retracted_by text
);

CREATE TABLE tributary.event (
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    customer_id bigint,
    source_id integer,
    type text NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX event_seq ON tributary.event (seq);

CREATE TABLE tributary.event_body (
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    customer_id bigint,
    data json NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX event_body_seq ON tributary.event_body (seq);
CREATE INDEX event_body_customer ON tributary.event_body (customer_id);

-- Where each sink is. Events up to cursor_seq are done or stand in sink_parked.
CREATE TABLE tributary.sink (
    name text PRIMARY KEY,
    type text NOT NULL,
    cursor_seq bigint NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'disabled')),
    reason text NOT NULL DEFAULT '',
    delivered bigint NOT NULL DEFAULT 0,
    last_delivered_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE tributary.sink_parked (
    sink text NOT NULL REFERENCES tributary.sink ON DELETE CASCADE,
    seq bigint NOT NULL,
    customer_id bigint,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz,
    dead boolean NOT NULL DEFAULT false,
    last_status integer,
    last_error text NOT NULL DEFAULT '',
    PRIMARY KEY (sink, seq)
);
CREATE INDEX sink_parked_due ON tributary.sink_parked (sink, next_at) WHERE NOT dead;

-- Monthly partitions of everything partitioned by time, this month and the next two, and one for the rest.
CREATE FUNCTION tributary.ensure_partitions(around timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    parent text;
    month timestamptz;
    child text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['raw', 'history', 'activity', 'event', 'event_body'] LOOP
        IF pg_catalog.to_regclass('tributary.' || parent || '_rest') IS NULL THEN
            EXECUTE pg_catalog.format('CREATE TABLE tributary.%I PARTITION OF tributary.%I DEFAULT',
                                      parent || '_rest', parent);
        END IF;
        FOR i IN 0..2 LOOP
            month := pg_catalog.date_trunc('month', around, 'UTC') + pg_catalog.make_interval(months => i);
            child := parent || '_' || pg_catalog.to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
            IF pg_catalog.to_regclass('tributary.' || child) IS NULL THEN
                BEGIN
                    EXECUTE pg_catalog.format(
                        'CREATE TABLE tributary.%I PARTITION OF tributary.%I FOR VALUES FROM (%L) TO (%L)',
                        child, parent, month, month + interval '1 month');
                EXCEPTION WHEN check_violation THEN
                    -- Rows of that month already lie in the rest (the clock stood elsewhere): they stay there.
                    RAISE NOTICE 'partition % not made: its rows lie in the default partition', child;
                END;
            END IF;
        END LOOP;
    END LOOP;
END $$;
SELECT tributary.ensure_partitions(now());

CREATE VIEW tributary.ledger AS
SELECT s.source_id, s.name AS source, a.received,
       r.stored, r.updated, r.deleted, a.repeat + r.repeat AS repeat,
       r.rejected, r.quarantined, a.suppressed + r.suppressed AS suppressed,
       coalesce((SELECT sum(p.pending) FROM tributary.batch b JOIN tributary.batch_source p USING (batch_id)
                 WHERE b.resolved_at IS NULL AND p.source_id = s.source_id), 0)::bigint AS in_flight
FROM tributary.source s
JOIN tributary.ledger_accept a USING (source_id)
JOIN tributary.ledger_resolve r USING (source_id);
