/*
 * connector_fixture.h - what the tests of connectors share: a context with options from YAML, a
 * temporary directory, and a pull source run like the daemon runs it (a batch, then "durable", then
 * the next).
 */
#ifndef TRIBUTARY_TESTS_CONNECTOR_FIXTURE_H
#define TRIBUTARY_TESTS_CONNECTOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/connector.h"
#include "daemon/base/buf.h"

struct fixture {
    struct arena *arena;
    struct stop stop;
    struct source_context context;
    char dir[64];
};

/* The shared options connectors read; the daemon's own table is daemon/config/tables.c. */
static const struct option fixture_shared_options[] = {
    {.key = "type", .type = OPTION_STRING},
    {.key = "preset", .type = OPTION_STRING},
    {.key = "country", .type = OPTION_STRING, .default_text = "CN"},
    {.key = "time_zone", .type = OPTION_STRING, .default_text = "Asia/Shanghai"},
    {.key = "day_first", .type = OPTION_BOOL, .default_text = "false"},
    {.key = "every", .type = OPTION_DURATION, .default_text = "5m"},
    {.key = "id", .type = OPTION_STRINGS, .default_text = "[]"},
    {.key = "time", .type = OPTION_STRING},
    {.key = "map", .type = OPTION_TEXT_MAP},
    {.key = "retention", .type = OPTION_DURATION, .default_text = "90d"},
    {.key = NULL},
};

static inline uint16_t fixture_field(const struct source_context *context, struct slice column)
{
    (void)context;
    static const char *const names[] = {"name", "phone",   "email",      "姓名",       "手机",
                                        "邮箱", "company", "given_name", "family_name"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_eq_nocase(slice_trim(column), slice_str(names[i])))
            return (uint16_t)i;
    }
    return FIELD_NONE;
}

static inline const struct options *fixture_options(struct fixture *fixture,
                                                    const struct option *own, const char *yaml)
{
    struct problems problems = {0};
    struct option *table = calloc(64, sizeof(*table));
    size_t count = 0;
    for (const struct option *option = fixture_shared_options; option->key; option++)
        table[count++] = *option;
    for (; own->key; own++)
        table[count++] = *own;
    struct option *kept = arena_alloc(fixture->arena, 64 * sizeof(*table));
    memcpy(kept, table, 64 * sizeof(*table));
    free(table);
    struct slice text = arena_dup(fixture->arena, slice_str(yaml));
    const struct yaml_node *node = yaml_parse(fixture->arena, "test.yaml", text, &problems);
    const struct options *options =
        options_build(fixture->arena, kept, node, fixture->dir, &problems);
    for (size_t i = 0; i < problems.count; i++)
        fail_msg("%u:%u: %s", problems.list[i].line, problems.list[i].column,
                 problems.list[i].text);
    problems_free(&problems);
    return options;
}

static inline void fixture_open(struct fixture *fixture)
{
    struct err err;
    memset(fixture, 0, sizeof(*fixture));
    fixture->arena = arena_new(16 << 20);
    assert_int_equal(stop_init(&fixture->stop, &err), STATUS_OK);
    snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/tributary_test_XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    fixture->context = (struct source_context){.name = "test",
                                               .clock = clock_system(),
                                               .stop = &fixture->stop,
                                               .state_dir = "",
                                               .field_of_column = fixture_field};
}

static inline int fixture_remove(const char *path, const struct stat *about, int kind,
                                 struct FTW *ftw)
{
    (void)about;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline void fixture_close(struct fixture *fixture)
{
    nftw(fixture->dir, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    stop_close(&fixture->stop);
    arena_free(&fixture->arena);
}

static inline const char *fixture_path(struct fixture *fixture, const char *name)
{
    return arena_printf(fixture->arena, "%s/%s", fixture->dir, name).ptr;
}

static inline void fixture_write(struct fixture *fixture, const char *name, struct slice bytes)
{
    FILE *file = fopen(fixture_path(fixture, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    fclose(file);
}

static inline bool fixture_exists(struct fixture *fixture, const char *name)
{
    return access(fixture_path(fixture, name), F_OK) == 0;
}

#endif
