/* What is read as a clean record is written and read back as the same bytes. */
#include "rules/record_json.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct field fields[] = {
    {.id = 0, .name = "full_name", .type = FIELD_PERSON_NAME},
    {.id = 1, .name = "email", .type = FIELD_EMAIL, .multiple = true},
    {.id = 2, .name = "phone", .type = FIELD_PHONE, .multiple = true},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct schema schema = {3, fields};
    struct arena *arena = arena_new(1 << 22);
    struct buf first = BUF_INIT(1 << 22), second = BUF_INIT(1 << 22);
    struct clean_record clean;
    if (arena &&
        clean_record_from_json(&schema, slice_of((const char *)data, size), arena, &clean)) {
        clean_record_to_json(&schema, &clean, &first);
        assert(clean_record_from_json(&schema, buf_slice(&first), arena, &clean));
        clean_record_to_json(&schema, &clean, &second);
        assert(slice_eq(buf_slice(&first), buf_slice(&second)));
    }
    buf_free(&first);
    buf_free(&second);
    arena_free(&arena);
    return 0;
}
