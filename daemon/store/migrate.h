/*
 * migrate.h - brings the database up to this binary's schema.
 *
 * Numbered migrations are applied in order, each in a transaction of its own that also writes its row in
 * tributary.migration(number, name, sha256, applied_at), under an advisory lock, so that daemons started together take
 * turns and an interrupted run resumes. Refused with RETRY_REJECT_CONFIG: a number in the database that this binary
 * does not know (the database is newer), and a migration whose text changed since it was applied.
 */
#ifndef TRIBUTARY_STORE_MIGRATE_H
#define TRIBUTARY_STORE_MIGRATE_H

#include "daemon/store/db.h"
#include "daemon/store/sql.h"

/* The migrations of this binary. The connection must be open and outside a transaction. A lock held by readers
 * or by another daemon's migration is RETRY_LATER. */
MUST_CHECK enum status migrate(struct db *db, struct err *err);
/* The same with another list (tests); numbers ascend. */
MUST_CHECK enum status migrate_with(struct db *db, const struct sql_migration *migrations,
                                    size_t count, struct err *err);

#endif
