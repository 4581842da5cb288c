/* fuzz_yaml.c - any bytes as YAML, then judged against a table with every option type. */
#include "daemon/base/buf.h"
#include "daemon/base/options.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct option inner[] = {
    {.key = "size",
     .type = OPTION_SIZE,
     .default_text = "1M",
     .min = 1,
     .max = 1 << 30,
     .help = "h"},
    {.key = "wait", .type = OPTION_DURATION, .help = "h"},
    {.key = NULL},
};
static const struct option *pick(const struct yaml_node *section, struct problems *problems)
{
    if (yaml_text(section, "type", SLICE_EMPTY).len > 0)
        return inner;
    problems_add(problems, section, "no type");
    return NULL;
}
static const struct option common[] = {
    {.key = "type", .type = OPTION_STRING, .help = "h"},
    {.key = "map", .type = OPTION_TEXT_MAP, .help = "h"},
    {.key = NULL},
};
static const struct option table[] = {
    {.key = "i", .type = OPTION_INT, .min = -5, .max = 500, .help = "h"},
    {.key = "f", .type = OPTION_FLOAT, .help = "h"},
    {.key = "b", .type = OPTION_BOOL, .help = "h"},
    {.key = "e", .type = OPTION_ENUM, .choices = "one|two", .default_text = "one", .help = "h"},
    {.key = "s", .type = OPTION_STRINGS, .max = 10, .help = "h"},
    {.key = "m", .type = OPTION_TEXT_MAP, .help = "h"},
    {.key = "in", .type = OPTION_SECTION, .children = inner, .help = "h"},
    {.key = "many", .type = OPTION_SECTIONS, .children = common, .variant = pick, .help = "h"},
    {.key = "free", .type = OPTION_FREE, .help = "h"},
    {.key = NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)4 << 20);
    struct problems problems = {0};
    struct yaml_node *root =
        yaml_parse(arena, "fuzz", slice_of((const char *)data, size), &problems);
    if ((root == NULL) != (problems.count > 0))
        abort(); /* no tree without a reason, no reason with a tree */
    const struct options *options =
        root ? options_build(arena, table, root, NULL, &problems) : NULL;
    if (options && problems.count == 0) {
        /* What was accepted prints, and what was printed means the same. */
        struct buf first = BUF_INIT((size_t)1 << 22), second = BUF_INIT((size_t)1 << 22);
        options_print(options, 0, &first);
        struct yaml_node *again = yaml_parse(arena, "printed", buf_slice(&first), &problems);
        options = again ? options_build(arena, table, again, NULL, &problems) : NULL;
        if (options) {
            options_print(options, 0, &second);
            if (problems.count > 0 || !slice_eq(buf_slice(&first), buf_slice(&second)))
                abort();
        } else if (!arena_failed(arena) && !buf_failed(&first) && first.len < 1 << 20) {
            abort();
        }
        buf_free(&first);
        buf_free(&second);
    }
    problems_free(&problems);
    arena_free(&arena);
    return 0;
}
