/* fuzz_config.c - variables put into any YAML, then the whole judged against the root declaration.
 */
#include "daemon/base/buf.h"
#include "daemon/config/config_tables.h"
#include "daemon/config/expand.h"
#include "daemon/config/files.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    setenv("A", "canary", 1);
    setenv("B", "", 1);
    struct arena *arena = arena_new((size_t)8 << 20);
    struct problems problems = {0};
    struct yaml_node *root =
        yaml_parse(arena, "fuzz", slice_of((const char *)data, size), &problems);
    if (root) {
        config_expand(arena, root, &problems);
        config_merge_presets(arena, root, &problems);
        const struct options *options =
            options_build(arena, config_root_options, root, "/nonexistent", &problems);
        struct buf text = BUF_INIT((size_t)1 << 22);
        if (options)
            options_print(options, 0, &text);
        /* What the environment holds is shown nowhere, unless the text itself says it. */
        bool said = slice_find(slice_of((const char *)data, size), SLICE("canary")) >= 0;
        if (!said && slice_find(buf_slice(&text), SLICE("canary")) >= 0)
            abort();
        for (size_t i = 0; !said && i < problems.count; i++) {
            if (strstr(problems.list[i].text, "canary"))
                abort();
        }
        buf_free(&text);
    }
    problems_free(&problems);
    arena_free(&arena);
    return 0;
}
