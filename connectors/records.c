/* records.c - see records.h. */
#include "connectors/records.h"

#include <stdlib.h>
#include <xxhash.h>

#include "connectors/form_body.h"
#include "connectors/json_split.h"
#include "connectors/json_text.h"
#include "connectors/push_util.h"

#define REPLY_MAX_BYTES ((size_t)16 << 20)

static const struct option records_options[] = {
    {.key = NULL},
};

struct push_source {
    struct source_context context;
};

static void check(const struct options *options, struct problems *problems)
{
    (void)options;
    (void)problems;
}

static struct push_source *open_records(const struct source_context *context, struct err *err)
{
    struct push_source *source = calloc(1, sizeof(*source));
    if (source)
        source->context = *context;
    else
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for source %s", context->name);
    return source;
}

static void close_records(struct push_source **source)
{
    free(*source);
    *source = NULL;
}

/* ---- one record ---- */

struct reading {
    struct arena *arena;
    struct delivery *delivery;
    struct raw_record *record;
};

static bool refuse(struct reading *r, const char *code, struct slice param)
{
    r->delivery->refusal = code;
    r->delivery->refusal_param = arena_dup(r->arena, slice_sub(param, 0, 200));
    r->delivery->record_count = 0;
    return false;
}

static bool check_keys(struct reading *r, json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        const char *const *name = known;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (*name == NULL)
            return refuse(r, "records.unknown_key", slice_str(key));
    }
    return true;
}

static bool read_time(struct reading *r, const json_t *object, const char *key, int64_t *at_us)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value))
        return true;
    if ((!json_is_string(value) && !json_is_integer(value)) ||
        !records_time(json_plain_text(r->arena, value), at_us))
        return refuse(r, "records.time", slice_str(key));
    return true;
}

/* A text member: absent is empty, another type is refused. Numbers are taken as they are written. */
static bool read_text(struct reading *r, const json_t *object, const char *key, struct slice *text)
{
    const json_t *value = json_object_get(object, key);
    if (value && !json_is_string(value) && !json_is_integer(value) && !json_is_null(value))
        return refuse(r, "records.type", slice_str(key));
    *text = json_plain_text(r->arena, value);
    return true;
}

static bool read_bool(struct reading *r, const json_t *object, const char *key, bool otherwise, bool *value)
{
    const json_t *member = json_object_get(object, key);
    *value = member ? json_is_true(member) : otherwise;
    return member == NULL || json_is_boolean(member) || refuse(r, "records.type", slice_str(key));
}

static struct slice dump(struct arena *arena, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    struct slice copy = text ? arena_dup(arena, slice_str(text)) : SLICE_EMPTY;
    if (text == NULL)
        arena_fail(arena);
    free(text);
    return copy;
}

static struct slice hash_key(struct arena *arena, uint64_t high, uint64_t low)
{
    return arena_printf(arena, "h:%016llx%016llx", (unsigned long long)high, (unsigned long long)low);
}

static bool read_activity(struct reading *r, json_t *item, struct activity *activity)
{
    static const char *const known[] = {"type", "key", "at", "data", NULL};
    const json_t *data = json_object_get(item, "data");
    if (!json_is_object(item))
        return refuse(r, "records.type", SLICE("activities"));
    if (!check_keys(r, item, known) || !read_text(r, item, "type", &activity->type) ||
        !read_text(r, item, "key", &activity->key) || !read_time(r, item, "at", &activity->at_us))
        return false;
    if (activity->type.len == 0)
        return refuse(r, "records.missing", SLICE("activities.type"));
    if (data && !json_is_object(data))
        return refuse(r, "records.type", SLICE("activities.data"));
    activity->data = data ? dump(r->arena, data) : SLICE_EMPTY;
    if (activity->key.len == 0) {
        struct slice text = dump(r->arena, item);
        XXH128_hash_t hash = XXH3_128bits(text.ptr, text.len);
        activity->key = hash_key(r->arena, hash.high64, hash.low64);
    }
    return true;
}

static bool read_consent(struct reading *r, json_t *item, struct consent *consent)
{
    static const char *const known[] = {"purpose", "granted", "text", "version", "at",
                                        "ip", "user_agent", "method", NULL};
    if (!json_is_object(item))
        return refuse(r, "records.type", SLICE("consents"));
    if (!json_is_boolean(json_object_get(item, "granted")))
        return refuse(r, "records.missing", SLICE("consents.granted"));
    if (!check_keys(r, item, known) || !read_text(r, item, "purpose", &consent->purpose) ||
        !read_text(r, item, "text", &consent->text) || !read_text(r, item, "version", &consent->version) ||
        !read_text(r, item, "ip", &consent->ip) || !read_text(r, item, "user_agent", &consent->user_agent) ||
        !read_text(r, item, "method", &consent->method) || !read_time(r, item, "at", &consent->at_us))
        return false;
    if (consent->purpose.len == 0)
        return refuse(r, "records.missing", SLICE("consents.purpose"));
    consent->granted = json_is_true(json_object_get(item, "granted"));
    if (consent->method.len == 0)
        consent->method = SLICE("api");
    return true;
}

static bool read_list(struct reading *r, const json_t *object, const char *key, size_t max, json_t **list)
{
    *list = json_object_get(object, key);
    if (*list == NULL || json_is_null(*list)) {
        *list = NULL;
        return true;
    }
    if (!json_is_array(*list))
        return refuse(r, "records.type", slice_str(key));
    return json_array_size(*list) <= max || refuse(r, "records.too_many", slice_str(key));
}

static bool read_lists(struct reading *r, const json_t *object)
{
    json_t *activities, *consents, *item;
    size_t index;
    if (!read_list(r, object, "activities", ACTIVITIES_MAX, &activities) ||
        !read_list(r, object, "consents", CONSENTS_MAX, &consents))
        return false;
    struct activity *activity_list = ARENA_ARRAY(r->arena, struct activity, json_array_size(activities) + 1);
    struct consent *consent_list = ARENA_ARRAY(r->arena, struct consent, json_array_size(consents) + 1);
    if (activity_list == NULL || consent_list == NULL)
        return refuse(r, "records.memory", SLICE_EMPTY);
    json_array_foreach(activities, index, item) {
        if (!read_activity(r, item, &activity_list[index]))
            return false;
    }
    json_array_foreach(consents, index, item) {
        if (!read_consent(r, item, &consent_list[index]))
            return false;
    }
    r->record->activities = activity_list;
    r->record->activity_count = json_array_size(activities);
    r->record->consents = consent_list;
    r->record->consent_count = json_array_size(consents);
    return true;
}

static bool read_fields(struct reading *r, const json_t *object)
{
    json_t *fields = json_object_get(object, "fields");
    struct form_field list[FORM_FIELDS_MAX];
    struct form_body form = {.fields = list};
    if (fields && !json_is_object(fields))
        return refuse(r, "records.type", SLICE("fields"));
    const char *code = fields ? form_flatten(fields, r->arena, &form) : NULL;
    struct columns *columns = ARENA_NEW(r->arena, struct columns);
    struct slice *names = ARENA_ARRAY(r->arena, struct slice, form.count + 1);
    struct slice *values = ARENA_ARRAY(r->arena, struct slice, form.count + 1);
    if (code)
        return refuse(r, strcmp(code, "form.too_deep") == 0 ? "records.too_deep" : "records.too_many",
                      SLICE("fields"));
    if (columns == NULL || names == NULL || values == NULL)
        return refuse(r, "records.memory", SLICE_EMPTY);
    uint64_t id = 0;
    for (size_t i = 0; i < form.count; i++) {
        names[i] = form.fields[i].name;
        values[i] = form.fields[i].value;
        id = slice_hash(names[i], id + 1);
    }
    *columns = (struct columns){.id = id, .count = form.count, .names = names};
    r->record->columns = columns;
    r->record->values = values;
    return true;
}

static bool read_operation(struct reading *r, const json_t *object)
{
    struct slice operation;
    if (!read_text(r, object, "op", &operation))
        return false;
    if (operation.len == 0 || slice_is(operation, "upsert"))
        r->record->op = RECORD_UPSERT;
    else if (slice_is(operation, "delete"))
        r->record->op = RECORD_DELETE;
    else
        return refuse(r, "records.op", operation);
    return true;
}

static bool read_record(struct reading *r, const struct source_context *context, json_t *object)
{
    static const char *const known[] = {"source", "external_id", "part", "op", "effective_at", "fields",
                                        "activities", "consents", "test", NULL};
    struct raw_record *record = r->record;
    struct slice source;
    if (!json_is_object(object))
        return refuse(r, "records.json", SLICE_EMPTY);
    if (!check_keys(r, object, known) || !read_text(r, object, "source", &source))
        return false;
    if (source.len > 0 && !slice_is(source, context->name))
        return refuse(r, "records.source", source);
    if (!read_text(r, object, "external_id", &record->external_id) || !read_text(r, object, "part", &record->part) ||
        !read_operation(r, object) || !read_time(r, object, "effective_at", &record->effective_us) ||
        !read_bool(r, object, "test", false, &record->is_test) || !read_fields(r, object) || !read_lists(r, object))
        return false;
    if (record->part.len == 0)
        record->part = SLICE("main");
    /* Told at once: where it is kept, it would be a reject answered as accepted. */
    if (record->external_id.len > RECORD_ID_MAX_BYTES)
        return refuse(r, "record.bad_key", SLICE("external_id"));
    if (record->part.len > RECORD_PART_MAX_BYTES)
        return refuse(r, "record.bad_key", SLICE("part"));
    if (record->external_id.len == 0 && record->op == RECORD_DELETE)
        return refuse(r, "records.missing", SLICE("external_id"));
    if (record->external_id.len == 0 && record->columns->count == 0)
        return refuse(r, "records.empty", SLICE_EMPTY);
    if (record->external_id.len == 0) {
        struct content_hash hash = raw_record_hash(record);
        record->external_id = hash_key(r->arena, hash.high, hash.low);
    }
    r->delivery->record_count = 1;
    return true;
}

static enum status parse(const struct source_context *context, struct slice layout, struct slice meta,
                         struct slice body, struct arena *arena, struct delivery *delivery, struct err *err)
{
    (void)layout;
    *delivery = (struct delivery){.body = body, .meta = meta, .position = SLICE("record")};
    struct reading reading = {arena, delivery, &delivery->records[0]};
    if (body.len > DELIVERY_BODY_MAX_BYTES) {
        (void)refuse(&reading, "records.too_large", SLICE_EMPTY);
    } else {
        json_error_t error;
        json_t *object = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &error);
        (void)read_record(&reading, context, object);
        json_decref(object);
    }
    if (arena_failed(arena))
        return err_set(err, RETRY_LATER, "base.memory", "out of room for a record of source %s", context->name);
    return STATUS_OK;
}

/* ---- a request ---- */

/* The name that the request gives its source: in the query, else in its first record. */
static bool names_source(const struct push_request *request, const char *name)
{
    struct arena *arena = arena_new((size_t)4 << 20);
    struct json_split split;
    struct slice piece, wanted = SLICE_EMPTY;
    if (arena == NULL)
        return false;
    wanted = query_param(arena, request->query, "source");
    json_t *first = NULL;
    if (wanted.len == 0 && json_split_begin(&split, request->body, "records") &&
        json_split_next(&split, &piece) == JSON_PIECE && piece.len <= DELIVERY_BODY_MAX_BYTES) {
        json_error_t error;
        first = json_loadb(piece.ptr, piece.len, 0, &error);
        wanted = json_member(first, "source");
    }
    bool same = slice_is(wanted.len ? wanted : SLICE(RECORDS_DEFAULT_SOURCE), name);
    json_decref(first);
    arena_free(&arena);
    return same;
}

static bool match(const struct push_source *source, const struct push_request *request)
{
    return slice_is(request->path, RECORDS_PATH) && names_source(request, source->context.name);
}

static enum push_decision fail(struct push_reply *reply, struct arena *arena, unsigned status, const char *code)
{
    *reply = (struct push_reply){.status = status, .content_type = SLICE("application/json; charset=utf-8")};
    reply->body = arena_printf(arena, "{\"errors\":[{\"code\":\"%s\"}]}", code);
    if (status == 503)
        (void)push_reply_header(reply, SLICE("Retry-After"), SLICE("5"));
    if (status == 405)
        (void)push_reply_header(reply, SLICE("Allow"), SLICE("POST"));
    return PUSH_REPLY_ONLY;
}

/* How many records the body has; -1 when it is malformed or there are too many (*code says). */
static ptrdiff_t count_records(struct slice body, const char **code)
{
    struct json_split split;
    struct slice piece;
    *code = "records.json";
    if (!json_split_begin(&split, body, "records"))
        return -1;
    for (ptrdiff_t count = 0;; count++) {
        enum json_piece got = json_split_next(&split, &piece);
        if (got == JSON_END)
            return count;
        if (got == JSON_MALFORMED)
            return -1;
        if (count == RECORDS_MAX) {
            *code = "records.too_many";
            return -1;
        }
    }
}

static enum push_decision handle(struct push_source *source, const struct push_request *request,
                                 struct arena *arena, struct delivery_batch *batch,
                                 struct push_reply *reply)
{
    const char *code;
    struct json_split split;
    struct slice piece;
    struct err err;
    if (!slice_is(request->method, "POST"))
        return fail(reply, arena, 405, "records.method");
    if (request->body.len > RECORDS_BODY_MAX_BYTES)
        return fail(reply, arena, 413, "records.too_large");
    ptrdiff_t count = count_records(request->body, &code);
    if (count < 0)
        return fail(reply, arena, strcmp(code, "records.too_many") == 0 ? 413 : 400, code);
    if (count == 0)
        return fail(reply, arena, 400, "records.empty");
    struct slice body = arena_dup(arena, request->body);
    struct buf meta = BUF_INIT(4096);
    buf_put_str(&meta, "{\"ip\":");
    buf_put_json(&meta, request->client_ip);
    buf_put_str(&meta, "}");
    struct slice stored_meta = arena_dup(arena, buf_slice(&meta));
    buf_free(&meta);
    batch->deliveries = ARENA_ARRAY(arena, struct delivery, (size_t)count);
    if (batch->deliveries == NULL || body.len == 0 || !json_split_begin(&split, body, "records"))
        return fail(reply, arena, 503, "records.memory");
    for (batch->count = 0; json_split_next(&split, &piece) == JSON_PIECE; batch->count++) {
        struct delivery *delivery = &batch->deliveries[batch->count];
        if (parse(&source->context, SLICE_EMPTY, stored_meta, piece, arena, delivery, &err) != STATUS_OK)
            return fail(reply, arena, 503, "records.memory");
        delivery->position = arena_printf(arena, "record %zu", batch->count + 1);
    }
    batch->layout = SLICE_EMPTY;
    batch->cursor = SLICE_EMPTY;
    return PUSH_ACCEPT;
}

static void put_error(struct buf *out, const char *code, enum issue_severity severity, struct slice field,
                      struct slice param, bool *first)
{
    static const char *const severities[] = {"warn", "quarantine", "reject"};
    buf_put_str(out, *first ? "{\"code\":" : ",{\"code\":");
    buf_put_json(out, slice_str(code));
    buf_printf(out, ",\"severity\":\"%s\"", severities[severity]);
    if (field.len > 0) {
        buf_put_str(out, ",\"field\":");
        buf_put_json(out, field);
    }
    if (param.len > 0) {
        buf_put_str(out, ",\"param\":");
        buf_put_json(out, param);
    }
    buf_put_str(out, "}");
    *first = false;
}

static void put_result(struct buf *out, const struct delivery *delivery, const struct push_verdict *verdict,
                       size_t index)
{
    const struct push_delivery_verdict *said =
        index < verdict->delivery_count ? &verdict->deliveries[index] : NULL;
    bool rejected = delivery->refusal || (said && said->rejected);
    bool repeat = said ? said->repeat : verdict->repeat;
    bool first = true;
    buf_put_str(out, "{\"external_id\":");
    buf_put_json(out, delivery->record_count ? delivery->records[0].external_id : SLICE_EMPTY);
    buf_printf(out, ",\"status\":\"%s\",\"errors\":[", rejected ? "rejected" : repeat ? "repeat" : "accepted");
    if (delivery->refusal)
        put_error(out, delivery->refusal, ISSUE_REJECT, SLICE_EMPTY, delivery->refusal_param, &first);
    for (size_t i = 0; said && i < said->issue_count; i++) {
        const struct issue *issue = &said->issues[i];
        bool known = verdict->schema && issue->field < verdict->schema->count;
        put_error(out, issue->code, issue->severity,
                  known ? slice_str(verdict->schema->fields[issue->field].name) : SLICE_EMPTY, issue->param, &first);
    }
    buf_put_str(out, "]}");
}

static void answer(struct push_source *source, const struct push_request *request,
                   const struct push_verdict *verdict, struct arena *arena, struct push_reply *reply)
{
    struct json_split split;
    struct slice piece;
    struct err err;
    struct buf json = BUF_INIT(REPLY_MAX_BYTES);
    struct delivery *delivery = ARENA_NEW(arena, struct delivery);
    if (!verdict->durable || delivery == NULL || !json_split_begin(&split, request->body, "records")) {
        (void)fail(reply, arena, 503, verdict->trouble ? verdict->trouble : "records.busy");
        return;
    }
    buf_put_str(&json, "{\"results\":[");
    for (size_t i = 0; json_split_next(&split, &piece) == JSON_PIECE; i++) {
        if (parse(&source->context, SLICE_EMPTY, SLICE_EMPTY, piece, arena, delivery, &err) != STATUS_OK)
            break;
        buf_put_str(&json, i ? "," : "");
        put_result(&json, delivery, verdict, i);
    }
    buf_put_str(&json, "]}");
    push_reply_json(reply, 200, arena, &json);
    buf_free(&json);
}

const struct push_connector records_connector = {
    .type = "records",
    .options = records_options,
    .tells_issues = true,
    .check = check,
    .open = open_records,
    .match = match,
    .handle = handle,
    .answer = answer,
    .parse = parse,
    .close = close_records,
};
