-- 0008_event_sources: an event about a customer is told to the sinks of all the sources that the customer has records of.

ALTER TABLE tributary.event ADD COLUMN sources integer[];
COMMENT ON COLUMN tributary.event.sources IS 'The sources of its customer''s records then, those it lost by this event among them; NULL: source_id alone. Sinks with `sources` go by it.';
