/* json_split.c - see json_split.h. */
#include "connectors/json_split.h"

static struct slice skip_space(struct slice s)
{
    size_t i = 0;
    while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\t' || s.ptr[i] == '\r' || s.ptr[i] == '\n'))
        i++;
    return slice_sub(s, i, s.len);
}

/* Length of the string the text begins with, quotes included; 0 when it does not end. */
static size_t string_length(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            return i + 1;
    }
    return 0;
}

/* Length of the value the text begins with; 0 when it does not end or begin. */
static size_t value_length(struct slice s)
{
    size_t depth = 0, i = 0;
    while (i < s.len) {
        char c = s.ptr[i];
        if (c == '"') {
            size_t length = string_length(slice_sub(s, i, s.len));
            if (length == 0)
                return 0;
            i += length;
        } else if (c == '{' || c == '[') {
            depth++;
            i++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return i; /* of what is around us */
            depth--;
            i++;
        } else if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            return i;
        } else {
            i++;
            continue;
        }
        if (depth == 0)
            return i;
    }
    return depth == 0 ? i : 0;
}

/* Finds an array under `member` at the top of an object. */
static bool find_member(struct slice object, const char *member, struct slice *array)
{
    struct slice rest = skip_space(slice_sub(object, 1, object.len));
    while (rest.len > 0 && rest.ptr[0] == '"') {
        size_t length = string_length(rest);
        struct slice name = length > 2 ? slice_sub(rest, 1, length - 1) : SLICE_EMPTY;
        rest = skip_space(slice_sub(rest, length, rest.len));
        if (length == 0 || rest.len == 0 || rest.ptr[0] != ':')
            return false;
        rest = skip_space(slice_sub(rest, 1, rest.len));
        if (slice_is(name, member) && rest.len > 0 && rest.ptr[0] == '[') {
            *array = rest;
            return true;
        }
        length = value_length(rest);
        rest = skip_space(slice_sub(rest, length, rest.len));
        if (length == 0 || rest.len == 0 || rest.ptr[0] != ',')
            return false;
        rest = skip_space(slice_sub(rest, 1, rest.len));
    }
    return false;
}

bool json_split_begin(struct json_split *split, struct slice text, const char *member)
{
    struct slice array = SLICE_EMPTY;
    *split = (struct json_split){.rest = skip_space(text), .first = true};
    if (split->rest.len == 0)
        return false;
    if (split->rest.ptr[0] == '[') {
        array = split->rest;
    } else if (split->rest.ptr[0] == '{') {
        size_t length = value_length(split->rest);
        bool alone = skip_space(slice_sub(split->rest, length, split->rest.len)).len == 0;
        if (alone && find_member(slice_sub(split->rest, 0, length), member, &array))
            split->rest = array;
    } else {
        return false;
    }
    if (array.len > 0) {
        split->in_array = true;
        split->rest = skip_space(slice_sub(array, 1, array.len));
    }
    return true;
}

enum json_piece json_split_next(struct json_split *split, struct slice *piece)
{
    struct slice rest = split->rest;
    if (split->ended)
        return JSON_END;
    if (split->in_array && rest.len > 0 && rest.ptr[0] == ']') {
        split->ended = true;
        return JSON_END;
    }
    if (split->in_array && !split->first) {
        if (rest.len == 0 || rest.ptr[0] != ',')
            return JSON_MALFORMED;
        rest = skip_space(slice_sub(rest, 1, rest.len));
    }
    if (rest.len == 0) {
        split->ended = true;
        return split->in_array ? JSON_MALFORMED : JSON_END;
    }
    size_t length = value_length(rest);
    if (length == 0)
        return JSON_MALFORMED;
    *piece = slice_sub(rest, 0, length);
    split->rest = skip_space(slice_sub(rest, length, rest.len));
    split->first = false;
    return JSON_PIECE;
}
