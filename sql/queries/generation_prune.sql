-- $1 the generation in force, $2 the configured one, $3 how many others of each sort are kept: applied once, and never
DELETE FROM tributary.generation g
USING (SELECT generation_id,
              row_number() OVER (PARTITION BY applied_at IS NULL ORDER BY coalesce(applied_at, created_at) DESC, generation_id DESC) AS place
       FROM tributary.generation WHERE applying_at IS NULL AND generation_id NOT IN ($1::integer, $2::integer)) old
WHERE g.generation_id = old.generation_id AND old.place > $3::integer
