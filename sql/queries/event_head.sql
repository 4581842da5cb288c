-- The highest event committed: the counter moves in the transaction that writes the events.
SELECT value FROM tributary.counter WHERE name = 'event_seq'
