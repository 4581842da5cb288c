/* text.c - see text.h. The only file of rules/ that speaks UTF-16 (to ICU's normalizer). */
#include "rules/text.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "daemon/base/utf8.h"
#include "rules/han.h"
#include "rules/han_table.h"

#define STACK_UNITS 512

/* Marks that are never seen: dropped wherever they stand. */
static bool is_invisible(uint32_t c)
{
    if (c < 0x20)
        return c < 0x09 || c > 0x0D;
    if (c < 0x7F || (c >= 0x2E80 && c < 0xFDD0)) /* most of what is written */
        return false;
    return (c >= 0x7F && c < 0xA0 && c != 0x85) || c == 0xAD || c == 0x034F || c == 0x061C ||
           c == 0x180E || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
           (c >= 0xFFF0 && c <= 0xFFFB) || (c & 0xFFFE) == 0xFFFE ||
           (c >= 0xFDD0 && c <= 0xFDEF) || (c >= 0xE0000 && c <= 0xE0FFF);
}

static bool is_white(uint32_t c)
{
    if (c > 0x3000)
        return false;
    return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

bool text_is_space(uint32_t code_point)
{
    return is_white(code_point) || is_invisible(code_point);
}

/* The last code point of a non-empty slice and its width. */
static uint32_t last_code_point(struct slice s, size_t *width)
{
    size_t at = s.len - 1;
    while (at > 0 && s.len - at < 4 && ((unsigned char)s.ptr[at] & 0xC0) == 0x80)
        at--;
    struct slice tail = slice_sub(s, at, s.len);
    if (utf8_valid_width(tail) != tail.len) {
        *width = 1;
        return 0xFFFD;
    }
    *width = tail.len;
    uint32_t c = 0;
    utf8_next(&tail, &c);
    return c;
}

/* A byte that is a visible character by itself: most texts begin and end with one. */
static bool is_visible_ascii(char c)
{
    return c > ' ' && c < 0x7F;
}

struct slice text_trim(struct slice s)
{
    while (s.len > 0 && !is_visible_ascii(s.ptr[0])) {
        struct slice rest = s;
        uint32_t c = 0;
        utf8_next(&rest, &c);
        if (!text_is_space(c))
            break;
        s = rest;
    }
    while (s.len > 0 && !is_visible_ascii(s.ptr[s.len - 1])) {
        size_t width;
        if (!text_is_space(last_code_point(s, &width)))
            break;
        s.len -= width;
    }
    return s;
}

struct slice text_unguard(struct slice s)
{
    s = text_trim(s);
    for (int round = 0; round < 3 && s.len > 0; round++) {
        if (s.len >= 3 && s.ptr[0] == '=' && s.ptr[1] == '"' && s.ptr[s.len - 1] == '"')
            s = slice_sub(s, 2, s.len - 1);
        else if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
            s = slice_sub(s, 1, s.len - 1);
        else if (s.len >= 2 && s.ptr[0] == '\'' && s.ptr[s.len - 1] == '\'')
            s = slice_sub(s, 1, s.len - 1);
        else if (s.ptr[0] == '\'' && s.len > 1)
            s = slice_sub(s, 1, s.len);
        else
            break;
        s = text_trim(s);
    }
    return s;
}

struct slice text_cut(struct slice s, size_t max_bytes)
{
    if (s.len <= max_bytes)
        return s;
    while (max_bytes > 0 && ((unsigned char)s.ptr[max_bytes] & 0xC0) == 0x80)
        max_bytes--;
    return slice_sub(s, 0, max_bytes);
}

bool text_is_plain(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c > 0x7E)
            return false;
    }
    return true;
}

bool text_all_digits(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    }
    return s.len > 0;
}

/* Code points that NFKC leaves alone wherever they stand (none of them composes with a neighbour in the set). */
static bool stays_in_nfkc(uint32_t c)
{
    return c < 0x80 || (c >= 0xC0 && c <= 0x131) || (c >= 0x134 && c <= 0x13E) ||
           (c >= 0x141 && c <= 0x148) || (c >= 0x14A && c <= 0x17E) || (c >= 0x4E00 && c <= 0x9FFF) ||
           c == 0x3001 || c == 0x3002 || (c >= 0x410 && c <= 0x44F);
}

/* Normalizes with ICU; `s` is well-formed UTF-8. */
static struct slice normalize(const UNormalizer2 *how, struct slice s, struct arena *arena)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar from_stack[STACK_UNITS], to_stack[STACK_UNITS];
    UChar *from = from_stack, *to = to_stack;
    int32_t room = STACK_UNITS, length = 0;
    if (s.len >= STACK_UNITS) {
        room = (int32_t)s.len + 1;
        from = ARENA_ARRAY(arena, UChar, s.len + 1);
        if (from == NULL)
            return SLICE_EMPTY;
    }
    u_strFromUTF8(from, room, &length, s.ptr, (int32_t)s.len, &code);
    if (U_FAILURE(code))
        return s;
    int32_t made = unorm2_normalize(how, from, length, to, STACK_UNITS, &code);
    if (code == U_BUFFER_OVERFLOW_ERROR) {
        code = U_ZERO_ERROR;
        to = ARENA_ARRAY(arena, UChar, (size_t)made + 1);
        if (to == NULL)
            return SLICE_EMPTY;
        made = unorm2_normalize(how, from, length, to, made + 1, &code);
    }
    if (U_FAILURE(code))
        return s;
    char *bytes = arena_alloc(arena, (size_t)made * 3 + 1);
    int32_t byte_count = 0;
    if (bytes == NULL)
        return SLICE_EMPTY;
    u_strToUTF8(bytes, made * 3 + 1, &byte_count, to, made, &code);
    return U_FAILURE(code) ? s : slice_of(bytes, (size_t)byte_count);
}

/* Drops what cannot be seen and replaces invalid bytes. *special: NFKC may change something. */
static struct slice drop_invisible(struct slice s, bool keep_lines, struct arena *arena, bool *special)
{
    char *out = arena_alloc(arena, s.len * 3 + 1);
    size_t length = 0;
    uint32_t c;
    *special = false;
    if (out == NULL)
        return SLICE_EMPTY;
    while (utf8_next(&s, &c)) {
        /* In running text joiners and variation selectors hold emoji and Indic words together. */
        bool joins = keep_lines && (c == 0x200C || c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F));
        if (is_invisible(c) && !joins)
            continue;
        if (!stays_in_nfkc(c))
            *special = true;
        length += utf8_encode(c, out + length);
    }
    return slice_of(out, length);
}

/* Runs of white space become one space (or one line feed when lines are kept), in place. */
static struct slice collapse(struct slice s, bool keep_lines, char *out)
{
    size_t length = 0;
    bool pending_space = false;
    int pending_lines = 0;
    while (s.len > 0) {
        struct slice before = s;
        uint32_t c = 0;
        utf8_next(&s, &c);
        if (is_white(c)) {
            if (keep_lines && c == '\n')
                pending_lines++;
            pending_space = true;
            continue;
        }
        if (pending_space && length > 0) {
            for (int i = 0; i < (pending_lines > 2 ? 2 : pending_lines); i++)
                out[length++] = '\n';
            if (pending_lines == 0)
                out[length++] = ' ';
        }
        pending_space = false;
        pending_lines = 0;
        size_t width = before.len - s.len;
        memmove(out + length, before.ptr, width);
        length += width;
    }
    return slice_of(out, length);
}

/* Plain ASCII with no double space and no space at the ends. */
static bool is_clean_ascii(struct slice s)
{
    char last = ' ';
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c < 0x20 || c > 0x7E || (c == ' ' && last == ' '))
            return false;
        last = c;
    }
    return s.len == 0 || last != ' ';
}

struct slice text_clean(struct slice s, bool keep_lines, struct arena *arena)
{
    if (is_clean_ascii(s))
        return s;
    bool special;
    struct slice seen = drop_invisible(s, keep_lines, arena, &special);
    if (special) {
        UErrorCode code = U_ZERO_ERROR;
        const UNormalizer2 *nfkc = unorm2_getNFKCInstance(&code);
        if (U_SUCCESS(code))
            seen = normalize(nfkc, seen, arena);
    }
    if (arena_failed(arena))
        return SLICE_EMPTY;
    return collapse(seen, keep_lines, (char *)seen.ptr); /* ours, just made in the arena */
}

static bool folds_by_byte(struct slice s)
{
    uint32_t c;
    while (utf8_next(&s, &c)) {
        if (c >= 0x80 && !(c >= 0x4E00 && c <= 0x9FFF))
            return false;
    }
    return true;
}

struct slice text_fold(struct slice s, struct arena *arena)
{
    s = text_clean(s, false, arena);
    if (folds_by_byte(s))
        return text_lower(s, arena);
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&code);
    if (U_FAILURE(code))
        return text_lower(s, arena);
    struct slice folded = normalize(fold, s, arena);
    if (arena_failed(arena))
        return SLICE_EMPTY;
    return collapse(folded, false, (char *)folded.ptr);
}

static struct slice map_ascii(struct slice s, char from, char to, int shift, struct arena *arena)
{
    size_t i = 0;
    while (i < s.len && (s.ptr[i] < from || s.ptr[i] > to))
        i++;
    if (i == s.len)
        return s;
    char *out = arena_alloc(arena, s.len + 1);
    if (out == NULL)
        return SLICE_EMPTY;
    memcpy(out, s.ptr, s.len);
    for (; i < s.len; i++) {
        if (out[i] >= from && out[i] <= to)
            out[i] = (char)(out[i] + shift);
    }
    return slice_of(out, s.len);
}

struct slice text_lower(struct slice s, struct arena *arena)
{
    return map_ascii(s, 'A', 'Z', 32, arena);
}

struct slice text_upper(struct slice s, struct arena *arena)
{
    return map_ascii(s, 'a', 'z', -32, arena);
}

const char *text_ascii_of(uint32_t c)
{
    static const char ascii[128][2] = {
        ['0'] = "0", ['1'] = "1", ['2'] = "2", ['3'] = "3", ['4'] = "4", ['5'] = "5", ['6'] = "6",
        ['7'] = "7", ['8'] = "8", ['9'] = "9", ['a'] = "a", ['b'] = "b", ['c'] = "c", ['d'] = "d",
        ['e'] = "e", ['f'] = "f", ['g'] = "g", ['h'] = "h", ['i'] = "i", ['j'] = "j", ['k'] = "k",
        ['l'] = "l", ['m'] = "m", ['n'] = "n", ['o'] = "o", ['p'] = "p", ['q'] = "q", ['r'] = "r",
        ['s'] = "s", ['t'] = "t", ['u'] = "u", ['v'] = "v", ['w'] = "w", ['x'] = "x", ['y'] = "y",
        ['z'] = "z", ['A'] = "a", ['B'] = "b", ['C'] = "c", ['D'] = "d", ['E'] = "e", ['F'] = "f",
        ['G'] = "g", ['H'] = "h", ['I'] = "i", ['J'] = "j", ['K'] = "k", ['L'] = "l", ['M'] = "m",
        ['N'] = "n", ['O'] = "o", ['P'] = "p", ['Q'] = "q", ['R'] = "r", ['S'] = "s", ['T'] = "t",
        ['U'] = "u", ['V'] = "v", ['W'] = "w", ['X'] = "x", ['Y'] = "y", ['Z'] = "z",
    };
    if (c < 128)
        return ascii[c];
    if (c >= 0xFF01 && c <= 0xFF5E)
        return ascii[c - 0xFEE0];
    if (han_is(c))
        return han_pinyin(c);
    if (c > 0xFFFF || latin_pages[c >> 8] == NULL)
        return "";
    return latin_letters + latin_pages[c >> 8][c & 0xFF];
}

static bool vanishes(uint32_t c)
{
    return c == '\'' || c == '`' || c == 0xB4 || c == 0x2018 || c == 0x2019 || c == 0x02BC ||
           c == 0x02B9 || (c >= 0x0300 && c <= 0x036F) || c == 0x042C || c == 0x044C ||
           c == 0x042A || c == 0x044A || c == 0x30FC || is_invisible(c);
}

struct slice text_ascii(struct slice s, struct arena *arena)
{
    /* The longest expansion of one byte: a three-byte syllable gives 6 letters and a space. */
    char *out = arena_alloc(arena, s.len * 4 + 8);
    size_t length = 0, room = s.len * 4 + 8;
    bool gap = false, last_was_han = false;
    uint32_t c;
    if (out == NULL)
        return SLICE_EMPTY;
    while (utf8_next(&s, &c)) {
        if (vanishes(c))
            continue;
        const char *letters = text_ascii_of(c);
        if (letters[0] == '\0') {
            gap = true;
            continue;
        }
        bool is_han = c >= 0x3400 && han_is(c);
        size_t width = strlen(letters);
        if (length + width + 1 > room)
            break;
        if (length > 0 && (gap || is_han || last_was_han))
            out[length++] = ' ';
        memcpy(out + length, letters, width);
        length += width;
        gap = false;
        last_was_han = is_han;
    }
    return slice_of(out, length);
}

/* Digits and most letters begin none of the words below. */
static bool may_be_missing(char c)
{
    if (c >= '0' && c <= '9')
        return false;
    char lower = (char)(c | 32);
    return lower < 'a' || lower > 'z' || strchr("deikmntu", lower) != NULL;
}

bool text_is_missing(struct slice s)
{
    /* In the order of slice_cmp: test_word_lists.c looks for each. */
    static const struct slice words[] = {
        SLICE("#n/a"), SLICE("'null"), SLICE("(none)"), SLICE("(null)"), SLICE("*"), SLICE("-"),
        SLICE("--"), SLICE("---"), SLICE("."), SLICE(".."), SLICE("..."), SLICE("/"), SLICE("?"),
        SLICE("?\?"), SLICE("?\??"), SLICE("\\"), SLICE("_"), SLICE("desconocido"),
        SLICE("empty"), SLICE("inconnu"), SLICE("k. a."), SLICE("k.a."), SLICE("keine"),
        SLICE("keine angabe"), SLICE("missing"), SLICE("n.a"), SLICE("n.a."), SLICE("n/a"),
        SLICE("na"), SLICE("nan"), SLICE("nil"), SLICE("ninguno"), SLICE("no data"),
        SLICE("none"), SLICE("not applicable"), SLICE("not available"), SLICE("not provided"),
        SLICE("not specified"), SLICE("null"), SLICE("tbd"), SLICE("undefined"), SLICE("unknown"),
        SLICE("–"), SLICE("—"), SLICE("——"), SLICE("不详"), SLICE("保密"), SLICE("无"), SLICE("无数据"),
        SLICE("暂无"), SLICE("未填"), SLICE("未填写"), SLICE("未提供"), SLICE("未知"), SLICE("没有"),
        SLICE("空"), SLICE("－"),
    };
    s = text_trim(s);
    if (s.len == 0)
        return true;
    char lower[20];
    if (s.len > sizeof(lower) || !may_be_missing(s.ptr[0]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        lower[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] + 32 : s.ptr[i]);
    return slice_in_sorted(slice_of(lower, s.len), words, sizeof(words) / sizeof(words[0]));
}

#define SIMILARITY_MAX 256

static size_t decode(struct slice s, uint32_t out[SIMILARITY_MAX])
{
    size_t count = 0;
    while (count < SIMILARITY_MAX && utf8_next(&s, &out[count]))
        count++;
    return count;
}

/* W. Winkler, "String Comparator Metrics and Enhanced Decision Rules", 1990: prefix weight 0.1, at most 4. */
double text_jaro_winkler(struct slice a, struct slice b)
{
    uint32_t x[SIMILARITY_MAX], y[SIMILARITY_MAX];
    bool x_hit[SIMILARITY_MAX] = {false}, y_hit[SIMILARITY_MAX] = {false};
    size_t m = decode(a, x), n = decode(b, y);
    if (m == 0 || n == 0)
        return m == n ? 1.0 : 0.0;
    size_t longer = m > n ? m : n;
    size_t reach = longer / 2 > 0 ? longer / 2 - 1 : 0;
    size_t hits = 0, swaps = 0, prefix = 0;
    for (size_t i = 0; i < m; i++) {
        size_t from = i > reach ? i - reach : 0;
        for (size_t j = from; j < n && j <= i + reach; j++) {
            if (!y_hit[j] && x[i] == y[j]) {
                x_hit[i] = y_hit[j] = true;
                hits++;
                break;
            }
        }
    }
    if (hits == 0)
        return 0.0;
    for (size_t i = 0, j = 0; i < m; i++) {
        if (!x_hit[i])
            continue;
        while (!y_hit[j])
            j++;
        swaps += x[i] != y[j];
        j++;
    }
    double h = (double)hits;
    double jaro = (h / (double)m + h / (double)n + (h - (double)swaps / 2) / h) / 3;
    while (prefix < 4 && prefix < m && prefix < n && x[prefix] == y[prefix])
        prefix++;
    return jaro + (double)prefix * 0.1 * (1 - jaro);
}
