/* url.c - web addresses and coordinates. */
#include <math.h>
#include <stdlib.h>

#include "rules/clean_intern.h"
#include "rules/domain.h"
#include "rules/text.h"

#define URL_MAX_BYTES 4096

static bool is_scheme(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_letter(s.ptr[i]) && !(i > 0 && (is_digit(s.ptr[i]) || strchr("+-.", s.ptr[i]))))
            return false;
    }
    return s.len > 0;
}

/* The port behind a host, when it is not the scheme's own. */
static struct slice other_port(struct slice port, struct slice scheme)
{
    if (port.len == 0 || (slice_is(scheme, "http") && slice_is(port, "80")) ||
        (slice_is(scheme, "https") && slice_is(port, "443")))
        return SLICE_EMPTY;
    return port;
}

void clean_url(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    (void)context;
    struct slice s = text_clean(input, false, arena);
    struct slice scheme = SLICE("http");
    struct slice rest = s;
    ptrdiff_t colon = slice_find(s, SLICE("://"));
    if (colon > 0 && is_scheme(slice_sub(s, 0, (size_t)colon))) {
        scheme = text_lower(slice_sub(s, 0, (size_t)colon), arena);
        rest = slice_sub(s, (size_t)colon + 3, s.len);
    } else if (slice_starts(s, SLICE("//"))) {
        rest = slice_sub(s, 2, s.len);
    }
    size_t end = 0;
    while (end < rest.len && !strchr("/?#", rest.ptr[end]))
        end++;
    struct slice authority = slice_sub(rest, 0, end), tail = slice_sub(rest, end, rest.len);
    ptrdiff_t at = slice_find_byte(authority, '@');
    if (at >= 0) /* user and password have no place in a record */
        authority = slice_sub(authority, (size_t)at + 1, authority.len);
    ptrdiff_t mark = slice_find_byte(authority, ':');
    struct slice port = mark >= 0 ? slice_sub(authority, (size_t)mark + 1, authority.len) : SLICE_EMPTY;
    struct slice host = domain_canonical(mark >= 0 ? slice_sub(authority, 0, (size_t)mark) : authority, arena);
    bool good = s.len <= URL_MAX_BYTES && (slice_is(scheme, "http") || slice_is(scheme, "https") || slice_is(scheme, "ftp"));
    if (!good || host.len == 0 || slice_find_byte(tail, ' ') >= 0 || (port.len > 0 && (port.len > 5 || !text_all_digits(port)))) {
        cleaned_invalid(out, s, "url.invalid");
        return;
    }
    port = other_port(port, scheme);
    if (slice_is(tail, "/"))
        tail = SLICE_EMPTY;
    char *text = arena_alloc(arena, scheme.len + host.len + port.len + tail.len + 8);
    if (text == NULL)
        return;
    size_t length = 0;
    struct slice pieces[] = {scheme, SLICE("://"), host, port.len ? SLICE(":") : SLICE_EMPTY, port, tail};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        memcpy(text + length, pieces[i].ptr, pieces[i].len);
        length += pieces[i].len;
    }
    out->value = slice_of(text, length);
}

/* Degrees in plain decimal notation, optionally with N, S, E, W at the end. */
static bool read_degrees(struct slice s, double limit, char positive, char negative, double *degrees)
{
    char text[32];
    s = text_trim(s);
    bool flip = false;
    if (s.len > 1 && (s.ptr[s.len - 1] == positive || s.ptr[s.len - 1] == negative)) {
        flip = s.ptr[s.len - 1] == negative;
        s = text_trim(slice_sub(s, 0, s.len - 1));
    }
    if (slice_ends(s, SLICE("°")))
        s.len -= 2;
    if (s.len == 0 || s.len >= sizeof(text))
        return false;
    double value = 0, unit = 1;
    bool point = false, any = false;
    for (size_t i = s.ptr[0] == '-' || s.ptr[0] == '+'; i < s.len; i++) {
        if (s.ptr[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(s.ptr[i]))
            return false;
        any = true;
        value = value * 10 + (s.ptr[i] - '0');
        unit = point ? unit * 10 : unit;
        if (value > 1e15)
            return false;
    }
    value /= unit;
    *degrees = (s.ptr[0] == '-') != flip ? -value : value;
    return any && value <= limit;
}

void clean_geo(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    (void)context;
    double latitude, longitude;
    struct slice s = text_clean(input, false, arena), inner = s;
    if (inner.len > 2 && strchr("([", inner.ptr[0]) && strchr(")]", inner.ptr[inner.len - 1]))
        inner = slice_sub(inner, 1, inner.len - 1);
    ptrdiff_t comma = slice_find_byte(inner, ',');
    if (comma < 0)
        comma = slice_find_byte(inner, ';');
    if (comma < 0)
        comma = slice_find_byte(inner, ' ');
    if (comma < 0) {
        cleaned_invalid(out, s, "geo.invalid");
        return;
    }
    struct slice first = slice_sub(inner, 0, (size_t)comma), second = slice_sub(inner, (size_t)comma + 1, inner.len);
    if (!read_degrees(first, 90, 'N', 'S', &latitude) || !read_degrees(second, 180, 'E', 'W', &longitude)) {
        cleaned_invalid(out, s, "geo.invalid");
        return;
    }
    if (latitude == 0 && longitude == 0)
        out->flags |= VALUE_NOBODY; /* a missing fix, not a place in the sea */
    /* Whole millionths, so that neither a locale's comma nor a minus before zero gets in. */
    long long x = llround(latitude * 1e6), y = llround(longitude * 1e6);
    out->value = arena_printf(arena, "%s%lld.%06lld,%s%lld.%06lld", x < 0 ? "-" : "", llabs(x) / 1000000,
                              llabs(x) % 1000000, y < 0 ? "-" : "", llabs(y) / 1000000, llabs(y) % 1000000);
}
