-- The highest event committed, and when each sink was last changed by a person.
SELECT c.value, coalesce(s.name, ''), s.updated_at
FROM tributary.counter c LEFT JOIN tributary.sink s ON true WHERE c.name = 'event_seq'
