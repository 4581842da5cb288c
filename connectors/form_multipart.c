/* form_multipart.c - multipart/form-data (RFC 7578). See form_body.h. */
#include "connectors/form_body_intern.h"

#define BOUNDARY_MAX 200 /* the standard says 70 */

/* Index of `needle` at or after `from`, or -1. */
static ptrdiff_t find_from(struct slice text, size_t from, struct slice needle)
{
    const char *found = from < text.len
                            ? memmem(text.ptr + from, text.len - from, needle.ptr, needle.len) : NULL;
    return found ? found - text.ptr : -1;
}

/* Takes the line at the front, without its end. */
static struct slice take_line(struct slice *rest)
{
    ptrdiff_t feed = slice_find_byte(*rest, '\n');
    struct slice line = slice_sub(*rest, 0, feed < 0 ? rest->len : (size_t)feed);
    *rest = slice_sub(*rest, feed < 0 ? rest->len : (size_t)feed + 1, rest->len);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

struct part {
    struct slice name;
    struct slice file_name;
    bool has_name, is_file;
    struct slice content;
};

static void read_disposition(struct slice value, struct arena *arena, struct part *part)
{
    part->name = header_parameter(arena, value, "name");
    part->has_name = part->name.len > 0;
    part->file_name = header_parameter(arena, value, "filename");
    part->is_file = slice_find(value, SLICE("filename=")) >= 0 || slice_find(value, SLICE("filename*=")) >= 0;
}

/* Splits a part into its headers and content. */
static struct part read_part(struct slice text, struct arena *arena)
{
    struct part part = {.name = SLICE_EMPTY};
    struct slice rest = text;
    while (rest.len > 0) {
        struct slice line = take_line(&rest);
        if (line.len == 0)
            break;
        ptrdiff_t colon = slice_find_byte(line, ':');
        if (colon > 0 && slice_eq_nocase(slice_trim(slice_sub(line, 0, (size_t)colon)),
                                         SLICE("Content-Disposition")))
            read_disposition(slice_sub(line, (size_t)colon + 1, line.len), arena, &part);
    }
    part.content = rest;
    return part;
}

static bool add_part(const struct part *part, struct arena *arena, struct form_body *form)
{
    if (!part->is_file)
        return form_add(form, arena, part->name, part->content, false);
    if (part->content.len == 0 && part->file_name.len == 0)
        return true; /* a file input left empty */
    struct slice told = arena_printf(arena, SLICE_FMT " (%zu bytes)", SLICE_ARG(part->file_name),
                                     part->content.len);
    return form_add(form, arena, part->name, told, true);
}

const char *form_parse_multipart(struct slice content_type, struct slice body, struct arena *arena,
                                 struct form_body *form)
{
    struct slice boundary = header_parameter(arena, content_type, "boundary");
    if (boundary.len == 0 || boundary.len > BOUNDARY_MAX)
        return "form.multipart";
    struct slice mark = arena_printf(arena, "\n--" SLICE_FMT, SLICE_ARG(boundary));
    struct slice first = slice_sub(mark, 1, mark.len);
    ptrdiff_t at = slice_starts(body, first) ? 0 : find_from(body, 0, mark);
    if (mark.len == 0 || at < 0)
        return "form.multipart";
    size_t start = (size_t)at + (at == 0 && slice_starts(body, first) ? first.len : mark.len);
    for (size_t parts = 0;; parts++) {
        struct slice rest = slice_sub(body, start, body.len);
        if (slice_starts(rest, SLICE("--")))
            return NULL;
        if (parts == FORM_FIELDS_MAX)
            return "form.too_many_fields";
        size_t before = rest.len;
        if (slice_trim(take_line(&rest)).len > 0)
            return "form.multipart";
        start += before - rest.len;
        /* The line feed before an empty part's end mark is the one that ended its headers. */
        ptrdiff_t end = find_from(body, start > 0 ? start - 1 : 0, mark);
        if (end < 0)
            return "form.multipart"; /* cut short: nothing of it is believed */
        size_t stop = (size_t)end < start ? start : (size_t)end;
        if (stop > start && body.ptr[stop - 1] == '\r')
            stop--;
        struct part part = read_part(slice_sub(body, start, stop), arena);
        if (!part.has_name)
            return "form.multipart";
        if (!add_part(&part, arena, form))
            return arena_failed(arena) ? "form.memory" : "form.too_many_fields";
        start = (size_t)end + mark.len;
    }
}
