/* json_text.c - see json_text.h. */
#include "connectors/json_text.h"

#include <stdio.h>
#include <stdlib.h>

struct slice json_plain_text(struct arena *arena, const json_t *value)
{
    if (json_is_string(value))
        return arena_dup(arena, slice_of(json_string_value(value), json_string_length(value)));
    if (json_is_integer(value))
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value)) {
        char text[40];
        double number = json_real_value(value);
        snprintf(text, sizeof(text), "%.15g", number);
        if (strtod(text, NULL) != number)
            snprintf(text, sizeof(text), "%.17g", number);
        return arena_dup(arena, slice_str(text));
    }
    if (json_is_boolean(value))
        return json_is_true(value) ? SLICE("true") : SLICE("false");
    return SLICE_EMPTY;
}

struct slice json_member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? slice_of(json_string_value(value), json_string_length(value)) : SLICE_EMPTY;
}
