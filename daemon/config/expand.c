/* expand.c - see expand.h. */
#include "daemon/config/expand.h"
#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"

#include <stdlib.h>

#define EXPANDED_MAX_BYTES 65536
#define NAME_MAX_BYTES     128

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0 && name.len < NAME_MAX_BYTES;
}

/* `inside` is what stands between the braces. False when a problem was added. */
static bool put_variable(struct buf *out, struct slice inside, const struct yaml_node *node,
                         struct problems *problems)
{
    ptrdiff_t mark = slice_find(inside, SLICE(":-"));
    struct slice name = mark < 0 ? inside : slice_sub(inside, 0, (size_t)mark);
    if (!is_name(name)) {
        problems_add(problems, node,
                     "'${" SLICE_FMT "}' is not a variable; hint: $${ for a literal ${",
                     SLICE_ARG(inside));
        return false;
    }
    char text[NAME_MAX_BYTES];
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    const char *value = getenv(text);
    if (mark >= 0 && (value == NULL || value[0] == '\0')) {
        buf_put_slice(out, slice_sub(inside, (size_t)mark + 2, inside.len));
        return true;
    }
    if (value == NULL) {
        problems_add(problems, node, "the environment variable %s is not set; hint: ${%s:-default}",
                     text, text);
        return false;
    }
    if (!utf8_valid(slice_str(value))) {
        problems_add(problems, node, "the environment variable %s is not UTF-8", text);
        return false;
    }
    buf_put_str(out, value);
    return true;
}

static bool put_expanded(struct buf *out, const struct yaml_node *node, struct problems *problems)
{
    struct slice rest = node->text;
    for (;;) {
        ptrdiff_t at = slice_find(rest, SLICE("${"));
        if (at < 0) {
            buf_put_slice(out, rest);
            return true;
        }
        if (at > 0 && rest.ptr[at - 1] == '$') {
            buf_put(out, rest.ptr, (size_t)at - 1);
            buf_put_str(out, "${");
            rest = slice_sub(rest, (size_t)at + 2, rest.len);
            continue;
        }
        buf_put(out, rest.ptr, (size_t)at);
        rest = slice_sub(rest, (size_t)at + 2, rest.len);
        ptrdiff_t end = slice_find_byte(rest, '}');
        if (end < 0) {
            problems_add(problems, node, "'${' without '}'; hint: $${ for a literal ${");
            return false;
        }
        if (!put_variable(out, slice_sub(rest, 0, (size_t)end), node, problems))
            return false;
        rest = slice_sub(rest, (size_t)end + 1, rest.len);
    }
}

static void expand_scalar(struct arena *arena, struct yaml_node *node, struct problems *problems)
{
    if (slice_find(node->text, SLICE("${")) < 0)
        return;
    struct buf out = BUF_INIT(EXPANDED_MAX_BYTES);
    bool good = put_expanded(&out, node, problems);
    if (good && buf_failed(&out))
        problems_add(problems, node, "more than 64k after the variables were put in");
    node->written = node->text;
    if (good && !buf_failed(&out)) { /* else it stays as written: one problem is enough */
        node->text = arena_dup(arena, buf_slice(&out));
        node->is_null = node->text.len == 0;
    }
    buf_free(&out);
}

void config_expand(struct arena *arena, struct yaml_node *node, struct problems *problems)
{
    if (node->kind == YAML_SCALAR)
        expand_scalar(arena, node, problems);
    for (size_t i = 0; i < node->count; i++)
        config_expand(arena, node->values[i], problems);
}
