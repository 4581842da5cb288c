-- 0012_owners: who looks after a customer is said of its records, so that it goes with them through merges and splits.

CREATE TABLE tributary.assignment (
    assignment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner text NOT NULL,
    team text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
-- The newest assignment among a customer's records is the customer's.
ALTER TABLE tributary.record ADD COLUMN assignment_id bigint;
