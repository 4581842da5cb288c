/* json_map.c - see json_map.h. */
#include "connectors/json_map.h"

#include "connectors/json_path.h"
#include "daemon/base/buf.h"
#include "rules/clean.h"

#define COLUMNS_MAX      256 /* of one record */
#define ALTERNATIVES_MAX 8
#define RULES_MAX        16 /* activities, consents of one record's mapping */
#define DATA_MAX         32

struct map_column {
    struct slice name;
    size_t path_count;
    struct json_path *paths;
};

struct map_activity {
    struct slice type;
    struct json_template key;
    bool has_at, has_when;
    struct json_path at;
    struct json_condition when;
    size_t data_count;
    struct map_column *data;
};

struct map_consent {
    struct slice purpose;
    struct json_condition granted;
    struct json_template text, version, at; /* count 0: absent */
};

struct map_record {
    struct slice part;
    struct json_template id;
    bool has_time, has_when, has_deleted, has_test, has_pairs;
    struct json_path time;
    const char *time_zone; /* NULL: the source's */
    struct json_condition when, deleted, test;
    struct json_path pairs_list, pairs_name, pairs_value;
    size_t column_count;
    struct map_column *columns;
    size_t activity_count;
    struct map_activity *activities;
    size_t consent_count;
    struct map_consent *consents;
};

struct json_map {
    size_t count;
    struct map_record *records;
};

/* --- compiling --- */

struct compiler {
    struct arena *arena;
    struct problems *problems;
    bool good;
};

static void wrong(struct compiler *c, const struct yaml_node *node, const char *what)
{
    problems_add(c->problems, node, "%s", what);
    c->good = false;
}

static void check_keys(struct compiler *c, const struct yaml_node *map, const char *const *keys,
                       size_t count)
{
    c->good = problems_check_keys(c->problems, map, keys, count) && c->good;
}

static bool is_text(const struct yaml_node *node)
{
    return node && node->kind == YAML_SCALAR && node->text.len > 0;
}

static struct json_path path_of(struct compiler *c, const struct yaml_node *node)
{
    struct json_path path = {0};
    size_t where = 0;
    if (node == NULL || node->kind != YAML_SCALAR ||
        !json_path_compile(node->text, c->arena, &path, &where))
        wrong(c, node, "not a path; hint: such as billing.first_name, items[0].id or answers[*]");
    return path;
}

static bool optional_path(struct compiler *c, const struct yaml_node *map, const char *key,
                          struct json_path *path)
{
    const struct yaml_node *node = yaml_get(map, key);
    if (node)
        *path = path_of(c, node);
    return node != NULL;
}

static bool optional_condition(struct compiler *c, const struct yaml_node *map, const char *key,
                               struct json_condition *condition)
{
    const struct yaml_node *node = yaml_get(map, key);
    size_t where = 0;
    if (node &&
        (!is_text(node) || !json_condition_compile(node->text, c->arena, condition, &where)))
        wrong(c, node, "not a condition; hint: such as cancelled, !refunded or status=paid");
    return node != NULL;
}

static struct json_template template_of(struct compiler *c, const struct yaml_node *map,
                                        const char *key, bool required)
{
    struct json_template template = {0};
    const struct yaml_node *node = yaml_get(map, key);
    size_t where = 0;
    if (node == NULL && !required)
        return template;
    if (!is_text(node) || !json_template_compile(node->text, c->arena, &template, &where)) {
        problems_add(c->problems, node ? node : map,
                     "%s: a path or a template is wanted, such as id or order/{id}", key);
        c->good = false;
    }
    return template;
}

static void compile_column(struct compiler *c, const struct yaml_node *name,
                           const struct yaml_node *node, struct map_column *column)
{
    bool list = node->kind == YAML_LIST;
    size_t count = list ? node->count : 1;
    *column = (struct map_column){.name = arena_dup(c->arena, name->text)};
    if (count == 0 || count > ALTERNATIVES_MAX || node->kind == YAML_MAP) {
        wrong(c, node, "a path or a list of up to 8 paths is wanted");
        return;
    }
    column->paths = ARENA_ARRAY(c->arena, struct json_path, count);
    for (size_t i = 0; column->paths && i < count; i++)
        column->paths[column->path_count++] = path_of(c, list ? node->values[i] : node);
}

static struct map_column *compile_columns(struct compiler *c, const struct yaml_node *node,
                                          size_t max, size_t *count)
{
    *count = 0;
    if (node == NULL)
        return NULL;
    if (node->kind != YAML_MAP || node->count > max) {
        wrong(c, node, "names and paths are wanted, and not too many");
        return NULL;
    }
    struct map_column *columns = ARENA_ARRAY(c->arena, struct map_column, node->count);
    for (size_t i = 0; columns && i < node->count; i++)
        compile_column(c, node->keys[i], node->values[i], &columns[(*count)++]);
    return columns;
}

static size_t list_count(struct compiler *c, const struct yaml_node *node)
{
    if (node == NULL)
        return 0;
    if (node->kind != YAML_LIST || node->count > RULES_MAX) {
        wrong(c, node, "a list of at most 16 is wanted");
        return 0;
    }
    return node->count;
}

static void compile_activity(struct compiler *c, const struct yaml_node *node,
                             struct map_activity *out)
{
    static const char *const keys[] = {"type", "key", "at", "when", "data"};
    check_keys(c, node, keys, sizeof(keys) / sizeof(keys[0]));
    out->type = arena_dup(c->arena, yaml_text(node, "type", SLICE_EMPTY));
    if (out->type.len == 0)
        wrong(c, node, "an activity needs a type");
    out->key = template_of(c, node, "key", true);
    out->has_at = optional_path(c, node, "at", &out->at);
    out->has_when = optional_condition(c, node, "when", &out->when);
    out->data = compile_columns(c, yaml_get(node, "data"), DATA_MAX, &out->data_count);
}

static void compile_consent(struct compiler *c, const struct yaml_node *node,
                            struct map_consent *out)
{
    static const char *const keys[] = {"purpose", "granted", "text", "version", "at"};
    check_keys(c, node, keys, sizeof(keys) / sizeof(keys[0]));
    out->purpose = arena_dup(c->arena, yaml_text(node, "purpose", SLICE_EMPTY));
    if (out->purpose.len == 0 || !optional_condition(c, node, "granted", &out->granted))
        wrong(c, node, "a consent needs a purpose and granted");
    out->text = template_of(c, node, "text", false);
    out->version = template_of(c, node, "version", false);
    out->at = template_of(c, node, "at", false);
}

static void compile_pairs(struct compiler *c, const struct yaml_node *node, struct map_record *out)
{
    static const char *const keys[] = {"list", "name", "value"};
    if (node == NULL)
        return;
    check_keys(c, node, keys, sizeof(keys) / sizeof(keys[0]));
    out->has_pairs = true;
    if (!optional_path(c, node, "list", &out->pairs_list) ||
        !optional_path(c, node, "name", &out->pairs_name) ||
        !optional_path(c, node, "value", &out->pairs_value))
        wrong(c, node, "pairs need list, name and value");
}

static void compile_record(struct compiler *c, const struct yaml_node *node, struct map_record *out)
{
    static const char *const keys[] = {"part",  "id",         "time",    "time_zone",
                                       "when",  "deleted",    "test",    "columns",
                                       "pairs", "activities", "consents"};
    if (node->kind != YAML_MAP) {
        wrong(c, node, "a record's mapping is wanted: part, id, time, columns ...");
        return;
    }
    check_keys(c, node, keys, sizeof(keys) / sizeof(keys[0]));
    out->part = arena_dup(c->arena, yaml_text(node, "part", SLICE("main")));
    out->id = template_of(c, node, "id", true);
    out->has_time = optional_path(c, node, "time", &out->time);
    struct slice zone = yaml_text(node, "time_zone", SLICE_EMPTY);
    out->time_zone = zone.len ? arena_str(c->arena, zone) : NULL;
    out->has_when = optional_condition(c, node, "when", &out->when);
    out->has_deleted = optional_condition(c, node, "deleted", &out->deleted);
    out->has_test = optional_condition(c, node, "test", &out->test);
    out->columns =
        compile_columns(c, yaml_get(node, "columns"), COLUMNS_MAX / 2, &out->column_count);
    compile_pairs(c, yaml_get(node, "pairs"), out);
    if (out->column_count == 0 && !out->has_pairs)
        wrong(c, node, "a record needs columns");
    const struct yaml_node *activities = yaml_get(node, "activities");
    out->activity_count = list_count(c, activities);
    out->activities = ARENA_ARRAY(c->arena, struct map_activity, out->activity_count);
    for (size_t i = 0; out->activities && i < out->activity_count; i++)
        compile_activity(c, activities->values[i], &out->activities[i]);
    const struct yaml_node *consents = yaml_get(node, "consents");
    out->consent_count = list_count(c, consents);
    out->consents = ARENA_ARRAY(c->arena, struct map_consent, out->consent_count);
    for (size_t i = 0; out->consents && i < out->consent_count; i++)
        compile_consent(c, consents->values[i], &out->consents[i]);
}

struct json_map *json_map_new(const struct yaml_node *records, struct arena *arena,
                              struct problems *problems)
{
    struct compiler c = {arena, problems, true};
    if (records == NULL || records->kind != YAML_LIST || records->count == 0 ||
        records->count > DELIVERY_RECORDS_MAX) {
        problems_add(problems, records, "records: a list of 1 to %d mappings is wanted",
                     DELIVERY_RECORDS_MAX);
        return NULL;
    }
    struct json_map *map = ARENA_NEW(arena, struct json_map);
    if (map)
        map->records = ARENA_ARRAY(arena, struct map_record, records->count);
    for (size_t i = 0; map && map->records && i < records->count; i++)
        compile_record(&c, records->values[i], &map->records[map->count++]);
    return c.good && !arena_failed(arena) ? map : NULL;
}

/* --- applying --- */

struct applying {
    const struct json_map_context *context;
    const struct map_record *map;
    struct slice document;
    struct arena *arena;
    struct delivery *delivery;
};

static void refuse(struct applying *a, const char *code, struct slice param)
{
    if (a->delivery->refusal)
        return;
    a->delivery->refusal = code;
    a->delivery->refusal_param = arena_dup(a->arena, param);
}

static struct slice plain(struct applying *a, struct slice value, struct slice column)
{
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    struct slice text = json_scan_plain(value, a->arena, &flaw);
    if (flaw != JSON_SCAN_FINE)
        refuse(a, flaw == JSON_SCAN_HAS_NUL ? "json.nul" : "json.bad_string", column);
    return text;
}

static struct slice filled(struct applying *a, const struct json_template *template,
                           const char *what)
{
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    struct slice text = json_template_fill(template, a->document, a->arena, &flaw);
    if (flaw != JSON_SCAN_FINE)
        refuse(a, flaw == JSON_SCAN_HAS_NUL ? "json.nul" : "json.bad_string", slice_str(what));
    return text;
}

static int64_t time_us(struct applying *a, struct slice text)
{
    struct clean_context clean = {.country = a->context->country,
                                  .time_zone =
                                      a->map->time_zone ? a->map->time_zone : a->context->time_zone,
                                  .day_first = a->context->day_first};
    struct cleaned cleaned;
    int64_t at_us = 0;
    if (text.len == 0)
        return 0;
    clean_value_typed(FIELD_TIMESTAMP, &clean, text, a->arena, &cleaned);
    return !(cleaned.flags & VALUE_INVALID) && clean_timestamp_us(cleaned.value, &at_us) ? at_us
                                                                                         : 0;
}

static int64_t time_at(struct applying *a, const struct json_path *path)
{
    return time_us(a, plain(a, json_path_first(path, a->document), SLICE("time")));
}

static struct slice column_value(struct applying *a, const struct map_column *column)
{
    struct slice values[32];
    for (size_t i = 0; i < column->path_count; i++) {
        size_t count = json_path_find(&column->paths[i], a->document, values, 32);
        struct slice text = SLICE_EMPTY;
        for (size_t v = 0; v < count; v++) {
            struct slice one = plain(a, values[v], column->name);
            if (one.len == 0)
                continue;
            text = text.len == 0 ? one
                                 : arena_printf(a->arena, "%.*s, %.*s", (int)text.len, text.ptr,
                                                (int)one.len, one.ptr);
        }
        if (text.len > 0)
            return text;
    }
    return SLICE_EMPTY;
}

static size_t add_pairs(struct applying *a, struct slice *names, struct slice *values, size_t count)
{
    struct slice items[COLUMNS_MAX];
    size_t found = json_path_find(&a->map->pairs_list, a->document, items, COLUMNS_MAX);
    for (size_t i = 0; i < found; i++) {
        struct slice name =
            plain(a, json_path_first(&a->map->pairs_name, items[i]), SLICE("pairs"));
        struct slice value = plain(a, json_path_first(&a->map->pairs_value, items[i]), name);
        if (name.len == 0 || value.len == 0)
            continue;
        if (count == COLUMNS_MAX) {
            refuse(a, "json.too_many_columns", SLICE_EMPTY);
            break;
        }
        names[count] = name;
        values[count++] = value;
    }
    return count;
}

static void fill_columns(struct applying *a, struct raw_record *record)
{
    size_t room = a->map->has_pairs ? COLUMNS_MAX : a->map->column_count;
    struct slice *names = ARENA_ARRAY(a->arena, struct slice, room);
    struct slice *values = ARENA_ARRAY(a->arena, struct slice, room);
    struct columns *columns = ARENA_NEW(a->arena, struct columns);
    if (names == NULL || values == NULL || columns == NULL)
        return;
    size_t count = 0;
    for (; count < a->map->column_count; count++) {
        names[count] = arena_dup(a->arena, a->map->columns[count].name);
        values[count] = column_value(a, &a->map->columns[count]);
    }
    if (a->map->has_pairs)
        count = add_pairs(a, names, values, count);
    columns->count = count;
    columns->names = names;
    for (size_t i = 0; i < count; i++)
        columns->id = slice_hash(names[i], columns->id + 1);
    record->columns = columns;
    record->values = values;
}

static struct slice activity_data(struct applying *a, const struct map_activity *map)
{
    struct buf json = BUF_INIT(64 << 10);
    size_t written = 0;
    for (size_t i = 0; i < map->data_count; i++) {
        struct slice value = json_path_first(&map->data[i].paths[0], a->document);
        if (value.len == 0 || json_scan_kind(value) == JSON_SCAN_NULL)
            continue;
        enum json_scan_flaw flaw =
            json_scan_look_for_flaws(value); /* PostgreSQL's jsonb refuses them */
        if (flaw != JSON_SCAN_FINE)
            refuse(a, flaw == JSON_SCAN_HAS_NUL ? "json.nul" : "json.bad_string",
                   map->data[i].name);
        buf_put_str(&json, written++ ? "," : "{");
        buf_put_json(&json, map->data[i].name);
        buf_put_str(&json, ":");
        buf_put_slice(&json, value); /* as it was written */
    }
    buf_put_str(&json, written ? "}" : "");
    struct slice data = buf_failed(&json) ? SLICE_EMPTY : arena_dup(a->arena, buf_slice(&json));
    buf_free(&json);
    return data;
}

static void fill_activities(struct applying *a, struct raw_record *record)
{
    struct activity *list = ARENA_ARRAY(a->arena, struct activity, a->map->activity_count);
    for (size_t i = 0; list && i < a->map->activity_count; i++) {
        const struct map_activity *map = &a->map->activities[i];
        if (map->has_when && !json_condition_holds(&map->when, a->document, a->arena))
            continue;
        struct activity activity = {.type = arena_dup(a->arena, map->type),
                                    .key = filled(a, &map->key, "key")};
        if (activity.key.len == 0)
            continue;
        activity.at_us = map->has_at ? time_at(a, &map->at) : 0;
        activity.data = activity_data(a, map);
        list[record->activity_count++] = activity;
    }
    record->activities = list;
}

static void fill_consents(struct applying *a, struct raw_record *record)
{
    struct consent *list = ARENA_ARRAY(a->arena, struct consent, a->map->consent_count);
    for (size_t i = 0; list && i < a->map->consent_count; i++) {
        const struct map_consent *map = &a->map->consents[i];
        struct slice said = json_path_first(&map->granted.path, a->document);
        if (said.len == 0 || json_scan_kind(said) == JSON_SCAN_NULL)
            continue; /* not asked is neither granted nor refused */
        list[record->consent_count++] = (struct consent){
            .purpose = arena_dup(a->arena, map->purpose),
            .granted = json_condition_holds(&map->granted, a->document, a->arena),
            .text = filled(a, &map->text, "consent"),
            .version = filled(a, &map->version, "consent"),
            .at_us = time_us(a, filled(a, &map->at, "consent")),
            .method = SLICE("api"),
        };
    }
    record->consents = list;
}

static void apply_record(struct applying *a)
{
    const struct map_record *map = a->map;
    if (map->has_when && !json_condition_holds(&map->when, a->document, a->arena))
        return;
    struct raw_record record = {.part = arena_dup(a->arena, map->part)};
    record.external_id = filled(a, &map->id, "id");
    if (record.external_id.len == 0)
        refuse(a, "json.no_id", map->part);
    if (map->has_deleted && json_condition_holds(&map->deleted, a->document, a->arena))
        record.op = RECORD_DELETE;
    record.is_test = map->has_test && json_condition_holds(&map->test, a->document, a->arena);
    record.effective_us = map->has_time ? time_at(a, &map->time) : 0;
    fill_columns(a, &record);
    fill_activities(a, &record);
    fill_consents(a, &record);
    if (record.columns)
        a->delivery->records[a->delivery->record_count++] = record;
}

void json_map_apply(const struct json_map *map, const struct json_map_context *context,
                    struct arena *arena, struct delivery *delivery)
{
    struct applying a = {.context = context,
                         .document = json_scan_value(delivery->body),
                         .arena = arena,
                         .delivery = delivery};
    delivery->record_count = 0;
    if (json_scan_kind(a.document) != JSON_SCAN_OBJECT) {
        refuse(&a, "json.not_an_object", SLICE_EMPTY);
        return;
    }
    for (size_t i = 0; i < map->count && !delivery->refusal; i++) {
        a.map = &map->records[i];
        apply_record(&a);
    }
    if (!delivery->refusal && delivery->record_count == 0)
        refuse(&a, "json.no_record", SLICE_EMPTY);
    if (delivery->refusal)
        delivery->record_count = 0;
}
