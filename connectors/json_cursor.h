/*
 * json_cursor.h - how far each endpoint of a json_api source has been read.
 *
 * A *sweep* reads an endpoint from its first page to its last. `since_us` is the newest time of the
 * last whole sweep; `high_us` that of the sweep under way; `position` is the page to ask next (""
 * the first). Only whole sweeps move since_us, so a crash in mid-sweep leaves nothing out.
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_CURSOR_H
#define TRIBUTARY_CONNECTORS_JSON_CURSOR_H

#include "connectors/json_endpoint.h"
#include "daemon/base/buf.h"

#define JSON_POSITION_MAX 4096
#define JSON_ETAG_MAX     256

struct json_progress {
    int64_t since_us, high_us;
    int64_t total;      /* items in all, when the last page said so; -1 unknown */
    bool sweeping;      /* begun and not ended */
    uint64_t page_hash; /* of the last page's bytes; not kept */
    int64_t due_us;     /* monotonic, of the next sweep; not kept */
    size_t pages;       /* of this sweep; not kept */
    char position[JSON_POSITION_MAX];
    char etag[JSON_ETAG_MAX];
};

/* Endpoints the cursor does not know begin from the beginning; keys it has too many are dropped. */
void json_cursor_read(struct slice cursor, const struct json_endpoints *endpoints,
                      struct json_progress *progress);
void json_cursor_write(const struct json_endpoints *endpoints, const struct json_progress *progress,
                       struct buf *out);

#endif
