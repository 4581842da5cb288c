SELECT name, value FROM tributary.counter
