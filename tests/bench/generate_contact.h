/*
 * Phone numbers, e-mail addresses and wechat ids: who owns which (unique by construction, except
 * where they are shared on purpose), and the many ways people write them.
 */
#ifndef TESTS_BENCH_GENERATE_CONTACT_H
#define TESTS_BENCH_GENERATE_CONTACT_H

#include "generate_record.h"

/* A national number without trunk prefix. `area` is how many of its digits are the area code. */
struct number {
    enum country country;
    bool mobile;
    unsigned area;
    char digits[16];
};

static const char *const calling_codes[COUNTRY_COUNT] = {"86", "1", "44", "49", "33", "34"};

/* Scatters `id` over [0, size): no two ids below size meet. The factors are primes. */
static uint64_t scatter(uint64_t seed, uint64_t id, uint64_t size)
{
    return (id * UINT64_C(2654435761) + mix(seed) % size) % size;
}

/* Exchange codes 200 to 999 without N11 and 555, in order. */
static unsigned exchange_code(unsigned index)
{
    unsigned code = 200;

    for (;; code++) {
        if (code % 100 == 11 || code == 555)
            continue;
        if (index-- == 0)
            return code;
    }
}

static void number_united_states(struct number *n, uint64_t seed, uint64_t id, unsigned city,
                                 bool mobile)
{
    static unsigned exchanges[791];
    uint64_t at;

    if (exchanges[0] == 0) {
        for (unsigned i = 0; i < 791; i++)
            exchanges[i] = exchange_code(i);
    }
    /* Exchanges 0 to 99 of the list are the fixed lines, so the two never meet. */
    at = scatter(seed, id, mobile ? 24U * 691U * 10000U : 100U * 10000U);
    if (mobile)
        city = (unsigned)(at / 6910000U);
    snprintf(n->digits, sizeof(n->digits), "%.3s%03u%04u",
             cities_united_states[city % COUNT_OF(cities_united_states)].code,
             exchanges[mobile ? 100 + at / 10000U % 691 : at / 10000U] % 1000,
             (unsigned)(at % 10000U));
    n->area = 3;
}

/* Blocks of mobile numbers: leading digits and how many follow. */
static const struct {
    const char *prefix;
    unsigned rest;
} mobile_blocks[COUNTRY_COUNT][12] = {
    [UNITED_KINGDOM] = {{"7425", 6},
                        {"7502", 6},
                        {"7540", 6},
                        {"7711", 6},
                        {"7725", 6},
                        {"7760", 6},
                        {"7801", 6},
                        {"7812", 6},
                        {"7880", 6},
                        {"7900", 6},
                        {"7940", 6},
                        {"7985", 6}},
    [GERMANY] = {{"170", 7},
                 {"171", 7},
                 {"172", 7},
                 {"173", 7},
                 {"174", 7},
                 {"175", 7},
                 {"177", 7},
                 {"178", 7},
                 {"179", 7},
                 {"162", 7},
                 {"163", 7},
                 {"170", 7}},
    [FRANCE] = {{"60", 7},
                {"61", 7},
                {"62", 7},
                {"64", 7},
                {"65", 7},
                {"66", 7},
                {"67", 7},
                {"68", 7},
                {"76", 7},
                {"77", 7},
                {"60", 7},
                {"61", 7}},
    [SPAIN] = {{"60", 7},
               {"61", 7},
               {"62", 7},
               {"63", 7},
               {"64", 7},
               {"65", 7},
               {"66", 7},
               {"67", 7},
               {"68", 7},
               {"69", 7},
               {"67", 7},
               {"65", 7}},
};

/* Blocks whose prefix stands twice in the table above are drawn once. */
static const unsigned mobile_block_counts[COUNTRY_COUNT] = {0, 0, 12, 11, 10, 10};

static void number_mobile(struct number *n, uint64_t seed, uint64_t id)
{
    uint64_t at;

    n->area = 3;
    n->mobile = true;
    if (n->country == UNITED_STATES) {
        number_united_states(n, seed, id, 0, true);
        return;
    }
    if (n->country == CHINA) {
        at = scatter(seed, id, COUNT_OF(chinese_mobile_prefixes) * UINT64_C(100000000));
        snprintf(n->digits, sizeof(n->digits), "%s%08u",
                 chinese_mobile_prefixes[at / 100000000U % COUNT_OF(chinese_mobile_prefixes)],
                 (unsigned)(at % 100000000U));
        return;
    }
    unsigned rest = mobile_blocks[n->country][0].rest;
    uint64_t size = rest == 6 ? 1000000U : 10000000U;

    at = scatter(seed, id, size * mobile_block_counts[n->country]);
    snprintf(n->digits, sizeof(n->digits), "%s%0*u", mobile_blocks[n->country][at / size].prefix,
             (int)rest, (unsigned)(at % size));
}

static void number_fixed(struct number *n, uint64_t seed, uint64_t id, unsigned city)
{
    const char *code;
    uint64_t at;
    unsigned rest, lead;

    n->mobile = false;
    if (n->country == UNITED_STATES) {
        number_united_states(n, seed, id, city, false);
        return;
    }
    code = n->country == CHINA ? chinese_cities[city % COUNT_OF(chinese_cities)].area_code
                               : western_city(n->country, city)->code;
    code += code[0] == '0';
    n->area = (unsigned)strlen(code);
    rest = n->country == CHINA     ? (strcmp(code, "592") == 0 || strcmp(code, "771") == 0 ? 7 : 8)
           : n->country == GERMANY ? 7
           : n->country == UNITED_KINGDOM ? 10 - n->area
                                          : 9 - n->area;
    lead = n->country == CHINA                            ? 6
           : n->country == GERMANY || n->country == SPAIN ? 2
           : strcmp(code, "115") == 0                     ? 9 /* Nottingham has 8 and 9 only */
                                                          : 4;
    at = scatter(seed, id, rest == 8 ? 10000000U : rest == 7 ? 1000000U : 100000U);
    snprintf(n->digits, sizeof(n->digits), "%.4s%u%0*u", code, lead % 10, (int)rest - 1,
             (unsigned)at);
}

static void number_of(const struct world *world, const struct plan *plan, struct number *n)
{
    const struct person *p = plan->person;
    uint64_t seed = hash_of(world->seed, VALUE_PHONE, p->country);

    memset(n, 0, sizeof(*n));
    n->country = p->country;
    if (plan->phone == VALUE_OFFICE) {
        uint32_t company = p->company[plan->time >= p->job_change];

        number_fixed(n, seed, company * 2ULL + 1, company_city(company));
    } else if (plan->phone == VALUE_FAMILY && p->country != CHINA) {
        number_fixed(n, seed, p->household * 2ULL, p->city);
    } else {
        number_mobile(n, seed,
                      plan->phone == VALUE_FAMILY ? p->head * 2ULL
                                                  : p->entity * 2ULL + plan->phone_slot);
    }
}

/* How a country groups the digits of a number: group lengths after the area code. */
static void number_grouped(const struct number *n, const char *separator, struct text *out)
{
    static const char *const mobile_groups[COUNTRY_COUNT] = {"344", "334",   "46",
                                                             "37",  "12222", "333"};
    static const char *const fixed_groups[COUNTRY_COUNT] = {"44", "34", "34", "34", "2222", "322"};
    const char *groups = n->mobile || n->country == UNITED_STATES ? mobile_groups[n->country]
                                                                  : fixed_groups[n->country];
    const char *at = n->digits;

    if (!n->mobile && n->country != UNITED_STATES) {
        text_add_bytes(out, at, n->area);
        text_add(out, separator);
        at += n->area;
    }
    for (; *at; groups += groups[1] ? 1 : 0) {
        size_t take = (size_t)(*groups - '0');

        take = take < strlen(at) && groups[1] ? take : strlen(at);
        text_add_bytes(out, at, take);
        at += take;
        if (*at)
            text_add(out, separator);
    }
}

static void number_chinese(const struct number *n, struct random *r, struct text *out)
{
    static const char *const before[] = {"+86", "+86 ", "0086-", "86-", "(+86)", "86", "+86-"};
    double u = random_unit(r);

    if (!n->mobile) {
        text_add(out, u < 0.2 ? "+86-" : u < 0.35 ? "(0" : "0");
        text_add_bytes(out, n->digits, n->area);
        text_add(out, u < 0.2 ? "-" : u < 0.35 ? ") " : u < 0.85 ? "-" : "");
        text_add(out, n->digits + n->area);
        return;
    }
    if (u < 0.66) {
        text_add(out, n->digits);
    } else if (u < 0.76) {
        number_grouped(n, random_chance(r, 0.5) ? " " : "-", out);
    } else if (u < 0.78) {
        text_add(out, n->digits);
        text_widen(out);
    } else {
        text_add(out, before[random_below(r, COUNT_OF(before))]);
        if (random_chance(r, 0.25))
            number_grouped(n, " ", out);
        else
            text_add(out, n->digits);
    }
}

static void number_western(const struct number *n, struct random *r, struct text *out)
{
    static const char *const separators[] = {" ", "-", ".", ""};
    double u = random_unit(r);
    const char *separator = separators[random_below(r, COUNT_OF(separators))];
    const char *trunk = n->country == UNITED_STATES || n->country == SPAIN ? "" : "0";

    if (u < 0.16 && n->country == UNITED_STATES) {
        text_add_char(out, '(');
        text_add_bytes(out, n->digits, 3);
        text_add(out, ") ");
        text_add_bytes(out, n->digits + 3, 3);
        text_add_char(out, '-');
        text_add(out, n->digits + 6);
    } else if (u < 0.68) {
        text_add(out, trunk);
        number_grouped(n, separator, out);
    } else if (u < 0.73 && n->country != UNITED_STATES) {
        text_add(out, "00");
        text_add(out, calling_codes[n->country]);
        text_add(out, n->digits);
    } else if (u < 0.76 && n->country == UNITED_STATES) {
        text_add(out, "1-");
        number_grouped(n, "-", out);
    } else {
        text_add_char(out, '+');
        text_add(out, calling_codes[n->country]);
        if (separator[0])
            text_add_char(out, ' ');
        if (n->country == UNITED_KINGDOM && random_chance(r, 0.2))
            text_add(out, "(0)");
        number_grouped(n, separator, out);
    }
}

static void render_phone(const struct world *world, const struct plan *plan, struct random *r,
                         struct text *out)
{
    bool china = plan->person->country == CHINA;
    struct number n;

    text_clear(out);
    if (plan->phone == VALUE_NONE)
        return;
    if (plan->phone == VALUE_JUNK) {
        text_add(out, china ? junk_phones_china[random_below(r, COUNT_OF(junk_phones_china))]
                            : junk_phones_west[random_below(r, COUNT_OF(junk_phones_west))]);
        return;
    }
    number_of(world, plan, &n);
    size_t length = strlen(n.digits);

    if (plan->phone == VALUE_MASKED) {
        text_add_bytes(out, n.digits, china ? 3 : 0);
        text_add(out, china ? "****" : "*** *** ");
        text_add(out, n.digits + length - 4);
        return;
    }
    if (plan->phone_slip) {
        char *digit = &n.digits[length - 1 - random_below(r, 6)];

        *digit = (char)('0' + (*digit - '0' + 1 + (int)random_below(r, 9)) % 10);
    }
    if (china)
        number_chinese(&n, r, out);
    else
        number_western(&n, r, out);
    if (plan->phone == VALUE_OFFICE && random_chance(r, 0.4)) {
        text_add(out, china ? (random_chance(r, 0.5) ? "-" : "转")
                            : (random_chance(r, 0.5) ? " ext. " : " x"));
        text_add_number(out, 100 + random_below(r, 800), 3);
    }
}

/* Adds a name as it stands in an address: ASCII, lower case, letters only. */
static void add_slug(struct text *out, const char *name, bool german, size_t limit)
{
    struct text folded;

    text_set(&folded, name);
    text_fold(&folded, german);
    text_lower(&folded);
    for (size_t i = 0, n = 0; i < folded.length && n < limit; i++) {
        if (is_lower(folded.bytes[i])) {
            text_add_char(out, folded.bytes[i]);
            n++;
        }
    }
}

static void given_slug(const struct world *world, const struct person *p, struct text *out)
{
    text_clear(out);
    if (p->culture != CHINESE) {
        add_slug(out, world->given[p->culture][p->female].words[p->given[0]].text,
                 p->culture == GERMAN, 40);
        return;
    }
    for (unsigned i = 0; i < p->given_count; i++)
        text_add(out, world->hanzi[p->given[i]].pinyin);
}

static void family_slug(const struct world *world, const struct person *p, struct text *out)
{
    uint16_t family = p->family_before != NO_WORD ? p->family_before : p->family;

    text_clear(out);
    if (p->culture == CHINESE)
        text_add(out, chinese_surnames[family].pinyin);
    else
        add_slug(out, world->family[p->culture].words[family].text, p->culture == GERMAN, 40);
}

/* Which words a company is called by; the same rank never repeats them inside one city. */
struct company_words {
    unsigned brand, second, industry;
    bool partner;
};

static struct company_words company_words_of(const struct world *world, uint32_t company)
{
    enum country country = company_country(company);
    unsigned brands = COUNT_OF(chinese_brand_first) * COUNT_OF(chinese_brand_second);
    unsigned industries = COUNT_OF(chinese_industries), rank = company_rank(company), at;
    struct company_words words = {0, 0, 0, false};

    if (country != CHINA) {
        static const enum culture native[] = {CHINESE, ENGLISH, ENGLISH, GERMAN, FRENCH, SPANISH};

        brands = world->family[native[country]].count;
        industries = country <= UNITED_KINGDOM ? COUNT_OF(industries_english)
                     : country == GERMANY      ? COUNT_OF(industries_german)
                                               : 10;
    }
    at = (rank * 7919U + company_city(company) * 97U) % (brands * industries);
    words.brand = at / industries;
    words.industry = at % industries;
    words.partner = rank >= brands * industries;
    words.second = (words.brand + rank / (brands * industries)) % brands;
    return words;
}

static const char *western_industry(enum country country, unsigned industry)
{
    return country <= UNITED_KINGDOM ? industries_english[industry]
           : country == GERMANY      ? industries_german[industry]
           : country == FRANCE       ? industries_french[industry]
                                     : industries_spanish[industry];
}

static const struct word *company_founder(const struct world *world, enum country country,
                                          unsigned brand)
{
    static const enum culture native[] = {CHINESE, ENGLISH, ENGLISH, GERMAN, FRENCH, SPANISH};

    return &world->family[native[country]].words[brand];
}

static void add_company_domain(const struct world *world, uint32_t company, struct text *out)
{
    static const char *const endings[COUNTRY_COUNT] = {".com.cn", ".com", ".co.uk",
                                                       ".de",     ".fr",  ".es"};
    enum country country = company_country(company);
    struct company_words words = company_words_of(world, company);
    unsigned city = company_city(company);

    if (country == CHINA) {
        unsigned seconds = COUNT_OF(chinese_brand_second);

        add_slug(out, chinese_brand_first_pinyin[words.brand / seconds], false, 20);
        add_slug(out, chinese_brand_second_pinyin[words.brand % seconds], false, 20);
        add_slug(out, chinese_industries_english[words.industry], false, 4);
        text_add(out, chinese_cities[city % COUNT_OF(chinese_cities)].area_code);
    } else {
        add_slug(out, company_founder(world, country, words.brand)->text, country == GERMANY, 20);
        if (words.partner)
            add_slug(out, company_founder(world, country, words.second)->text, country == GERMANY,
                     20);
        add_slug(out, western_industry(country, words.industry), country == GERMANY, 6);
        text_add_char(out, '-');
        add_slug(out, western_city(country, city)->name, country == GERMANY, 4);
        add_slug(out, western_city(country, city)->postal, false, 2);
    }
    text_add(out, endings[country]);
}

static void add_local_chinese(const struct world *world, const struct person *p, struct random *r,
                              struct text *out)
{
    struct text given, family;
    double u = random_unit(r);

    given_slug(world, p, &given);
    family_slug(world, p, &family);
    if (u < 0.15) {
        add_slug(out, world->given[ENGLISH][p->female].words[p->english].text, false, 40);
        text_add(out, random_chance(r, 0.5) ? "." : "");
        text_add(out, family.bytes);
    } else if (u < 0.35) {
        text_add(out, given.bytes);
        text_add(out, random_chance(r, 0.5) ? "." : "_");
        text_add(out, family.bytes);
    } else {
        text_add(out, family.bytes);
        text_add(out, given.bytes);
    }
    if (u > 0.6)
        text_add_number(out, u > 0.8 ? p->year : p->year % 100, 2);
}

static void add_local_western(const struct world *world, const struct person *p, struct random *r,
                              bool work, struct text *out)
{
    struct text given, family;
    double u = random_unit(r);

    given_slug(world, p, &given);
    family_slug(world, p, &family);
    if (u < 0.45) {
        text_add(out, given.bytes);
        text_add(out, work || u < 0.25 ? "." : u < 0.35 ? "_" : "");
        text_add(out, family.bytes);
    } else if (u < 0.65) {
        text_add_bytes(out, given.bytes, 1);
        text_add(out, family.bytes);
    } else if (u < 0.8) {
        text_add(out, family.bytes);
        text_add(out, ".");
        text_add(out, given.bytes);
    } else {
        text_add(out, given.bytes);
        text_add_bytes(out, family.bytes, work ? family.length : 1);
    }
    if (!work && random_chance(r, 0.45))
        text_add_number(out, random_chance(r, 0.5) ? p->year : p->year % 100, 2);
}

/*
 * The person's address of that slot. `attempt` grows when somebody before had the same one, as a
 * mail provider would make them choose another.
 */
static void email_address(const struct world *world, const struct person *p, unsigned slot,
                          unsigned attempt, struct text *out)
{
    struct random r = stream_of(world->seed, STREAM_EMAIL, p->entity, slot);
    bool work = slot >= 2;
    const char *domain =
        western_mail_domains[p->country == CHINA ? 0 : p->country - 1][random_below(&r, 6)];

    if (p->culture == CHINESE && p->country == CHINA)
        domain = chinese_mail_domains[random_below(&r, COUNT_OF(chinese_mail_domains))];
    text_clear(out);
    if (!work && strcmp(domain, "qq.com") == 0 && random_chance(&r, 0.85))
        text_add_number(out, 10000000 + random_next(&r) % UINT64_C(3000000000), 8);
    else if (p->culture == CHINESE)
        add_local_chinese(world, p, &r, out);
    else
        add_local_western(world, p, &r, work, out);
    if (attempt == 1)
        text_add_number(out, 1 + random_below(&r, 99), 1);
    else if (attempt > 1)
        text_add_number(out, p->entity * 10ULL + slot, 3);
    text_add_char(out, '@');
    if (work)
        add_company_domain(world, p->company[slot - 2], out);
    else
        text_add(out, domain);
}

static void email_slip(struct text *out, struct random *r)
{
    char *at = strchr(out->bytes, '@');
    size_t local = (size_t)(at - out->bytes);

    if (random_chance(r, 0.5)) {
        for (unsigned i = 0; i < COUNT_OF(domain_slips); i++) {
            if (strcmp(at + 1, domain_slips[i][0]) == 0 && random_chance(r, 0.6)) {
                out->length = local + 1;
                text_add(out, domain_slips[i][1]);
                return;
            }
        }
    }
    if (!text_slip(out, local, r)) {
        /* No letters, as in 12345@qq.com: exchange two digits, or drop the last. */
        size_t i = random_below(r, (unsigned)local - 1);
        char c = out->bytes[i];

        if (c == out->bytes[i + 1]) {
            memmove(out->bytes + i, out->bytes + i + 1, out->length - i);
            out->length--;
        } else {
            out->bytes[i] = out->bytes[i + 1];
            out->bytes[i + 1] = c;
        }
    }
}

/* Other ways to write the same mailbox: capitals, tags, dots that the provider ignores. */
static void email_dress(struct text *out, struct random *r)
{
    static const char *const tags[] = {"+shop", "+news", "+web", "+promo", "+2024"};
    char *at = strchr(out->bytes, '@');
    size_t local = (size_t)(at - out->bytes);
    bool google = strcmp(at, "@gmail.com") == 0;
    struct text copy = *out;
    double u = random_unit(r);

    if (u < 0.06) {
        text_upper(out);
    } else if (u < 0.12) {
        out->bytes[0] = is_lower(out->bytes[0]) ? (char)(out->bytes[0] - 32) : out->bytes[0];
    } else if (google && u < 0.32) {
        size_t cut = u < 0.22 ? local : 1 + random_below(r, (unsigned)local - 1);

        out->length = cut;
        if (u < 0.22)
            text_add(out, tags[random_below(r, COUNT_OF(tags))]);
        else if (copy.bytes[cut] != '.' && copy.bytes[cut - 1] != '.')
            text_add_char(out, '.');
        text_add(out, copy.bytes + cut);
        if (u > 0.30) {
            out->length -= strlen("gmail.com");
            text_add(out, "googlemail.com");
        }
    }
}

static void render_email(const struct world *world, const struct plan *plan, unsigned attempts,
                         unsigned head_attempts, const struct person *head, struct random *r,
                         struct text *out)
{
    const struct person *p = plan->person;

    text_clear(out);
    if (plan->email == VALUE_NONE)
        return;
    if (plan->email == VALUE_JUNK) {
        text_add(out, junk_emails[random_below(r, COUNT_OF(junk_emails))]);
        return;
    }
    if (plan->email == VALUE_OFFICE) {
        text_add(out, "info@");
        add_company_domain(world, p->company[plan->time >= p->job_change], out);
    } else if (plan->email == VALUE_FAMILY) {
        email_address(world, head, 0, head_attempts & 3, out);
    } else {
        email_address(world, p, plan->email_slot, attempts >> (2 * plan->email_slot) & 3, out);
    }
    if (plan->email_slip)
        email_slip(out, r);
    else if (plan->email != VALUE_OFFICE)
        email_dress(out, r);
}

static void render_wechat(const struct world *world, const struct plan *plan, struct text *out)
{
    const struct person *p = plan->person;
    struct random r = stream_of(world->seed, VALUE_WECHAT, p->entity, 0);
    uint64_t number = p->entity;

    text_clear(out);
    if (plan->wechat == VALUE_NONE)
        return;
    if (random_chance(&r, 0.5)) {
        struct text family;

        family_slug(world, p, &family);
        text_add(out, family.bytes);
        text_add_char(out, '_');
        text_add_number(out, number * 7 + 1000, 4);
        return;
    }
    text_add(out, "wxid_");
    number = scatter(world->seed, number, UINT64_C(2821109907456)) + UINT64_C(2821109907456);
    for (unsigned i = 0; i < 9; i++, number /= 36)
        text_add_char(out, "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36]);
    text_add(out, "22");
}

#endif
