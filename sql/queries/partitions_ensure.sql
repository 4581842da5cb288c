SELECT tributary.ensure_partitions(now())
