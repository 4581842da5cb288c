/*
 * Households and their members: couples, children, twins, fathers and sons of one name, flatmates,
 * and what changes in a life: number, mailbox, home, job, surname.
 */
#ifndef TESTS_BENCH_GENERATE_PEOPLE_H
#define TESTS_BENCH_GENERATE_PEOPLE_H

#include "generate_world.h"

/* How many records one customer leaves: a long tail, about 40% of records repeat somebody. */
static unsigned record_count_of(const struct world *world, uint32_t entity)
{
    static const double at_least[] = {0.300,  0.150, 0.086,  0.053,  0.035,  0.024,  0.017,
                                      0.012,  0.009, 0.0066, 0.005,  0.0037, 0.0027, 0.002,
                                      0.0014, 0.001, 0.0007, 0.0005, 0.0003};
    struct random r = stream_of(world->seed, STREAM_RECORD_COUNT, entity, 0);
    double u = random_unit(&r);
    unsigned n = 1;

    while (n <= COUNT_OF(at_least) && u < at_least[n - 1])
        n++;
    return n;
}

static uint16_t hanzi_pick(const struct world *world, bool female, struct random *r)
{
    return world->hanzi_bag[female][random_below(r, world->hanzi_bag_count[female])];
}

static uint16_t hanzi_find(const struct world *world, const char *s)
{
    for (unsigned i = 0; i < world->hanzi_count; i++) {
        if (memcmp(world->hanzi[i].text, s, 3) == 0)
            return (uint16_t)i;
    }
    return 0;
}

static void name_chinese(const struct world *world, struct person *p, struct random *r)
{
    if (random_chance(r, 0.14)) {
        const char *name =
            p->female ? chinese_popular_female[random_below(r, COUNT_OF(chinese_popular_female))]
                      : chinese_popular_male[random_below(r, COUNT_OF(chinese_popular_male))];

        p->given_count = (unsigned)strlen(name) / 3;
        for (unsigned i = 0; i < p->given_count; i++)
            p->given[i] = hanzi_find(world, name + 3 * i);
    } else {
        p->given_count = random_chance(r, p->year < 1990 ? 0.35 : 0.15) ? 1 : 2;
        for (unsigned i = 0; i < p->given_count; i++)
            p->given[i] = hanzi_pick(world, p->female, r);
    }
    p->english = (uint16_t)random_skewed(r, world->given[ENGLISH][p->female].count, 1.2);
}

static void name_western(const struct world *world, struct person *p, struct random *r)
{
    unsigned count = world->given[p->culture][p->female].count;

    p->given[0] = (uint16_t)random_skewed(r, count, 1.3);
    p->given[1] = NO_WORD;
    p->given_count = 1;
    if ((p->culture == ENGLISH || p->culture == GERMAN) && random_chance(r, 0.6)) {
        p->given[1] = (uint16_t)random_below(r, count);
        p->given_count = p->given[1] != p->given[0] ? 2 : 1;
    }
}

static uint16_t family_pick(const struct world *world, enum culture culture, struct random *r)
{
    if (culture == CHINESE)
        return world->surname_bag[random_below(r, world->surname_bag_count)];
    return (uint16_t)random_skewed(r, world->family[culture].count, 1.4);
}

static uint32_t time_between(struct random *r, uint32_t from, uint32_t to)
{
    return from + (uint32_t)(random_unit(r) * (double)(to - from));
}

static uint32_t change_with(struct random *r, double probability, uint32_t first)
{
    bool happens = random_chance(r, probability);
    uint32_t when = time_between(r, first, SECONDS_TO);

    return happens ? when : NEVER;
}

/* Everything of a person but the surname and who is kin to whom. */
static void person_make(const struct world *world, struct person *p, struct random *r)
{
    p->month = 1 + random_below(r, 12);
    p->day = 1 + random_below(r, p->month == 2 ? 28 : 30);
    p->family_before = p->family_second = NO_WORD;
    if (p->culture == CHINESE)
        name_chinese(world, p, r);
    else
        name_western(world, p, r);
    if (p->culture == SPANISH)
        p->family_second = family_pick(world, SPANISH, r);
    p->first = time_between(r, SECONDS_FROM, SECONDS_TO - 86400U * 400);
    p->phone_change = change_with(r, 0.16, p->first);
    p->email_change = change_with(r, 0.18, p->first);
    p->move = change_with(r, 0.10, p->first);
    p->job_change = change_with(r, 0.28, p->first);
    p->marriage = NEVER;
    for (unsigned i = 0; i < 2; i++) {
        bool works = random_chance(r, p->child ? 0.25 : 0.8);
        uint32_t company = company_number(world, p->country, p->city, r);

        p->company[i] = works ? company : NO_COMPANY;
        p->title[i] = random_skewed(r, 20, 1.2);
    }
}

static void household_kind(const struct world *world, struct person *model, struct random *r)
{
    static const double share[] = {0.45, 0.65, 0.79, 0.91, 1.0}; /* US, UK, DE, FR, ES */
    double u = random_unit(r);
    bool chinese = world->population == POPULATION_CHINESE ||
                   (world->population == POPULATION_MIXED && u < 0.48);

    u = random_unit(r);
    model->country = UNITED_STATES;
    for (unsigned i = 0; u >= share[i]; i++)
        model->country = (enum country)(i + 2);
    if (chinese) {
        /* In a mixed book one Chinese customer in eight lives in the West. */
        bool abroad = random_chance(r, world->population == POPULATION_MIXED ? 0.12 : 0.0);

        model->culture = CHINESE;
        if (!abroad)
            model->country = CHINA;
    } else {
        static const enum culture native[] = {CHINESE, ENGLISH, ENGLISH, GERMAN, FRENCH, SPANISH};
        bool foreign = random_chance(r, 0.14);

        model->culture = native[model->country];
        if (foreign)
            model->culture = (enum culture)(ENGLISH + random_below(r, CULTURE_COUNT - ENGLISH));
    }
    model->city = city_pick(world, model->country, r);
}

/* One more member, alike in what `model` says. */
static struct person *household_add(struct household *h, const struct person *model)
{
    struct person *p = &h->persons[h->count];

    *p = *model;
    p->household = h->number;
    p->member = h->count;
    p->entity = h->first_entity + h->count;
    p->head = h->first_entity;
    h->count++;
    return p;
}

static void household_add_partner(const struct world *world, struct household *h,
                                  const struct person *model, struct random *r)
{
    struct person *other = household_add(h, model);
    const struct person *head = &h->persons[0];

    other->female = !head->female;
    other->year = head->year - 4 + random_below(r, 9);
    person_make(world, other, r);
    other->family = family_pick(world, other->culture, r);
    if (other->culture != CHINESE && other->culture != SPANISH && other->female &&
        random_chance(r, 0.65)) {
        if (random_chance(r, 0.35)) {
            other->family_before = other->family;
            other->marriage = time_between(r, other->first, SECONDS_TO);
        }
        other->family = head->family;
    }
}

static bool same_given(const struct person *a, const struct person *b)
{
    return a->female == b->female && a->given_count == b->given_count &&
           memcmp(a->given, b->given, a->given_count * sizeof(a->given[0])) == 0;
}

/* Parents do not call two children alike. */
static void rename_apart(const struct world *world, const struct household *h, struct person *p,
                         struct random *r)
{
    for (unsigned i = 0; i < h->count; i++) {
        const struct person *other = &h->persons[i];

        if (other == p || !(p->culture == CHINESE ? same_given(other, p)
                                                  : other->child && other->female == p->female &&
                                                        other->given[0] == p->given[0]))
            continue;
        if (p->culture == CHINESE)
            p->given[p->given_count - 1] = hanzi_pick(world, p->female, r);
        else
            p->given[0] =
                (uint16_t)((p->given[0] + 1U) % world->given[p->culture][p->female].count);
    }
}

static void household_add_children(const struct world *world, struct household *h,
                                   const struct person *model, struct random *r)
{
    unsigned children = 1 + random_skewed(r, 3, 1.8);
    bool twins = children > 1 && random_chance(r, 0.15), junior = random_chance(r, 0.10);
    uint16_t generation = hanzi_pick(world, false, r);
    bool shared_character = random_chance(r, 0.4);
    const struct person *father = &h->persons[0];

    for (unsigned i = 0; i < children; i++) {
        struct person *p = household_add(h, model);

        p->child = true;
        p->female = random_chance(r, 0.5);
        p->year = 1990 + random_below(r, 17);
        person_make(world, p, r);
        p->family = father->family;
        p->family_second = father->culture == SPANISH ? h->persons[1].family : NO_WORD;
        if (p->culture == CHINESE && p->given_count == 2 && (shared_character || twins))
            p->given[0] = generation;
        if (twins && i == 1) {
            p->year = h->persons[2].year;
            p->month = h->persons[2].month;
            p->day = h->persons[2].day;
        }
        rename_apart(world, h, p, r);
        if (i == 0 && junior && p->culture != CHINESE && !father->female) {
            p->female = false;
            memcpy(p->given, father->given, sizeof(p->given));
            p->given_count = father->given_count;
            p->suffix = p->culture == ENGLISH ? 'J' : '\0';
            h->persons[0].suffix = p->culture == ENGLISH ? 'S' : '\0';
        }
    }
}

static void household_make(const struct world *world, uint32_t number, uint32_t first_entity,
                           struct household *h)
{
    struct random r = stream_of(world->seed, STREAM_HOUSEHOLD, number, 0);
    struct person model = {0};
    struct person *head;
    double u = random_unit(&r);

    h->number = number;
    h->first_entity = first_entity;
    h->count = 0;
    household_kind(world, &model, &r);
    model.household_move = NEVER;
    if (random_chance(&r, 0.2))
        model.household_move = time_between(&r, SECONDS_FROM, SECONDS_TO);

    head = household_add(h, &model);
    head->female = u < 0.42 ? random_chance(&r, 0.5) : false;
    head->year = 1948 + random_below(&r, u < 0.42 ? 57 : 35);
    person_make(world, head, &r);
    head->family = family_pick(world, head->culture, &r);
    if (u >= 0.42 && u < 0.94)
        household_add_partner(world, h, &model, &r);
    if (u >= 0.62 && u < 0.94)
        household_add_children(world, h, &model, &r);
    for (unsigned mates = u >= 0.94 ? 1 + random_below(&r, 3) : 0; mates > 0; mates--) {
        struct person *p = household_add(h, &model);

        p->female = random_chance(&r, 0.5);
        p->year = 1975 + random_below(&r, 28);
        person_make(world, p, &r);
        p->family = family_pick(world, p->culture, &r);
        p->head = p->entity;
    }
}

#endif
