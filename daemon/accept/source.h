/*
 * source.h - a configured source at run time, and the registry of them.
 *
 * Made at start from the configuration, joined to its row in tributary.source, never freed while a batch
 * can point at it. Fixed fields are read by any thread; health is written under the source's lock.
 */
#ifndef TRIBUTARY_ACCEPT_SOURCE_H
#define TRIBUTARY_ACCEPT_SOURCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "connectors/connector.h"
#include "daemon/engine/generation.h"
#include "daemon/store/db.h"

struct source_health {
    int64_t last_ok_us;   /* wall; 0 never */
    int64_t last_error_us;
    char last_error[256]; /* "" when the last turn went well */
    uint64_t accepted;    /* arrivals since start */
};

struct source {
    int32_t source_id;
    const char *name;
    const char *type;
    const struct options *options;
    const struct pull_connector *pull; /* one of the two */
    const struct push_connector *push;
    struct push_source *push_source;   /* opened; push only */
    struct source_context context;
    struct source_rules rules;
    const char *space;
    uint32_t space_key;                /* of its name, as it stands in features */
    unsigned rank;                     /* by the generation in force; the resolver's */
    bool enabled;
    atomic_bool paused;                /* by a person; kept in the database; any thread */
    bool leads;
    bool verified;
    bool employers;                    /* a company that its records name is a record of its own */
    bool employers_stored;             /* so it is with the records that are stored */
    int64_t lead_again_after_ms;
    int64_t silent_after_ms;           /* 0 never */
    int64_t retention_ms;              /* of raw bytes; 0 for ever (a source not configured any more) */
    const char *lawful_basis;          /* "" not said */
    int64_t heard_us;                  /* monotonic, of the conductor: when it last brought something */
    uint64_t heard_count;
    bool silent;                       /* told already */
    char *cursor;                      /* as last read or stored; owned */
    pthread_mutex_t lock;              /* health */
    struct source_health health;
    _Atomic(const struct generation *) generation; /* in force; any thread */
};

struct sources {
    size_t count;
    size_t capacity;
    struct source *list;
    struct arena *arena;
    const struct generation *generation;
};

/* Builds the run-time sources of the configuration, and the built-in `api` for /v1/records. `state_dir` gets a
 * directory per source. What they point at (config, generation, stop, clock) must outlive them. */
MUST_CHECK enum status sources_new(const struct config *config, const struct generation *generation,
                                   const struct clock *clock, const struct stop *stop,
                                   struct sources **sources, struct err *err);
void sources_free(struct sources **sources);
/* From now on another generation is in force. Only before the resolver runs, or on its thread. */
void sources_use(struct sources *sources, const struct generation *generation);
/* Finds or makes the rows in tributary.source and the ledger, and reads the cursors. Sources of the database that
 * are not configured any more are added, disabled and without a connector: their records live on. */
MUST_CHECK enum status sources_pin(struct sources *sources, struct db *db, struct err *err);
struct source *sources_by_id(struct sources *sources, int32_t source_id);
struct source *sources_by_name(struct sources *sources, const char *name);

void source_went_well(struct source *source, int64_t now_us, uint64_t accepted);
void source_went_wrong(struct source *source, int64_t now_us, const struct err *err);

#endif
