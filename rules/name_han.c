/* name_han.c - names in Chinese characters; see name.h. */
#include "daemon/base/utf8.h"
#include "rules/han.h"
#include "rules/name_intern.h"
#include "rules/name_words.h"
#include "rules/text.h"

#define COMMON_RANK 150 /* 小明 is a given name: 明 is a surname, but a rare one */
#define DOT "\xC2\xB7" /* · */

static bool is_dot(uint32_t c)
{
    return c == 0xB7 || c == 0x2022 || c == 0x30FB || c == 0x2027 || c == 0x2219 || c == 0x22C5 || c == '.';
}

struct joined {
    struct slice text;    /* Han characters and dots only */
    size_t first_segment; /* bytes before the first space; 0 when there is none */
    size_t segments;
    bool dotted;
};

/* Drops spaces, digits and punctuation; dots of every kind become one kind. */
static struct joined join_segments(struct slice s, struct arena *arena)
{
    struct joined result = {SLICE_EMPTY, 0, 1, false};
    char *out = arena_alloc(arena, s.len * 2 + 1);
    size_t length = 0;
    if (out == NULL)
        return result;
    while (s.len > 0) {
        struct slice before = s;
        uint32_t c = 0;
        utf8_next(&s, &c);
        if (c == ' ' && length > 0 && s.len > 0) {
            if (result.first_segment == 0)
                result.first_segment = length;
            result.segments++;
        } else if (is_dot(c) && length > 0 && s.len > 0) {
            memcpy(out + length, DOT, 2);
            length += 2;
            result.dotted = true;
        } else if (han_is(c)) {
            memcpy(out + length, before.ptr, before.len - s.len);
            length += before.len - s.len;
        }
    }
    result.text = slice_of(out, length);
    return result;
}

/* Takes titles off the end. */
static void take_titles(struct slice *name, struct arena *arena, struct name_parts *parts)
{
    for (int i = 0; i < 3; i++) {
        enum name_gender gender;
        bool weak;
        size_t width = name_han_title(*name, &gender, &weak);
        if (width == 0 || width >= name->len)
            return;
        struct slice rest = slice_sub(*name, 0, name->len - width);
        if (weak && !han_is_surname(rest))
            return;
        parts->title = name_join(slice_sub(*name, rest.len, name->len), "", parts->title, arena);
        if (gender != NAME_GENDER_NONE)
            parts->gender = gender;
        *name = rest;
    }
}

static bool boundary_is_family(const struct joined *joined, struct slice name)
{
    if (joined->segments != 2 || joined->first_segment >= name.len)
        return false;
    struct slice first = slice_sub(name, 0, joined->first_segment);
    struct slice second = slice_sub(name, joined->first_segment, name.len);
    if (utf8_length(first) > 2 || utf8_length(second) > 3)
        return false;
    size_t width = utf8_valid_width(second);
    return han_is_surname(first) || !han_is_surname(slice_sub(second, 0, width));
}

/* 老王, 小李, 阿强 before a bare surname. */
static bool take_familiar_prefix(struct slice *name, struct name_parts *parts)
{
    static const char *const prefixes[] = {"老", "小", "阿"};
    for (size_t i = 0; i < 3; i++) {
        struct slice prefix = slice_str(prefixes[i]);
        unsigned rank = han_surname_rank(slice_sub(*name, prefix.len, name->len));
        if (slice_starts(*name, prefix) && rank > 0 && rank <= COMMON_RANK && utf8_length(*name) == 2) {
            parts->title = prefix;
            *name = slice_sub(*name, prefix.len, name->len);
            return true;
        }
    }
    return false;
}

static void parse_dotted(struct slice name, struct name_parts *parts)
{
    ptrdiff_t first = slice_find(name, SLICE(DOT));
    size_t last = (size_t)first;
    for (size_t i = last; i + 2 <= name.len; i++) {
        if (memcmp(name.ptr + i, DOT, 2) == 0)
            last = i;
    }
    parts->given = slice_sub(name, 0, (size_t)first);
    parts->family = slice_sub(name, last + 2, name.len);
}

void name_parse_han(struct slice s, struct arena *arena, struct name_parts *parts)
{
    struct joined joined = join_segments(s, arena);
    struct slice name = joined.text;
    parts->script = NAME_SCRIPT_HAN;
    parts->display = name;
    if (name.len == 0 || name_is_nobody(name)) {
        parts->flags |= VALUE_NOBODY;
        parts->display = s;
        return;
    }
    bool familiar = take_familiar_prefix(&name, parts);
    if (!familiar)
        take_titles(&name, arena, parts);
    if ((parts->title.len > 0 && han_is_surname(name)) || familiar) {
        parts->family = name; /* 李先生: the title stays to be seen, the surname alone is little evidence */
        parts->family_only = true;
        name_fold_han(arena, parts);
        return;
    }
    parts->display = name;
    if (joined.dotted && slice_find(name, SLICE(DOT)) > 0) {
        parse_dotted(name, parts);
        name_fold_han(arena, parts);
        return;
    }
    size_t width = han_family_width(name);
    bool by_space = boundary_is_family(&joined, name);
    if (by_space)
        width = joined.first_segment;
    parts->family = slice_sub(name, 0, width);
    parts->given = slice_sub(name, width, name.len);
    parts->family_only = width > 0 && width == name.len;
    parts->order_certain = by_space || (width > 0 && han_is_surname(parts->family));
    name_fold_han(arena, parts);
}

void name_fold_han(struct arena *arena, struct name_parts *parts)
{
    struct han_reading readings[HAN_READINGS_MAX];
    parts->token_count = 0;
    if (parts->family.len > 0 && parts->family.len < 16 && han_surname_readings(parts->family, readings) > 0)
        parts->family_folded = arena_dup(arena, slice_str(readings[0].text));
    else
        parts->family_folded = han_romanize(parts->family, 0, arena);
    parts->given_folded = text_ascii(parts->given, arena);
    if (parts->family_folded.len > 0)
        parts->tokens[parts->token_count++] = parts->family_folded;
    struct slice rest = parts->given_folded;
    while (rest.len > 0 && parts->token_count < NAME_TOKENS_MAX) {
        ptrdiff_t space = slice_find_byte(rest, ' ');
        size_t width = space < 0 ? rest.len : (size_t)space;
        parts->tokens[parts->token_count++] = slice_sub(rest, 0, width);
        rest = slice_sub(rest, width + 1, rest.len);
    }
}
