-- The resolver reads and changes rows by key, a few thousand at a time, in tables that grow from nothing: a plan made while a
-- table was small (a hash join over all of it) would be kept. This session always goes by the index.
SELECT set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false)
