/*
 * fuzz_json_path.c - a path, a condition, a template (the first line) over a document (the rest):
 * never a crash, and every value found in a checked document is itself a checked value inside it.
 */
#include <assert.h>

#include "connectors/json_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct slice text, struct slice document, struct arena *arena)
{
    struct json_path path;
    struct json_condition condition;
    struct json_template template;
    struct slice values[16];
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    size_t where;
    if (json_path_compile(text, arena, &path, &where)) {
        size_t count = json_path_find(&path, document, values, 16);
        for (size_t i = 0; i < count; i++) {
            assert(values[i].ptr >= document.ptr &&
                   values[i].ptr + values[i].len <= document.ptr + document.len);
            assert(json_scan_check(values[i], &where));
            (void)json_scan_plain(values[i], arena, &flaw);
            (void)json_scan_truthy(values[i]);
            (void)json_scan_look_for_flaws(values[i]);
        }
    } else {
        assert(where <= text.len);
    }
    if (json_condition_compile(text, arena, &condition, &where))
        (void)json_condition_holds(&condition, document, arena);
    if (json_template_compile(text, arena, &template, &where))
        (void)json_template_fill(&template, document, arena, &flaw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of((const char *)data, size);
    ptrdiff_t feed = slice_find_byte(all, '\n');
    size_t split = feed < 0 ? size : (size_t)feed;
    struct slice document = slice_sub(all, split + 1, size);
    size_t where;
    bool good = json_scan_check(document, &where);
    assert(where <= document.len);
    struct arena *arena = arena_new((size_t)8 << 20);
    look(slice_sub(all, 0, split), good ? document : SLICE("{}"), arena);
    arena_free(&arena);
    return 0;
}
