/*
 * bench_graph: what the candidate index costs: microseconds and bytes a record.
 *
 *   make build/bench/bench_graph
 *   bench_graph [records [batch]]             synthetic records, a matcher that costs next to
 * nothing bench_graph --features FILE [batch]       features written by `bench_match ... --features
 * FILE`, and the shipped matcher; its share is told apart
 *
 * Puts the records in batches, settles after each with a report, then replaces and removes a tenth,
 * and prints one `name value` a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/asset.h"
#include "daemon/resolve/graph_matcher.intern.h"
#include "rules/ruleset.h"

#define SYNTHETIC_BYTES 100
#define SYNTHETIC_KEYS  6
#define LINK            6.0
#define REVIEW          3.0

struct synthetic {
    uint64_t name;
    uint64_t keys[SYNTHETIC_KEYS];
};

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* Of this process: the machines this runs on are shared. */
static uint64_t cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static struct synthetic unpack(struct slice features)
{
    struct synthetic synthetic;
    memcpy(&synthetic, features.ptr, sizeof(synthetic));
    return synthetic;
}

static size_t synthetic_keys(const struct matcher *matcher, struct slice features,
                             struct match_key keys[MATCH_KEYS_MAX])
{
    struct synthetic synthetic = unpack(features);
    size_t count = 0;
    (void)matcher;
    for (size_t i = 0; i < SYNTHETIC_KEYS; i++) {
        if (synthetic.keys[i] == 0)
            continue;
        size_t at = count++;
        for (; at > 0 && keys[at - 1].hash > synthetic.keys[i]; at--)
            keys[at] = keys[at - 1];
        keys[at] = (struct match_key){.hash = synthetic.keys[i], .kind = (uint8_t)i};
    }
    return count;
}

static uint64_t synthetic_name(struct slice features)
{
    return unpack(features).name;
}

static uint64_t no_identity(struct slice features)
{
    (void)features;
    return 0;
}

static enum record_kind a_person(struct slice features)
{
    (void)features;
    return KIND_PERSON;
}

static double link_weight(const struct matcher *matcher)
{
    (void)matcher;
    return LINK;
}

static double review_weight(const struct matcher *matcher)
{
    (void)matcher;
    return REVIEW;
}

static void synthetic_score(const struct matcher *matcher, struct slice a, struct slice b,
                            const struct shared_key *shared, size_t shared_count,
                            struct match_result *result)
{
    (void)matcher;
    result->weight = synthetic_name(a) == synthetic_name(b) ? 1.0 : -4.0;
    result->count = 0;
    for (size_t i = 0; i < shared_count; i++) {
        double weight = shared[i].band == DEGREE_DEAD ? 0.0 : 5.5 - 0.5 * shared[i].band;
        result->weight += weight;
        result->comparisons[result->count++] = (struct comparison_result){
            .comparison = shared[i].kind, .level = 1, .weight = (float)weight};
    }
}

static const struct graph_matcher_ops synthetic_matcher = {
    .link_weight = link_weight,
    .review_weight = review_weight,
    .keys = synthetic_keys,
    .name_key = synthetic_name,
    .identity = no_identity,
    .kind = a_person,
    .score = synthetic_score,
};

/* The shipped matcher, with a clock around what it does. */
static uint64_t matcher_ns, matcher_calls;

static size_t timed_keys(const struct matcher *matcher, struct slice features,
                         struct match_key keys[MATCH_KEYS_MAX])
{
    uint64_t start = now_ns();
    size_t count = features_keys(matcher, features, keys);
    matcher_ns += now_ns() - start;
    matcher_calls++;
    return count;
}

static uint64_t timed_name(struct slice features)
{
    uint64_t start = now_ns();
    uint64_t name = features_name_key(features);
    matcher_ns += now_ns() - start;
    matcher_calls++;
    return name;
}

static void timed_score(const struct matcher *matcher, struct slice a, struct slice b,
                        const struct shared_key *shared, size_t shared_count,
                        struct match_result *result)
{
    uint64_t start = now_ns();
    match_score(matcher, a, b, shared, shared_count, result);
    matcher_ns += now_ns() - start;
    matcher_calls++;
}

struct bench {
    const struct matcher *matcher;
    struct graph_matcher_ops ops;
    struct slice *features;
    size_t count, batch;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_graph: %s\n", what);
    exit(1);
}

/* 59 customers in 100 records; three households in a hundred share a telephone. */
static void make_synthetic(struct bench *bench, size_t count)
{
    char *bytes = calloc(count, SYNTHETIC_BYTES);
    bench->features = calloc(count, sizeof(struct slice));
    bench->count = count;
    bench->ops = synthetic_matcher;
    if (bytes == NULL || bench->features == NULL)
        die("out of memory");
    for (size_t i = 0; i < count; i++) {
        uint64_t customer = mix(i + 7) % (count * 73 / 100), r = mix(i * 31 + 5);
        struct synthetic record = {.name = mix(customer * 8 + 1) % (count / 2) + 1};
        for (size_t k = 0; k < SYNTHETIC_KEYS; k++) {
            uint64_t whose = k == 0 && customer % 100 < 3 ? customer / 100 : customer;
            bool changed = (r >> (8 * k) & 0xFF) < 40; /* this record has its own value */
            bool missing = k > 3 && (r >> (8 * k + 4) & 3) == 0;
            record.keys[k] =
                missing ? 0 : key_hash_of_class(mix(whose * 64 + k * 8 + (changed ? mix(i) << 8 : 0)), KEY_CLASS_VALUE);
        }
        memcpy(bytes + i * SYNTHETIC_BYTES, &record, sizeof(record));
        bench->features[i] = slice_of(bytes + i * SYNTHETIC_BYTES, SYNTHETIC_BYTES);
    }
}

static void shipped_matcher(struct bench *bench)
{
    struct problems problems = {0};
    bool found_pack, found_model;
    struct pack_text pack = {"people", asset_find("rules/packs/people.yaml", &found_pack)};
    struct slice model = asset_find("rules/models/people.yaml", &found_model);
    struct match_settings settings = {0.95, 0.70};
    struct ruleset *rules = ruleset_new(&pack, 1, NULL, &problems);
    if (rules)
        bench->matcher =
            matcher_new(ruleset_schema(rules), "people.yaml", model, &settings, &problems);
    if (bench->matcher == NULL)
        die("cannot compile the shipped pack or model");
    bench->ops = graph_matcher_default;
    bench->ops.keys = timed_keys;
    bench->ops.name_key = timed_name;
    bench->ops.score = timed_score;
    problems_free(&problems);
}

static void read_features(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 0;
    unsigned char length[2];
    if (file == NULL)
        die("cannot open the features");
    while (fread(length, 1, 2, file) == 2) {
        size_t bytes = (size_t)length[0] << 8 | length[1];
        char *copy = malloc(bytes + 1);
        if (bench->count == capacity) {
            capacity = capacity ? capacity * 2 : 1024;
            bench->features = realloc(bench->features, capacity * sizeof(struct slice));
        }
        if (copy == NULL || bench->features == NULL || fread(copy, 1, bytes, file) != bytes)
            die("cannot read the features");
        bench->features[bench->count++] = slice_of(copy, bytes);
    }
    fclose(file);
}

static void put(const struct bench *bench, struct graph *graph, size_t record, size_t features)
{
    struct err err;
    struct natural_key key = {mix(record + 1), (uint32_t)record};
    if (graph_put(graph, record + 1, key, bench->features[features], &err) != STATUS_OK)
        die(err.text);
}

static size_t links, reviews;

static void settle(struct graph *graph, struct arena *arena)
{
    struct err err;
    struct graph_changes changes;
    arena_reset(arena);
    if (graph_settle(graph, arena, &changes, &err) != STATUS_OK)
        die(err.text);
    links += changes.new_link_count - changes.gone_link_count;
    reviews += changes.new_review_count - changes.gone_review_count;
}

static double run_ns;

static void tell_time(const char *what, uint64_t start, size_t records)
{
    double taken = (double)(cpu_ns() - start), of_matcher = (double)matcher_ns;
    printf("%s_us_per_record %.2f\n", what, taken / 1000 / (double)records);
    if (matcher_calls) {
        printf("%s_matcher_us_per_record %.2f\n", what, of_matcher / 1000 / (double)records);
        printf("%s_matcher_calls_per_record %.2f\n", what, (double)matcher_calls / (double)records);
    }
    run_ns += taken;
    matcher_ns = matcher_calls = 0;
}

static void tell_size(const struct bench *bench, const struct graph *graph)
{
    struct graph_stats stats;
    double bytes = 0;
    for (size_t i = 0; i < bench->count; i++)
        bytes += (double)bench->features[i].len;
    graph_stats(graph, &stats);
    double records = (double)stats.records;
    printf("records %zu\ncustomers %zu\nlinks %zu\nreviews %zu\n", stats.records, stats.customers,
           links, reviews);
    printf("feature_bytes_per_record %.1f\nbytes_per_record %.1f\n", bytes / (double)bench->count,
           (double)stats.bytes / records);
    const struct graph_bytes *parts = &stats.parts;
    printf("entries_bytes_per_record %.1f\nfeatures_bytes_per_record %.1f\nkeys_bytes_per_record %.1f\n"
           "postings_bytes_per_record %.1f\nedges_bytes_per_record %.1f\nscratch_bytes_per_record %.1f\n",
           (double)parts->entries / records, (double)parts->features / records, (double)parts->keys / records,
           (double)parts->postings / records, (double)parts->edges / records, (double)parts->scratch / records);
    printf("keys_per_record %.2f\npostings_per_record %.2f\nedges_per_record %.2f\n",
           (double)stats.keys / records, (double)stats.postings / records,
           (double)stats.edges / records);
    printf("pairs_judged_per_record %.2f\n", (double)stats.pairs_judged / records);
}

static void run(const struct bench *bench)
{
    struct graph *graph = graph_new_with(&bench->ops, bench->matcher, NULL);
    struct arena *arena = arena_new((size_t)1 << 30);
    size_t tenth = bench->count / 10;
    if (graph == NULL || arena == NULL)
        die("out of memory");
    uint64_t start = cpu_ns();
    for (size_t i = 0; i < bench->count; i++) {
        put(bench, graph, i, i);
        if ((i + 1) % bench->batch == 0 || i + 1 == bench->count)
            settle(graph, arena);
    }
    tell_time("put", start, bench->count);
    tell_size(bench, graph);
    start = cpu_ns();
    for (size_t i = 0; i < tenth; i++) {
        put(bench, graph, i * 10, (i * 10 + 7) % bench->count);
        if ((i + 1) % bench->batch == 0 || i + 1 == tenth)
            settle(graph, arena);
    }
    tell_time("replace", start, tenth ? tenth : 1);
    start = cpu_ns();
    for (size_t i = 0; i < tenth; i++) {
        graph_remove(graph, i * 10 + 5);
        if ((i + 1) % bench->batch == 0 || i + 1 == tenth)
            settle(graph, arena);
    }
    tell_time("remove", start, tenth ? tenth : 1);
    printf("total_cpu_seconds %.2f\n", run_ns / 1e9);
    graph_free(&graph);
    arena_free(&arena);
}

int main(int argc, char **argv)
{
    struct bench bench = {.batch = 1000};
    bool shipped = argc > 2 && strcmp(argv[1], "--features") == 0;
    if (shipped) {
        shipped_matcher(&bench);
        read_features(&bench, argv[2]);
    } else {
        make_synthetic(&bench, argc > 1 ? strtoul(argv[1], NULL, 10) : 200000);
    }
    int at = shipped ? 3 : 2;
    if (argc > at)
        bench.batch = strtoul(argv[at], NULL, 10);
    if (bench.count < 10 || bench.batch == 0)
        die("too few records, or no batch");
    run(&bench);
    return 0;
}
