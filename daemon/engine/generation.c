/* generation.c - see generation.h. */
#include "daemon/engine/generation.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define DETAIL_FORMAT    1
#define DETAIL_ARENA_MAX ((size_t)128 << 20)
#define PACKS_MAX        1000

/* What a generation is compiled from. */
struct texts {
    size_t pack_count;
    const struct pack_text *packs;
    const struct yaml_node *fields, *golden; /* NULL: none */
    struct match_settings match;
    const char *model_name;
    struct slice model;
};

/* ---- texts as JSON ---- */

/* A node as JSON, which is YAML too: only what rules/ read of it, its kind and its texts. In a string, since jsonb keeps
 * no order of keys. */
static void put_node(struct buf *out, const struct yaml_node *node)
{
    if (node == NULL || (node->kind == YAML_SCALAR && node->is_null)) {
        buf_put_str(out, "null");
        return;
    }
    if (node->kind == YAML_SCALAR) {
        buf_put_json(out, node->text);
        return;
    }
    buf_put_byte(out, node->kind == YAML_MAP ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        if (i)
            buf_put_str(out, ", ");
        if (node->kind == YAML_MAP) {
            buf_put_json(out, node->keys[i]->text);
            buf_put_str(out, ": ");
        }
        put_node(out, node->values[i]);
    }
    buf_put_byte(out, node->kind == YAML_MAP ? '}' : ']');
}

static void put_section(struct buf *out, const char *name, const struct yaml_node *node)
{
    struct buf text = BUF_INIT(GENERATION_DETAIL_MAX);
    put_node(&text, node);
    buf_printf(out, ",\"%s\":", name);
    buf_put_json(out, buf_failed(&text) ? SLICE("null") : buf_slice(&text));
    if (buf_failed(&text))
        out->failed = true;
    buf_free(&text);
}

static void put_texts(struct buf *out, const struct texts *texts)
{
    buf_printf(out, "{\"format\":%d,\"packs\":[", DETAIL_FORMAT);
    for (size_t i = 0; i < texts->pack_count; i++) {
        buf_put_str(out, i ? ",{\"name\":" : "{\"name\":");
        buf_put_json(out, slice_str(texts->packs[i].name));
        buf_put_str(out, ",\"text\":");
        buf_put_json(out, texts->packs[i].text);
        buf_put_byte(out, '}');
    }
    buf_put_byte(out, ']');
    put_section(out, "fields", texts->fields);
    put_section(out, "golden", texts->golden);
    buf_printf(out, ",\"link\":%.17g,\"review\":%.17g,\"model_name\":", texts->match.link_probability,
               texts->match.review_probability);
    buf_put_json(out, slice_str(texts->model_name));
    buf_put_str(out, ",\"model\":");
    buf_put_json(out, texts->model);
    buf_put_byte(out, '}');
}

static struct slice text_of(struct arena *arena, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return SLICE_EMPTY;
    return arena_dup(arena, slice_of(json_string_value(value), json_string_length(value)));
}

static const struct yaml_node *section_of(struct arena *arena, const json_t *detail, const char *key,
                                          struct problems *problems)
{
    struct slice text = text_of(arena, detail, key);
    if (text.len == 0 || slice_is(text, "null"))
        return NULL;
    return yaml_parse(arena, key, text, problems);
}

static bool read_texts(struct arena *arena, const json_t *detail, struct texts *texts,
                       struct problems *problems)
{
    const json_t *packs = json_object_get(detail, "packs");
    if (json_integer_value(json_object_get(detail, "format")) != DETAIL_FORMAT ||
        json_array_size(packs) > PACKS_MAX)
        return false;
    size_t before = problems->count + problems->dropped;
    struct pack_text *list = ARENA_ARRAY(arena, struct pack_text, json_array_size(packs) + 1);
    for (size_t i = 0; list && i < json_array_size(packs); i++) {
        const json_t *pack = json_array_get(packs, i);
        list[i] = (struct pack_text){arena_str(arena, text_of(arena, pack, "name")),
                                     text_of(arena, pack, "text")};
    }
    *texts = (struct texts){
        .pack_count = json_array_size(packs), .packs = list,
        .fields = section_of(arena, detail, "fields", problems),
        .golden = section_of(arena, detail, "golden", problems),
        .match = {.link_probability = json_number_value(json_object_get(detail, "link")),
                  .review_probability = json_number_value(json_object_get(detail, "review"))},
        .model_name = arena_str(arena, text_of(arena, detail, "model_name")),
        .model = text_of(arena, detail, "model")};
    return !arena_failed(arena) && problems->count + problems->dropped == before;
}

/* ---- compiling ---- */

static bool compile(struct generation *g, const struct texts *texts, const struct yaml_node *where,
                    struct problems *problems)
{
    struct err err;
    g->ruleset = ruleset_new(texts->packs, texts->pack_count, texts->fields, problems);
    if (g->ruleset)
        g->schema = ruleset_schema(g->ruleset);
    if (g->schema)
        g->matcher = matcher_new(g->schema, texts->model_name, texts->model, &texts->match, problems);
    if (g->matcher)
        g->survivorship = survivorship_new(g->schema, texts->golden, problems);
    if (g->survivorship && customer_layout_new(g->schema, &g->layout, &err) != STATUS_OK)
        problems_add(problems, where, "%s", err.text);
    if (g->layout == NULL)
        return false;
    put_texts(&g->detail, texts);
    if (buf_failed(&g->detail)) {
        problems_add(problems, NULL, "rules and model have more than %zu MB of text",
                     GENERATION_DETAIL_MAX >> 20);
        return false;
    }
    snprintf(g->fingerprint, sizeof(g->fingerprint), "%016llx-%016llx-%016llx",
             (unsigned long long)ruleset_fingerprint(g->ruleset),
             (unsigned long long)matcher_fingerprint(g->matcher),
             (unsigned long long)survivorship_fingerprint(g->survivorship));
    return true;
}

static struct generation *allocate(struct problems *problems)
{
    struct generation *g = calloc(1, sizeof(*g));
    if (g == NULL)
        problems_add(problems, NULL, "out of memory");
    else
        g->detail = BUF_INIT(GENERATION_DETAIL_MAX);
    return g;
}

struct generation *generation_new(const struct config *config, struct problems *problems)
{
    struct generation *g = allocate(problems);
    const struct options *match = options_section(config->root, "match");
    struct texts texts = {.pack_count = config->pack_count, .packs = config->packs,
                          .fields = options_node(config->root, "fields"),
                          .golden = options_node(config->root, "golden"),
                          .match = {.link_probability = options_float(match, "link"),
                                    .review_probability = options_float(match, "review")},
                          .model_name = config->model_name, .model = config->model};
    if (g && !compile(g, &texts, texts.fields, problems))
        generation_free(&g);
    size_t before = problems->count + problems->dropped;
    if (g)
        config_check_fields(config, g->ruleset, problems);
    if (problems->count + problems->dropped > before)
        generation_free(&g);
    return g;
}

struct generation *generation_again(struct slice detail, struct problems *problems)
{
    struct generation *g = allocate(problems);
    if (g == NULL)
        return NULL;
    json_t *json = json_loadb(detail.ptr, detail.len, 0, NULL);
    struct texts texts = {0};
    g->arena = arena_new(DETAIL_ARENA_MAX);
    if (g->arena == NULL || json == NULL || !read_texts(g->arena, json, &texts, problems)) {
        problems_add(problems, NULL, "its texts are not kept, or not in a form this version reads");
        generation_free(&g);
    } else if (!compile(g, &texts, NULL, problems)) {
        generation_free(&g);
    }
    json_decref(json);
    return g;
}

void generation_free(struct generation **generation)
{
    struct generation *g = *generation;
    if (g == NULL)
        return;
    customer_layout_free(&g->layout);
    survivorship_free(&g->survivorship);
    matcher_free(&g->matcher);
    ruleset_free(&g->ruleset);
    buf_free(&g->detail);
    arena_free(&g->arena);
    free(g);
    *generation = NULL;
}

/* ---- comparing ---- */

#define PART_LENGTH 17 /* of a fingerprint: 16 digits and what separates them */

bool generation_rules_differ(const char *fingerprint, const char *other)
{
    return strncmp(fingerprint, other, PART_LENGTH - 1) != 0;
}

static void put_differing_fields(struct buf *out, const char *name, const struct schema *of,
                                 const struct schema *in, bool retyped)
{
    bool first = true;
    buf_printf(out, "\"%s\":[", name);
    for (size_t i = 0; i < of->count; i++) {
        const struct field *other = schema_find(in, of->fields[i].name);
        bool wanted = retyped ? other && (other->type != of->fields[i].type ||
                                          other->multiple != of->fields[i].multiple)
                              : other == NULL;
        if (!wanted)
            continue;
        if (!first)
            buf_put_byte(out, ',');
        buf_put_json(out, slice_str(of->fields[i].name));
        first = false;
    }
    buf_put_byte(out, ']');
}

void generation_difference(const struct generation *from, const struct generation *to, struct buf *out)
{
    struct {
        const char *name;
        bool differs;
    } parts[] = {
        {"rules", generation_rules_differ(from->fingerprint, to->fingerprint)},
        {"model", false},
        {"thresholds", matcher_link_weight(from->matcher) < matcher_link_weight(to->matcher) ||
                           matcher_link_weight(from->matcher) > matcher_link_weight(to->matcher) ||
                           matcher_review_weight(from->matcher) < matcher_review_weight(to->matcher) ||
                           matcher_review_weight(from->matcher) > matcher_review_weight(to->matcher)},
        {"survivorship", strcmp(from->fingerprint + 2 * PART_LENGTH, to->fingerprint + 2 * PART_LENGTH) != 0}};
    bool matchers_differ =
        strncmp(from->fingerprint + PART_LENGTH, to->fingerprint + PART_LENGTH, PART_LENGTH - 1) != 0;
    json_t *texts[2] = {json_loadb(from->detail.data, from->detail.len, 0, NULL),
                        json_loadb(to->detail.data, to->detail.len, 0, NULL)};
    parts[1].differs = matchers_differ && !json_equal(json_object_get(texts[0], "model"),
                                                      json_object_get(texts[1], "model"));
    /* Its fingerprint has the fields in it. */
    parts[3].differs = parts[3].differs && (!parts[0].differs || !json_equal(json_object_get(texts[0], "golden"),
                                                                             json_object_get(texts[1], "golden")));
    json_decref(texts[0]);
    json_decref(texts[1]);
    bool first = true;
    buf_put_str(out, "{\"differs\":[");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!parts[i].differs)
            continue;
        buf_printf(out, "%s\"%s\"", first ? "" : ",", parts[i].name);
        first = false;
    }
    buf_put_str(out, "],\"columns\":{");
    put_differing_fields(out, "added", to->schema, from->schema, false);
    buf_put_byte(out, ',');
    put_differing_fields(out, "removed", from->schema, to->schema, false);
    buf_put_byte(out, ',');
    put_differing_fields(out, "retyped", to->schema, from->schema, true);
    buf_put_str(out, "}}");
}
