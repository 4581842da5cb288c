select number, name, sha256 from tributary.migration order by number
