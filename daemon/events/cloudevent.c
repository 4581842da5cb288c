/* cloudevent.c - see cloudevent.h. */
#include "daemon/events/cloudevent.h"
#include "daemon/base/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define TYPE_PREFIX "tributary."
#define TYPE_SUFFIX ".v1"

void cloudevent_id(uint64_t seq, char id[CLOUDEVENT_ID_MAX])
{
    snprintf(id, CLOUDEVENT_ID_MAX, "evt_%llu", (unsigned long long)seq);
}

static bool is_listed(const char *name, const struct slice *fields, size_t field_count)
{
    for (size_t i = 0; i < field_count; i++)
        if (slice_is(fields[i], name))
            return true;
    return false;
}

static void keep_fields(json_t *object, const struct slice *fields, size_t field_count)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, name, value)
    {
        if (!is_listed(name, fields, field_count))
            json_object_del(object, name);
    }
}

static bool put_projected(struct buf *out, struct slice data, const struct slice *fields,
                          size_t field_count)
{
    json_t *root = json_loadb(data.ptr, data.len, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return false;
    }
    keep_fields(json_object_get(root, "customer"), fields, field_count);
    keep_fields(json_object_get(root, "changes"), fields, field_count);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL)
        return false;
    buf_put_str(out, text);
    free(text);
    return true;
}

static bool put_data(struct buf *out, const struct log_event *event, const struct slice *fields,
                     size_t field_count)
{
    if (event->data.len == 0) {
        buf_put_str(out, "{\"erased\":true");
        if (event->customer_id)
            buf_printf(out, ",\"customer_id\":%llu", (unsigned long long)event->customer_id);
        buf_put_byte(out, '}');
        return true;
    }
    if (!is_listed("*", fields, field_count))
        return put_projected(out, event->data, fields, field_count);
    buf_put_slice(out, event->data);
    return event->data.ptr[0] == '{';
}

bool cloudevent_put(struct buf *out, const struct log_event *event, const char *source_uri,
                    const struct slice *fields, size_t field_count)
{
    char id[CLOUDEVENT_ID_MAX], time[40];
    cloudevent_id(event->seq, id);
    clock_format_utc(event->at_us, time, sizeof(time));
    buf_printf(out, "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":", id);
    buf_put_json(out, slice_str(source_uri));
    buf_printf(out, ",\"type\":\"" TYPE_PREFIX SLICE_FMT TYPE_SUFFIX "\"", SLICE_ARG(event->type));
    if (event->customer_id)
        buf_printf(out, ",\"subject\":\"%llu\"", (unsigned long long)event->customer_id);
    /* The extension `sequence` is compared as text, so it has a fixed width. */
    buf_printf(out,
               ",\"time\":\"%s\",\"datacontenttype\":\"application/json\",\"sequence\":\"%019llu\"",
               time, (unsigned long long)event->seq);
    buf_put_str(out, ",\"data\":");
    bool good = put_data(out, event, fields, field_count);
    buf_put_byte(out, '}');
    return good && !buf_failed(out);
}
