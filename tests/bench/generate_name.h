/* Names as people, clerks and scanners write them. */
#ifndef TESTS_BENCH_GENERATE_NAME_H
#define TESTS_BENCH_GENERATE_NAME_H

#include "generate_record.h"

/* A name as one text and as the two columns some sources have. */
struct name_text {
    struct text full, given, family;
};

static void name_join(struct name_text *name, const char *separator, bool family_first)
{
    const struct text *first = family_first ? &name->family : &name->given;
    const struct text *second = family_first ? &name->given : &name->family;

    text_set(&name->full, first->bytes);
    if (first->length && second->length)
        text_add(&name->full, separator);
    text_add(&name->full, second->bytes);
}

static void text_capital(struct text *t)
{
    if (is_lower(t->bytes[0]))
        t->bytes[0] = (char)(t->bytes[0] - 32);
}

/* Family and given name in pinyin, capitalised; given syllables joined by `separator`. */
static void name_pinyin(const struct world *world, const struct person *p, const char *separator,
                        struct random *r, struct name_text *name)
{
    const char *family = chinese_surnames[p->family].pinyin;
    bool umlaut = strcmp(family, "lv") == 0 && random_chance(r, 0.5);

    text_set(&name->family, umlaut ? "lyu" : family);
    text_capital(&name->family);
    text_clear(&name->given);
    for (unsigned i = 0; i < p->given_count; i++) {
        if (i > 0)
            text_add(&name->given, separator);
        text_add(&name->given, world->hanzi[p->given[i]].pinyin);
    }
    text_capital(&name->given);
}

static void name_hanzi(const struct world *world, const struct person *p, struct name_text *name)
{
    text_set(&name->family, chinese_surnames[p->family].text);
    text_clear(&name->given);
    for (unsigned i = 0; i < p->given_count; i++)
        text_add(&name->given, world->hanzi[p->given[i]].text);
}

/* Puts another character of the same reading, or of like shape, in the place of one. */
static void name_miswrite(const struct world *world, const struct person *p, bool homophone,
                          struct random *r, struct name_text *name)
{
    unsigned at = random_below(r, p->given_count);
    const struct hanzi *right = &world->hanzi[p->given[at]];
    unsigned first = world->group_first[right->group];
    unsigned count = world->group_first[right->group + 1] - first;
    const char *other = paired_with(look_alike_pairs, right->text, true);

    if ((homophone || !other) && count > 1) {
        unsigned pick = first + random_below(r, count - 1);

        other = world->hanzi[pick >= p->given[at] ? pick + 1 : pick].text;
    }
    if (other)
        memcpy(name->given.bytes + 3 * (size_t)at, other, 3);
}

static void name_write_pinyin(const struct world *world, const struct person *p, bool swapped,
                              struct random *r, struct name_text *name)
{
    static const char *const inner[] = {"", "", "", "-", " "};
    unsigned style = random_below(r, 6);

    name_pinyin(world, p, inner[random_below(r, COUNT_OF(inner))], r, name);
    if (style == 0)
        text_upper(&name->family);
    name_join(name, swapped ? " " : style == 1 ? ", " : style == 2 ? "" : " ", !swapped);
    if (style == 2 && !swapped)
        text_lower(&name->full);
    if (style == 3)
        text_upper(&name->full);
}

static void name_write_initials(const struct world *world, const struct person *p, struct random *r,
                                struct name_text *name)
{
    struct text initials;

    name_pinyin(world, p, "", r, name);
    text_clear(&initials);
    for (unsigned i = 0; i < p->given_count; i++)
        text_add_char(&initials, (char)(world->hanzi[p->given[i]].pinyin[0] - 32));
    name->given = initials;
    if (random_chance(r, 0.4)) {
        name->family.length = 1;
        name->family.bytes[1] = '\0';
    }
    name_join(name, name->family.length == 1 ? "" : " ", true);
}

static void name_write_title(const struct person *p, bool only_family, struct random *r,
                             struct name_text *name)
{
    const char *word = p->female ? chinese_honorifics_female[random_below(r, 6)]
                                 : chinese_honorifics_male[random_below(r, 6)];

    if (only_family)
        text_clear(&name->given);
    else if (random_chance(r, 0.55))
        word = chinese_bracket_notes[random_below(r, COUNT_OF(chinese_bracket_notes))];
    text_add(&name->given, word);
    name_join(name, "", true);
}

static void render_name_chinese(const struct world *world, const struct plan *plan,
                                struct random *r, struct name_text *name)
{
    const struct person *p = plan->person;

    name_hanzi(world, p, name);
    switch (plan->name_form) {
    case NAME_TITLED:
        name_write_title(p, false, r, name);
        return;
    case NAME_FAMILY_ONLY:
        name_write_title(p, true, r, name);
        return;
    case NAME_TRADITIONAL:
        text_traditional(&name->family, traditional_pairs);
        text_traditional(&name->given, traditional_pairs);
        break;
    case NAME_SPACED:
        name_join(name, random_chance(r, 0.6) ? " " : "　", true);
        return;
    case NAME_HOMOPHONE:
    case NAME_LOOK_ALIKE:
        name_miswrite(world, p, plan->name_form == NAME_HOMOPHONE, r, name);
        break;
    case NAME_PINYIN:
    case NAME_PINYIN_SWAPPED:
        name_write_pinyin(world, p, plan->name_form == NAME_PINYIN_SWAPPED, r, name);
        return;
    case NAME_PINYIN_INITIALS:
        name_write_initials(world, p, r, name);
        return;
    case NAME_ENGLISH:
        name_pinyin(world, p, "", r, name);
        text_set(&name->given, world->given[ENGLISH][p->female].words[p->english].text);
        name_join(name, " ", random_chance(r, 0.2));
        return;
    default:
        break;
    }
    name_join(name, "", true);
}

static const char *pick_of(const char (*words)[20], unsigned count, struct random *r)
{
    return words[random_below(r, count)];
}

static void western_alter(const struct plan *plan, const struct word *given,
                          const struct word *family, struct random *r, struct name_text *name)
{
    bool in_family = random_chance(r, 0.6);
    struct text *part = in_family ? &name->family : &name->given;
    const struct word *word = in_family ? family : given;

    if (plan->name_form == NAME_SPELLING && word->spelling_count == 0) {
        part = in_family ? &name->given : &name->family;
        word = in_family ? given : family;
    }
    if (plan->name_form == NAME_SPELLING && word->spelling_count > 0)
        text_set(part, pick_of(word->spelling, word->spelling_count, r));
    else if (!text_slip(part, part->length, r))
        text_slip(&name->family, name->family.length, r);
}

static void western_title(const struct person *p, struct random *r, struct name_text *name)
{
    static const char *const titles[COUNTRY_COUNT][2][3] = {
        {{"Mr ", "Dr. ", "Mr. "}, {"Ms ", "Dr. ", "Mrs. "}},
        {{"Mr. ", "Dr. ", "Prof. "}, {"Ms. ", "Dr. ", "Mrs. "}},
        {{"Mr ", "Dr ", "Sir "}, {"Ms ", "Dr ", "Mrs "}},
        {{"Herr ", "Dr. ", "Prof. Dr. "}, {"Frau ", "Dr. ", "Frau Dr. "}},
        {{"M. ", "Dr ", "Monsieur "}, {"Mme ", "Dr ", "Madame "}},
        {{"Sr. ", "Dr. ", "D. "}, {"Sra. ", "Dra. ", "Dña. "}},
    };
    struct text given = name->given;

    text_set(&name->given, titles[p->country][p->female][random_below(r, 3)]);
    text_add(&name->given, given.bytes);
}

static void western_family(const struct world *world, const struct plan *plan, struct random *r,
                           struct name_text *name)
{
    const struct person *p = plan->person;
    const struct word *families = world->family[p->culture].words;

    text_set(&name->family, families[plan->maiden ? p->family_before : p->family].text);
    if (p->family_second != NO_WORD && random_chance(r, 0.55)) {
        text_add_char(&name->family, ' ');
        text_add(&name->family, families[p->family_second].text);
    }
    if (p->marriage != NEVER && !plan->maiden && random_chance(r, 0.12)) {
        text_set(&name->family, families[p->family_before].text);
        text_add_char(&name->family, '-');
        text_add(&name->family, families[p->family].text);
    }
}

static void western_middle(const struct word *middle, struct random *r, struct name_text *name)
{
    text_add_char(&name->given, ' ');
    if (random_chance(r, 0.6)) {
        text_add_bytes(&name->given, middle->text, utf8_length(middle->text));
        text_add_char(&name->given, '.');
    } else {
        text_add(&name->given, middle->text);
    }
}

/* Bob, or now and then Robert "Bob". */
static void western_short(const struct word *given, struct random *r, struct name_text *name)
{
    const char *nickname = pick_of(given->nickname, given->nickname_count, r);

    if (random_chance(r, 0.08)) {
        text_add(&name->given, " \"");
        text_add(&name->given, nickname);
        text_add_char(&name->given, '"');
    } else {
        text_set(&name->given, nickname);
    }
}

static void western_initial(struct random *r, struct name_text *name)
{
    name->given.length = utf8_length(name->given.bytes);
    name->given.bytes[name->given.length] = '\0';
    if (random_chance(r, 0.7))
        text_add_char(&name->given, '.');
}

static void render_name_western(const struct world *world, const struct plan *plan,
                                struct random *r, struct name_text *name)
{
    const struct person *p = plan->person;
    const struct word *words = world->given[p->culture][p->female].words;
    const struct word *given = &words[p->given[0]];
    const struct word *family =
        &world->family[p->culture].words[plan->maiden ? p->family_before : p->family];
    enum name_form form = plan->name_form;
    bool spelt_out = p->culture == GERMAN && random_chance(r, 0.7);

    text_set(&name->given, given->text);
    western_family(world, plan, r, name);
    if (form == NAME_SHORT && given->nickname_count > 0)
        western_short(given, r, name);
    else if (form == NAME_MIDDLE && p->given_count > 1)
        western_middle(&words[p->given[1]], r, name);
    else if (form == NAME_INITIAL)
        western_initial(r, name);
    else if (form == NAME_SPELLING || form == NAME_TYPO)
        western_alter(plan, given, family, r, name);
    else if (form == NAME_FAMILY_ONLY)
        text_clear(&name->given);
    if (form == NAME_TITLED || form == NAME_FAMILY_ONLY)
        western_title(p, r, name);
    if (form == NAME_FAMILY_ONLY && name->given.length) /* the title brought its own space */
        name->given.bytes[--name->given.length] = '\0';
    if ((p->suffix == 'J' && random_chance(r, 0.35)) || (p->suffix == 'S' && random_chance(r, 0.1)))
        text_add(&name->family, p->suffix == 'J' ? " Jr." : " Sr.");
    if (form == NAME_FOLDED) {
        text_fold(&name->given, spelt_out);
        text_fold(&name->family, spelt_out);
    }
    name_join(name, form == NAME_SWAPPED ? ", " : " ", form == NAME_SWAPPED);
    if (form == NAME_CASED) {
        void (*const change)(struct text *) = random_chance(r, 0.5) ? text_upper : text_lower;

        change(&name->full);
        change(&name->family);
        change(&name->given);
    }
}

static void render_name(const struct world *world, const struct plan *plan, struct random *r,
                        struct name_text *name)
{
    text_clear(&name->full);
    text_clear(&name->given);
    text_clear(&name->family);
    if (plan->name_form == NAME_MISSING)
        return;
    if (plan->name_form == NAME_JUNK || plan->name_form == NAME_NICKNAME_ONLY) {
        text_set(&name->full,
                 plan->name_form == NAME_JUNK
                     ? junk_names[random_below(r, 4) + (plan->person->culture == CHINESE ? 0 : 2)]
                     : chinese_nicknames[random_below(r, COUNT_OF(chinese_nicknames))]);
        name->given = name->full;
        return;
    }
    if (plan->person->culture == CHINESE)
        render_name_chinese(world, plan, r, name);
    else
        render_name_western(world, plan, r, name);
    if (plan->name_swapped) {
        struct text given = name->given;

        name->given = name->family;
        name->family = given;
    } else if (plan->person->culture == CHINESE && random_chance(r, 0.12)) {
        /* One form field for the name, and the other left empty. */
        name->given = name->full;
        text_clear(&name->family);
    }
}

#endif
