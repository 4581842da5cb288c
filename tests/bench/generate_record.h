/*
 * What a record says: which source, which of the person's values, and how well each survived.
 *
 * A plan is drawn before any text is made. It holds the evidence: for each attribute the number of
 * the true value it speaks of (0 when it speaks of none) and the quality in which it survived. The
 * text is rendered from the plan (generate_render.h), so the evidence is never guessed from text.
 */
#ifndef TESTS_BENCH_GENERATE_RECORD_H
#define TESTS_BENCH_GENERATE_RECORD_H

#include "generate_people.h"

enum noise { NOISE_LIGHT, NOISE_DEFAULT, NOISE_HEAVY };

struct noise_level {
    double missing;      /* an otherwise given field is left empty */
    double junk;         /* a value that names nobody stands in its place */
    double masked;       /* a phone number shown as 138****1234 */
    double phone_slip;   /* one digit wrong */
    double email_slip;   /* a slip in the local part or the domain */
    double shared;       /* factor on the use of family, office and info@ addresses */
    double date_slip;    /* wrong digit, or day and month exchanged */
    double address_slip; /* unit left out, number wrong, street mistyped */
    double company_slip; /* mistyped, or the English name */
    double swapped;      /* given and family name in each other's column */
};

static const struct noise_level noise_levels[] = {
    {0.01, 0.006, 0.010, 0.008, 0.012, 0.7, 0.015, 0.10, 0.04, 0.010},
    {0.04, 0.015, 0.018, 0.020, 0.030, 1.0, 0.030, 0.18, 0.09, 0.020},
    {0.10, 0.030, 0.030, 0.042, 0.055, 1.4, 0.060, 0.28, 0.16, 0.035},
};

enum source {
    SOURCE_CRM,
    SOURCE_SHOP,
    SOURCE_LANDING,
    SOURCE_SUMMIT,
    SOURCE_LOYALTY,
    SOURCE_COUNT
};

enum address_form { ADDRESS_NONE, ADDRESS_CITY, ADDRESS_PARTS, ADDRESS_LINE };

/* How often each source asks for, and gets, each field: [0] from Chinese, [1] from Westerners. */
struct source_habit {
    const char *name;
    double share;
    double full_name, email[2], phone[2], company, title, address, birth[2], gender, wechat;
    bool split_name;
    enum address_form address_form;
};

static const struct source_habit source_habits[SOURCE_COUNT] = {
    {"crm",
     0.24,
     0.985,
     {0.65, 0.88},
     {0.94, 0.85},
     0.85,
     0.60,
     0.45,
     {0.10, 0.10},
     0.40,
     0.12,
     false,
     ADDRESS_LINE},
    {"shop",
     0.28,
     0.985,
     {0.35, 0.93},
     {0.97, 0.82},
     0.04,
     0.00,
     0.95,
     {0.20, 0.20},
     0.25,
     0.00,
     true,
     ADDRESS_PARTS},
    {"landing",
     0.18,
     0.930,
     {0.50, 0.90},
     {0.93, 0.66},
     0.45,
     0.25,
     0.50,
     {0.00, 0.00},
     0.10,
     0.18,
     false,
     ADDRESS_CITY},
    {"summit",
     0.12,
     0.990,
     {0.60, 0.95},
     {0.90, 0.68},
     0.92,
     0.85,
     0.50,
     {0.00, 0.00},
     0.15,
     0.15,
     false,
     ADDRESS_CITY},
    {"loyalty",
     0.18,
     0.960,
     {0.15, 0.78},
     {0.94, 0.74},
     0.02,
     0.00,
     0.40,
     {0.55, 0.65},
     0.70,
     0.55,
     true,
     ADDRESS_PARTS},
};

enum attribute {
    ATTRIBUTE_NAME,
    ATTRIBUTE_PHONE,
    ATTRIBUTE_EMAIL,
    ATTRIBUTE_WECHAT,
    ATTRIBUTE_ADDRESS,
    ATTRIBUTE_COMPANY,
    ATTRIBUTE_BIRTH,
    ATTRIBUTE_COUNT
};

enum quality { LOST, PARTIAL, NEAR, EXACT };

struct evidence {
    uint64_t value;
    enum quality quality;
};

enum name_form {
    NAME_MISSING,
    NAME_JUNK,
    NAME_NICKNAME_ONLY, /* a chat nickname that says nothing of the name */
    NAME_PLAIN,
    NAME_TITLED,
    NAME_TRADITIONAL,
    NAME_SPACED,
    NAME_HOMOPHONE,
    NAME_LOOK_ALIKE,
    NAME_PINYIN,
    NAME_PINYIN_SWAPPED,
    NAME_PINYIN_INITIALS,
    NAME_ENGLISH,
    NAME_FAMILY_ONLY,
    NAME_SWAPPED,
    NAME_FOLDED,
    NAME_CASED,
    NAME_MIDDLE,
    NAME_SHORT,
    NAME_INITIAL,
    NAME_SPELLING,
    NAME_TYPO,
    NAME_FORM_COUNT
};

struct name_habit {
    enum name_form form;
    double weight[3]; /* by noise level */
    enum quality quality;
};

static const struct name_habit chinese_name_habits[] = {
    {NAME_PLAIN, {80, 68, 54}, EXACT},
    {NAME_TITLED, {3, 5, 7}, EXACT},
    {NAME_TRADITIONAL, {2, 3.5, 5}, EXACT},
    {NAME_SPACED, {2, 3, 4}, EXACT},
    {NAME_HOMOPHONE, {1.2, 3.2, 6}, NEAR},
    {NAME_LOOK_ALIKE, {0.4, 1.2, 2.5}, NEAR},
    {NAME_PINYIN, {3.5, 5.5, 7}, NEAR},
    {NAME_PINYIN_SWAPPED, {1.8, 3.2, 4}, NEAR},
    {NAME_PINYIN_INITIALS, {0.5, 1.2, 2.2}, PARTIAL},
    {NAME_ENGLISH, {0.8, 1.6, 2.4}, PARTIAL},
    {NAME_FAMILY_ONLY, {2.5, 4, 6}, PARTIAL},
};

/* Chinese customers abroad write their names in letters. */
static const struct name_habit abroad_name_habits[] = {
    {NAME_PINYIN, {30, 30, 30}, NEAR},          {NAME_PINYIN_SWAPPED, {45, 42, 38}, NEAR},
    {NAME_PLAIN, {12, 12, 12}, EXACT},          {NAME_ENGLISH, {10, 12, 14}, PARTIAL},
    {NAME_PINYIN_INITIALS, {1, 2, 3}, PARTIAL}, {NAME_TITLED, {1, 1, 2}, EXACT},
};

static const struct name_habit western_name_habits[] = {
    {NAME_PLAIN, {66, 53, 41}, EXACT},
    {NAME_SWAPPED, {5, 6, 7}, EXACT},
    {NAME_TITLED, {3, 4, 5}, EXACT},
    {NAME_FOLDED, {6, 6, 7}, EXACT},
    {NAME_CASED, {5, 6, 6}, EXACT},
    {NAME_MIDDLE, {4, 5, 5}, EXACT},
    {NAME_SHORT, {5, 8, 10}, NEAR},
    {NAME_INITIAL, {1.5, 3.5, 5.5}, PARTIAL},
    {NAME_SPELLING, {1.2, 3, 5}, NEAR},
    {NAME_TYPO, {1.5, 4, 7.5}, NEAR},
    {NAME_FAMILY_ONLY, {0.7, 1.5, 2.5}, PARTIAL},
};

enum value_kind {
    VALUE_NONE,
    VALUE_JUNK,
    VALUE_MASKED,
    VALUE_OWN,    /* slot says which */
    VALUE_FAMILY, /* the head's number, the household's landline, the partner's mailbox */
    VALUE_OFFICE, /* switchboard, info@ */
};

struct plan {
    struct random text; /* the stream that renders the text */
    const struct person *person;
    enum source source;
    uint32_t time;
    enum noise noise;
    enum name_form name_form;
    bool name_swapped, maiden, middle;
    enum value_kind phone, email, wechat;
    unsigned phone_slot, email_slot;
    bool phone_slip, email_slip;
    enum address_form address_form;
    struct place place;
    bool address_slip;
    uint32_t company; /* NO_COMPANY when not said */
    bool company_slip, title, gender;
    unsigned job;
    bool birth, birth_slip, birth_junk;
    struct evidence evidence[ATTRIBUTE_COUNT];
};

static void plan_set(struct plan *plan, enum attribute attribute, uint64_t value,
                     enum quality quality)
{
    plan->evidence[attribute].value = value;
    plan->evidence[attribute].quality = quality;
}

/* The name as a number: names that sound the same are one, so that it never claims too much. */
static uint64_t name_value(const struct world *world, const struct person *p, bool maiden)
{
    uint64_t family = maiden ? p->family_before : p->family, given = 0;

    if (p->culture != CHINESE)
        return hash_of(VALUE_NAME, family * 16 + p->culture,
                       p->given[0] * 2U + (p->female ? 1U : 0U));
    for (const char *s = chinese_surnames[family].pinyin; *s; s++)
        given = given * 31 + (unsigned char)*s;
    for (unsigned i = 0; i < p->given_count; i++)
        given = given * 257 + world->hanzi[p->given[i]].group + 1;
    return hash_of(VALUE_NAME, 99, given);
}

static void plan_name(const struct world *world, struct plan *plan, struct random *r)
{
    const struct person *p = plan->person;
    const struct noise_level *level = &noise_levels[plan->noise];
    bool abroad = p->culture == CHINESE && p->country != CHINA;
    const struct name_habit *habits = abroad                  ? abroad_name_habits
                                      : p->culture == CHINESE ? chinese_name_habits
                                                              : western_name_habits;
    unsigned count = abroad                  ? COUNT_OF(abroad_name_habits)
                     : p->culture == CHINESE ? COUNT_OF(chinese_name_habits)
                                             : COUNT_OF(western_name_habits);
    double total = 0, at;
    unsigned i = 0;
    bool given = random_chance(r, source_habits[plan->source].full_name - level->missing / 4);
    bool junk = random_chance(r, level->junk / 2);
    bool chat = plan->source == SOURCE_LOYALTY && p->culture == CHINESE && random_chance(r, 0.22);

    plan->name_swapped = random_chance(r, level->swapped);
    plan->maiden = p->marriage != NEVER && plan->time < p->marriage;
    for (unsigned k = 0; k < count; k++)
        total += habits[k].weight[plan->noise];
    at = random_unit(r) * total;
    while (i + 1 < count && at >= habits[i].weight[plan->noise])
        at -= habits[i++].weight[plan->noise];
    plan->name_form = !given ? NAME_MISSING
                      : junk ? NAME_JUNK
                      : chat ? NAME_NICKNAME_ONLY
                             : habits[i].form;
    plan_set(plan, ATTRIBUTE_NAME, name_value(world, p, plan->maiden),
             plan->name_form > NAME_NICKNAME_ONLY ? habits[i].quality : LOST);
}

static uint64_t phone_value(const struct person *p, enum value_kind kind, unsigned slot,
                            uint32_t company)
{
    if (kind == VALUE_OFFICE)
        return hash_of(VALUE_PHONE, 3, company);
    if (kind == VALUE_FAMILY && p->country != CHINA)
        return hash_of(VALUE_PHONE, 2, p->household);
    if (kind == VALUE_FAMILY)
        return hash_of(VALUE_PHONE, 1, p->head * 2ULL);
    return hash_of(VALUE_PHONE, 1, p->entity * 2ULL + slot);
}

static void plan_phone(struct plan *plan, struct random *r)
{
    const struct person *p = plan->person;
    const struct noise_level *level = &noise_levels[plan->noise];
    const struct source_habit *habit = &source_habits[plan->source];
    uint32_t employer = p->company[plan->time >= p->job_change];
    bool at_work = plan->source == SOURCE_CRM || plan->source == SOURCE_SUMMIT;
    double family = (p->child ? 0.12 : p->member > 0 ? 0.05 : 0.02) * level->shared;
    double office = at_work && employer != NO_COMPANY ? 0.10 * level->shared : 0;
    double u = random_unit(r);

    plan->phone_slot = plan->time >= p->phone_change;
    plan->phone = VALUE_NONE;
    if (!random_chance(r, habit->phone[p->culture != CHINESE] - level->missing))
        return;
    plan->phone = u < level->junk                                     ? VALUE_JUNK
                  : u < level->junk + level->masked                   ? VALUE_MASKED
                  : u < level->junk + level->masked + family          ? VALUE_FAMILY
                  : u < level->junk + level->masked + family + office ? VALUE_OFFICE
                                                                      : VALUE_OWN;
    /* Long known: some still hold the number of before. */
    if (plan->phone_slot == 1 && random_chance(r, 0.12))
        plan->phone_slot = 0;
    plan->phone_slip = random_chance(r, level->phone_slip);
    if (plan->phone >= VALUE_OWN)
        plan_set(plan, ATTRIBUTE_PHONE, phone_value(p, plan->phone, plan->phone_slot, employer),
                 plan->phone_slip ? NEAR : EXACT);
}

static void plan_email(struct plan *plan, struct random *r)
{
    const struct person *p = plan->person;
    const struct noise_level *level = &noise_levels[plan->noise];
    const struct source_habit *habit = &source_habits[plan->source];
    unsigned job = plan->time >= p->job_change;
    bool at_work = plan->source == SOURCE_CRM || plan->source == SOURCE_SUMMIT;
    bool work = random_chance(r, at_work ? 0.55 : 0.08) && p->company[job] != NO_COMPANY;
    double office = work ? 0.08 * level->shared : 0, family = p->child ? 0.05 : 0.03;
    double u = random_unit(r);

    plan->email = VALUE_NONE;
    if (!random_chance(r, habit->email[p->culture != CHINESE] - level->missing))
        return;
    plan->email_slip = random_chance(r, level->email_slip);
    plan->email_slot = work ? 2 + job : plan->time >= p->email_change;
    if (plan->email_slot == 1 && random_chance(r, 0.15))
        plan->email_slot = 0;
    family = p->head == p->entity || work ? 0 : family * level->shared;
    plan->email = u < level->junk                     ? VALUE_JUNK
                  : u < level->junk + office          ? VALUE_OFFICE
                  : u < level->junk + office + family ? VALUE_FAMILY
                                                      : VALUE_OWN;
    if (plan->email == VALUE_OFFICE)
        plan_set(plan, ATTRIBUTE_EMAIL, hash_of(VALUE_EMAIL, 2, p->company[job]), EXACT);
    else if (plan->email == VALUE_FAMILY)
        plan_set(plan, ATTRIBUTE_EMAIL, hash_of(VALUE_EMAIL, 1, p->head * 4ULL), EXACT);
    else if (plan->email == VALUE_OWN)
        plan_set(plan, ATTRIBUTE_EMAIL,
                 hash_of(VALUE_EMAIL, 1, p->entity * 4ULL + plan->email_slot),
                 plan->email_slip ? NEAR : EXACT);
    if (plan->email != VALUE_OWN)
        plan->email_slip = false;
}

static void plan_work(struct plan *plan, struct random *r)
{
    const struct person *p = plan->person;
    const struct noise_level *level = &noise_levels[plan->noise];
    const struct source_habit *habit = &source_habits[plan->source];
    bool said = random_chance(r, habit->company - level->missing);
    bool title = random_chance(r, habit->title - level->missing);

    plan->job = plan->time >= p->job_change;
    plan->company = said ? p->company[plan->job] : NO_COMPANY;
    plan->company_slip = random_chance(r, level->company_slip);
    plan->title = title && p->company[plan->job] != NO_COMPANY;
    if (plan->company != NO_COMPANY)
        plan_set(plan, ATTRIBUTE_COMPANY, hash_of(VALUE_COMPANY, 0, plan->company),
                 plan->company_slip ? NEAR : EXACT);
}

static void plan_address(const struct world *world, struct plan *plan, struct random *r)
{
    const struct person *p = plan->person;
    const struct noise_level *level = &noise_levels[plan->noise];
    const struct source_habit *habit = &source_habits[plan->source];
    uint32_t employer = p->company[plan->time >= p->job_change];
    bool to_office = random_chance(r, plan->source == SOURCE_CRM ? 0.8 : 0.07);
    bool said = random_chance(r, habit->address - level->missing);
    bool whole = random_chance(r, 0.9);

    plan->place =
        to_office && employer != NO_COMPANY ? office_of(employer) : home_of(world, p, plan->time);
    plan->address_form = !said ? ADDRESS_NONE : whole ? habit->address_form : ADDRESS_CITY;
    plan->address_slip = random_chance(r, level->address_slip);
    if (plan->address_form > ADDRESS_CITY)
        plan_set(plan, ATTRIBUTE_ADDRESS, plan->place.id, plan->address_slip ? NEAR : EXACT);
}

static void plan_birth(struct plan *plan, struct random *r)
{
    const struct person *p = plan->person;
    const struct noise_level *level = &noise_levels[plan->noise];
    const struct source_habit *habit = &source_habits[plan->source];

    plan->birth = random_chance(r, habit->birth[p->culture != CHINESE] - level->missing);
    plan->birth_junk = random_chance(r, level->junk);
    plan->birth_slip = random_chance(r, level->date_slip);
    plan->gender = random_chance(r, habit->gender - level->missing);
    if (plan->birth && !plan->birth_junk)
        plan_set(plan, ATTRIBUTE_BIRTH, hash_of(VALUE_BIRTH, p->year, p->month * 32U + p->day),
                 plan->birth_slip ? NEAR : EXACT);
}

/* Draws the source: those who work meet us more often through work. */
static enum source plan_source(const struct person *p, struct random *r)
{
    double u = random_unit(r), at = 0;
    bool works = p->company[0] != NO_COMPANY;

    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        at += source_habits[i].share;
        if (u < at && (works || (i != SOURCE_SUMMIT && i != SOURCE_CRM)))
            return (enum source)i;
        if (u < at)
            return random_chance(r, 0.6) ? SOURCE_SHOP : SOURCE_LOYALTY;
    }
    return SOURCE_SHOP;
}

/* Draws record `k` of the person. */
static void plan_make(const struct world *world, const struct person *p, unsigned k,
                      enum noise noise, struct plan *plan)
{
    struct random r = stream_of(world->seed, STREAM_RECORD, p->entity, k);

    memset(plan, 0, sizeof(*plan));
    plan->person = p;
    plan->noise = noise;
    plan->text.state = random_next(&r);
    plan->source = plan_source(p, &r);
    plan->time = time_between(&r, p->first, SECONDS_TO);
    plan_name(world, plan, &r);
    plan_phone(plan, &r);
    plan_email(plan, &r);
    plan_work(plan, &r);
    plan_address(world, plan, &r);
    plan_birth(plan, &r);
    if (p->culture == CHINESE &&
        random_chance(&r, source_habits[plan->source].wechat - noise_levels[noise].missing)) {
        plan->wechat = VALUE_OWN;
        plan_set(plan, ATTRIBUTE_WECHAT, hash_of(VALUE_WECHAT, 0, p->entity), EXACT);
    }
}

#endif
