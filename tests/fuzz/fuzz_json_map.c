/*
 * fuzz_json_map.c - a mapping in YAML, a NUL, and a document: never a crash; a delivery has records
 * or a refusal, never both, and every record has an id and no NUL in its values.
 */
#include <assert.h>

#include "connectors/json_map.h"
#include "connectors/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct raw_record *record)
{
    assert(record->external_id.len > 0 && record->part.len > 0);
    for (size_t i = 0; i < record->columns->count; i++)
        assert(record->values[i].len == 0 ||
               memchr(record->values[i].ptr, 0, record->values[i].len) == NULL);
    assert(record->activity_count <= ACTIVITIES_MAX && record->consent_count <= CONSENTS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_map_context context = {"CN", "Asia/Shanghai", false};
    struct slice all = slice_of((const char *)data, size);
    ptrdiff_t nul = slice_find_byte(all, '\0');
    struct slice yaml = slice_sub(all, 0, nul < 0 ? 0 : (size_t)nul);
    struct delivery delivery = {.body = slice_sub(all, yaml.len + (nul >= 0), size)};
    struct arena *arena = arena_new((size_t)32 << 20);
    struct problems problems = {0};
    size_t where;
    const struct yaml_node *node = yaml_parse(arena, "fuzz.yaml", yaml, &problems);
    const struct json_map *map = node ? json_map_new(node, arena, &problems) : NULL;
    if (map && json_scan_check(delivery.body, &where)) {
        json_map_apply(map, &context, arena, &delivery);
        assert(arena_failed(arena) || (delivery.record_count > 0) == (delivery.refusal == NULL));
        for (size_t i = 0; i < delivery.record_count && !arena_failed(arena); i++)
            check_record(&delivery.records[i]);
    }
    problems_free(&problems);
    arena_free(&arena);
    return 0;
}
