/* json_path.c - see json_path.h. */
#include "connectors/json_path.h"

struct reader {
    struct slice text;
    size_t at;
    struct arena *arena;
    struct json_step *steps;
    size_t count;
};

static bool at_end(const struct reader *r)
{
    return r->at >= r->text.len;
}

static char now(const struct reader *r)
{
    return at_end(r) ? '\0' : r->text.ptr[r->at];
}

static bool take(struct reader *r, char c)
{
    if (at_end(r) || r->text.ptr[r->at] != c)
        return false;
    r->at++;
    return true;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '@' || c == '$' || (unsigned char)c >= 0x80;
}

static bool add_step(struct reader *r, struct json_step step)
{
    if (r->count == JSON_PATH_STEPS_MAX)
        return false;
    step.name = arena_dup(r->arena, step.name);
    step.value = arena_dup(r->arena, step.value);
    r->steps[r->count++] = step;
    return !arena_failed(r->arena);
}

static struct slice read_name(struct reader *r)
{
    size_t start = r->at;
    while (!at_end(r) && is_name_byte(now(r)))
        r->at++;
    return slice_sub(r->text, start, r->at);
}

/* Up to the closing quote; there are no escapes. */
static bool read_quoted(struct reader *r, struct slice *out)
{
    char quote = now(r);
    if (quote != '"' && quote != '\'')
        return false;
    size_t start = ++r->at;
    while (!at_end(r) && now(r) != quote)
        r->at++;
    *out = slice_sub(r->text, start, r->at);
    return take(r, quote);
}

static bool read_where(struct reader *r)
{
    struct json_step step = {.kind = JSON_STEP_WHERE};
    step.name = read_name(r);
    if (step.name.len == 0 || !take(r, '='))
        return false;
    if (now(r) == '"' || now(r) == '\'') {
        if (!read_quoted(r, &step.value))
            return false;
    } else {
        size_t start = r->at;
        while (!at_end(r) && now(r) != ']')
            r->at++;
        step.value = slice_sub(r->text, start, r->at);
    }
    return take(r, ']') && add_step(r, step);
}

static bool read_bracket(struct reader *r)
{
    struct json_step step = {.kind = JSON_STEP_EACH};
    if (take(r, '?'))
        return read_where(r);
    if (take(r, '*'))
        return take(r, ']') && add_step(r, step);
    if (now(r) == '"' || now(r) == '\'') {
        step.kind = JSON_STEP_MEMBER;
        return read_quoted(r, &step.name) && take(r, ']') && add_step(r, step);
    }
    size_t start = r->at;
    while (!at_end(r) && now(r) >= '0' && now(r) <= '9')
        r->at++;
    int64_t index;
    if (!slice_to_int64(slice_sub(r->text, start, r->at), &index) || index > 1000000)
        return false;
    step.kind = JSON_STEP_INDEX;
    step.index = (size_t)index;
    return take(r, ']') && add_step(r, step);
}

static bool read_steps(struct reader *r)
{
    if (take(r, '$') && !at_end(r) && !take(r, '.') && now(r) != '[')
        return false;
    for (bool first = true; !at_end(r); first = false) {
        if (take(r, '[')) {
            if (!read_bracket(r))
                return false;
            continue;
        }
        if (!first && !take(r, '.'))
            return false;
        struct json_step step = {.kind = JSON_STEP_MEMBER, .name = read_name(r)};
        if (step.name.len == 0 || !add_step(r, step))
            return false;
    }
    return true;
}

bool json_path_compile(struct slice text, struct arena *arena, struct json_path *path,
                       size_t *where)
{
    struct json_step steps[JSON_PATH_STEPS_MAX];
    struct reader r = {.text = slice_trim(text), .arena = arena, .steps = steps};
    *path = (struct json_path){0};
    bool good = read_steps(&r);
    *where = r.at;
    struct json_step *kept = good ? ARENA_ARRAY(arena, struct json_step, r.count) : NULL;
    if (kept == NULL)
        return false;
    memcpy(kept, steps, r.count * sizeof(*steps));
    *path = (struct json_path){r.count, kept};
    return true;
}

/* --- finding --- */

struct found {
    struct slice *values;
    size_t count, max;
};

/* A step of many results is taken depth first; depth is bounded by JSON_PATH_STEPS_MAX. */
static void find_from(const struct json_path *path, size_t step, struct slice value,
                      struct found *found);

static bool item_fits(const struct json_step *step, struct slice item)
{
    struct slice value = json_scan_member(item, step->name);
    if (json_scan_kind(value) == JSON_SCAN_STRING && slice_find_byte(value, '\\') < 0)
        return slice_eq(slice_sub(value, 1, value.len - 1), step->value);
    struct arena *arena = arena_new(value.len * 2 + 8192);
    if (arena == NULL)
        return false;
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    bool same = value.len > 0 && slice_eq(json_scan_plain(value, arena, &flaw), step->value);
    arena_free(&arena);
    return same;
}

static void find_in_array(const struct json_path *path, size_t at, struct slice array,
                          struct found *found)
{
    const struct json_step *step = &path->steps[at];
    struct json_scan_walk walk = json_scan_walk(array);
    struct slice key, item;
    for (size_t i = 0; found->count < found->max && json_scan_next(&walk, &key, &item); i++) {
        if (step->kind == JSON_STEP_INDEX && i != step->index)
            continue;
        if (step->kind == JSON_STEP_WHERE && !item_fits(step, item))
            continue;
        find_from(path, at + 1, item, found);
        if (step->kind == JSON_STEP_INDEX)
            return;
    }
}

static void find_from(const struct json_path *path, size_t at, struct slice value,
                      struct found *found)
{
    while (at < path->count && path->steps[at].kind == JSON_STEP_MEMBER) {
        value = json_scan_member(value, path->steps[at++].name);
        if (value.len == 0)
            return;
    }
    if (at == path->count) {
        if (found->count < found->max)
            found->values[found->count++] = value;
        return;
    }
    if (json_scan_kind(value) == JSON_SCAN_ARRAY)
        find_in_array(path, at, value, found);
}

size_t json_path_find(const struct json_path *path, struct slice document, struct slice *values,
                      size_t max)
{
    struct found found = {values, 0, max};
    find_from(path, 0, json_scan_value(document), &found);
    return found.count;
}

struct slice json_path_first(const struct json_path *path, struct slice document)
{
    struct slice value;
    return json_path_find(path, document, &value, 1) ? value : SLICE_EMPTY;
}

/* --- conditions and templates --- */

bool json_condition_compile(struct slice text, struct arena *arena,
                            struct json_condition *condition, size_t *where)
{
    text = slice_trim(text);
    *condition = (struct json_condition){.test = JSON_TEST_TRUTHY};
    size_t skipped = 0;
    if (text.len > 0 && text.ptr[0] == '!') {
        condition->test = JSON_TEST_NOT;
        text = slice_sub(text, 1, text.len);
        skipped = 1;
    }
    /* An equals sign inside [?key=value] is the path's. */
    ptrdiff_t equals = -1;
    for (size_t i = 0, depth = 0; i < text.len && equals < 0; i++) {
        depth += text.ptr[i] == '[';
        depth -= text.ptr[i] == ']' && depth > 0;
        if (text.ptr[i] == '=' && depth == 0)
            equals = (ptrdiff_t)i;
    }
    struct slice path = text;
    if (equals >= 0 && skipped == 0) {
        bool different = equals > 0 && text.ptr[equals - 1] == '!';
        path = slice_sub(text, 0, (size_t)(equals - different));
        condition->test = different ? JSON_TEST_DIFFERENT : JSON_TEST_EQUAL;
        condition->value =
            arena_dup(arena, slice_trim(slice_sub(text, (size_t)equals + 1, text.len)));
    }
    bool good = path.len > 0 && json_path_compile(path, arena, &condition->path, where);
    *where = path.len > 0 ? *where + skipped : skipped;
    return good && !arena_failed(arena);
}

bool json_condition_holds(const struct json_condition *condition, struct slice document,
                          struct arena *arena)
{
    struct slice value = json_path_first(&condition->path, document);
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    switch (condition->test) {
    case JSON_TEST_TRUTHY:
        return json_scan_truthy(value);
    case JSON_TEST_NOT:
        return !json_scan_truthy(value);
    case JSON_TEST_EQUAL:
        return slice_eq(json_scan_plain(value, arena, &flaw), condition->value);
    case JSON_TEST_DIFFERENT:
        return !slice_eq(json_scan_plain(value, arena, &flaw), condition->value);
    }
    return false;
}

#define PIECES_MAX 16

static bool add_piece(struct json_template *template, struct slice text, bool is_path,
                      struct arena *arena, size_t *where)
{
    if (template->count == PIECES_MAX)
        return false;
    struct json_template_piece *piece = &template->pieces[template->count++];
    *piece = (struct json_template_piece){.text = arena_dup(arena, text), .is_path = is_path};
    return !is_path || json_path_compile(text, arena, &piece->path, where);
}

bool json_template_compile(struct slice text, struct arena *arena, struct json_template *template,
                           size_t *where)
{
    *where = 0;
    *template = (struct json_template){
        .pieces = ARENA_ARRAY(arena, struct json_template_piece, PIECES_MAX)};
    if (template->pieces == NULL)
        return false;
    if (slice_find_byte(text, '{') < 0)
        return add_piece(template, text, true, arena, where);
    for (size_t at = 0; at < text.len;) {
        struct slice rest = slice_sub(text, at, text.len);
        ptrdiff_t open = slice_find_byte(rest, '{');
        size_t literal = open < 0 ? rest.len : (size_t)open;
        *where = at;
        if (literal > 0 && !add_piece(template, slice_sub(rest, 0, literal), false, arena, where))
            return false;
        at += literal;
        if (open < 0)
            break;
        ptrdiff_t close = slice_find_byte(rest, '}');
        size_t wrong = 0;
        *where = at;
        if (close < open || !add_piece(template, slice_sub(rest, (size_t)open + 1, (size_t)close),
                                       true, arena, &wrong))
            return false;
        at += (size_t)(close - open) + 1;
    }
    return !arena_failed(arena);
}

struct slice json_template_fill(const struct json_template *template, struct slice document,
                                struct arena *arena, enum json_scan_flaw *flaw)
{
    struct slice filled = SLICE_EMPTY;
    for (size_t i = 0; i < template->count; i++) {
        const struct json_template_piece *piece = &template->pieces[i];
        struct slice text = piece->text;
        if (piece->is_path)
            text = json_scan_plain(json_path_first(&piece->path, document), arena, flaw);
        if (text.len == 0)
            return SLICE_EMPTY;
        filled = i == 0 ? text
                        : arena_printf(arena, "%.*s%.*s", (int)filled.len, filled.ptr,
                                       (int)text.len, text.ptr);
    }
    return filled;
}
