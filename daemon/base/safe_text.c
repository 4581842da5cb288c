/* safe_text.c - see safe_text.h. */
#include "daemon/base/safe_text.h"
#include "daemon/base/utf8.h"

struct slice safe_text(struct arena *arena, struct slice text)
{
    if (slice_find_byte(text, '\0') < 0 && utf8_valid(text))
        return text;
    char *out = arena_alloc(arena, text.len * 3 + 1);
    size_t used = 0;
    uint32_t code_point;
    while (out && utf8_next(&text, &code_point))
        used += utf8_encode(code_point ? code_point : 0xFFFD, out + used);
    return slice_of(out, used);
}
