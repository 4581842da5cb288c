/* train_recipes.c - learned keys: which combinations of parts are cheap enough to try, and which find pairs that nothing
 * else finds. */
#include "rules/train_intern.h"

#include <stdlib.h>

#define COST_ROWS_MAX   20000 /* rows that a combination's cost is measured on */
#define TRIED_MAX       36
#define KINDS_MAX       64    /* of keys, in the bits of train_pair.kinds */
#define KEPT_MAX        24
#define COST_TRIED_MAX  30.0  /* pairs a record of a combination that is tried */
#define PART_USES_MAX   9     /* combinations that one part is tried in */
#define TWIN_USES_MAX   3     /* combinations of the same two comparisons */
#define CHEAP_PAIRS     1.5e6 /* pairs that cost nobody anything */
#define COST_KEPT_MAX   4.0   /* pairs a record of all that are kept, in a large file */
#define WORTH_PAIR      0.0005 /* a further key must find that share of the pairs anew */

struct combination {
    size_t parts[2], count;
    double cost, fill; /* pairs a record, in the whole file; share of records that have it */
};

static void add_mask(struct train_mask *mask, size_t comparison)
{
    if (comparison < CMP_FIXED_COUNT)
        mask->fixed |= 1ULL << comparison;
    else
        mask->own |= 1ULL << (comparison - CMP_FIXED_COUNT);
}

/* Persons' and companies' comparisons of one thing go together. */
static void add_part(struct train_mask *mask, size_t part)
{
    static const uint8_t twins[][2] = {{CMP_PHONE, CMP_COMPANY_PHONE},
                                       {CMP_EMAIL, CMP_COMPANY_EMAIL},
                                       {CMP_ADDRESS, CMP_COMPANY_ADDRESS},
                                       {CMP_COMPANY, CMP_COMPANY_NAME}};
    uint8_t comparison = key_part_comparison(part);

    add_mask(mask, comparison);
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++)
        if (twins[i][0] == comparison)
            add_mask(mask, twins[i][1]);
}

struct train_mask train_kind_mask(const struct trained *t, uint8_t kind)
{
    uint32_t fixed = key_kind_comparisons(kind);
    struct train_mask mask = {fixed & ~KEY_SEES_OWN, 0};

    if (kind < t->work.first_recipe_kind) {
        for (size_t c = 0; (fixed & KEY_SEES_OWN) && c < t->work.custom_count; c++)
            mask.own |= 1ULL << c; /* the key of own fields: of any of them */
        return mask;
    }
    const struct key_recipe *recipe = &t->work.recipes[kind - t->work.first_recipe_kind];
    for (size_t i = 0; i < recipe->count; i++)
        add_part(&mask, t->work.recipe_parts[recipe->slots[i]]);
    return mask;
}

/* ---- what a combination costs ---- */

struct part_values {
    uint64_t *values; /* PART_VALUES_MAX of each row */
    uint8_t *counts;
    double fill;
};

static int compare_hashes(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return (a > b) - (a < b);
}

/* Pairs of rows with an equal value. */
static double count_pairs(uint64_t *hashes, size_t count)
{
    double pairs = 0;

    qsort(hashes, count, sizeof(*hashes), compare_hashes);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && hashes[to] == hashes[from]; to++)
            continue;
        pairs += (double)(to - from) * (double)(to - from - 1) / 2;
    }
    return pairs;
}

static void measure(struct combination *c, const struct part_values *parts, size_t rows, double scale,
                    uint64_t *scratch)
{
    const struct part_values *x = &parts[c->parts[0]], *y = c->count > 1 ? &parts[c->parts[1]] : NULL;
    size_t count = 0, filled = 0;

    for (size_t row = 0; row < rows; row++) {
        size_t before = count;
        for (size_t i = 0; i < x->counts[row]; i++) {
            uint64_t a = x->values[row * PART_VALUES_MAX + i];
            if (y == NULL)
                scratch[count++] = a;
            for (size_t k = 0; y && k < y->counts[row]; k++)
                scratch[count++] = hash_mix(a, y->values[row * PART_VALUES_MAX + k]);
        }
        filled += count > before;
    }
    c->fill = (double)filled / (double)rows;
    c->cost = count_pairs(scratch, count) / (double)rows * scale;
}

static bool read_parts(const struct trained *t, size_t rows, size_t part_count, struct part_values *parts)
{
    struct features_view view;
    size_t step = t->count / rows;

    for (size_t p = 0; p < part_count; p++) {
        parts[p].values = arena_array(t->arena, rows * PART_VALUES_MAX, sizeof(uint64_t));
        parts[p].counts = arena_array(t->arena, rows, 1);
    }
    if (arena_failed(t->arena))
        return false;
    for (size_t row = 0; row < rows; row++) {
        if (!features_read(t->features[row * step], &view))
            continue;
        for (size_t p = 0; p < part_count; p++)
            parts[p].counts[row] =
                (uint8_t)key_part_values(&t->work, &view, p, &parts[p].values[row * PART_VALUES_MAX]);
    }
    for (size_t p = 0; p < part_count; p++) {
        size_t filled = 0;
        for (size_t row = 0; row < rows; row++)
            filled += parts[p].counts[row] > 0;
        parts[p].fill = (double)filled / (double)rows;
    }
    return true;
}

static int compare_combinations(const void *x, const void *y)
{
    const struct combination *a = x, *b = y;
    /* What most records have, and what brings few together. */
    double left = (a->cost + 0.05) / (a->fill * a->fill), right = (b->cost + 0.05) / (b->fill * b->fill);

    if (left < right || right < left)
        return left < right ? -1 : 1;
    return a->parts[0] != b->parts[0] ? (a->parts[0] < b->parts[0] ? -1 : 1)
                                      : (a->parts[1] > b->parts[1]) - (a->parts[1] < b->parts[1]);
}

static size_t list_combinations(const struct trained *t, const struct part_values *parts, size_t part_count,
                                size_t rows, struct combination *list, size_t max)
{
    uint64_t *scratch = arena_array(t->arena, rows * PART_VALUES_MAX * PART_VALUES_MAX, sizeof(uint64_t));
    double scale = t->settings.scale * (double)t->count / (double)rows;
    size_t count = 0;

    for (size_t a = 0; scratch && a < part_count; a++) {
        if (parts[a].fill < 0.02)
            continue;
        for (size_t b = a; b < part_count && count < max; b++) {
            /* One part by itself, or parts of two comparisons, or the two parts of a name. */
            bool names = a == PART_GIVEN && b == PART_FAMILY;
            bool numbers = a == PART_STREET && b >= PART_HOUSE_NUMBER && b <= PART_DISTRICT;
            if (parts[b].fill < 0.02 ||
                (a != b && !names && !numbers && key_part_comparison(a) == key_part_comparison(b)))
                continue;
            struct combination *c = &list[count];
            *c = (struct combination){.parts = {a, b}, .count = a == b ? 1 : 2};
            measure(c, parts, rows, scale, scratch);
            count += c->fill >= 0.02 && c->cost > 0 && c->cost <= COST_TRIED_MAX;
        }
    }
    qsort(list, count, sizeof(*list), compare_combinations);
    return count;
}

void train_try_recipes(struct trained *t)
{
    size_t part_count = PART_FIXED_COUNT + t->work.custom_count * OWN_PART_COUNT, max = 2000;
    size_t rows = t->count < COST_ROWS_MAX ? t->count : COST_ROWS_MAX;
    struct part_values *parts = arena_array(t->arena, part_count, sizeof(*parts));
    struct combination *list = arena_array(t->arena, max, sizeof(*list));
    uint8_t uses[PARTS_MAX] = {0}, together[TRAIN_COMPARISONS_MAX][TRAIN_COMPARISONS_MAX] = {{0}};

    if (parts == NULL || list == NULL || rows == 0 || !read_parts(t, rows, part_count, parts))
        return;
    size_t count = list_combinations(t, parts, part_count, rows, list, max);
    for (size_t i = 0; i < count && t->work.recipe_count < TRIED_MAX &&
                       t->work.first_recipe_kind + t->work.recipe_count < KINDS_MAX;
         i++) {
        const struct combination *c = &list[i];
        uint8_t x = key_part_comparison(c->parts[0]), y = key_part_comparison(c->parts[1]);
        uint8_t *twins = &together[x < y ? x : y][x < y ? y : x];
        if (*twins >= TWIN_USES_MAX)
            continue;
        if (uses[c->parts[0]] >= PART_USES_MAX || uses[c->parts[1]] >= PART_USES_MAX)
            continue;
        if (!matcher_add_recipe(&t->work, c->parts, c->count))
            continue;
        ++*twins;
        uses[c->parts[0]]++;
        uses[c->parts[1]] = (uint8_t)(uses[c->parts[1]] + (c->count > 1));
        t->recipe_cost[t->work.recipe_count - 1] = c->cost;
    }
}

/* ---- which to keep ---- */

/* Expected pairs of one customer that a recipe would find: those nothing kept finds count in full, those found
 * once count a little, for the slips that this sample does not show. */
static double gain_of(const struct trained *t, const uint8_t *found, uint8_t kind)
{
    double gain = 0;

    for (size_t i = 0; i < t->candidates.count; i++) {
        const struct train_pair *pair = &t->candidates.list[i];
        if (!(pair->kinds >> (kind & 63) & 1) || pair->probability < 0.1F)
            continue;
        gain += (double)pair->probability * (found[i] == 0 ? 1.0 : found[i] == 1 ? 0.05 : 0);
    }
    return gain;
}

static void count_found(const struct trained *t, uint8_t *found, uint64_t kinds)
{
    for (size_t i = 0; i < t->candidates.count; i++)
        if (t->candidates.list[i].kinds & kinds)
            found[i] = (uint8_t)(found[i] + (found[i] < 9));
}

void train_keep_recipes(struct trained *t)
{
    uint8_t *found = calloc(t->candidates.count + 1, 1), first = t->work.first_recipe_kind;
    double total = 0, spent = 0, rows = (double)t->count * t->settings.scale;
    double budget = CHEAP_PAIRS / rows > COST_KEPT_MAX ? CHEAP_PAIRS / rows : COST_KEPT_MAX;

    if (found == NULL) {
        arena_fail(t->arena);
        return;
    }
    for (size_t i = 0; i < t->candidates.count; i++)
        total += (double)t->candidates.list[i].probability;
    for (uint8_t kind = 0; kind < first; kind++)
        count_found(t, found, 1ULL << kind);
    for (size_t kept = 0; kept < KEPT_MAX; kept++) {
        size_t best = SIZE_MAX;
        double most = 0;
        for (size_t i = 0; i < t->work.recipe_count; i++) {
            if (t->recipe_kept[i] || spent + t->recipe_cost[i] > budget)
                continue;
            double gain = gain_of(t, found, (uint8_t)(first + i));
            if (gain < total * WORTH_PAIR)
                continue;
            gain /= 0.2 + t->recipe_cost[i] / budget;
            if (gain > most) {
                most = gain;
                best = i;
            }
        }
        if (best == SIZE_MAX)
            break;
        t->recipe_kept[best] = true;
        spent += t->recipe_cost[best];
        count_found(t, found, 1ULL << (first + best));
    }
    free(found);
}
