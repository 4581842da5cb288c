-- A write, so that a file that takes none is found out now.
BEGIN IMMEDIATE; PRAGMA user_version=1; COMMIT;
