/* json_cursor.c - see json_cursor.h. */
#include "connectors/json_cursor.h"

#include <stdio.h>

static int64_t number_of(struct slice object, const char *key, int64_t otherwise)
{
    int64_t value;
    return slice_to_int64(json_scan_member(object, slice_str(key)), &value) ? value : otherwise;
}

static void text_of(struct slice object, const char *key, char *out, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 10);
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    if (arena) {
        struct slice text =
            json_scan_string(json_scan_member(object, slice_str(key)), arena, &flaw);
        if (text.len < size)
            snprintf(out, size, "%.*s", (int)text.len, text.ptr);
    }
    arena_free(&arena);
}

void json_cursor_read(struct slice cursor, const struct json_endpoints *endpoints,
                      struct json_progress *progress)
{
    size_t where;
    bool good = json_scan_check(cursor, &where);
    struct slice all =
        good ? json_scan_member(json_scan_value(cursor), SLICE("endpoints")) : SLICE_EMPTY;
    for (size_t i = 0; i < endpoints->count; i++) {
        struct slice one = json_scan_member(all, endpoints->list[i].key);
        progress[i] = (struct json_progress){.since_us = number_of(one, "since", 0),
                                             .high_us = number_of(one, "high", 0),
                                             .total = number_of(one, "total", -1)};
        text_of(one, "position", progress[i].position, sizeof(progress[i].position));
        text_of(one, "etag", progress[i].etag, sizeof(progress[i].etag));
        progress[i].sweeping = progress[i].position[0] != '\0';
    }
}

void json_cursor_write(const struct json_endpoints *endpoints, const struct json_progress *progress,
                       struct buf *out)
{
    buf_put_str(out, "{\"endpoints\":{");
    for (size_t i = 0; i < endpoints->count; i++) {
        const struct json_progress *p = &progress[i];
        buf_put_str(out, i ? "," : "");
        buf_put_json(out, endpoints->list[i].key);
        buf_printf(out, ":{\"since\":%lld", (long long)p->since_us);
        if (p->position[0]) {
            buf_printf(out, ",\"high\":%lld,\"total\":%lld,\"position\":", (long long)p->high_us,
                       (long long)p->total);
            buf_put_json(out, slice_str(p->position));
        }
        if (p->etag[0]) {
            buf_put_str(out, ",\"etag\":");
            buf_put_json(out, slice_str(p->etag));
        }
        buf_put_str(out, "}");
    }
    buf_put_str(out, "}}");
}
