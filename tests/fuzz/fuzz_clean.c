/* fuzz_clean.c - any bytes as a value of any type (the first byte says which, the second the context). */
#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "rules/clean.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct slice s)
{
    if (!utf8_valid(s) || memchr(s.ptr, '\0', s.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const countries[] = {"CN", "US", "DE", "", "GB", "ES", "FR", "IT"};
    static const char *const zones[] = {"Asia/Shanghai", "America/New_York", "", "Nowhere/Else"};
    if (size < 2)
        return 0;
    struct clean_context context = {countries[data[1] & 7], zones[data[1] >> 3 & 3], (data[1] & 32) != 0};
    enum field_type type = (enum field_type)(data[0] % FIELD_TYPE_COUNT);
    struct arena *arena = arena_new(16 << 20);
    struct cleaned out;
    int64_t at_us;
    clean_value_typed(type, &context, slice_of((const char *)data + 2, size - 2), arena, &out);
    if (arena_failed(arena))
        abort();
    check_text(out.value);
    check_text(out.original);
    for (size_t i = 0; i < out.side_count; i++)
        check_text(out.sides[i].value);
    if (type == FIELD_TIMESTAMP && out.flags == 0 && out.value.len > 0 && !clean_timestamp_us(out.value, &at_us))
        abort();
    clean_country(slice_of((const char *)data + 2, size - 2));
    arena_free(&arena);
    return 0;
}
