/*
 * The people, and what is true of them: households, companies, places, addresses of all kinds.
 * Nothing here is noisy. Everything is a pure function of the seed and of small numbers.
 */
#ifndef TESTS_BENCH_GENERATE_WORLD_H
#define TESTS_BENCH_GENERATE_WORLD_H

#include <stdlib.h>

#include "generate_random.h"
#include "generate_tables_chinese.h"
#include "generate_tables_western.h"
#include "generate_text.h"

enum culture { CHINESE, ENGLISH, GERMAN, FRENCH, SPANISH, NORDIC, CULTURE_COUNT };
enum country { CHINA, UNITED_STATES, UNITED_KINGDOM, GERMANY, FRANCE, SPAIN, COUNTRY_COUNT };
enum population { POPULATION_CHINESE, POPULATION_WESTERN, POPULATION_MIXED };

/* Kinds of streams and of values; the numbers are arbitrary but must not change. */
enum stream {
    STREAM_HOUSEHOLD = 1,
    STREAM_PERSON,
    STREAM_RECORD_COUNT,
    STREAM_RECORD,
    STREAM_PLACE,
    STREAM_COMPANY,
    STREAM_EMAIL,
    STREAM_OUTPUT,
    VALUE_NAME,
    VALUE_PHONE,
    VALUE_EMAIL,
    VALUE_WECHAT,
    VALUE_ADDRESS,
    VALUE_COMPANY,
    VALUE_BIRTH,
};

#define NEVER         UINT32_MAX
#define NO_COMPANY    UINT32_MAX
#define NO_WORD       UINT16_MAX
#define SECONDS_FROM  1514764800U /* 2018-01-01 */
#define SECONDS_TO    1761868800U /* 2025-10-31 */
#define HOUSEHOLD_MAX 6
#define EMAIL_SLOTS   4 /* private before and after a change, first and second employer */

struct word {
    char text[28];
    char spelling[3][20];
    char nickname[3][20];
    unsigned spelling_count, nickname_count;
};

struct word_list {
    struct word *words;
    unsigned count;
};

struct hanzi {
    char text[4];
    char pinyin[8];
    unsigned group;
};

struct world {
    uint64_t seed;
    enum population population;
    uint32_t company_count; /* per city */
    struct word_list given[CULTURE_COUNT][2], family[CULTURE_COUNT];
    struct hanzi hanzi[512];
    unsigned hanzi_count;
    unsigned group_first[160], group_count; /* group g is hanzi[group_first[g] .. [g + 1]) */
    uint16_t *surname_bag, *hanzi_bag[2], *city_bag;
    unsigned surname_bag_count, hanzi_bag_count[2], city_bag_count;
};

struct person {
    uint32_t entity, household;
    unsigned member;
    enum culture culture;
    enum country country;
    bool female, child;
    uint16_t family, family_before, family_second; /* before marriage; second Spanish surname */
    uint16_t given[2]; /* Chinese: characters; Western: given name and middle name */
    unsigned given_count;
    uint16_t english; /* the English given name a Chinese person goes by */
    char suffix;      /* 'S' or 'J' when father and son bear one name */
    unsigned year, month, day;
    unsigned city;
    uint32_t first, phone_change, email_change, move, household_move, job_change, marriage;
    uint32_t company[2];
    unsigned title[2];
    uint32_t head; /* entity whose phone the family answers */
};

struct household {
    uint32_t number, first_entity;
    unsigned count;
    struct person persons[HOUSEHOLD_MAX];
};

struct place {
    uint64_t id;
    enum country country;
    unsigned city;
    bool office;
};

static void word_parse(struct word *word, const char *entry)
{
    char copy[96], *rest, *spellings, *nicknames, *token;

    memset(word, 0, sizeof(*word));
    snprintf(copy, sizeof(copy), "%s", entry);
    nicknames = strchr(copy, ':');
    if (nicknames)
        *nicknames++ = '\0';
    spellings = strchr(copy, '/');
    if (spellings)
        *spellings++ = '\0';
    snprintf(word->text, sizeof(word->text), "%.27s", copy);
    for (token = spellings ? strtok_r(spellings, ",", &rest) : NULL;
         token && word->spelling_count < 3; token = strtok_r(NULL, ",", &rest))
        snprintf(word->spelling[word->spelling_count++], 20, "%.19s", token);
    for (token = nicknames ? strtok_r(nicknames, ",", &rest) : NULL;
         token && word->nickname_count < 3; token = strtok_r(NULL, ",", &rest))
        snprintf(word->nickname[word->nickname_count++], 20, "%.19s", token);
}

static void *must_allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory) {
        fprintf(stderr, "generate: out of memory for %zu bytes\n", count * size);
        exit(1);
    }
    return memory;
}

static struct word_list word_list_make(const char *const *entries, unsigned count)
{
    struct word_list list = {must_allocate(count, sizeof(struct word)), count};

    for (unsigned i = 0; i < count; i++)
        word_parse(&list.words[i], entries[i]);
    return list;
}

/* Adds `index` to the bag as often as its weight says. */
static void bag_add(uint16_t **bag, unsigned *count, unsigned index, unsigned weight)
{
    *bag = realloc(*bag, (*count + weight + 1) * sizeof(**bag));
    if (!*bag) {
        fprintf(stderr, "generate: out of memory\n");
        exit(1);
    }
    while (weight-- > 0)
        (*bag)[(*count)++] = (uint16_t)index;
}

static void world_load_hanzi(struct world *world)
{
    for (unsigned g = 0; g < COUNT_OF(chinese_given_groups); g++) {
        const char *s = chinese_given_groups[g];
        size_t reading = strcspn(s, " ");
        const char *at = s + reading;

        world->group_first[g] = world->hanzi_count;
        while (*at == ' ') {
            struct hanzi *hanzi = &world->hanzi[world->hanzi_count];
            size_t n = utf8_length(++at);
            char who = at[n];
            unsigned weight = (unsigned)(at[n + 1] - '0');

            memcpy(hanzi->text, at, n);
            memcpy(hanzi->pinyin, s, reading);
            hanzi->group = g;
            if (who == 'm' || who == 'u')
                bag_add(&world->hanzi_bag[0], &world->hanzi_bag_count[0], world->hanzi_count,
                        weight);
            if (who == 'f' || who == 'u')
                bag_add(&world->hanzi_bag[1], &world->hanzi_bag_count[1], world->hanzi_count,
                        weight);
            world->hanzi_count++;
            at += n + 2;
        }
    }
    world->group_count = COUNT_OF(chinese_given_groups);
    world->group_first[world->group_count] = world->hanzi_count;
}

#define LIST(array) word_list_make(array, COUNT_OF(array))

static void world_load(struct world *world)
{
    world->given[ENGLISH][0] = LIST(given_english_male);
    world->given[ENGLISH][1] = LIST(given_english_female);
    world->given[GERMAN][0] = LIST(given_german_male);
    world->given[GERMAN][1] = LIST(given_german_female);
    world->given[FRENCH][0] = LIST(given_french_male);
    world->given[FRENCH][1] = LIST(given_french_female);
    world->given[SPANISH][0] = LIST(given_spanish_male);
    world->given[SPANISH][1] = LIST(given_spanish_female);
    world->given[NORDIC][0] = LIST(given_nordic_male);
    world->given[NORDIC][1] = LIST(given_nordic_female);
    world->family[ENGLISH] = LIST(family_english);
    world->family[GERMAN] = LIST(family_german);
    world->family[FRENCH] = LIST(family_french);
    world->family[SPANISH] = LIST(family_spanish);
    world->family[NORDIC] = LIST(family_nordic);
    for (unsigned i = 0; i < COUNT_OF(chinese_surnames); i++)
        bag_add(&world->surname_bag, &world->surname_bag_count, i,
                (unsigned)chinese_surnames[i].weight);
    for (unsigned i = 0; i < COUNT_OF(chinese_cities); i++)
        bag_add(&world->city_bag, &world->city_bag_count, i, (unsigned)chinese_cities[i].weight);
    world_load_hanzi(world);
}

#undef LIST

static const struct western_city *western_city(enum country country, unsigned city)
{
    switch (country) {
    case UNITED_STATES:
        return &cities_united_states[city % COUNT_OF(cities_united_states)];
    case UNITED_KINGDOM:
        return &cities_united_kingdom[city % COUNT_OF(cities_united_kingdom)];
    case GERMANY:
        return &cities_germany[city % COUNT_OF(cities_germany)];
    case FRANCE:
        return &cities_france[city % COUNT_OF(cities_france)];
    case SPAIN:
    case CHINA:
    case COUNTRY_COUNT:
        break;
    }
    return &cities_spain[city % COUNT_OF(cities_spain)];
}

static unsigned city_count(enum country country)
{
    static const unsigned counts[COUNTRY_COUNT] = {
        COUNT_OF(chinese_cities), COUNT_OF(cities_united_states), COUNT_OF(cities_united_kingdom),
        COUNT_OF(cities_germany), COUNT_OF(cities_france),        COUNT_OF(cities_spain)};

    return counts[country];
}

static unsigned city_pick(const struct world *world, enum country country, struct random *r)
{
    if (country == CHINA)
        return world->city_bag[random_below(r, world->city_bag_count)];
    return random_skewed(r, city_count(country), 1.2);
}

/* Companies are numbered by country and city, so that colleagues live in one city. */
static uint32_t company_number(const struct world *world, enum country country, unsigned city,
                               struct random *r)
{
    unsigned rank = random_skewed(r, world->company_count, 1.5);

    return (uint32_t)((rank * 40U + city) * COUNTRY_COUNT + country);
}

static enum country company_country(uint32_t company)
{
    return (enum country)(company % COUNTRY_COUNT);
}

static unsigned company_city(uint32_t company)
{
    return company / COUNTRY_COUNT % 40;
}

static unsigned company_rank(uint32_t company)
{
    return company / COUNTRY_COUNT / 40;
}

/* Where a person of the household lives at `time`. */
static struct place home_of(const struct world *world, const struct person *person, uint32_t time)
{
    struct place place = {0, person->country, person->city, false};
    struct random r;

    if (time >= person->move)
        place.id = hash_of(VALUE_ADDRESS, 2, person->entity);
    else
        place.id = hash_of(VALUE_ADDRESS, time >= person->household_move, person->household + 7ULL);
    r = stream_of(world->seed, STREAM_PLACE, place.id, 1);
    if ((time >= person->move || time >= person->household_move) && random_chance(&r, 0.4))
        place.city = city_pick(world, person->country, &r);
    return place;
}

static struct place office_of(uint32_t company)
{
    struct place place = {hash_of(VALUE_ADDRESS, 3, company), company_country(company),
                          company_city(company), true};

    return place;
}

#endif
