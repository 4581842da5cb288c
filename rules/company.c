/* company.c - see company.h. */
#include "rules/company.h"

#include "daemon/base/utf8.h"
#include "rules/address.h"
#include "rules/clean.h"
#include "rules/han.h"
#include "rules/name_intern.h"
#include "rules/text.h"

#define COMPANY_MAX_BYTES 600
#define TOKENS_MAX        16
#define COUNT(array)      (sizeof(array) / sizeof((array)[0]))

/* Ends of a Chinese name that say what form it has, longest first; *kept: a part of the core when little is left. */
static const char *const han_legal[] = {
    "集团股份有限公司", "控股集团有限公司", "集团有限责任公司", "股份有限公司", "有限责任公司", "集团有限公司", "控股有限公司", "有限公司", "股份公司", "集团公司",
    "总公司", "公司", "集团", "合伙企业", "个体工商户", "股份", "有限",
};

static const char *const han_branch[] = {
    "分公司", "子公司", "分行", "支行", "分社", "营业部", "营业厅", "办事处", "代表处", "联络处", "分店", "门店", "专卖店", "旗舰店", "分厂", "分校", "分院", "分所", "分部", "事业部", "分中心", "项目部", "分局", "服务部",
};

/* Words that are no name of their own: 北京大学 keeps its 北京. */
static const char *const han_generic[] = {"大学", "学院", "医院", "银行", "商业银行", "农村商业银行", "中学", "小学", "幼儿园", "饭店", "酒店", "宾馆", "机场", "电视台", "日报", "晚报", "图书馆", "博物馆", "电力", "地铁", "公交", "燃气", "自来水", "市政府", "政府", "师范大学", "证券", "农商银行", "理工大学", "交通大学", "农业大学", "医科大学", "工业大学"};

static bool ends_with_any(struct slice s, const char *const *list, size_t count, size_t *width)
{
    for (size_t i = 0; i < count; i++) {
        struct slice word = slice_str(list[i]);
        if (slice_ends(s, word)) {
            *width = word.len;
            return true;
        }
    }
    return false;
}

static bool is_generic(struct slice s)
{
    for (size_t i = 0; i < COUNT(han_generic); i++) {
        if (slice_is(s, han_generic[i]))
            return true;
    }
    return false;
}

static struct slice without_suffix(struct slice full)
{
    static const char *const suffixes[] = {"特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "地区", "市", "省"};
    size_t width;
    return ends_with_any(full, suffixes, COUNT(suffixes), &width) && full.len - width >= 6 ? slice_sub(full, 0, full.len - width) : full;
}

/* Takes provinces, cities and a district off the front, as long as a name is left. */
static struct slice take_region(struct slice core, struct company_parts *parts)
{
    for (int i = 0; i < 2; i++) {
        struct slice full = SLICE_EMPTY;
        bool province;
        size_t width = region_prefix(core, &full, &province);
        struct slice rest = slice_sub(core, width, core.len);
        if (width > 0 && (slice_starts(rest, SLICE("市")) || slice_starts(rest, SLICE("省"))))
            rest = slice_sub(rest, 3, rest.len);
        if (width == 0 || utf8_length(rest) < 2 || is_generic(rest))
            return core;
        if (parts->region.len == 0 || !province)
            parts->region = without_suffix(full);
        core = rest;
    }
    return core;
}

/* Whether the whole text names a region (with or without 市, 省). */
static bool is_region(struct slice s, struct slice *name)
{
    bool province;
    struct slice full = SLICE_EMPTY;
    size_t width = region_prefix(s, &full, &province);
    if (width == 0)
        return false;
    struct slice rest = slice_sub(s, width, s.len);
    *name = without_suffix(full);
    return rest.len == 0 || slice_is(rest, "市") || slice_is(rest, "省");
}

/* Where the branch's own words begin: a region named right before the marker belongs to it. */
static size_t branch_start(struct slice s, size_t marker_at)
{
    static const char *const ends[] = {"公司", "集团", "银行", "农行", "建行", "工行", "中行", "交行", "招行", "保险", "证券", "厂", "店"};
    size_t start = marker_at;
    for (size_t at = marker_at; at > 0 && marker_at - at <= 45;) {
        do
            at--;
        while (at > 0 && ((unsigned char)s.ptr[at] & 0xC0) == 0x80);
        size_t width;
        if (ends_with_any(slice_sub(s, 0, at), ends, COUNT(ends), &width))
            return at;
        struct slice full;
        bool province;
        size_t covered = region_prefix(slice_sub(s, at, marker_at), &full, &province);
        if (covered > 0 && at > 0)
            start = at;
    }
    return start;
}

/* One bracket at a time: a region, a legal form, a branch, or a note. */
static struct slice take_brackets(struct slice s, struct arena *arena, struct company_parts *parts)
{
    static const char *const opens[] = {"(", "[", "【", "〔", "<", "《"}, *const closes[] = {")", "]", "】", "〕", ">", "》"};
    for (int round = 0; round < 4; round++) {
        ptrdiff_t from = -1;
        size_t kind = 0;
        for (size_t i = 0; i < COUNT(opens) && from < 0; i++) {
            from = slice_find(s, slice_str(opens[i]));
            kind = i;
        }
        if (from < 0)
            return s;
        struct slice rest = slice_sub(s, (size_t)from + strlen(opens[kind]), s.len);
        ptrdiff_t to = slice_find(rest, slice_str(closes[kind]));
        struct slice inside = text_trim(slice_sub(rest, 0, to < 0 ? rest.len : (size_t)to));
        struct slice after = to < 0 ? SLICE_EMPTY : slice_sub(rest, (size_t)to + strlen(closes[kind]), rest.len);
        struct slice outside = name_join(slice_sub(s, 0, (size_t)from), "", after, arena), region;
        size_t width;
        if (outside.len == 0)
            return inside;
        if (is_region(inside, &region))
            parts->region = region;
        else if (ends_with_any(inside, han_branch, COUNT(han_branch), &width))
            parts->branch = inside;
        else if (slice_find(inside, SLICE("合伙")) >= 0)
            parts->legal = SLICE("合伙企业");
        else if (!slice_is(inside, "集团") && !slice_is(inside, "中国") && !slice_is(inside, "控股"))
            parts->note = name_join(parts->note, "; ", inside, arena);
        s = outside;
    }
    return s;
}

static struct slice letters_only(struct slice s, struct arena *arena)
{
    char *out = arena_alloc(arena, s.len + 1);
    size_t length = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    while (s.len > 0) {
        struct slice before = s;
        uint32_t c = 0;
        utf8_next(&s, &c);
        bool keep = c < 0x80 ? (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '&' || c == '+'
                             : !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x3000 && c <= 0x3020) && c != 0xB7 && c != 0x30FB;
        if (keep) {
            memcpy(out + length, before.ptr, before.len - s.len);
            length += before.len - s.len;
        }
    }
    return slice_of(out, length);
}

static void parse_han(struct slice folded, struct arena *arena, struct company_parts *parts)
{
    size_t width;
    struct slice s = han_simplify(folded, arena);
    s = letters_only(take_brackets(s, arena, parts), arena);
    if (parts->branch.len == 0 && ends_with_any(s, han_branch, COUNT(han_branch), &width) && s.len > width + 6) {
        size_t start = branch_start(s, s.len - width);
        if (start >= 6) {
            parts->branch = slice_sub(s, start, s.len);
            s = slice_sub(s, 0, start);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (!ends_with_any(s, han_legal, COUNT(han_legal), &width) || s.len < width + 6)
            break;
        if (parts->legal.len == 0)
            parts->legal = slice_sub(s, s.len - width, s.len);
        s = slice_sub(s, 0, s.len - width);
    }
    parts->core = take_region(s, parts);
}

struct legal_word {
    const char *word, *canonical;
};

static const struct legal_word latin_legal[] = {
    {"incorporated", "inc"}, {"inc", "inc"}, {"corporation", "corp"}, {"corp", "corp"}, {"company", "co"}, {"co", "co"}, {"limited", "ltd"}, {"ltd", "ltd"}, {"ltda", "ltda"}, {"llc", "llc"},
    {"llp", "llp"}, {"lp", "lp"}, {"plc", "plc"}, {"gmbh", "gmbh"}, {"mbh", "gmbh"}, {"ag", "ag"}, {"kg", "kg"}, {"ohg", "ohg"}, {"ug", "ug"}, {"se", "se"}, {"ev", "ev"}, {"sa", "sa"}, {"sas", "sas"}, {"sarl", "sarl"},
    {"srl", "srl"}, {"spa", "spa"}, {"sl", "sl"}, {"bv", "bv"}, {"nv", "nv"}, {"oy", "oy"}, {"ab", "ab"}, {"as", "as"}, {"aps", "aps"}, {"pty", "pty"}, {"pte", "pte"}, {"kk", "kk"}, {"sdn", "sdn"}, {"bhd", "bhd"},
    {"holding", "holding"}, {"holdings", "holding"}, {"group", "group"}, {"ooo", "ooo"}, {"zao", "zao"}, {"oao", "oao"}, {"doo", "doo"}, {"sro", "sro"}, {"zoo", "spzoo"}, {"sp", "spzoo"}, {"kft", "kft"}, {"and", "and"}, {"compagnie", "cie"}, {"cie", "cie"},
};

static const char *legal_of(struct slice token)
{
    for (size_t i = 0; i < COUNT(latin_legal); i++) {
        if (latin_legal[i].word[0] == token.ptr[0] && slice_is(token, latin_legal[i].word))
            return latin_legal[i].canonical;
    }
    return NULL;
}

/* Words of folded text; runs of single letters become one word (S.A. -> sa). */
static size_t latin_words(struct slice s, struct arena *arena, struct slice words[TOKENS_MAX])
{
    size_t count = 0;
    bool last_single = false;
    while (s.len > 0 && count < TOKENS_MAX) {
        ptrdiff_t space = slice_find_byte(s, ' ');
        struct slice word = slice_sub(s, 0, space < 0 ? s.len : (size_t)space);
        s = slice_sub(s, word.len + 1, s.len);
        if (word.len == 1 && last_single) {
            words[count - 1] = name_join(words[count - 1], "", word, arena);
            continue;
        }
        last_single = word.len == 1;
        words[count++] = word;
    }
    return count;
}

static void parse_latin(struct slice folded, struct arena *arena, struct company_parts *parts)
{
    struct slice words[TOKENS_MAX];
    ptrdiff_t open = slice_find_byte(folded, '(');
    if (open > 0) {
        struct slice inside = slice_sub(folded, (size_t)open + 1, folded.len);
        ptrdiff_t close = slice_find_byte(inside, ')');
        size_t width = close < 0 ? inside.len : (size_t)close;
        struct slice rest = slice_sub(inside, close < 0 ? width : width + 1, inside.len);
        inside = text_trim(slice_sub(inside, 0, width));
        if (clean_country(inside))
            parts->region = text_ascii(inside, arena);
        else
            parts->note = text_ascii(inside, arena);
        folded = name_join(slice_sub(folded, 0, (size_t)open), " ", rest, arena);
    }
    size_t count = latin_words(text_ascii(folded, arena), arena, words), from = 0, to;
    if (count > 1 && slice_is(words[0], "the"))
        from = 1;
    to = count;
    for (size_t i = from + 1; i < count; i++) {
        if (slice_is(words[i], "branch") || slice_is(words[i], "niederlassung") || slice_is(words[i], "zweigniederlassung") || slice_is(words[i], "succursale") || slice_is(words[i], "filiale")) {
            bool last = i + 1 == count;
            size_t start = last && i > from + 1 && legal_of(words[i - 1]) == NULL ? i - 1 : i;
            parts->branch = words[start];
            for (size_t j = start + 1; j < count; j++)
                parts->branch = name_join(parts->branch, " ", words[j], arena);
            to = start;
            break;
        }
    }
    while (to > from + 1 && legal_of(words[to - 1])) {
        const char *legal = legal_of(words[to - 1]);
        if (strcmp(legal, "and") != 0 && !slice_starts(parts->legal, slice_str(legal)))
            parts->legal = name_join(slice_str(legal), " ", parts->legal, arena);
        to--;
    }
    for (size_t i = from; i < to; i++) {
        if (!slice_is(words[i], "and") || i == from || i + 1 == to)
            parts->core = name_join(parts->core, " ", words[i], arena);
    }
}

void company_parse(struct slice name, struct arena *arena, struct company_parts *parts)
{
    parts->core = parts->region = parts->legal = parts->branch = parts->note = SLICE_EMPTY;
    struct slice folded = text_fold(text_unguard(text_cut(name, COMPANY_MAX_BYTES)), arena);
    size_t han = 0;
    struct slice rest = folded;
    uint32_t c;
    while (utf8_next(&rest, &c))
        han += han_is(c);
    parts->is_han = han >= 2;
    if (text_is_missing(folded))
        return;
    if (parts->is_han)
        parse_han(folded, arena, parts);
    else
        parse_latin(folded, arena, parts);
}
