/* company_match.c - see company_match.h. */
#include "rules/company_match.h"

#include "rules/address.h"
#include "rules/name_intern.h"
#include "rules/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HAN_BYTES    3 /* of one Chinese character in UTF-8 */

/* Legal forms written out, or of other countries, in ASCII letters; longest first. */
static const char *const forms[] = {
    "gesellschaft mit beschrankter haftung",
    "societatea cu raspundere limitata",
    "open joint stock company",
    "public joint stock company",
    "closed joint stock company",
    "private limited company",
    "public limited company",
    "limited liability company",
    "limited liability partnership",
    "joint stock company",
    "open joint stock",
    "public joint stock",
    "joint stock",
    "limited liability",
    "public limited",
    "aktiengesellschaft",
    "akcionerne obshchestvo",
    "aktsionernoe obshchestvo",
    "sp z o o",
    "spolka z o o",
    "s r l",
    "ojsc",
    "pjsc",
    "cjsc",
    "jsc",
    "oao",
    "ooo",
    "zao",
    "pao",
    "srl",
    "spa",
    "sarl",
    "sas",
};

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] >= 0x80)
            return false;
    return true;
}

/* A legal form at either end, as whole words, as long as something is left. */
static struct slice without_forms(struct slice core)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct slice form = slice_str(forms[i]);
        if (core.len < form.len + 3)
            continue;
        if (slice_ends(core, form) && core.ptr[core.len - form.len - 1] == ' ')
            core = slice_trim(slice_sub(core, 0, core.len - form.len));
        else if (slice_starts(core, form) && core.ptr[form.len] == ' ')
            core = slice_trim(slice_sub(core, form.len, core.len));
    }
    return core;
}

/* Without the characters given, beyond the first one of the text. */
static struct slice without_characters(struct slice text, const char *const *characters,
                                       size_t count, struct arena *arena)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    if (out == NULL)
        return text;
    for (size_t at = 0; at < text.len;) {
        struct slice rest = slice_sub(text, at, text.len);
        bool dropped = false;
        for (size_t i = 0; i < count && at > 0 && !dropped; i++)
            dropped = slice_starts(rest, slice_str(characters[i]));
        if (dropped) {
            at += HAN_BYTES;
            continue;
        }
        out[len++] = text.ptr[at++];
    }
    return slice_of(out, len);
}

/* What everybody calls the great banks, and their names. */
static const struct {
    const char *shortly, *name;
} banks[] = {
    {"中行", "中国银行"},     {"工行", "工商银行"},     {"农行", "农业银行"},         {"建行", "建设银行"},
    {"交行", "交通银行"},     {"招行", "招商银行"},     {"浦发银行", "浦东发展银行"}, {"邮储银行", "邮政储蓄银行"},
    {"农商行", "农村商业银行"}, {"农商银行", "农村商业银行"},
};

/* 农行 as 农业银行, 乌鲁木齐市商业银行 as 乌鲁木齐银行: city banks dropped the word. */
static struct slice bank_name(struct slice core, struct arena *arena)
{
    struct slice trade = SLICE("商业银行"), village = SLICE("农村商业银行"), city = SLICE("市商业银行");

    for (size_t i = 0; i < COUNT(banks); i++) {
        struct slice end = slice_str(banks[i].shortly);
        if (slice_ends(core, end) && (core.len == end.len || i >= COUNT(banks) - 2))
            return name_join(slice_sub(core, 0, core.len - end.len), "", slice_str(banks[i].name), arena);
    }
    if (!slice_ends(core, trade) || slice_ends(core, village) || core.len < trade.len + 2 * HAN_BYTES)
        return core;
    size_t width = slice_ends(core, city) ? city.len : trade.len;
    return name_join(slice_sub(core, 0, core.len - width), "", SLICE("银行"), arena);
}

/* 传媒传媒 as 传媒: two characters written twice. */
static struct slice without_doubles(struct slice text, struct arena *arena)
{
    size_t width = 2 * HAN_BYTES;

    for (size_t at = 0; at + 2 * width <= text.len; at += HAN_BYTES)
        if (memcmp(text.ptr + at, text.ptr + at + width, width) == 0)
            return name_join(slice_sub(text, 0, at + width), "", slice_sub(text, at + 2 * width, text.len), arena);
    return text;
}

/* What says how it is owned and not who it is, off the end; a group also inside a long name. */
static struct slice without_ownership(struct slice core, struct arena *arena)
{
    static const char *const ends[] = {"责任", "控股", "集团", "股份", "有限"};
    struct slice group = SLICE("集团");

    for (size_t i = 0; i < 2 * COUNT(ends); i++) {
        struct slice end = slice_str(ends[i % COUNT(ends)]);
        if (slice_ends(core, end) && core.len >= end.len + 2 * HAN_BYTES)
            core = slice_sub(core, 0, core.len - end.len);
    }
    ptrdiff_t at = slice_find(core, group);
    if (at >= 2 * HAN_BYTES && core.len >= group.len + 4 * HAN_BYTES)
        core = name_join(slice_sub(core, 0, (size_t)at), "", slice_sub(core, (size_t)at + group.len, core.len), arena);
    return core;
}

bool company_branches_agree(struct slice a, struct slice b)
{
    struct slice longer = a.len > b.len ? a : b, shorter = a.len > b.len ? b : a, full = SLICE_EMPTY;
    bool province;

    if (slice_eq(a, b))
        return true;
    if (shorter.len == 0 || is_ascii(longer) || !slice_ends(longer, shorter))
        return false;
    /* 桐庐支行 of 杭州; but not every 支行 is that of a place. */
    struct slice place = slice_sub(longer, 0, longer.len - shorter.len);
    return shorter.len >= 4 * HAN_BYTES && region_prefix(place, &full, &province) == place.len;
}

struct slice company_core_without(struct slice core, struct slice place, struct arena *arena)
{
    ptrdiff_t at = place.len ? slice_find(core, place) : -1;

    if (at < 0 || core.len < place.len + 2 * HAN_BYTES || is_ascii(core))
        return core;
    return name_join(slice_sub(core, 0, (size_t)at), "", slice_sub(core, (size_t)at + place.len, core.len), arena);
}

/* Words that say what a company is, wherever they stand at its end. */
static struct slice without_last_words(struct slice core)
{
    static const char *const words[] = {"corporation", "corp", "company", "co", "limited", "ltd",
                                        "inc", "incorporated", "plc", "llc", "group", "holding", "holdings"};

    for (size_t i = 0; i < COUNT(words); i++) {
        struct slice word = slice_str(words[i]);
        if (core.len >= word.len + 4 && slice_ends(core, word) && core.ptr[core.len - word.len - 1] == ' ') {
            core = slice_trim(slice_sub(core, 0, core.len - word.len));
            i = (size_t)-1;
        }
    }
    return core;
}

struct slice company_match_core(struct slice core, struct arena *arena)
{
    static const char *const marks[] = {"市"};
    struct slice country = SLICE("中国");

    if (is_ascii(core))
        return without_last_words(without_forms(core));
    if (slice_starts(core, country) && core.len >= country.len + 4 * HAN_BYTES)
        core = slice_sub(core, country.len, core.len);
    core = bank_name(without_ownership(core, arena), arena);
    return without_doubles(without_characters(core, marks, COUNT(marks), arena), arena);
}

struct slice company_match_branch(struct slice branch, struct arena *arena)
{
    static const char *const marks[] = {"市", "省", "县", "区", "路"};
    struct slice middle = SLICE("分行");
    ptrdiff_t at = slice_find(branch, middle);

    if (branch.len == 0 || is_ascii(branch))
        return branch;
    /* The branch above, when a lower one follows. */
    if (at > 0 && (size_t)at + middle.len < branch.len) {
        struct slice joined =
            arena_printf(arena, SLICE_FMT SLICE_FMT, (int)at, branch.ptr,
                         (int)(branch.len - (size_t)at - middle.len), branch.ptr + at + middle.len);
        branch = joined.len ? joined : branch;
    }
    return without_characters(branch, marks, COUNT(marks), arena);
}
