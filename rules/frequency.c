/* frequency.c - how common the parts of a name are: the model's tables, hashed. */
#include "rules/frequency.h"

#include <math.h>
#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "rules/han.h"
#include "rules/text.h"

#define PER 100000.0F
/* Names of one character are some 15 to 20 of a hundred given names: a character by itself is that
 * much rarer as a whole name than within names. */
#define SINGLE_CHARACTER_LOG2 (-2.5F)

static uint64_t slot_key(enum frequency_kind kind, struct slice text)
{
    uint64_t key = slice_hash(text, (uint64_t)kind);
    return key ? key : 1;
}

static struct frequency_slot *find_slot(const struct frequency_table *table, uint64_t key)
{
    size_t at = key & table->mask;

    while (table->slots[at].key && table->slots[at].key != key)
        at = (at + 1) & table->mask;
    return &table->slots[at];
}

bool frequency_table_init(struct frequency_table *table, struct arena *arena, size_t entries)
{
    size_t size = 64;

    while (size < entries * 3)
        size *= 2;
    table->slots = ARENA_ARRAY(arena, struct frequency_slot, size);
    table->mask = size - 1;
    return table->slots != NULL;
}

void frequency_table_copy(struct frequency_table *table, const struct frequency_table *from)
{
    for (size_t i = 0; i <= from->mask; i++)
        if (from->slots[i].key)
            *find_slot(table, from->slots[i].key) = from->slots[i];
}

/* Adds to what is there: several characters share one reading. */
static void add_share(struct frequency_table *table, enum frequency_kind kind, struct slice text,
                      float share)
{
    struct frequency_slot *slot = find_slot(table, slot_key(kind, text));

    slot->log2_frequency = log2f((slot->key ? exp2f(slot->log2_frequency) : 0.0F) + share);
    slot->key = slot_key(kind, text);
}

void frequency_table_add(struct frequency_table *table, struct arena *scratch,
                         enum frequency_kind kind, struct slice text, float per_100000)
{
    float share = per_100000 / PER;

    add_share(table, kind, text, share);
    if (!han_all(text))
        return;
    if (kind == FREQUENCY_SURNAME) {
        struct han_reading readings[HAN_READINGS_MAX];
        if (han_surname_readings(text, readings) > 0)
            add_share(table, kind, slice_str(readings[0].text), share);
    } else if (kind == FREQUENCY_CHARACTER) {
        add_share(table, FREQUENCY_SYLLABLE, han_romanize(text, 0, scratch), share);
    }
}

static float look_up(const struct matcher *matcher, enum frequency_kind kind, struct slice text)
{
    const struct frequency_slot *slot = find_slot(&matcher->frequencies, slot_key(kind, text));

    return slot->key ? slot->log2_frequency : matcher->default_log2[kind];
}

static bool known(const struct matcher *matcher, enum frequency_kind kind, struct slice text,
                  float *log2_frequency)
{
    const struct frequency_slot *slot = find_slot(&matcher->frequencies, slot_key(kind, text));

    *log2_frequency = slot->log2_frequency;
    return slot->key != 0;
}

static struct slice first_word(struct slice part)
{
    ptrdiff_t space = slice_find_byte(part, ' ');

    return space > 0 ? slice_sub(part, 0, (size_t)space) : part;
}

float frequency_family(const struct matcher *matcher, struct slice folded, struct slice han)
{
    float found;

    if (han.len)
        return look_up(matcher, FREQUENCY_SURNAME, han);
    if (known(matcher, FREQUENCY_SURNAME, folded, &found))
        return found;
    /* Of a double surname the first names the family; with the second it is rarer by as much again,
     * bounded. */
    struct slice first = first_word(folded);
    if (first.len == folded.len)
        return matcher->default_log2[FREQUENCY_SURNAME];
    float second = look_up(matcher, FREQUENCY_SURNAME,
                           first_word(slice_sub(folded, first.len + 1, folded.len)));
    return look_up(matcher, FREQUENCY_SURNAME, first) + second / 2;
}

static float frequency_characters(const struct matcher *matcher, struct slice han)
{
    float total = 0;
    size_t count = 0;
    uint32_t code_point;

    for (struct slice rest = han, before = han; utf8_next(&rest, &code_point);
         before = rest, count++)
        total += look_up(matcher, FREQUENCY_CHARACTER, slice_sub(before, 0, before.len - rest.len));
    return count == 1 ? total + SINGLE_CHARACTER_LOG2 : total;
}

static float frequency_syllables(const struct matcher *matcher, struct slice folded)
{
    struct slice syllables[NAME_TOKENS_MAX];
    float total = 0;
    size_t count = slice_find_byte(folded, ' ') < 0
                       ? pinyin_split(folded, syllables, NAME_TOKENS_MAX)
                       : name_words(folded, syllables, NAME_TOKENS_MAX);

    for (size_t i = 0; i < count; i++)
        total += look_up(matcher, FREQUENCY_SYLLABLE, syllables[i]);
    return count == 0   ? matcher->default_log2[FREQUENCY_GIVEN_NAME]
           : count == 1 ? total + SINGLE_CHARACTER_LOG2
                        : total;
}

float frequency_given(const struct matcher *matcher, struct slice folded, struct slice han,
                      bool pinyin)
{
    float found;

    if (folded.len == 0)
        return 0;
    if (han.len)
        return known(matcher, FREQUENCY_GIVEN_NAME, han, &found)
                   ? found
                   : frequency_characters(matcher, han);
    if (pinyin)
        return frequency_syllables(matcher, folded);
    return look_up(matcher, FREQUENCY_GIVEN_NAME, first_word(folded));
}

static uint64_t own_key(const struct custom_field *field, bool token, struct slice text)
{
    uint64_t key = slice_hash(text, (uint64_t)FREQUENCY_OWN + 2 * (uint64_t)field->name_hash + token);
    return key ? key : 1;
}

void frequency_own_add(struct frequency_table *table, const struct custom_field *field, bool token,
                       struct slice text, float per_100000)
{
    uint64_t key = own_key(field, token, text);
    struct frequency_slot *slot = find_slot(table, key);

    slot->log2_frequency = log2f(per_100000 / PER);
    slot->key = key;
}

float frequency_own(const struct matcher *matcher, const struct custom_field *field,
                    struct slice payload)
{
    if (field->default_log2 >= 0)
        return 0;
    const struct frequency_slot *slot = find_slot(&matcher->frequencies, own_key(field, false, payload));
    return slot->key ? slot->log2_frequency : field->default_log2;
}

float frequency_own_token(const struct matcher *matcher, const struct custom_field *field,
                          struct slice token)
{
    if (field->default_token_log2 >= 0)
        return 0;
    const struct frequency_slot *slot = find_slot(&matcher->frequencies, own_key(field, true, token));
    return slot->key ? slot->log2_frequency : field->default_token_log2;
}

bool frequency_is_listed(const struct matcher *matcher, enum frequency_kind kind, struct slice folded)
{
    float frequency;

    return known(matcher, kind, folded, &frequency);
}
