-- The resolver reads and changes rows by key, a few thousand at a time, in tables that grow from nothing: a plan made while a
-- table was small (a hash join over all of it) would be kept. This session always goes by the index. What is switched off is
-- planned at a cost of 10^10 where there is no index, and at that cost PostgreSQL would compile the plan, for 50 ms each time.
SELECT set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),
       set_config('jit', 'off', false)
