/*
 * slice.h - a borrowed run of bytes.
 *
 * A slice owns nothing: it is valid as long as whatever it points into (a buffer, an arena, a
 * literal). Text in a slice is UTF-8 unless a function says otherwise and is not terminated by NUL;
 * a NUL may stand inside raw bytes. `char *` is for the edges (file names, library calls).
 */
#ifndef TRIBUTARY_BASE_SLICE_H
#define TRIBUTARY_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE(literal)    ((struct slice){.ptr = ("" literal), .len = sizeof(literal) - 1})
#define SLICE_EMPTY       ((struct slice){.ptr = "", .len = 0})
#define SLICE_FMT         "%.*s"
#define SLICE_ARG(s)      ((int)((s).len > 1000 ? 1000 : (s).len)), ((s).ptr)

static inline struct slice slice_of(const char *ptr, size_t len)
{
    return (struct slice){.ptr = ptr ? ptr : "", .len = ptr ? len : 0};
}

static inline struct slice slice_str(const char *text)
{
    return slice_of(text, text ? strlen(text) : 0);
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_eq(a, slice_str(text));
}

/* Bytes [from, to), both clamped to the slice. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t to)
{
    if (from > s.len)
        from = s.len;
    if (to > s.len)
        to = s.len;
    return slice_of(s.ptr + from, to > from ? to - from : 0);
}

/* Orders by bytes, then by length: <0, 0, >0. */
int slice_cmp(struct slice a, struct slice b);
/* ASCII case-insensitive equality. */
bool slice_eq_nocase(struct slice a, struct slice b);
static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len &&
           (prefix.len == 0 || (s.ptr[0] == prefix.ptr[0] && memcmp(s.ptr, prefix.ptr, prefix.len) == 0));
}
static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return slice_starts(slice_sub(s, s.len - (s.len < suffix.len ? s.len : suffix.len), s.len), suffix);
}
/* The slice is among `count` that ascend by slice_cmp. */
bool slice_in_sorted(struct slice s, const struct slice *sorted, size_t count);
/* Index of the first occurrence, or -1. */
ptrdiff_t slice_find(struct slice s, struct slice needle);
ptrdiff_t slice_find_byte(struct slice s, char byte);
/* Without ASCII white space at both ends. */
struct slice slice_trim(struct slice s);
/* 64-bit XXH3 of the bytes. */
uint64_t slice_hash(struct slice s, uint64_t seed);
/* Parses a whole slice as a decimal integer; false when it is anything else or does not fit. */
bool slice_to_int64(struct slice s, int64_t *value);

#endif
