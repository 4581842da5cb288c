/* address.c - see address.h. */
#include "rules/address.h"

#include "daemon/base/utf8.h"
#include "rules/clean_intern.h"
#include "rules/han.h"
#include "rules/name_intern.h"
#include "rules/parsed.h"
#include "rules/text.h"

#define ADDRESS_MAX_BYTES 2000
#define COUNT(array)      (sizeof(array) / sizeof((array)[0]))

struct word_pair {
    const char *word, *canonical;
};

static const struct word_pair abbreviations[] = {
    {"street", "st"}, {"str", "str"}, {"strasse", "str"}, {"road", "rd"}, {"avenue", "ave"}, {"av", "ave"}, {"avenida", "ave"}, {"boulevard", "blvd"}, {"drive", "dr"}, {"lane", "ln"}, {"court", "ct"}, {"place", "pl"},
    {"square", "sq"}, {"highway", "hwy"}, {"parkway", "pkwy"}, {"terrace", "ter"}, {"circle", "cir"}, {"trail", "trl"}, {"north", "n"}, {"south", "s"}, {"east", "e"}, {"west", "w"}, {"northeast", "ne"}, {"northwest", "nw"},
    {"southeast", "se"}, {"southwest", "sw"}, {"apartment", "apt"}, {"apartments", "apt"}, {"suite", "ste"}, {"floor", "fl"}, {"building", "bldg"}, {"room", "rm"}, {"number", "no"}, {"nr", "no"}, {"saint", "st"}, {"mount", "mt"},
    {"fort", "ft"}, {"platz", "pl"}, {"first", "1st"}, {"second", "2nd"}, {"third", "3rd"}, {"fourth", "4th"}, {"fifth", "5th"}, {"sixth", "6th"}, {"seventh", "7th"}, {"eighth", "8th"}, {"ninth", "9th"}, {"tenth", "10th"}, {"calle", "c"}, {"rue", "rue"},
};

static struct slice canonical_word(struct slice word, struct arena *arena)
{
    for (size_t i = 0; i < COUNT(abbreviations); i++) {
        if (abbreviations[i].word[0] == word.ptr[0] && slice_is(word, abbreviations[i].word))
            return slice_str(abbreviations[i].canonical);
    }
    if (word.len > 7 && slice_ends(word, SLICE("strasse")))
        return arena_printf(arena, SLICE_FMT "str", SLICE_ARG(slice_sub(word, 0, word.len - 7)));
    return word;
}

static struct slice fold_latin(struct slice street, struct arena *arena)
{
    struct slice rest = text_ascii(street, arena);
    char *out = arena_alloc(arena, rest.len + 1);
    size_t length = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    while (rest.len > 0) {
        ptrdiff_t space = slice_find_byte(rest, ' ');
        struct slice word = slice_sub(rest, 0, space < 0 ? rest.len : (size_t)space);
        rest = slice_sub(rest, word.len + 1, rest.len);
        word = canonical_word(word, arena); /* never longer than what it stands for */
        if (length > 0)
            out[length++] = ' ';
        memcpy(out + length, word.ptr, word.len);
        length += word.len;
    }
    return slice_of(out, length);
}

/* Simplified, without spaces and punctuation; 号楼 幢 座 are 栋, 房 is 室. */
static struct slice fold_han(struct slice street, struct arena *arena)
{
    static const struct word_pair pairs[] = {{"号楼", "栋"}, {"幢", "栋"}, {"座", "栋"}, {"号院", "号"}, {"號", "号"}, {"房间", "室"}, {"房", "室"}, {"楼层", "楼"}, {"层", "楼"}};
    struct slice s = han_simplify(text_fold(street, arena), arena);
    char *out = arena_alloc(arena, s.len + 1);
    size_t length = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    while (s.len > 0) {
        bool replaced = false;
        for (size_t i = 0; i < COUNT(pairs) && !replaced; i++) {
            if (slice_starts(s, slice_str(pairs[i].word))) {
                memcpy(out + length, pairs[i].canonical, strlen(pairs[i].canonical));
                length += strlen(pairs[i].canonical);
                s = slice_sub(s, strlen(pairs[i].word), s.len);
                replaced = true;
            }
        }
        if (replaced)
            continue;
        struct slice before = s;
        uint32_t c = 0;
        utf8_next(&s, &c);
        if (han_is(c) || c >= 0x3400 || is_digit((char)(c < 128 ? c : 0)) || is_letter((char)(c < 128 ? c : 0))) {
            memcpy(out + length, before.ptr, before.len - s.len);
            length += before.len - s.len;
        }
    }
    return slice_of(out, length);
}

static struct slice collect_numbers(struct slice s, struct arena *arena)
{
    char *out = arena_alloc(arena, s.len * 2 + 1);
    size_t length = 0;
    bool inside = false;
    if (out == NULL)
        return SLICE_EMPTY;
    for (size_t i = 0; i < s.len; i++) {
        if (is_digit(s.ptr[i])) {
            if (!inside && length > 0)
                out[length++] = ' ';
            out[length++] = s.ptr[i];
        }
        inside = is_digit(s.ptr[i]);
    }
    return slice_of(out, length);
}

/* 南京东路, 北京路: a street named after a place, not the place. */
static bool names_a_street(struct slice rest)
{
    static const char *const directions[] = {"东", "西", "南", "北", "中", "一", "二", "三"};
    static const char *const ways[] = {"路", "街", "大道", "道", "巷", "弄", "大街", "里", "新村"};
    for (size_t i = 0; i < COUNT(directions); i++) {
        if (slice_starts(rest, slice_str(directions[i]))) {
            rest = slice_sub(rest, 3, rest.len);
            break;
        }
    }
    for (size_t i = 0; i < COUNT(ways); i++) {
        if (slice_starts(rest, slice_str(ways[i])))
            return true;
    }
    return false;
}

static size_t take_region(struct slice s, struct slice *full, bool *province)
{
    size_t width = region_prefix(s, full, province);
    struct slice rest = slice_sub(s, width, s.len);
    if (width == 0 || (width < full->len && names_a_street(rest)))
        return 0;
    if (width < full->len && (slice_starts(rest, SLICE("市")) || slice_starts(rest, SLICE("省"))))
        width += 3;
    while (width < s.len && (s.ptr[width] == ' ' || s.ptr[width] == ',' || s.ptr[width] == '-' || s.ptr[width] == '/'))
        width++;
    return width;
}

/* Bytes of a district or county at the front: two to nine characters that end in 区 县 旗 市. */
static size_t district_width(struct slice s)
{
    static const char *const ends[] = {"自治县", "自治旗", "区", "县", "旗", "市"};
    static const char *const not_before[] = {"小", "社", "校", "厂", "园", "住宅", "街", "片", "营", "库", "景", "山"};
    size_t at = 0;
    for (int characters = 0; characters < 11 && at < s.len; characters++) {
        size_t width = utf8_valid_width(slice_sub(s, at, s.len));
        struct slice here = slice_sub(s, at, s.len);
        if (width != 3 || !han_all(slice_sub(here, 0, width)))
            return 0;
        for (size_t i = 0; i < COUNT(ends) && characters >= 1; i++) {
            if (!slice_starts(here, slice_str(ends[i])))
                continue;
            struct slice before = slice_sub(s, 0, at), after = slice_sub(here, strlen(ends[i]), here.len);
            for (size_t j = 0; j < COUNT(not_before); j++) {
                if (i == 2 && slice_ends(before, slice_str(not_before[j])) && (before.len > 6 || j == 0) && !slice_ends(before, SLICE("工业园")) && j != 11)
                    return 0;
            }
            if (slice_starts(after, SLICE("场")) || slice_starts(after, SLICE("政府")))
                return 0;
            return at + strlen(ends[i]);
        }
        if (slice_starts(here, SLICE("路")) || slice_starts(here, SLICE("街")) || slice_starts(here, SLICE("号")) || slice_starts(here, SLICE("镇")))
            return 0;
        at += width;
    }
    return 0;
}

static struct slice skip_marks(struct slice s)
{
    while (s.len > 0 && strchr(" ,;:-/|.", s.ptr[0]))
        s = slice_sub(s, 1, s.len);
    while (s.len > 0 && strchr(" ,;:-/|.", s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* Six digits alone at either end, or after 邮编. */
static struct slice take_cn_postal(struct slice s, struct arena *arena, struct slice *postal)
{
    for (size_t i = 0; i + 6 <= s.len; i++) {
        bool alone = (i == 0 || !is_digit(s.ptr[i - 1])) && (i + 6 == s.len || !is_digit(s.ptr[i + 6]));
        if (!alone || !text_all_digits(slice_sub(s, i, i + 6)))
            continue;
        struct slice before = slice_sub(s, 0, i), after = slice_sub(s, i + 6, s.len);
        struct slice bare = skip_marks(before);
        if (bare.len > 0 && bare.ptr[bare.len - 1] == '(')
            bare = skip_marks(slice_sub(bare, 0, bare.len - 1));
        bool named = slice_ends(bare, SLICE("邮编")) || slice_ends(bare, SLICE("邮政编码"));
        bool at_end = after.len == 0 || slice_is(after, ")");
        bool at_start = i == 0 && (after.len == 0 || !han_all(slice_sub(after, 0, 3)) || slice_starts(after, SLICE(" ")));
        if (!named && !at_start && !(at_end && i > 0 && strchr(" ,(:", s.ptr[i - 1])))
            continue;
        if (named)
            bare.len -= slice_ends(bare, SLICE("邮编")) ? 6 : 12;
        if (slice_starts(after, SLICE(")")))
            after = slice_sub(after, 1, after.len);
        *postal = slice_sub(s, i, i + 6);
        return skip_marks(name_join(skip_marks(bare), " ", skip_marks(after), arena));
    }
    return s;
}

static void parse_han(struct slice s, struct arena *arena, struct address_parts *parts)
{
    static const char *const countries[] = {"中华人民共和国", "中国大陆", "中国"};
    for (size_t i = 0; i < COUNT(countries); i++) {
        if (slice_starts(s, slice_str(countries[i])) && s.len > strlen(countries[i])) {
            parts->country = SLICE("CN");
            s = skip_marks(slice_sub(s, strlen(countries[i]), s.len));
            break;
        }
    }
    s = take_cn_postal(s, arena, &parts->postal_code);
    for (int i = 0; i < 3; i++) {
        struct slice full = SLICE_EMPTY;
        bool province;
        size_t width = take_region(s, &full, &province);
        if (width == 0)
            break;
        bool municipality = province && region_city(full).len > 0;
        if (province && parts->province.len > 0 && !slice_eq(parts->province, full))
            break; /* a place name further on */
        if (province)
            parts->province = full;
        if (municipality || !province) {
            if (parts->city.len > 0 && !slice_eq(parts->city, full))
                break;
            parts->city = full;
        }
        s = skip_marks(slice_sub(s, width, s.len));
    }
    if (parts->province.len == 0 && parts->city.len > 0)
        parts->province = region_province_of_city(parts->city);
    if (slice_starts(s, SLICE("市辖区")))
        s = skip_marks(slice_sub(s, 9, s.len));
    size_t width = parts->province.len > 0 ? district_width(s) : 0;
    parts->district = slice_sub(s, 0, width);
    parts->street = skip_marks(slice_sub(s, width, s.len));
}

/* Countries whose postal codes have letters. */
static bool has_letters_in_postal(const char *country)
{
    return strcmp(country, "GB") == 0 || strcmp(country, "CA") == 0 || strcmp(country, "NL") == 0;
}

/* "CA 94107-1234", "10115 Berlin", "SW1A 1AA": a postal code in the last parts of a Western address. */
static bool is_postal(struct slice s, const char *country)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++)
        digits += is_digit(s.ptr[i]);
    if (has_letters_in_postal(country))
        return s.len >= 5 && s.len <= 8 && digits >= 2 && is_letter(s.ptr[s.len - 1]) + is_digit(s.ptr[s.len - 1]) == 1;
    if (s.len == 10 && s.ptr[5] == '-' && digits == 9)
        return true;
    return digits == s.len && (s.len == 5 || s.len == 4);
}

static void parse_latin(struct slice s, const char *country, struct arena *arena, struct address_parts *parts)
{
    /* Parts from the end: country; "City, ST 12345" or "12345 City". */
    struct slice rest = skip_marks(s);
    const char *comma = rest.len ? memrchr(rest.ptr, ',', rest.len) : NULL;
    struct slice last = comma ? text_trim(slice_of(comma + 1, rest.len - (size_t)(comma + 1 - rest.ptr))) : SLICE_EMPTY;
    parts->by_country = has_letters_in_postal(country) || (last.len == 2 && strcmp(country, "US") == 0);
    const char *code = last.len > 1 && !(last.len == 2 && strcmp(country, "US") == 0) ? clean_country(last) : NULL;
    if (code) {
        parts->country = slice_str(code);
        country = code;
        rest = skip_marks(slice_sub(rest, 0, (size_t)(comma - rest.ptr)));
        comma = rest.len ? memrchr(rest.ptr, ',', rest.len) : NULL;
        last = comma ? text_trim(slice_of(comma + 1, rest.len - (size_t)(comma + 1 - rest.ptr))) : SLICE_EMPTY;
    }
    parts->street = rest;
    if (last.len == 0)
        return;
    const char *space = memrchr(last.ptr, ' ', last.len);
    ptrdiff_t first_space = slice_find_byte(last, ' ');
    struct slice tail = space ? slice_of(space + 1, last.len - (size_t)(space + 1 - last.ptr)) : last;
    struct slice before = space ? slice_sub(last, 0, (size_t)(space - last.ptr)) : SLICE_EMPTY;
    struct slice head = first_space > 0 ? slice_sub(last, 0, (size_t)first_space) : SLICE_EMPTY;
    struct slice street = skip_marks(slice_sub(rest, 0, (size_t)(comma - rest.ptr)));
    if (head.len > 0 && is_postal(head, country) && !is_postal(tail, country)) { /* 10115 Berlin */
        parts->postal_code = head;
        parts->city = text_trim(slice_sub(last, head.len, last.len));
        parts->street = street;
    } else if (is_postal(tail, country) && before.len == 2 && is_letter(before.ptr[0])) { /* CA 94107 */
        parts->postal_code = tail;
        parts->province = text_upper(before, arena);
        const char *city = memrchr(street.ptr, ',', street.len);
        if (city) {
            parts->city = text_trim(slice_of(city + 1, street.len - (size_t)(city + 1 - street.ptr)));
            street = skip_marks(slice_sub(street, 0, (size_t)(city - street.ptr)));
        }
        parts->street = street;
    }
}

static struct slice whole_line(struct slice text, struct arena *arena)
{
    return skip_marks(text_clean(text_unguard(text_cut(text, ADDRESS_MAX_BYTES)), false, arena));
}

void address_parse(struct slice text, const char *country, struct arena *arena, struct address_parts *parts)
{
    struct slice *const all[] = {&parts->line, &parts->country, &parts->province, &parts->city, &parts->district,
                                 &parts->street, &parts->postal_code, &parts->folded, &parts->numbers};
    for (size_t i = 0; i < COUNT(all); i++)
        *all[i] = SLICE_EMPTY;
    parts->by_country = false;
    struct slice s = whole_line(text, arena);
    struct slice rest = s;
    size_t han = 0;
    uint32_t c;
    while (utf8_next(&rest, &c))
        han += han_is(c);
    parts->is_han = han >= 2;
    parts->line = s;
    if (parts->is_han)
        parse_han(parts->line, arena, parts);
    else
        parse_latin(parts->line, country ? country : "", arena, parts);
    parts->folded = parts->is_han ? fold_han(parts->street, arena) : fold_latin(parts->street, arena);
    parts->numbers = collect_numbers(parts->folded, arena);
}

void clean_address(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    struct address_parts parts;
    if (slice_starts(input, SLICE("##")) || slice_starts(input, SLICE("$$"))) {
        out->value = text_clean(input, false, arena);
        out->flags |= VALUE_ENCRYPTED;
        return;
    }
    address_parse(input, context->country, arena, &parts);
    out->value = parts.line;
    if (!parts.by_country && slice_eq(whole_line(parts.line, arena), parts.line)) /* parsing it would say the same */
        out->parsed = parsed_address_keep(parts.line, &parts, arena);
    if (memmem(parts.line.ptr, parts.line.len, "**", 2))
        out->flags |= VALUE_MASKED;
    if (parts.line.len == 0) {
        cleaned_invalid(out, text_clean(input, false, arena), "value.too_long");
        return;
    }
    cleaned_add_side(out, SIDE_COUNTRY, out->flags, parts.country);
    cleaned_add_side(out, SIDE_PROVINCE, out->flags, parts.province);
    cleaned_add_side(out, SIDE_CITY, out->flags, parts.city);
    cleaned_add_side(out, SIDE_DISTRICT, out->flags, parts.district);
    cleaned_add_side(out, SIDE_STREET, out->flags, parts.street);
    cleaned_add_side(out, SIDE_POSTAL_CODE, out->flags, parts.postal_code);
}
