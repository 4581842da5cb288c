/* rate_limit.c - see rate_limit.h. */
#include "daemon/http/rate_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#define SETS 4096
#define WAYS 4

struct bucket {
    struct ip_address client;
    int64_t at_us; /* monotonic; 0: unused */
    double tokens;
};

struct rate_limit {
    double rate_per_s, burst;
    uint64_t seed; /* so that nobody can choose addresses that fall into one set */
    pthread_mutex_t lock;
    struct bucket buckets[SETS][WAYS];
};

struct rate_limit *rate_limit_new(double rate_per_s, double burst)
{
    struct rate_limit *limit = calloc(1, sizeof(*limit));
    if (limit == NULL)
        return NULL;
    limit->rate_per_s = rate_per_s;
    limit->burst = burst;
    if (getrandom(&limit->seed, sizeof(limit->seed), 0) != sizeof(limit->seed))
        limit->seed = (uint64_t)(uintptr_t)limit;
    pthread_mutex_init(&limit->lock, NULL);
    return limit;
}

void rate_limit_free(struct rate_limit **limit)
{
    if (*limit == NULL)
        return;
    pthread_mutex_destroy(&(*limit)->lock);
    free(*limit);
    *limit = NULL;
}

static struct bucket *find_bucket(struct rate_limit *limit, const struct ip_address *key, int64_t now_us)
{
    uint64_t hash = slice_hash(slice_of((const char *)key->bytes, sizeof(key->bytes)), limit->seed);
    struct bucket *set = limit->buckets[hash % SETS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].at_us && memcmp(&set[i].client, key, sizeof(*key)) == 0)
            return &set[i];
        if (set[i].at_us < oldest->at_us)
            oldest = &set[i];
    }
    *oldest = (struct bucket){.client = *key, .at_us = now_us, .tokens = limit->burst};
    return oldest;
}

unsigned rate_limit_take(struct rate_limit *limit, const struct ip_address *client, int64_t now_us)
{
    struct ip_address key = *client;
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(key.bytes, mapped, sizeof(mapped)) != 0)
        memset(key.bytes + 8, 0, 8);
    unsigned wait_s = 0;
    pthread_mutex_lock(&limit->lock);
    struct bucket *bucket = find_bucket(limit, &key, now_us ? now_us : 1);
    double passed_s = now_us > bucket->at_us ? (double)(now_us - bucket->at_us) / 1e6 : 0;
    bucket->tokens += passed_s * limit->rate_per_s;
    if (bucket->tokens > limit->burst)
        bucket->tokens = limit->burst;
    if (now_us > bucket->at_us)
        bucket->at_us = now_us;
    if (bucket->tokens >= 1)
        bucket->tokens -= 1;
    else
        wait_s = 1 + (unsigned)((1 - bucket->tokens) / limit->rate_per_s);
    pthread_mutex_unlock(&limit->lock);
    return wait_s;
}
