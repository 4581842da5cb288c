/* The rest of a record's text: company, title, address, dates, gender. */
#ifndef TESTS_BENCH_GENERATE_RENDER_H
#define TESTS_BENCH_GENERATE_RENDER_H

#include "generate_contact.h"
#include "generate_name.h"

struct address_text {
    struct text line, district, city, province, postal_code, country;
};

static void company_chinese(uint32_t company, struct company_words words, bool slip,
                            struct random *r, struct text *out)
{
    const struct chinese_city *city =
        &chinese_cities[company_city(company) % COUNT_OF(chinese_cities)];
    unsigned seconds = COUNT_OF(chinese_brand_second);
    const char *first = chinese_brand_first[words.brand / seconds];
    const char *second = chinese_brand_second[words.brand % seconds];
    const char *industry = chinese_industries[words.industry];
    const char *suffix = chinese_company_suffixes[company % COUNT_OF(chinese_company_suffixes)];
    unsigned style = random_below(r, 10);

    if (slip && random_chance(r, 0.5)) {
        text_add(out, city->pinyin);
        text_add_char(out, ' ');
        text_add(out, chinese_brand_first_pinyin[words.brand / seconds]);
        text_add(out, chinese_brand_second_pinyin[words.brand % seconds]);
        text_add_char(out, ' ');
        text_add(out, chinese_industries_english[words.industry]);
        text_add(out, " Co., Ltd.");
        return;
    }
    if (style < 5 || style == 8)
        text_add(out, city->name);
    if (style == 4)
        text_add(out, "市");
    text_add(out, first);
    text_add(out, slip ? chinese_brand_second[(words.brand + 1) % seconds] : second);
    if (style != 8)
        text_add(out, industry);
    if (style == 5) {
        text_add(out, random_chance(r, 0.5) ? "（" : "(");
        text_add(out, city->name);
        text_add(out, ")");
    }
    if (style < 7)
        text_add(out, suffix);
    if (style == 3)
        text_traditional(out, traditional_pairs);
}

static void company_western(const struct world *world, uint32_t company, struct company_words words,
                            bool slip, struct random *r, struct text *out)
{
    enum country country = company_country(company);
    const char *const *form = legal_forms[country - 1][company_rank(company) % 4];
    unsigned style = random_below(r, 10);

    text_add(out, company_founder(world, country, words.brand)->text);
    if (words.partner) {
        text_add(out, style % 2 ? " & " : " and ");
        text_add(out, company_founder(world, country, words.second)->text);
    }
    text_add_char(out, ' ');
    text_add(out, western_industry(country, words.industry));
    if (slip && !text_slip(out, out->length, r))
        text_add(out, " Group");
    if (style < 7) {
        text_add(out, style == 0 && country <= UNITED_KINGDOM ? ", " : " ");
        text_add(out, form[style > 4]);
    }
    if (style == 9)
        text_upper(out);
    if (style == 8)
        text_fold(out, country == GERMANY);
}

static void render_company(const struct world *world, const struct plan *plan, struct random *r,
                           struct text *out)
{
    text_clear(out);
    if (plan->company == NO_COMPANY)
        return;
    struct company_words words = company_words_of(world, plan->company);

    if (company_country(plan->company) == CHINA)
        company_chinese(plan->company, words, plan->company_slip, r, out);
    else
        company_western(world, plan->company, words, plan->company_slip, r, out);
}

/* The numbers of a place; they come from the place alone. */
struct location {
    unsigned street, number, building, unit, room, area, pick, tail;
};

static struct location location_of(const struct world *world, const struct place *place)
{
    struct random r = stream_of(world->seed, STREAM_PLACE, place->id, 2);
    struct location at;

    at.street = random_below(&r, 1000);
    at.number = 1 + random_skewed(&r, 600, 1.6);
    at.building = 1 + random_below(&r, 28);
    at.unit = 1 + random_below(&r, 4);
    at.room = (1 + random_below(&r, 25)) * 100 + 1 + random_below(&r, 6);
    at.area = random_below(&r, 1000);
    at.pick = random_below(&r, 1000);
    at.tail = random_below(&r, 10000);
    return at;
}

/* A slip in an address: the room left out, or a neighbour's number. Returns true to leave it out.
 */
static bool location_slip(struct location *at, struct random *r)
{
    if (random_chance(r, 0.6))
        return true;
    at->number += 1 + random_below(r, 9);
    return false;
}

static void address_chinese(const struct place *place, struct location at, bool slip,
                            struct random *r, struct address_text *out)
{
    static const char *const municipalities = "北京上海重庆天津";
    const struct chinese_city *city = &chinese_cities[place->city % COUNT_OF(chinese_cities)];
    unsigned districts = 0, style = random_below(r, 4);
    bool no_room = slip && location_slip(&at, r);

    while (districts < 7 && city->districts[districts])
        districts++;
    text_add(&out->district, city->districts[at.area % districts]);
    text_add(&out->city, city->name);
    text_add(&out->city, random_chance(r, 0.7) ? "市" : "");
    text_add(&out->province, city->province);
    if (random_chance(r, 0.75))
        text_add(&out->province, strstr(municipalities, city->name)    ? "市"
                                 : strcmp(city->province, "广西") == 0 ? "壮族自治区"
                                                                       : "省");
    text_add(&out->postal_code, city->postal_prefix);
    text_add_number(&out->postal_code, at.area % 40 * 10, 3);

    text_add(&out->line, at.street % 10 < 3
                             ? city->streets[at.street % 3]
                             : chinese_streets[at.street % COUNT_OF(chinese_streets)]);
    text_add_number(&out->line, at.number, 1);
    text_add(&out->line, "号");
    text_add(&out->line, place->office ? chinese_towers[at.pick % COUNT_OF(chinese_towers)]
                                       : chinese_estates[at.pick % COUNT_OF(chinese_estates)]);
    if (no_room)
        return;
    if (!place->office) {
        text_add_number(&out->line, at.building, 1);
        text_add(&out->line, style == 0 ? "-" : style == 1 ? "号楼" : style == 2 ? "幢" : "栋");
        if (style < 3) {
            text_add_number(&out->line, at.unit, 1);
            text_add(&out->line, style == 0 ? "-" : "单元");
        }
    }
    text_add_number(&out->line, at.room, 1);
    text_add(&out->line, style == 0 ? "" : "室");
}

static void street_shorten(struct text *line)
{
    for (unsigned i = 0; i < COUNT_OF(street_words); i++) {
        char *found = strstr(line->bytes, street_words[i][0]);

        if (found) {
            struct text rest;

            text_set(&rest, found + strlen(street_words[i][0]));
            line->length = (size_t)(found - line->bytes);
            line->bytes[line->length] = '\0';
            text_add(line, street_words[i][1]);
            text_add(line, rest.bytes);
            return;
        }
    }
}

static const char *street_of(enum country country, unsigned street)
{
    switch (country) {
    case UNITED_STATES:
        return streets_united_states[street % COUNT_OF(streets_united_states)];
    case UNITED_KINGDOM:
        return streets_united_kingdom[street % COUNT_OF(streets_united_kingdom)];
    case GERMANY:
        return streets_germany[street % COUNT_OF(streets_germany)];
    case FRANCE:
        return streets_france[street % COUNT_OF(streets_france)];
    default:
        return streets_spain[street % COUNT_OF(streets_spain)];
    }
}

static void add_postal_code(enum country country, const char *prefix, struct location at,
                            struct text *out)
{
    static const char letters[] = "ABDEFGHJLNPQRSTUWXYZ";

    text_add(out, prefix);
    if (country == UNITED_KINGDOM) {
        text_add_number(out, 1 + at.area % 19, 1);
        text_add_char(out, ' ');
        text_add_number(out, at.area / 19 % 10, 1);
        text_add_char(out, letters[at.tail % 20]);
        text_add_char(out, letters[at.tail / 20 % 20]);
    } else {
        size_t left = 5 - strlen(prefix);

        text_add_number(out, at.area % (left == 2 ? 100 : 1000), (unsigned)left);
    }
}

static void address_western(const struct place *place, struct location at, bool slip,
                            struct random *r, struct address_text *out)
{
    const struct western_city *city = western_city(place->country, place->city);
    bool no_unit = (slip && location_slip(&at, r)) || at.pick % 10 < 4;
    bool number_first = place->country == UNITED_STATES || place->country == UNITED_KINGDOM ||
                        place->country == FRANCE;

    text_add(&out->city, city->name);
    text_add(&out->province, city->region);
    add_postal_code(place->country, city->postal, at, &out->postal_code);
    if (place->country == UNITED_KINGDOM && !no_unit) {
        text_add(&out->line, place->office ? "Unit " : "Flat ");
        text_add_number(&out->line, at.building, 1);
        text_add(&out->line, ", ");
    }
    if (number_first) {
        text_add_number(&out->line, at.number, 1);
        text_add(&out->line, place->country == FRANCE && at.pick % 7 == 0 ? " bis " : " ");
    }
    text_add(&out->line, street_of(place->country, at.street));
    if (!number_first) {
        text_add(&out->line, place->country == SPAIN ? ", " : " ");
        text_add_number(&out->line, at.number, 1);
    }
    if (random_chance(r, 0.4))
        street_shorten(&out->line);
    if (no_unit || place->country == UNITED_KINGDOM)
        return;
    if (place->country == UNITED_STATES)
        text_add(&out->line, place->office ? ", Suite " : random_chance(r, 0.5) ? ", Apt " : " #");
    else
        text_add(&out->line, place->country == GERMANY  ? " / "
                             : place->country == FRANCE ? ", apt "
                                                        : ", ");
    text_add_number(&out->line, at.building, 1);
    text_add(&out->line, place->country == SPAIN ? "º B" : "");
}

static void add_country(enum country country, bool chinese, struct random *r, struct text *out)
{
    static const char *const names[COUNTRY_COUNT][3] = {
        {"China", "CN", "中国"},        {"USA", "United States", "US"},
        {"United Kingdom", "UK", "GB"}, {"Germany", "DE", "Deutschland"},
        {"France", "FR", "FRANCE"},     {"Spain", "ES", "España"},
    };

    text_add(out, country == CHINA && chinese && random_chance(r, 0.6)
                      ? "中国"
                      : names[country][random_below(r, 3)]);
}

/* Writes the whole address in one line, as mailing labels do. */
static void address_in_one_line(enum country country, struct random *r, struct address_text *a)
{
    struct text all;

    text_clear(&all);
    if (country == CHINA) {
        text_add(&all, random_chance(r, 0.5) && strcmp(a->province.bytes, a->city.bytes) != 0
                           ? a->province.bytes
                           : "");
        text_add(&all, a->city.bytes);
        text_add(&all, a->district.bytes);
        text_add(&all, a->line.bytes);
    } else {
        bool code_first = country != UNITED_STATES && country != UNITED_KINGDOM;

        text_add(&all, a->line.bytes);
        text_add(&all, ", ");
        text_add(&all, code_first ? a->postal_code.bytes : a->city.bytes);
        text_add(&all, country == UNITED_STATES ? ", " : " ");
        text_add(&all, code_first                 ? a->city.bytes
                       : country == UNITED_STATES ? a->province.bytes
                                                  : "");
        text_add(&all, country == UNITED_STATES ? " " : "");
        text_add(&all, code_first ? "" : a->postal_code.bytes);
    }
    a->line = all;
    text_clear(&a->district);
    text_clear(&a->city);
    text_clear(&a->province);
    text_clear(&a->postal_code);
}

static void render_address(const struct world *world, const struct plan *plan, struct random *r,
                           struct address_text *out)
{
    struct location at = location_of(world, &plan->place);
    enum country country = plan->place.country;

    memset(out, 0, sizeof(*out));
    if (plan->address_form == ADDRESS_NONE)
        return;
    if (country == CHINA)
        address_chinese(&plan->place, at, plan->address_slip, r, out);
    else
        address_western(&plan->place, at, plan->address_slip, r, out);
    if (random_chance(r, 0.6))
        add_country(country, plan->person->culture == CHINESE, r, &out->country);
    if (plan->address_form == ADDRESS_CITY) {
        text_clear(&out->line);
        text_clear(&out->district);
        text_clear(&out->postal_code);
    } else if (plan->address_form == ADDRESS_LINE) {
        address_in_one_line(country, r, out);
    }
}

static void render_birth(const struct plan *plan, struct random *r, struct text *out)
{
    const struct person *p = plan->person;
    unsigned year = p->year, month = p->month, day = p->day;
    bool chinese = p->culture == CHINESE, american = p->country == UNITED_STATES;
    double u = random_unit(r);
    char buffer[48];

    text_clear(out);
    if (!plan->birth)
        return;
    if (plan->birth_junk) {
        text_add(out, random_chance(r, 0.5) ? "1900-01-01" : "1970-01-01");
        return;
    }
    if (plan->birth_slip && day <= 12 && day != month) {
        month = p->day;
        day = p->month;
    } else if (plan->birth_slip && random_chance(r, 0.5)) {
        day = day % 28 + 1;
    } else if (plan->birth_slip) {
        year += random_chance(r, 0.5) ? 1 : 10;
    }
    if (u < 0.5)
        snprintf(buffer, sizeof(buffer), "%04u-%02u-%02u", year, month, day);
    else if (chinese && u < 0.7)
        snprintf(buffer, sizeof(buffer), "%u年%u月%u日", year, month, day);
    else if (chinese && u < 0.85)
        snprintf(buffer, sizeof(buffer), "%04u/%u/%u", year, month, day);
    else if (chinese || u < 0.58)
        snprintf(buffer, sizeof(buffer), "%04u%02u%02u", year, month, day);
    else if (american)
        snprintf(buffer, sizeof(buffer), "%02u/%02u/%04u", month, day, year);
    else
        snprintf(buffer, sizeof(buffer), u < 0.8 ? "%02u.%02u.%04u" : "%02u/%02u/%04u", day, month,
                 year);
    text_add(out, buffer);
}

static const char *render_gender(const struct plan *plan, struct random *r)
{
    static const char *const words[3][2] = {{"M", "F"}, {"male", "female"}, {"男", "女"}};
    unsigned style = random_below(r, plan->person->culture == CHINESE ? 3 : 2);

    return plan->gender ? words[style][plan->person->female] : "";
}

static const char *render_title(const struct plan *plan)
{
    const struct person *p = plan->person;

    if (!plan->title)
        return "";
    return p->culture == CHINESE && p->country == CHINA ? chinese_titles[p->title[plan->job]]
                                                        : western_titles[p->title[plan->job]];
}

/* Days since 1970 as a civil date (the usual era arithmetic on 400-year cycles). */
static void render_time(uint32_t seconds, bool zulu, struct text *out)
{
    unsigned z = seconds / 86400 + 719468, era = z / 146097, doe = z % 146097;
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    unsigned day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    unsigned year = yoe + era * 400 + (month <= 2);

    text_clear(out);
    text_add_number(out, year, 4);
    text_add_char(out, '-');
    text_add_number(out, month, 2);
    text_add_char(out, '-');
    text_add_number(out, day, 2);
    text_add_char(out, zulu ? 'T' : ' ');
    text_add_number(out, seconds / 3600 % 24, 2);
    text_add_char(out, ':');
    text_add_number(out, seconds / 60 % 60, 2);
    text_add_char(out, ':');
    text_add_number(out, seconds % 60, 2);
    text_add(out, zulu ? "Z" : "");
}

#endif
