-- 0004_rematch: generations that can be applied again, and decisions that were made together.

-- detail holds the texts a generation was compiled from (daemon/engine/generation.h). applying_at is set by the first
-- transaction of an application and taken back by its last: a start in between goes on with that generation.
ALTER TABLE tributary.generation
    ADD COLUMN applying_at timestamptz,
    ADD COLUMN actor text NOT NULL DEFAULT '';

-- What one command decided is one group, taken back as one: the id of its first decision; NULL: alone. origin: how it
-- came (merge, split, review). weight and generation_id: how the pair was judged when it was decided.
ALTER TABLE tributary.decision
    ADD COLUMN group_id bigint,
    ADD COLUMN origin text NOT NULL DEFAULT '',
    ADD COLUMN weight real,
    ADD COLUMN generation_id integer;
CREATE INDEX decision_group ON tributary.decision (group_id) WHERE group_id IS NOT NULL;
