/* form_url.c - where a form may send people afterwards: an open redirect would lend our name to anybody. */
#include "connectors/form_intern.h"

static size_t scheme_len(struct slice url)
{
    if (url.len >= 8 && slice_eq_nocase(slice_sub(url, 0, 8), SLICE("https://")))
        return 8;
    if (url.len >= 7 && slice_eq_nocase(slice_sub(url, 0, 7), SLICE("http://")))
        return 7;
    return 0;
}

struct slice form_url_origin(struct slice url)
{
    size_t end = scheme_len(url);
    if (end == 0)
        return SLICE_EMPTY;
    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?' && url.ptr[end] != '#')
        end++;
    return slice_sub(url, 0, end);
}

bool form_url_is_safe(struct slice url)
{
    size_t scheme = scheme_len(url);
    struct slice origin = form_url_origin(url);
    if (scheme == 0 || origin.len == scheme || url.len > 2000)
        return false;
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];
        if (c <= ' ' || c == 127 || c == '\\' || c == '<' || c == '>' || c == '"')
            return false;
    }
    /* user@host, and ways up out of an allowed path. */
    return slice_find_byte(origin, '@') < 0 && slice_find(url, SLICE("/..")) < 0 &&
           slice_find(url, SLICE("%2e")) < 0 && slice_find(url, SLICE("%2E")) < 0;
}

static bool under(struct slice url, struct slice prefix)
{
    struct slice url_origin = form_url_origin(url), prefix_origin = form_url_origin(prefix);
    if (prefix_origin.len == 0 || !slice_eq_nocase(url_origin, prefix_origin))
        return false;
    struct slice path = slice_sub(url, url_origin.len, url.len);
    struct slice wanted = slice_sub(prefix, prefix_origin.len, prefix.len);
    if (!slice_starts(path, wanted))
        return false;
    bool whole = path.len == wanted.len || wanted.len == 0 || wanted.ptr[wanted.len - 1] == '/';
    return whole || path.ptr[wanted.len] == '/' || path.ptr[wanted.len] == '?' || path.ptr[wanted.len] == '#';
}

bool form_url_allowed(struct slice url, const struct slice *prefixes, size_t count)
{
    if (!form_url_is_safe(url))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (under(url, prefixes[i]))
            return true;
    }
    return false;
}
