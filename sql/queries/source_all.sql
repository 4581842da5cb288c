SELECT source_id, name, type, space FROM tributary.source ORDER BY source_id
