/* yaml.c - libyaml's events into a tree. See yaml.h. */
#include "daemon/base/yaml.h"
#include "daemon/base/utf8.h"

#include <stdlib.h>
#include <yaml.h>

#define TEXT_MAX_BYTES ((size_t)1 << 20)
#define DEPTH_MAX      32
#define NODES_MAX      100000

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    const char *file;
    struct problems *problems;
    size_t node_count;
    /* Children of the lists and maps still open; each takes its own off the end when it closes. */
    struct yaml_node **stack;
    size_t stack_count;
    size_t stack_capacity;
};

static struct yaml_node position(const struct reader *reader, yaml_mark_t mark)
{
    return (struct yaml_node){
        .file = reader->file, .line = (unsigned)mark.line + 1, .column = (unsigned)mark.column + 1};
}

static void *complain(struct reader *reader, yaml_mark_t mark, const char *what)
{
    struct yaml_node where = position(reader, mark);
    problems_add(reader->problems, &where, "%s", what);
    return NULL;
}

static void complain_of_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct yaml_node where = position(reader, parser->problem_mark);
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        problems_add(reader->problems, &where, "out of memory while reading YAML");
    else if (parser->context)
        problems_add(reader->problems, &where, "%s (%s)", problem, parser->context);
    else
        problems_add(reader->problems, &where, "%s", problem);
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    complain_of_syntax(reader);
    return false;
}

static bool push(struct reader *reader, struct yaml_node *node)
{
    if (reader->stack_count == reader->stack_capacity) {
        size_t capacity = reader->stack_capacity ? reader->stack_capacity * 2 : 64;
        struct yaml_node **stack = realloc(reader->stack, capacity * sizeof(struct yaml_node *));
        if (stack == NULL)
            return false;
        reader->stack = stack;
        reader->stack_capacity = capacity;
    }
    reader->stack[reader->stack_count++] = node;
    return true;
}

static struct yaml_node *new_node(struct reader *reader, enum yaml_kind kind, yaml_mark_t mark)
{
    if (++reader->node_count > NODES_MAX)
        return complain(reader, mark, "more than 100000 values in one document");
    struct yaml_node *node = ARENA_NEW(reader->arena, struct yaml_node);
    if (node == NULL)
        return complain(reader, mark, "out of memory while reading YAML");
    *node = position(reader, mark);
    node->kind = kind;
    node->text = SLICE_EMPTY;
    return node;
}

static bool is_null_text(struct slice text)
{
    return text.len == 0 || slice_is(text, "~") || slice_is(text, "null") ||
           slice_is(text, "Null") || slice_is(text, "NULL");
}

/* A key keeps its text even when it reads null: `null` may well be somebody's name. */
static struct yaml_node *read_scalar(struct reader *reader, const yaml_event_t *event, bool is_key)
{
    struct yaml_node *node = new_node(reader, YAML_SCALAR, event->start_mark);
    if (node == NULL)
        return NULL;
    struct slice text = slice_of((const char *)event->data.scalar.value, event->data.scalar.length);
    const char *tag = (const char *)event->data.scalar.tag;
    if (memchr(text.ptr, 0, text.len))
        return complain(reader, event->start_mark, "a NUL character in a value");
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || tag != NULL;
    node->is_null = !is_key && !node->quoted && is_null_text(text);
    if (!node->is_null)
        node->text = arena_dup(reader->arena, text);
    return node;
}

static int by_key_and_place(const void *a, const void *b)
{
    const struct yaml_node *x = *(struct yaml_node *const *)a, *y = *(struct yaml_node *const *)b;
    int order = slice_cmp(x->text, y->text);
    if (order != 0)
        return order;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

static void refuse_duplicate_keys(struct reader *reader, const struct yaml_node *map)
{
    struct yaml_node **sorted = malloc((map->count + 1) * sizeof(struct yaml_node *));
    if (sorted == NULL) {
        problems_add(reader->problems, map, "out of memory while reading YAML");
        return;
    }
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = map->keys[i];
    qsort(sorted, map->count, sizeof(struct yaml_node *), by_key_and_place);
    for (size_t i = 1; i < map->count; i++) {
        if (slice_eq(sorted[i - 1]->text, sorted[i]->text))
            problems_add(reader->problems, sorted[i],
                         "duplicate key '" SLICE_FMT "', first on line %u",
                         SLICE_ARG(sorted[i]->text), sorted[i - 1]->line);
    }
    free(sorted);
}

static struct yaml_node *close_list(struct reader *reader, struct yaml_node *list, size_t first)
{
    list->count = reader->stack_count - first;
    list->values = ARENA_ARRAY(reader->arena, struct yaml_node *, list->count);
    if (list->values == NULL) {
        problems_add(reader->problems, list, "out of memory while reading YAML");
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++)
        list->values[i] = reader->stack[first + i];
    reader->stack_count = first;
    return list;
}

static struct yaml_node *close_map(struct reader *reader, struct yaml_node *map, size_t first)
{
    map->count = (reader->stack_count - first) / 2;
    map->keys = ARENA_ARRAY(reader->arena, struct yaml_node *, map->count);
    map->values = ARENA_ARRAY(reader->arena, struct yaml_node *, map->count);
    if (map->keys == NULL || map->values == NULL) {
        problems_add(reader->problems, map, "out of memory while reading YAML");
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        map->keys[i] = reader->stack[first + 2 * i];
        map->values[i] = reader->stack[first + 2 * i + 1];
    }
    reader->stack_count = first;
    refuse_duplicate_keys(reader, map);
    return map;
}

static const char *what_is_refused(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "aliases (*name) are not allowed; hint: write the value out, or quote the text";
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        return "expected a value";
    }
    if (anchor)
        return "anchors (&name) are not allowed; hint: write the value out, or quote the text";
    if (tag && strcmp((const char *)tag, YAML_STR_TAG) != 0)
        return "tags (!name) are not allowed; hint: quote the text";
    return NULL;
}

static struct yaml_node *read_key(struct reader *reader, const yaml_event_t *event)
{
    const char *refused = what_is_refused(event);
    if (refused == NULL && event->type != YAML_SCALAR_EVENT)
        refused = "a key must be plain text";
    return refused ? complain(reader, event->start_mark, refused)
                   : read_scalar(reader, event, true);
}

static struct yaml_node *read_node(struct reader *reader, const yaml_event_t *event,
                                   unsigned depth);

static struct yaml_node *read_children(struct reader *reader, struct yaml_node *node,
                                       unsigned depth)
{
    size_t first = reader->stack_count;
    for (;;) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return node->kind == YAML_MAP ? close_map(reader, node, first)
                                          : close_list(reader, node, first);
        }
        struct yaml_node *child;
        if (node->kind == YAML_MAP && (reader->stack_count - first) % 2 == 0)
            child = read_key(reader, &event);
        else
            child = read_node(reader, &event, depth);
        yaml_event_delete(&event);
        if (child == NULL)
            return NULL;
        if (!push(reader, child))
            return complain(reader, reader->parser.mark, "out of memory while reading YAML");
    }
}

static struct yaml_node *read_node(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    const char *refused = what_is_refused(event);
    if (refused)
        return complain(reader, event->start_mark, refused);
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(reader, event, false);
    if (depth == DEPTH_MAX)
        return complain(reader, event->start_mark, "nested more than 32 deep");
    enum yaml_kind kind = event->type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST;
    struct yaml_node *node = new_node(reader, kind, event->start_mark);
    return node ? read_children(reader, node, depth + 1) : NULL;
}

/* The stream: at most one document. */
static struct yaml_node *read_stream(struct reader *reader)
{
    struct yaml_node *root = NULL;
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return NULL;
        bool failed = false;
        switch (event.type) {
        case YAML_STREAM_END_EVENT:
            done = true;
            break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        default:
            if (root)
                complain(reader, event.start_mark, "a second document; hint: one document a file");
            failed = root || (root = read_node(reader, &event, 0)) == NULL;
        }
        yaml_event_delete(&event);
        if (failed)
            return NULL;
    }
    if (root == NULL) {
        root = new_node(reader, YAML_SCALAR, (yaml_mark_t){0});
        if (root)
            root->is_null = true;
    }
    return root;
}

/* libyaml gives no line for bytes that are not UTF-8, so they are looked for first. */
static bool check_text(const char *file, struct slice text, struct problems *problems)
{
    struct yaml_node where = {.file = file, .line = 1, .column = 1};
    if (text.len > TEXT_MAX_BYTES) {
        problems_add(problems, &where, "%zu bytes of YAML; at most %zu are read", text.len,
                     TEXT_MAX_BYTES);
        return false;
    }
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.ptr[i];
        size_t width = utf8_valid_width(slice_sub(text, i, text.len));
        if (width == 0 || (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
            problems_add(problems, &where, "byte 0x%02X is not %s", c,
                         width == 0 ? "UTF-8; hint: save the file as UTF-8" : "text");
            return false;
        }
        where.column++;
        if (c == '\n') {
            where.line++;
            where.column = 1;
        }
        i += width;
    }
    return true;
}

struct yaml_node *yaml_parse(struct arena *arena, const char *file, struct slice text,
                             struct problems *problems)
{
    if (slice_starts(text, SLICE("\xEF\xBB\xBF")))
        text = slice_sub(text, 3, text.len);
    if (!check_text(file, text, problems))
        return NULL;
    size_t problems_before = problems->count + problems->dropped;
    struct reader reader = {.arena = arena, .file = file, .problems = problems};
    if (!yaml_parser_initialize(&reader.parser)) {
        problems_add(problems, NULL, "out of memory while reading YAML");
        return NULL;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.ptr, text.len);
    struct yaml_node *root = read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    free(reader.stack);
    if (root && arena_failed(arena))
        problems_add(problems, root, "out of memory while reading YAML");
    return problems->count + problems->dropped == problems_before ? root : NULL;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (slice_is(map->keys[i]->text, key))
            return map->values[i];
    }
    return NULL;
}

struct slice yaml_text(const struct yaml_node *map, const char *key, struct slice otherwise)
{
    const struct yaml_node *node = yaml_get(map, key);
    return node && node->kind == YAML_SCALAR && !node->is_null ? node->text : otherwise;
}

struct slice yaml_shown(const struct yaml_node *node)
{
    return node->written.len > 0 ? node->written : node->text;
}
