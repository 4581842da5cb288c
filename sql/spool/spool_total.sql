SELECT count(*), coalesce(sum(length(frame)), 0) FROM entry
