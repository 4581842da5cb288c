/*
 * reread.h - stored records as another generation reads them: cleaned again when its rules are other ones, packed anew.
 *
 * A record is cleaned again from the raw bytes of the version that stands, while they are retained. Where they are gone,
 * or cannot be read any more (their source is not configured), or the rules would now refuse it, the clean record that is
 * stored stays, is counted, and is packed by the other generation as well as may be. Nothing stored is ever taken away.
 *
 * One thread. Rows are those of sql/queries/record_page.sql and record_some.sql.
 */
#ifndef TRIBUTARY_RESOLVE_REREAD_H
#define TRIBUTARY_RESOLVE_REREAD_H

#include "daemon/accept/source.h"
#include "daemon/base/buf.h"

#define REREAD_PAGE    2000 /* records of a page */
#define REREAD_SAMPLES 20

struct reread_counts {
    uint64_t records;   /* live ones */
    uint64_t cleaned;   /* again, from raw bytes */
    uint64_t changed;   /* of those, with another outcome */
    uint64_t no_raw;    /* kept: the raw bytes are gone */
    uint64_t unreadable; /* kept: no connector reads them any more */
    uint64_t too_large; /* kept, or compared by what is stored: beyond all bounds */
    uint64_t refused;   /* kept: the rules would refuse them now */
    struct {
        uint64_t record_id;
        char code[64];
    } refusals[REREAD_SAMPLES];
};

struct reread {
    const struct generation *generation;
    struct sources *sources;
    struct cleaner *cleaner; /* NULL: the rules are the same */
    struct arena *arena;     /* of a record */
    struct buf json, features;
    struct reread_counts counts;
};

/* What a record is to the other generation. Valid until the next reread_row. */
struct reread_record {
    const struct source *source; /* NULL: unknown */
    const struct clean_record *clean;
    struct slice json;           /* the clean record, when it is not what is stored; else empty */
    struct slice features;
};

/* RETRY_FATAL when out of memory. */
MUST_CHECK enum status reread_init(struct reread *reread, const struct generation *generation,
                                   struct sources *sources, struct err *err);
void reread_free(struct reread *reread);
/* Reads one live record. STATUS_FAILED with RETRY_FATAL: what is stored cannot be read back, or no memory. `clean`
 * points into `into` (NULL: the reread's own arena, emptied by the next record). */
MUST_CHECK enum status reread_row(struct reread *reread, const struct db_result *rows, size_t row,
                                  struct arena *into, struct reread_record *record, struct err *err);
/* ,"records":n,"cleaning":null or {...} */
void reread_put_counts(const struct reread_counts *counts, bool recleans, struct buf *out);

#endif
