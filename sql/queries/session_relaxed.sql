-- What this transaction writes may be lost in a crash of the server (deliveries are then repeated): it need not wait for the disk.
SELECT pg_catalog.set_config('synchronous_commit', 'off', true)
