SELECT source_id, name, type FROM tributary.source ORDER BY source_id
