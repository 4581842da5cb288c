/* name.c - see name.h: what every name goes through before its script decides. */
#include "rules/name.h"

#include <unicode/uchar.h>

#include "daemon/base/utf8.h"
#include "rules/han.h"
#include "rules/name_intern.h"
#include "rules/name_words.h"
#include "rules/text.h"

struct letters { /* how many letters of each kind */
    size_t han, latin, kana, hangul, other, symbols;
};

static struct letters count_letters(struct slice s)
{
    struct letters count = {0};
    uint32_t c;
    while (utf8_next(&s, &c)) {
        if (c < 0x80)
            count.latin += (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        else if (c >= 0x4E00 && c <= 0x9FFF)
            count.han++;
        else if (han_is(c))
            count.han++;
        else if (c >= 0x3040 && c <= 0x30FF && c != 0x30FB)
            count.kana++;
        else if ((c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1100 && c <= 0x11FF))
            count.hangul++;
        else if (c >= 0xC0 && c < 0x250 && c != 0xD7 && c != 0xF7)
            count.latin++;
        else if (u_isalpha((UChar32)c))
            *(c >= 0x1E00 && c < 0x1F00 ? &count.latin : &count.other) += 1;
        else if (c >= 0x2190 || c == 0xA9 || c == 0xAE)
            count.symbols++;
    }
    return count;
}

static bool is_symbol(uint32_t c)
{
    return (c >= 0x2190 && c <= 0x2BFF && c != 0x25CF && c != 0x25CB) || (c >= 0x1F000 && c <= 0x1FAFF) ||
           c == 0x20E3 || c == 0xA9 || c == 0xAE || c == 0x303D || (c >= 0xE000 && c <= 0xF8FF) || c == 0xFFFD;
}

/* Emoji and other pictures become spaces. */
static struct slice drop_symbols(struct slice s, struct arena *arena)
{
    char *out = arena_alloc(arena, s.len + 1);
    size_t length = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    while (s.len > 0) {
        struct slice before = s;
        uint32_t c = 0;
        utf8_next(&s, &c);
        if (is_symbol(c)) {
            out[length++] = ' ';
            continue;
        }
        memcpy(out + length, before.ptr, before.len - s.len);
        length += before.len - s.len;
    }
    return text_clean(slice_of(out, length), false, arena);
}

static struct slice trim_punctuation(struct slice s)
{
    for (;;) {
        struct slice before = s;
        s = text_trim(s);
        while (s.len > 0 && strchr(",;:!~_-/\\|@#&=+\"^", s.ptr[s.len - 1]))
            s.len--;
        while (s.len > 0 && strchr(",;:!~_-/\\|@#&.=+\"^", s.ptr[0]))
            s = slice_sub(s, 1, s.len);
        if (slice_ends(s, SLICE("、")) || slice_ends(s, SLICE("。")))
            s.len -= 3;
        if (s.len == before.len)
            return s;
    }
}

/* A cheap look before the pairs are searched one by one. */
static bool has_bracket(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i], next = i + 1 < s.len ? (unsigned char)s.ptr[i + 1] : 0;
        if (c < 0x80 ? c == '(' || c == '[' || c == '{' || c == '<' || c == '"'
                     : (c == 0xE3 && next == 0x80) || (c == 0xE2 && next == 0x80) || (c == 0xC2 && next == 0xAB))
            return true;
    }
    return false;
}

/* Takes the first bracketed text out of *s into *note; false when there is none. */
static bool take_brackets(struct slice *s, struct slice *note, struct arena *arena)
{
    static const char *const pairs[][2] = {
        {"(", ")"}, {"[", "]"}, {"{", "}"}, {"<", ">"}, {"【", "】"}, {"《", "》"}, {"〈", "〉"},
        {"「", "」"}, {"『", "』"}, {"“", "”"}, {"«", "»"}, {"\"", "\""}, {"〔", "〕"},
    };
    if (!has_bracket(*s))
        return false;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct slice open = slice_str(pairs[i][0]), close = slice_str(pairs[i][1]);
        ptrdiff_t from = slice_find(*s, open);
        if (from < 0)
            continue;
        struct slice inside = slice_sub(*s, (size_t)from + open.len, s->len);
        ptrdiff_t to = slice_find(inside, close);
        size_t width = to < 0 ? inside.len : (size_t)to;
        struct slice rest = slice_sub(inside, to < 0 ? width : width + close.len, inside.len);
        struct slice outside = name_join(slice_sub(*s, 0, (size_t)from), " ", rest, arena);
        outside = trim_punctuation(text_clean(outside, false, arena));
        inside = text_trim(slice_sub(inside, 0, width));
        if (outside.len == 0) /* the whole name stands in brackets */
            *s = inside;
        else {
            *s = outside;
            *note = inside.len ? name_join(*note, "; ", inside, arena) : *note;
        }
        return true;
    }
    return false;
}

/* 张**, 张某某, 张XX, J*** S***: somebody hid it. */
static bool is_masked(struct slice s, const struct letters *count)
{
    if (memchr(s.ptr, '*', s.len) || slice_find(s, SLICE("●")) >= 0 || slice_find(s, SLICE("○")) >= 0 ||
        slice_find(s, SLICE("×")) >= 0)
        return true;
    if (count->han == 0)
        return false;
    if (count->han >= 2 && (slice_ends(s, SLICE("某某")) || (slice_ends(s, SLICE("某")) && s.len == 6)))
        return true;
    return count->latin >= 1 && s.len <= 6 && (slice_ends(s, SLICE("XX")) || slice_ends(s, SLICE("xx")) ||
           slice_ends(s, SLICE("X")) || slice_ends(s, SLICE("x")));
}

static void parse_masked(struct slice s, struct name_parts *parts)
{
    struct slice rest = s;
    uint32_t c = 0;
    parts->flags |= VALUE_MASKED;
    parts->display = s;
    if (utf8_next(&rest, &c) && han_is(c)) {
        parts->script = NAME_SCRIPT_HAN;
        parts->family = slice_sub(s, 0, s.len - rest.len);
    }
}

static struct slice only(struct slice s, bool han, struct arena *arena)
{
    char *out = arena_alloc(arena, s.len + 1);
    size_t length = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    while (s.len > 0) {
        struct slice before = s;
        uint32_t c = 0;
        utf8_next(&s, &c);
        bool keep = c >= 0x80 ? han_is(c) == han : !han || c == ' ';
        if (keep) {
            memcpy(out + length, before.ptr, before.len - s.len);
            length += before.len - s.len;
        }
    }
    return trim_punctuation(text_clean(slice_of(out, length), false, arena));
}

/* "张三 Sam", "David 王": two scripts in one cell. */
static void parse_mixed(struct slice s, const struct letters *count, struct arena *arena,
                        struct name_parts *parts)
{
    struct slice han = only(s, true, arena), latin = only(s, false, arena);
    if (count->han == 1 && han_is_surname(han) && count->latin >= 2) {
        name_parse_words(latin, arena, parts);
        parts->given = parts->display;
        parts->family = han;
        parts->display = name_join(parts->given, " ", han, arena);
        parts->order_certain = true;
        parts->family_only = false;
        name_fold_words(arena, parts);
        return;
    }
    name_parse_han(han, arena, parts);
    if (latin.len > 0)
        parts->note = name_join(parts->note, "; ", latin, arena);
}

static void clear(struct name_parts *parts)
{
    *parts = (struct name_parts){.script = NAME_SCRIPT_NONE};
    struct slice *const all[] = {&parts->display, &parts->family, &parts->given, &parts->title, &parts->suffix,
                                 &parts->note, &parts->family_folded, &parts->given_folded};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        *all[i] = SLICE_EMPTY;
}

static struct slice cut(struct slice s)
{
    if (s.len <= NAME_MAX_CODE_POINTS)
        return s;
    struct slice rest = s;
    uint32_t c;
    for (size_t i = 0; i < NAME_MAX_CODE_POINTS; i++) {
        if (!utf8_next(&rest, &c))
            return s;
    }
    return text_trim(slice_sub(s, 0, s.len - rest.len));
}

void name_parse(struct slice full_name, struct arena *arena, struct name_parts *parts)
{
    clear(parts);
    struct slice s = cut(text_clean(text_unguard(text_cut(full_name, 4096)), false, arena));
    parts->display = s;
    if (s.len == 0)
        return;
    if (text_is_missing(s) || name_is_nobody(text_lower(s, arena))) {
        parts->flags |= VALUE_NOBODY;
        return;
    }
    struct letters count = count_letters(s);
    struct slice whole = s;
    if (count.symbols > 0) {
        struct slice seen = drop_symbols(s, arena);
        s = seen.len > 0 ? seen : s;
    }
    for (int i = 0; i < 4 && take_brackets(&s, &parts->note, arena); i++)
        ;
    s = trim_punctuation(s);
    bool changed = !slice_eq(s, whole);
    if (changed)
        count = count_letters(s);
    if (s.len == 0 || count.han + count.latin + count.kana + count.hangul + count.other == 0 ||
        (changed && name_is_nobody(text_lower(s, arena)))) {
        parts->flags |= VALUE_NOBODY;
        return;
    }
    if (is_masked(s, &count))
        parse_masked(s, parts);
    else if (count.han > 0 && count.kana == 0 && count.hangul == 0 && count.latin > 0)
        parse_mixed(s, &count, arena, parts);
    else if (count.han > 0 && count.kana == 0 && count.hangul == 0 && count.other == 0)
        name_parse_han(s, arena, parts);
    else
        name_parse_words(s, arena, parts);
}

/* A name that came in two fields but stands in one of them only. */
static void parse_one_field(struct slice family, struct slice given, struct arena *arena,
                            struct name_parts *parts)
{
    name_parse(family.len > 0 ? family : given, arena, parts);
    if ((parts->flags & VALUE_NOT_EVIDENCE) == 0 && family.len > 0 && parts->family.len == 0 &&
        parts->given.len > 0) {
        parts->family = parts->given;
        parts->given = SLICE_EMPTY;
        parts->family_only = true;
        if (parts->script == NAME_SCRIPT_HAN)
            name_fold_han(arena, parts);
        else
            name_fold_words(arena, parts);
    }
}

void name_parse_split(struct slice family, struct slice given, struct arena *arena,
                      struct name_parts *parts)
{
    struct name_parts last, first;
    family = text_unguard(family);
    given = text_unguard(given);
    if (text_is_missing(family))
        family = SLICE_EMPTY;
    if (text_is_missing(given))
        given = SLICE_EMPTY;
    if (family.len == 0 || given.len == 0 || slice_eq(family, given)) {
        parse_one_field(family, given, arena, parts);
        return;
    }
    name_parse(family, arena, &last);
    name_parse(given, arena, &first);
    bool both_han = last.script == NAME_SCRIPT_HAN && (first.script == NAME_SCRIPT_HAN || han_all(first.display));
    struct slice a = last.family_only && last.title.len ? last.family : last.display;
    struct slice b = first.family_only && first.title.len && !both_han ? first.family : first.display;
    if (both_han && b.len > a.len && slice_starts(b, a))
        b = slice_sub(b, a.len, b.len); /* the given name repeats the family name */
    if (both_han) {
        name_parse(name_join(a, "", b, arena), arena, parts);
        if (parts->family_only || (parts->flags & VALUE_NOT_EVIDENCE))
            return; /* 李 and 先生 */
    }
    clear(parts);
    parts->flags = (last.flags & first.flags & VALUE_NOBODY) | ((last.flags | first.flags) & VALUE_MASKED);
    parts->title = name_join(last.title, " ", first.title, arena);
    parts->suffix = name_join(last.suffix, " ", first.suffix, arena);
    parts->note = name_join(last.note, "; ", first.note, arena);
    parts->gender = first.gender ? first.gender : last.gender;
    parts->order_certain = true;
    parts->family = a;
    parts->given = b;
    if (both_han) {
        parts->script = NAME_SCRIPT_HAN;
        parts->display = name_join(a, "", b, arena);
        name_fold_han(arena, parts);
        return;
    }
    parts->script = last.script == NAME_SCRIPT_OTHER ? NAME_SCRIPT_OTHER : NAME_SCRIPT_LATIN;
    parts->display = name_join(b, " ", a, arena);
    name_fold_words(arena, parts);
    if (name_is_nobody(text_lower(parts->display, arena)))
        parts->flags |= VALUE_NOBODY;
}
