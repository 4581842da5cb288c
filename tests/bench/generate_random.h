/*
 * Randomness of the generator: splitmix64, in streams.
 *
 * Every person, household, company, place and record owns a stream that is found from the seed and
 * its own number alone. So anything can be made again at any time without being kept in memory, and
 * the same --seed gives the same bytes on every machine.
 */
#ifndef TESTS_BENCH_GENERATE_RANDOM_H
#define TESTS_BENCH_GENERATE_RANDOM_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014), also used to hash small numbers. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t hash_of(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t h = mix(a + UINT64_C(0x9e3779b97f4a7c15));

    h = mix(h ^ (b + UINT64_C(0x632be59bd9b4e019)));
    return mix(h ^ (c + UINT64_C(0xd6e8feb86659fd93)));
}

/* The stream of thing number `b`, `c` of kind `a`. */
static struct random stream_of(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
    struct random r = {hash_of(hash_of(seed, a, 0), b, c)};

    return r;
}

static uint64_t random_next(struct random *r)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(r->state);
}

/* A number in [0, 1). */
static double random_unit(struct random *r)
{
    return (double)(random_next(r) >> 11) * 0x1.0p-53;
}

/* A number in [0, n); n must not be 0. */
static unsigned random_below(struct random *r, unsigned n)
{
    return (unsigned)(((random_next(r) >> 32) * n) >> 32);
}

static bool random_chance(struct random *r, double probability)
{
    return random_unit(r) < probability;
}

/* An index in [0, n) that prefers the small ones; the larger `skew`, the more so (1 is even). */
static unsigned random_skewed(struct random *r, unsigned n, double skew)
{
    unsigned i = (unsigned)(pow(random_unit(r), skew) * (double)n);

    return i < n ? i : n - 1;
}

#endif
