/*
 * connector.h - the seam between the daemon and the code that speaks to one kind of source.
 *
 * Two small interfaces: *pull* (open, next, close) for sources that are asked, *push* (match, handle) for sources that
 * call us. A connector turns what it reads into deliveries; it never talks to the database. The daemon
 * stores a batch of deliveries and the cursor in one transaction; only then is the next batch asked
 * for (pull) or the reply sent (push). `parse` must give the same records from the stored bytes later (after a
 * crash, or when rules change): a pure function of (options, layout, meta, body).
 */
#ifndef TRIBUTARY_CONNECTORS_CONNECTOR_H
#define TRIBUTARY_CONNECTORS_CONNECTOR_H

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/base/err.h"
#include "daemon/base/options.h"
#include "daemon/base/stop.h"
#include "rules/record.h"

#define DELIVERY_BODY_MAX_BYTES ((size_t)1 << 20) /* a larger one is refused, not cut */
#define DELIVERY_RECORDS_MAX    16                /* parts of one delivery */
#define RECORD_ID_MAX_BYTES     1024              /* of an external id; longer ones are rejects */
#define RECORD_PART_MAX_BYTES   64                /* of a part's name */

/* What one arrival carries. All slices live in the batch's arena. */
struct delivery {
    struct slice body;     /* the exact bytes received (one CSV row, one JSON document, one form post) */
    struct slice meta;     /* what the bytes alone do not say, as a small JSON object: content type, IP ... */
    struct slice position; /* for people: "orders.csv:17", "page 3 item 12" */
    size_t record_count;   /* 0 when `refusal` says why */
    struct raw_record records[DELIVERY_RECORDS_MAX];
    const char *refusal;   /* a stable code ("csv.ragged_row", "json.no_id") when no record could be made; NULL */
    struct slice refusal_param;
};

struct delivery_batch {
    size_t count;
    struct delivery *deliveries;
    /* What the bodies were cut out of and how to read them: a small JSON object (CSV: encoding,
     * delimiter, header ...). The daemon stores each distinct layout once per source. */
    struct slice layout;
    struct slice cursor; /* where to go on once this batch is durable; a small JSON object */
};

/* What a connector may use. Borrowed for the life of the source. */
struct source_context {
    const char *name;               /* the source's name in the configuration */
    const struct options *options;  /* its section */
    const struct clock *clock;
    const struct stop *stop;
    const char *state_dir;          /* a directory of this source's own, which exists; "" when none */
    const struct schema *schema;
    /* Field of a column name by alias or map, FIELD_NONE otherwise (to find the header row, the id). */
    uint16_t (*field_of_column)(const struct source_context *context, struct slice column);
    const void *field_of_column_data;
};

struct pull_source; /* defined by each connector */

struct pull_connector {
    const char *type; /* `type:` in the configuration: "csv", "json_api" */
    const struct option *options;

    /* Checks what options alone cannot say (a URL's form, an unknown preset). Adds problems. No I/O but reading
     * files named by the configuration. */
    void (*check)(const struct options *options, struct problems *problems);

    /* Makes a source. `cursor` is what the last durable batch carried (empty the first time). May not block on the
     * network. On failure *err says why and NULL is returned. The source is used by one thread. */
    struct pull_source *(*open)(const struct source_context *context, struct slice cursor,
                                struct err *err);

    /* Gives the next batch: up to `max` deliveries into `arena`. May block, but hears context->stop and
     * its own deadlines. STATUS_OK: a batch (count may be 0 when only the cursor moved); STATUS_EMPTY: nothing
     * new now, ask again after *wait_ms; STATUS_STOPPED; STATUS_FAILED: retry class in err, ask again
     * after *wait_ms (back-off is the connector's). The batch is valid until the next call. The next call means the last batch
     * and its cursor are durable; otherwise the daemon closes and opens again. */
    enum status (*next)(struct pull_source *source, size_t max, struct arena *arena,
                        struct delivery_batch *batch, int64_t *wait_ms, struct err *err);

    /* Makes deliveries' records again from stored bytes. */
    enum status (*parse)(const struct source_context *context, struct slice layout,
                         struct slice meta, struct slice body, struct arena *arena,
                         struct delivery *delivery, struct err *err);

    /* Frees; sets *source to NULL. */
    void (*close)(struct pull_source **source);
};

struct http_header {
    struct slice name; /* as sent; compare without case */
    struct slice value;
};

struct push_request {
    struct slice method;
    struct slice path;          /* decoded, without query */
    struct slice query;         /* raw */
    size_t header_count;
    const struct http_header *headers;
    struct slice body;          /* whole, bounded by the listener */
    struct slice client_ip;     /* behind trusted proxies: the real one */
    struct slice base_url;      /* public_base_url or what the request says */
    int64_t received_us;        /* wall */
};

struct push_reply {
    unsigned status;            /* HTTP */
    struct slice content_type;
    struct slice body;
    size_t header_count;
    struct http_header headers[12];
};

/* What the daemon says of the accepted records of one delivery, for the reply. */
struct push_verdict {
    bool durable;               /* false: could not be kept, answer 503 with Retry-After */
    const char *trouble;        /* why not, such as "http.paused"; NULL: busy */
    size_t issue_count;         /* the rules' issues of the first record (severity reject: it was refused) */
    const struct issue *issues;
    const struct schema *schema;
    bool repeat;
    size_t delivery_count;      /* with tells_issues: one for each delivery, in order; else 0 */
    const struct push_delivery_verdict *deliveries;
};

struct push_delivery_verdict {
    bool repeat;
    bool rejected; /* the rules refused a record of it: kept as a reject */
    size_t issue_count; /* of its first record */
    const struct issue *issues;
};

struct push_source;

enum push_decision {
    PUSH_REPLY_ONLY, /* the reply is complete; nothing to keep (preflight, honeypot, refusal) */
    PUSH_ACCEPT,     /* keep the deliveries, then call `answer` */
    PUSH_SUPPRESS,   /* the reply is complete; it is sent once one suppressed arrival is counted */
};

struct push_connector {
    const char *type; /* "form" */
    const struct option *options;
    /* What the rules refuse is not kept and not answered 2xx: the person is still there to correct it. Otherwise
     * it is kept as a reject, and answered as the sender wants it. */
    bool refuses_invalid;
    /* Records are cleaned before they are kept, so that `answer` can tell each one's issues. */
    bool tells_issues;
    void (*check)(const struct options *options, struct problems *problems);
    struct push_source *(*open)(const struct source_context *context, struct err *err);
    /* Any thread; must not block. True when this source serves the request. */
    bool (*match)(const struct push_source *source, const struct push_request *request);
    /* Any thread; must not block. Fills either *reply or *batch. */
    enum push_decision (*handle)(struct push_source *source, const struct push_request *request,
                                 struct arena *arena, struct delivery_batch *batch,
                                 struct push_reply *reply);
    /* Any thread. Fills *reply once the daemon has kept (or refused) the batch. */
    void (*answer)(struct push_source *source, const struct push_request *request,
                   const struct push_verdict *verdict, struct arena *arena,
                   struct push_reply *reply);
    enum status (*parse)(const struct source_context *context, struct slice layout,
                         struct slice meta, struct slice body, struct arena *arena,
                         struct delivery *delivery, struct err *err);
    void (*close)(struct push_source **source);
};

/* The tables, ended by NULL; adding a connector adds its file pair and one line in connectors.c. */
extern const struct pull_connector *const pull_connectors[];
extern const struct push_connector *const push_connectors[];
const struct pull_connector *pull_connector_find(const char *type);
const struct push_connector *push_connector_find(const char *type);

/* Order-independent 128-bit hash of a record's non-empty (name, value) pairs, operation, activities and consents: the
 * content hash by which an unchanged record is a repeat. */
struct content_hash {
    uint64_t high, low;
};
struct content_hash raw_record_hash(const struct raw_record *record);

#endif
