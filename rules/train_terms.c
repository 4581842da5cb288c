/* train_terms.c - how common values and words of own fields are, counted over likely customers. */
#include "rules/train_intern.h"

#include <math.h>
#include <stdlib.h>

#include "rules/frequency.h"
#include "rules/own_field.h"

#define LISTED_ALL_MAX   12000 /* of all own fields together: a model file stays readable */
#define LISTED_MAX       1500  /* of one table */
#define LISTED_COUNT_MIN 2.0F
#define NAMED_COUNT_MIN  20.0F /* in a model that is kept: what fewer customers bear may be told of one of them */
#define PER              100000.0F

struct term_entry {
    uint64_t hash;
    uint32_t cluster;
    struct slice text;
};

struct term_list {
    struct term_entry *entries;
    size_t count, capacity;
    bool failed;
};

static void add_term(struct term_list *list, struct slice text, uint32_t cluster)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4096;
        struct term_entry *entries = realloc(list->entries, capacity * sizeof(*entries));
        if (entries == NULL) {
            list->failed = true;
            return;
        }
        list->entries = entries;
        list->capacity = capacity;
    }
    list->entries[list->count++] = (struct term_entry){slice_hash(text, 1), cluster, text};
}

static int compare_entries(const void *x, const void *y)
{
    const struct term_entry *a = x, *b = y;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->cluster > b->cluster) - (a->cluster < b->cluster);
}

static int compare_terms(const void *x, const void *y)
{
    const struct train_term *a = x, *b = y;

    if (a->count < b->count || b->count < a->count)
        return a->count > b->count ? -1 : 1;
    return slice_cmp(a->text, b->text);
}

/* Terms with their counts, the commonest first; *rest is the mean count of those left out. */
static size_t count_terms(struct trained *t, struct term_list *list, size_t max, struct train_term **out, float *rest)
{
    const float least = t->settings.is_kept ? NAMED_COUNT_MIN : LISTED_COUNT_MIN;
    size_t count = 0, kept;
    double left = 0;

    if (list->failed || list->count == 0) {
        if (list->failed)
            arena_fail(t->arena);
        *rest = 1;
        return 0;
    }
    qsort(list->entries, list->count, sizeof(*list->entries), compare_entries);
    struct train_term *terms = malloc(list->count * sizeof(*terms));
    if (terms == NULL) {
        arena_fail(t->arena);
        return 0;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct term_entry *entry = &list->entries[i];
        if (i == 0 || entry->hash != entry[-1].hash)
            terms[count++] = (struct train_term){entry->text, 1};
        else if (entry->cluster != entry[-1].cluster)
            terms[count - 1].count++;
    }
    qsort(terms, count, sizeof(*terms), compare_terms);
    for (kept = 0; kept < count && kept < max && terms[kept].count >= least; kept++)
        continue;
    for (size_t i = kept; i < count; i++)
        left += (double)terms[i].count;
    *rest = kept < count ? (float)(left / (double)(count - kept)) : 1;
    *out = arena_array(t->arena, kept + 1, sizeof(**out));
    if (*out)
        memcpy(*out, terms, kept * sizeof(*terms));
    free(terms);
    return *out ? kept : 0;
}

/* ---- own fields ---- */

static void gather_field(const struct trained *t, size_t own, struct term_list *values, struct term_list *words)
{
    const struct custom_field *field = &t->work.custom_fields[own];
    struct features_view view;
    struct slice tokens[OWN_TOKENS_MAX];
    size_t rows = 0, with_words = 0;

    for (size_t row = 0; row < t->count; row++) {
        bool has = false;
        if (!features_read(t->features[row], &view))
            continue;
        for (size_t i = 0; i < view.custom_count; i++) {
            if (view.customs[i].name_hash != field->name_hash)
                continue;
            has = true;
            add_term(values, view.customs[i].payload, t->cluster[row]);
            size_t count = own_field_tokens(view.customs[i].payload, tokens);
            for (size_t k = 0; k < count; k++)
                add_term(words, tokens[k], t->cluster[row]);
            with_words += count > 1;
        }
        rows += has;
    }
    if (with_words * 10 < rows) /* hardly ever more than one word */
        words->count = 0;
}

/* How many there are, each value of a likely customer once. */
static float count_clusters(const struct term_list *values)
{
    float count = 0;

    for (size_t i = 0; i < values->count; i++)
        count += i == 0 || values->entries[i].hash != values->entries[i - 1].hash ||
                 values->entries[i].cluster != values->entries[i - 1].cluster;
    return count;
}

static void count_own(struct trained *t, size_t own)
{
    struct term_list values = {0}, words = {0};
    struct train_terms *terms = &t->own_terms[own];
    bool listed = train_lists_values(t, &t->work.custom_fields[own]);
    size_t max = LISTED_ALL_MAX / 2 / t->work.custom_count;

    max = max > LISTED_MAX ? LISTED_MAX : max;
    gather_field(t, own, &values, &words);
    terms->value_count = count_terms(t, &values, listed ? max : 0, &terms->values, &terms->default_value);
    terms->total = count_clusters(&values);
    terms->total = terms->total > 0 ? terms->total : 1;
    terms->word_count = count_terms(t, &words, listed ? max : 0, &terms->words, &terms->default_word);
    free(values.entries);
    free(words.entries);
}

/* ---- into the work matcher ---- */

static float log2_share(float count, float total)
{
    float share = count / total;

    return log2f(share > 1 ? 1 : share);
}

static void fill_table(struct trained *t)
{
    const struct frequency_table *base = &t->base->frequencies;
    size_t entries = 0;

    for (size_t i = 0; i <= base->mask; i++)
        entries += base->slots[i].key != 0;
    for (size_t own = 0; own < t->work.custom_count; own++)
        entries += t->own_terms[own].value_count + t->own_terms[own].word_count;
    if (!frequency_table_init(&t->work.frequencies, t->arena, entries))
        return;
    frequency_table_copy(&t->work.frequencies, base);
    for (size_t own = 0; own < t->work.custom_count; own++) {
        struct custom_field *field = &t->work.custom_fields[own];
        const struct train_terms *terms = &t->own_terms[own];
        field->default_log2 = field->default_token_log2 = 0;
        if (own_type_has_frequency(field->type) && train_lists_values(t, field))
            field->default_log2 = fminf(log2_share(terms->default_value, terms->total), -0.01F);
        if (terms->word_count)
            field->default_token_log2 = fminf(log2_share(terms->default_word, terms->total), -0.01F);
        for (size_t i = 0; field->default_log2 < 0 && i < terms->value_count; i++)
            frequency_own_add(&t->work.frequencies, field, false, terms->values[i].text,
                              fminf(terms->values[i].count / terms->total, 1) * PER);
        for (size_t i = 0; i < terms->word_count; i++)
            frequency_own_add(&t->work.frequencies, field, true, terms->words[i].text,
                              fminf(terms->words[i].count / terms->total, 1) * PER);
    }
}

void train_count_terms(struct trained *t)
{
    for (size_t own = 0; own < t->work.custom_count && !arena_failed(t->arena); own++)
        count_own(t, own);
    if (!arena_failed(t->arena))
        fill_table(t);
}
