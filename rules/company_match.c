/* company_match.c - see company_match.h. */
#include "rules/company_match.h"

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

struct slice company_match_core(struct slice core, struct arena *arena)
{
    static const char *const marks[] = {"市"};
    struct slice country = SLICE("中国"), duty = SLICE("责任");

    if (is_ascii(core))
        return without_forms(core);
    if (slice_starts(core, country) && core.len >= country.len + 4 * HAN_BYTES)
        core = slice_sub(core, country.len, core.len);
    if (slice_ends(core, duty) && core.len >= duty.len + 2 * HAN_BYTES)
        core = slice_sub(core, 0, core.len - duty.len);
    return without_characters(core, marks, COUNT(marks), arena);
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
