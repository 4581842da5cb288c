-- Each time the file is opened: it is ours alone, every commit is on disk, a page that is wrong is noticed.
PRAGMA page_size=16384; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA wal_autocheckpoint=256;
PRAGMA journal_size_limit=16777216;
