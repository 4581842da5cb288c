/*
 * record_hash.c - the content hash of a raw record. See connector.h.
 *
 * The sum, modulo 2^128, of the XXH3-128 of each fact: a sum does not depend on the order of
 * columns, activities or consents. A fact is its texts joined by NUL (which no text holds), hashed
 * with a seed of its own sort. Where a consent was given from (IP, user agent) is no content: the
 * same form sent again over another network is the same record.
 */
#define XXH_STATIC_LINKING_ONLY /* the streaming state on the stack */
#include "connectors/connector.h"

#include <stdio.h>
#include <xxhash.h>

#define PARTS_MAX        6
#define SMALL_FACT_BYTES 1024

enum fact { FACT_VALUE = 1, FACT_OPERATION, FACT_ACTIVITY, FACT_CONSENT };

static XXH128_hash_t hash_large(enum fact fact, const struct slice *parts, size_t count)
{
    XXH3_state_t state;
    XXH3_128bits_reset_withSeed(&state, fact);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            XXH3_128bits_update(&state, "", 1);
        XXH3_128bits_update(&state, parts[i].ptr, parts[i].len);
    }
    return XXH3_128bits_digest(&state);
}

/* The same value as hash_large, faster: nearly every fact is small. */
static XXH128_hash_t hash_fact(enum fact fact, const struct slice *parts, size_t count)
{
    char text[SMALL_FACT_BYTES];
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len >= sizeof(text) - 1 - length)
            return hash_large(fact, parts, count);
        if (i > 0)
            text[length++] = '\0';
        if (parts[i].len > 0)
            memcpy(text + length, parts[i].ptr, parts[i].len);
        length += parts[i].len;
    }
    return XXH3_128bits_withSeed(text, length, fact);
}

static void add_fact(struct content_hash *sum, enum fact fact, const struct slice *parts,
                     size_t count)
{
    XXH128_hash_t hash = hash_fact(fact, parts, count);
    bool carry = __builtin_add_overflow(sum->low, hash.low64, &sum->low);
    sum->high += hash.high64 + carry;
}

static struct slice time_text(int64_t at_us, char out[24])
{
    int length = snprintf(out, 24, "%lld", (long long)at_us);
    return slice_of(out, (size_t)length);
}

struct content_hash raw_record_hash(const struct raw_record *record)
{
    struct content_hash sum = {0, 0};
    char at[24];
    size_t column_count = record->columns ? record->columns->count : 0;
    for (size_t i = 0; i < column_count; i++) {
        if (record->values[i].len > 0)
            add_fact(&sum, FACT_VALUE,
                     (struct slice[]){record->columns->names[i], record->values[i]}, 2);
    }
    if (record->op == RECORD_DELETE)
        add_fact(&sum, FACT_OPERATION, (struct slice[]){SLICE("delete")}, 1);
    if (record->is_test)
        add_fact(&sum, FACT_OPERATION, (struct slice[]){SLICE("test")}, 1);
    for (size_t i = 0; i < record->activity_count; i++) {
        const struct activity *activity = &record->activities[i];
        add_fact(&sum, FACT_ACTIVITY,
                 (struct slice[]){activity->type, activity->key, time_text(activity->at_us, at),
                                  activity->data},
                 4);
    }
    for (size_t i = 0; i < record->consent_count; i++) {
        const struct consent *consent = &record->consents[i];
        add_fact(&sum, FACT_CONSENT,
                 (struct slice[PARTS_MAX]){consent->purpose,
                                           consent->granted ? SLICE("granted") : SLICE("refused"),
                                           consent->text, consent->version,
                                           time_text(consent->at_us, at), consent->method},
                 PARTS_MAX);
    }
    return sum;
}
