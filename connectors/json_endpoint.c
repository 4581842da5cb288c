/* json_endpoint.c - see json_endpoint.h. */
#include "connectors/json_endpoint.h"

struct compiler {
    struct arena *arena;
    struct problems *problems;
    const struct option_text *parameters;
    size_t parameter_count;
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

/* Index of the word among `words`, or -1 with a problem added. */
static int choice(struct compiler *c, const struct yaml_node *map, const char *key,
                  const char *const *words, int count, int otherwise)
{
    const struct yaml_node *node = yaml_get(map, key);
    if (node == NULL)
        return otherwise;
    for (int i = 0; i < count; i++) {
        if (slice_is(node->text, words[i]))
            return i;
    }
    const char *near = nearest_word(node->text, words, (size_t)count);
    problems_add(c->problems, node, "%s: unknown '%.*s'%s%s", key, SLICE_ARG(node->text),
                 near ? "; hint: did you mean " : "", near ? near : "");
    c->good = false;
    return otherwise;
}

static int64_t number(struct compiler *c, const struct yaml_node *map, const char *key,
                      int64_t otherwise)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t value = otherwise;
    if (node && (!slice_to_int64(node->text, &value) || value < 0 || value > INT32_MAX))
        wrong(c, node, "a number from 0 is wanted");
    return value;
}

static int64_t duration(struct compiler *c, const struct yaml_node *map, const char *key,
                        int64_t otherwise)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t value_ms = otherwise;
    if (node && !duration_parse_ms(node->text, &value_ms))
        wrong(c, node, "a duration is wanted, such as 10m");
    return value_ms;
}

static bool optional_path(struct compiler *c, const struct yaml_node *map, const char *key,
                          struct json_path *path)
{
    const struct yaml_node *node = yaml_get(map, key);
    size_t where = 0;
    if (node == NULL || (node->kind == YAML_SCALAR && node->text.len == 0))
        return false;
    if (node->kind != YAML_SCALAR || !json_path_compile(node->text, c->arena, path, &where))
        wrong(c, node, "not a path; hint: such as data.items");
    return true;
}

static const char *optional_text(struct compiler *c, const struct yaml_node *map, const char *key)
{
    struct slice text = yaml_text(map, key, SLICE_EMPTY);
    return text.len ? arena_str(c->arena, text) : NULL;
}

static void compile_paging(struct compiler *c, const struct yaml_node *node,
                           struct json_endpoint *out)
{
    static const char *const keys[] = {"type",         "param", "first", "size", "pages_header",
                                       "total_header", "pages", "next",  "more"};
    static const char *const types[] = {"none", "page", "offset", "cursor", "link"};
    if (node == NULL)
        return;
    check_keys(c, node, keys, sizeof(keys) / sizeof(keys[0]));
    out->paging = (enum json_paging)choice(c, node, "type", types, 5, JSON_PAGING_NONE);
    static const char *const params[] = {"", "page", "offset", "cursor", ""};
    out->param = arena_dup(c->arena, yaml_text(node, "param", slice_str(params[out->paging])));
    out->first = number(c, node, "first", out->paging == JSON_PAGING_PAGE ? 1 : 0);
    out->size = number(c, node, "size", 0);
    out->pages_header = optional_text(c, node, "pages_header");
    out->total_header = optional_text(c, node, "total_header");
    out->has_pages = optional_path(c, node, "pages", &out->pages);
    out->has_next = optional_path(c, node, "next", &out->next);
    const struct yaml_node *more = yaml_get(node, "more");
    size_t where = 0;
    out->has_more = more != NULL;
    if (more && !json_condition_compile(more->text, c->arena, &out->more, &where))
        wrong(c, more, "not a condition; hint: such as pagination.has_more_items");
    if (out->paging == JSON_PAGING_CURSOR && !out->has_next)
        wrong(c, node, "paging by cursor needs next: the path of the next cursor");
}

static void compile_since(struct compiler *c, const struct yaml_node *node,
                          struct json_endpoint *out)
{
    static const char *const keys[] = {"param", "format", "overlap"};
    static const char *const formats[] = {"none", "iso", "iso_z", "unix", "unix_ms"};
    if (node == NULL)
        return;
    check_keys(c, node, keys, sizeof(keys) / sizeof(keys[0]));
    out->since = (enum json_since)choice(c, node, "format", formats, 5, JSON_SINCE_ISO_Z);
    out->since_param = arena_dup(c->arena, yaml_text(node, "param", SLICE_EMPTY));
    out->overlap_ms = duration(c, node, "overlap", 600000);
    if (out->since_param.len == 0)
        wrong(c, node, "since needs param: the query parameter that takes the time");
}

static void compile_query(struct compiler *c, const struct yaml_node *node,
                          struct json_endpoint *out)
{
    if (node == NULL)
        return;
    if (node->kind != YAML_MAP || node->count > 64) {
        wrong(c, node, "query: names and values are wanted");
        return;
    }
    struct json_query *query = ARENA_ARRAY(c->arena, struct json_query, node->count);
    for (size_t i = 0; query && i < node->count; i++)
        query[out->query_count++] = (struct json_query){arena_dup(c->arena, node->keys[i]->text),
                                                        arena_dup(c->arena, node->values[i]->text)};
    out->query = query;
}

static void compile_endpoint(struct compiler *c, const struct yaml_node *node,
                             struct json_endpoint *out)
{
    static const char *const keys[] = {"name",  "path",   "query", "items",
                                       "every", "paging", "since", "records"};
    *out = (struct json_endpoint){0};
    if (node->kind != YAML_MAP) {
        wrong(c, node, "an endpoint is wanted: name, path, records ...");
        return;
    }
    check_keys(c, node, keys, sizeof(keys) / sizeof(keys[0]));
    out->name = out->key = arena_dup(c->arena, yaml_text(node, "name", SLICE_EMPTY));
    out->path = arena_dup(c->arena, yaml_text(node, "path", SLICE_EMPTY));
    if (out->name.len == 0)
        wrong(c, node, "an endpoint needs a name");
    out->has_items = optional_path(c, node, "items", &out->items);
    if (out->items.count > 0 && out->items.steps[out->items.count - 1].kind == JSON_STEP_EACH)
        out->items.count--; /* `attendees[*]` means the list itself here */
    out->every_ms = duration(c, node, "every", 0);
    compile_query(c, yaml_get(node, "query"), out);
    compile_paging(c, yaml_get(node, "paging"), out);
    compile_since(c, yaml_get(node, "since"), out);
    out->map = json_map_new(yaml_get(node, "records"), c->arena, c->problems);
    c->good = c->good && out->map != NULL;
}

/* The first {name} in a path, or false. */
static bool placeholder(struct slice path, size_t *from, size_t *to)
{
    ptrdiff_t open = slice_find_byte(path, '{'), close = slice_find_byte(path, '}');
    *from = (size_t)(open + 1);
    *to = (size_t)close;
    return open >= 0 && close > open;
}

static bool add(struct json_endpoints *endpoints, const struct json_endpoint *endpoint)
{
    if (endpoints->count == JSON_ENDPOINTS_MAX)
        return false;
    endpoints->list[endpoints->count++] = *endpoint;
    return true;
}

/* One endpoint for every value of the parameter its path names. */
static void multiply_out(struct compiler *c, const struct yaml_node *node,
                         const struct json_endpoint *endpoint, struct json_endpoints *endpoints)
{
    size_t from, to;
    if (!placeholder(endpoint->path, &from, &to)) {
        if (!add(endpoints, endpoint))
            wrong(c, node, "too many endpoints");
        return;
    }
    struct slice name = slice_sub(endpoint->path, from, to);
    for (size_t i = 0; i < c->parameter_count; i++) {
        if (!slice_eq(c->parameters[i].name, name))
            continue;
        for (size_t v = 0; v < c->parameters[i].count; v++) {
            struct slice value = c->parameters[i].values[v];
            struct json_endpoint one = *endpoint;
            one.key =
                arena_printf(c->arena, "%.*s/%.*s", SLICE_ARG(endpoint->key), SLICE_ARG(value));
            one.path = arena_printf(c->arena, "%.*s%.*s%.*s", (int)(from - 1), endpoint->path.ptr,
                                    SLICE_ARG(value), (int)(endpoint->path.len - to - 1),
                                    endpoint->path.ptr + to + 1);
            multiply_out(c, node, &one, endpoints);
        }
        return;
    }
    problems_add(c->problems, node,
                 "the path needs a value for '%.*s'; hint: parameters: {%.*s: [\"...\"]}",
                 SLICE_ARG(name), SLICE_ARG(name));
    c->good = false;
}

const struct json_endpoints *json_endpoints_new(const struct yaml_node *list,
                                                const struct option_text *parameters,
                                                size_t parameter_count, struct arena *arena,
                                                struct problems *problems)
{
    struct compiler c = {arena, problems, parameters, parameter_count, true};
    if (list == NULL || list->kind != YAML_LIST || list->count == 0 || list->count > 100) {
        problems_add(problems, list, "endpoints: a list of endpoints is wanted");
        return NULL;
    }
    struct json_endpoints *endpoints = ARENA_NEW(arena, struct json_endpoints);
    if (endpoints)
        endpoints->list = ARENA_ARRAY(arena, struct json_endpoint, JSON_ENDPOINTS_MAX);
    if (endpoints == NULL || endpoints->list == NULL)
        return NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct json_endpoint endpoint;
        compile_endpoint(&c, list->values[i], &endpoint);
        multiply_out(&c, list->values[i], &endpoint, endpoints);
    }
    return c.good && !arena_failed(arena) ? endpoints : NULL;
}

const struct json_map *json_endpoint_map(const struct yaml_node *list, struct slice name,
                                         struct arena *arena)
{
    struct problems problems = {0};
    const struct json_map *map = NULL;
    for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count && map == NULL; i++) {
        if (slice_eq(yaml_text(list->values[i], "name", SLICE_EMPTY), name))
            map = json_map_new(yaml_get(list->values[i], "records"), arena, &problems);
    }
    problems_free(&problems);
    return map;
}
