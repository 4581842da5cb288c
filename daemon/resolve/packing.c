/* packing.c - see packing.intern.h. A greedy choice of runs, made better in a few rounds over the sample. */
#include "daemon/resolve/packing.intern.h"

#include <endian.h>
#include <string.h>

#define ESCAPE       255 /* a byte follows as it is */
#define SAMPLE_BYTES ((size_t)256 << 10)
#define ROUNDS       6
#define TWO_COUNT    65536
#define MORE_BITS    12
#define MORE_COUNT   (1u << MORE_BITS)
#define SYMBOLS      (PACKING_CODES + 256) /* codes, then single bytes that have none */

static size_t two_of(const unsigned char *at)
{
    return (size_t)at[0] << 8 | at[1];
}

static size_t more_of(const unsigned char *at)
{
    uint32_t three = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
    return three * 0x9E3779B1u >> (32 - MORE_BITS);
}

/* The next eight bytes as a number whose lowest byte is the first; zeros where there are fewer. */
static uint64_t word_at(const unsigned char *at, size_t left)
{
    uint64_t word = 0;
    memcpy(&word, at, left < sizeof(word) ? left : sizeof(word));
    return le64toh(word);
}

static bool begins_with(uint64_t word, const struct packing_run *run)
{
    uint64_t differs = word ^ word_at(run->bytes, sizeof(word));
    return run->length == 8 ? differs == 0 : (differs & ((UINT64_C(1) << 8 * run->length) - 1)) == 0;
}

/* The code of the longest run that bytes begin with; ESCAPE when there is none. */
static unsigned code_at(const struct packing *packing, const unsigned char *at, size_t left)
{
    if (left >= 3) {
        unsigned code = packing->codes_of_more[more_of(at)];
        const struct packing_run *run = code == ESCAPE ? NULL : &packing->runs[code];
        if (run && run->length <= left && begins_with(left >= 8 ? word_at(at, 8) : word_at(at, left), run))
            return code;
    }
    unsigned char last[2] = {at[0], 0};
    unsigned code = packing->codes_of_two[left >= 2 ? two_of(at) : two_of(last)];
    return code != ESCAPE && packing->runs[code].length > left ? ESCAPE : code;
}

/* ---- learning ---- */

struct counts {
    uint32_t one[SYMBOLS];
    uint16_t two[SYMBOLS][SYMBOLS];
};

struct choice {
    struct packing_run run;
    uint64_t gain;
};
VECTOR(choices, struct choice)

static struct packing_run run_of(const struct packing *packing, unsigned symbol)
{
    if (symbol < PACKING_CODES)
        return packing->runs[symbol];
    return (struct packing_run){.bytes = {(unsigned char)(symbol - PACKING_CODES)}, .length = 1};
}

static void count(const struct packing *packing, struct counts *counts)
{
    const unsigned char *at = packing->sample.items, *end = at + packing->sample.count;
    unsigned before = SYMBOLS;
    while (at < end) {
        unsigned code = code_at(packing, at, (size_t)(end - at));
        unsigned symbol = code == ESCAPE ? PACKING_CODES + (unsigned)*at : code;
        counts->one[symbol]++;
        if (before != SYMBOLS && counts->two[before][symbol] < UINT16_MAX)
            counts->two[before][symbol]++;
        before = symbol;
        at += run_of(packing, symbol).length;
    }
}

static bool offer(struct choices *choices, struct packing_run run, uint64_t times)
{
    struct choice choice = {run, times * run.length};
    return times < 4 || choices_push(choices, choice);
}

static bool offer_all(const struct packing *packing, const struct counts *counts, struct choices *choices)
{
    bool offered = true;
    for (unsigned a = 0; a < SYMBOLS && offered; a++) {
        if (counts->one[a] == 0)
            continue;
        struct packing_run run = run_of(packing, a);
        offered = offer(choices, run, run.length == 1 ? counts->one[a] * 2u : counts->one[a]);
        for (unsigned b = 0; b < SYMBOLS && offered; b++) {
            if (counts->two[a][b] == 0)
                continue;
            struct packing_run joined = run, next = run_of(packing, b);
            if (joined.length + next.length > PACKING_RUN_MAX)
                continue;
            memcpy(joined.bytes + joined.length, next.bytes, next.length);
            joined.length = (uint8_t)(joined.length + next.length);
            offered = offer(choices, joined, counts->two[a][b]);
        }
    }
    return offered;
}

static int run_cmp(const struct packing_run *a, const struct packing_run *b)
{
    return a->length != b->length ? (int)a->length - (int)b->length : memcmp(a->bytes, b->bytes, a->length);
}

static int by_run(const void *a, const void *b)
{
    return run_cmp(&((const struct choice *)a)->run, &((const struct choice *)b)->run);
}

static int by_gain(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;
    if (x->gain != y->gain)
        return x->gain > y->gain ? -1 : 1;
    return run_cmp(&x->run, &y->run);
}

/* The same run may have been put together in several ways. */
static void unite(struct choices *choices)
{
    size_t kept = 0;
    qsort(choices->items, choices->count, sizeof(*choices->items), by_run);
    for (size_t i = 0; i < choices->count; i++) {
        if (kept && by_run(&choices->items[kept - 1], &choices->items[i]) == 0)
            choices->items[kept - 1].gain += choices->items[i].gain;
        else
            choices->items[kept++] = choices->items[i];
    }
    choices->count = kept;
    qsort(choices->items, kept, sizeof(*choices->items), by_gain);
}

static void index_run(struct packing *packing, unsigned code)
{
    const struct packing_run *run = &packing->runs[code];
    if (run->length == 2) {
        packing->codes_of_two[two_of(run->bytes)] = (uint8_t)code;
    } else if (run->length == 1) {
        for (size_t second = 0; second < 256; second++) {
            uint8_t *there = &packing->codes_of_two[(size_t)run->bytes[0] << 8 | second];
            if (*there == ESCAPE)
                *there = (uint8_t)code;
        }
    } else {
        packing->codes_of_more[more_of(run->bytes)] = (uint8_t)code;
    }
}

/* The best runs become the table; of those whose first three bytes meet, only the best. */
static void choose(struct packing *packing, const struct choices *choices)
{
    unsigned codes = 0;
    memset(packing->runs, 0, sizeof(packing->runs));
    memset(packing->codes_of_two, ESCAPE, TWO_COUNT);
    memset(packing->codes_of_more, ESCAPE, MORE_COUNT);
    for (size_t i = 0; i < choices->count && codes < PACKING_CODES; i++) {
        const struct packing_run *run = &choices->items[i].run;
        if (run->length >= 3 && packing->codes_of_more[more_of(run->bytes)] != ESCAPE)
            continue;
        packing->runs[codes] = *run;
        if (run->length >= 3)
            index_run(packing, codes);
        codes++;
    }
    for (uint8_t length = 2; length >= 1; length--) { /* a single byte only where no two are */
        for (unsigned code = 0; code < codes; code++) {
            if (packing->runs[code].length == length)
                index_run(packing, code);
        }
    }
}

static bool train(struct packing *packing)
{
    struct counts *counts = malloc(sizeof(*counts));
    struct choices choices = {0};
    packing->codes_of_two = malloc(TWO_COUNT);
    packing->codes_of_more = malloc(MORE_COUNT);
    bool trained = counts && packing->codes_of_two && packing->codes_of_more;
    if (trained)
        choose(packing, &choices); /* nothing has a code yet */
    for (int round = 0; round < ROUNDS && trained; round++) {
        memset(counts, 0, sizeof(*counts));
        choices.count = 0;
        count(packing, counts);
        trained = offer_all(packing, counts, &choices);
        if (trained && choices.count > 0) {
            unite(&choices);
            choose(packing, &choices);
        }
    }
    choices_free(&choices);
    free(counts);
    return trained;
}

void packing_learn(struct packing *packing, struct slice features)
{
    if (packing->codes_of_two)
        return;
    size_t room = SAMPLE_BYTES - packing->sample.count, take = features.len < room ? features.len : room;
    if (take > 0 && packing_sample_reserve(&packing->sample, take)) {
        memcpy(packing->sample.items + packing->sample.count, features.ptr, take);
        packing->sample.count += take;
    }
    if (packing->sample.count < SAMPLE_BYTES)
        return;
    if (!train(packing)) {
        free(packing->codes_of_two);
        free(packing->codes_of_more);
        packing->codes_of_two = packing->codes_of_more = NULL;
    }
    packing_sample_free(&packing->sample);
}

/* ---- use ---- */

struct slice packing_pack(const struct packing *packing, struct slice features, struct features_room *room)
{
    if (packing->codes_of_two == NULL || features.len > PACKING_MAX)
        return SLICE_EMPTY;
    const unsigned char *at = (const unsigned char *)features.ptr, *end = at + features.len;
    size_t length = 0;
    while (at < end) {
        if (length + 2 > features.len)
            return SLICE_EMPTY;
        unsigned code = code_at(packing, at, (size_t)(end - at));
        room->bytes[length++] = (char)code;
        if (code == ESCAPE)
            room->bytes[length++] = (char)*at++;
        else
            at += packing->runs[code].length;
    }
    return length < features.len ? slice_of(room->bytes, length) : SLICE_EMPTY;
}

struct slice packing_unpack(const struct packing *packing, struct slice packed, struct features_room *room)
{
    const unsigned char *at = (const unsigned char *)packed.ptr, *end = at + packed.len;
    size_t length = 0;
    while (at < end && length <= PACKING_MAX) {
        unsigned code = *at++;
        if (code == ESCAPE) {
            room->bytes[length++] = at < end ? (char)*at++ : 0;
            continue;
        }
        memcpy(room->bytes + length, packing->runs[code].bytes, PACKING_RUN_MAX);
        length += packing->runs[code].length;
    }
    return slice_of(room->bytes, length);
}

void packing_free(struct packing *packing)
{
    free(packing->codes_of_two);
    free(packing->codes_of_more);
    packing_sample_free(&packing->sample);
    *packing = (struct packing){0};
}

size_t packing_bytes(const struct packing *packing)
{
    return packing->sample.capacity + (packing->codes_of_two ? TWO_COUNT + MORE_COUNT : 0);
}
