/*
 * bench_match: how well and how fast the matcher judges pairs, without daemon, graph or database.
 *
 *   make build/bench/bench_match
 *   bench_match customers.csv truth.csv [--errors N] [--missed N] [--out groups.csv] [--without
 * FIELD]... [--country CC] [--dump ID]
 *               [--features FILE]   writes each record's features there, for bench_graph
 *               [--model FILE]      judges by a model that tributary train wrote
 *       [--kinds FILE] [--pairs FILE] [--map COLUMN=FIELD]... [--own NAME=TYPE]... [--kind company]
 *
 * Reads a customers.csv of tests/bench/generate (or any CSV whose header the shipped pack
 * understands, with a column `id`) and its truth.csv (id,entity[,reachable_group]), cleans every
 * record with the shipped pack, packs features, joins on keys, scores each pair once, and prints
 * one `name value` a line: what of the truth the keys reach, pairs judged per record, pairwise
 * precision, recall and F1 of the links and of the groups they connect, and nanoseconds per step.
 * --errors and --missed show pairs on standard error. --pairs writes a line per judged pair:
 * weight, whether it is one customer, the levels that came out with their bits, and both ids. --kinds writes a table of the kinds of
 * keys: how many pairs each finds alone, how many true links among them, and by how many records held the key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/asset.h"
#include "rules/match.h"
#include "rules/ruleset.h"

#define COLUMNS_LIMIT 128
#define WITHOUT_MAX   8
#define KINDS         64
#define HOLDER_BANDS  10 /* powers of two */
#define MAPS_MAX    32

struct row {
    struct slice id;
    struct slice *cells;
    struct slice features;
    uint64_t name_key;
    uint32_t entity, reachable, parent;
};

struct posting {
    uint64_t hash;
    uint32_t row;
    uint8_t kind;
    bool is_value;
    uint8_t band;
    uint32_t holders;
};

/* What one kind of key finds. */
struct kind_finds {
    double pairs, only_pairs, only_links;
    double pairs_by_holders[HOLDER_BANDS], links_by_holders[HOLDER_BANDS]; /* of those it finds alone */
};

struct pair {
    uint32_t a, b;
    double weight;
};

struct bench {
    struct arena *arena;
    size_t column_count, row_count, posting_count, pair_count, pair_capacity;
    struct slice columns[COLUMNS_LIMIT];
    struct row *rows;
    struct posting *postings;
    uint32_t *row_postings; /* posting numbers of a row: row_first[row] .. row_first[row + 1] */
    uint32_t *row_first;
    struct pair *pairs;
    struct matcher *matcher;
    size_t without_count;
    const char *without[WITHOUT_MAX];
    const char *country, *dump, *model;
    FILE *pairs_file, *kinds_file;
    struct kind_finds finds[KINDS];
    long show_errors, show_missed;
    enum record_kind kind;
    size_t map_count;
    struct source_map maps[MAPS_MAX];
    struct slice mapped[MAPS_MAX];
    struct buf own; /* YAML of the fields of one's own */
};

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "bench_match: %s: %s\n", what, detail);
    exit(1);
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct slice read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 1 << 20, len = 0;
    char *bytes = malloc(capacity);

    if (file == NULL || bytes == NULL)
        die("cannot read", path);
    for (size_t got; (got = fread(bytes + len, 1, capacity - len, file)) > 0;) {
        len += got;
        if (len == capacity && (bytes = realloc(bytes, capacity *= 2)) == NULL)
            die("out of memory", path);
    }
    fclose(file);
    return slice_of(bytes, len);
}

/* The next record's cells, unquoted in place. Returns how many; 0 at the end. */
static size_t next_cells(char **at, char *end, struct slice *cells)
{
    size_t count = 0;

    if (*at >= end)
        return 0;
    for (;;) {
        char *start = *at, *write = *at;
        bool quoted = *at < end && **at == '"';
        if (quoted)
            (*at)++;
        while (*at < end) {
            char c = **at;
            if (quoted && c == '"') {
                (*at)++;
                if (*at < end && **at == '"')
                    *write++ = *(*at)++;
                else
                    quoted = false;
                continue;
            }
            if (!quoted && (c == ',' || c == '\n'))
                break;
            (*at)++;
            if (quoted || c != '\r')
                *write++ = c;
        }
        if (count < COLUMNS_LIMIT)
            cells[count++] = slice_trim(slice_of(start, (size_t)(write - start)));
        if (*at >= end)
            return count;
        if (*(*at)++ == '\n')
            return count;
    }
}

static void read_rows(struct bench *bench, const char *path)
{
    struct slice text = read_all(path), cells[COLUMNS_LIMIT];
    char *at = (char *)(uintptr_t)text.ptr, *end = at + text.len;
    size_t capacity = 0, id_column = 0;

    bench->column_count = next_cells(&at, end, bench->columns);
    for (size_t i = 0; i < bench->column_count; i++) {
        bench->columns[i] = arena_dup(bench->arena, bench->columns[i]);
        if (slice_is(bench->columns[i], "id") || slice_is(bench->columns[i], "rec_id") ||
            slice_is(bench->columns[i], "unique_id"))
            id_column = i;
        for (size_t k = 0; k < bench->without_count; k++)
            if (slice_is(bench->columns[i], bench->without[k]))
                bench->columns[i] = SLICE("unused column");
    }
    for (size_t count; (count = next_cells(&at, end, cells)) > 0;) {
        if (count < bench->column_count)
            continue;
        if (bench->row_count == capacity) {
            capacity = capacity ? capacity * 2 : 1024;
            bench->rows = realloc(bench->rows, capacity * sizeof(struct row));
            if (bench->rows == NULL)
                die("out of memory", path);
        }
        struct row *row = &bench->rows[bench->row_count];
        memset(row, 0, sizeof(*row));
        row->id = cells[id_column];
        row->parent = (uint32_t)bench->row_count++;
        row->cells = ARENA_ARRAY(bench->arena, struct slice, bench->column_count);
        if (row->cells == NULL)
            die("out of memory", path);
        memcpy(row->cells, cells, bench->column_count * sizeof(struct slice));
        row->cells[id_column] = SLICE_EMPTY;
    }
}

static int by_id(const void *a, const void *b)
{
    return slice_cmp((*(const struct row *const *)a)->id, (*(const struct row *const *)b)->id);
}

static void read_truth(struct bench *bench, const char *path)
{
    struct slice text = read_all(path), cells[COLUMNS_LIMIT];
    char *at = (char *)(uintptr_t)text.ptr, *end = at + text.len;
    struct row **index = malloc((bench->row_count + 1) * sizeof(*index));

    if (index == NULL)
        die("out of memory", path);
    for (size_t i = 0; i < bench->row_count; i++)
        index[i] = &bench->rows[i];
    qsort(index, bench->row_count, sizeof(*index), by_id);
    for (size_t i = 0, count; (count = next_cells(&at, end, cells)) > 0; i++) {
        struct row key = {.id = cells[0]}, *wanted = &key;
        struct row **found = bsearch(&wanted, index, bench->row_count, sizeof(*index), by_id);
        if (i == 0 || found == NULL || count < 2)
            continue;
        (*found)->entity = (uint32_t)slice_hash(cells[1], 0);
        (*found)->reachable = count > 2 ? (uint32_t)slice_hash(cells[2], 1) : (*found)->entity;
    }
    free(index);
}

static void add_map(struct bench *bench, const char *text)
{
    const char *equals = strrchr(text, '=');

    if (equals == NULL || bench->map_count == MAPS_MAX)
        die("--map COLUMN=FIELD, up to 32 of them", text);
    bench->mapped[bench->map_count] = slice_of(text, (size_t)(equals - text));
    bench->maps[bench->map_count] =
        (struct source_map){slice_str(equals + 1), 1, &bench->mapped[bench->map_count]};
    bench->map_count++;
}

static void add_own(struct bench *bench, const char *text)
{
    const char *equals = strrchr(text, '=');

    if (equals == NULL)
        die("--own NAME=TYPE", text);
    buf_printf(&bench->own, "%.*s: {type: %s}\n", (int)(equals - text), text, equals + 1);
}

static struct ruleset *make_ruleset(struct bench *bench)
{
    struct problems problems = {0};
    bool found_pack, found_model;
    struct pack_text pack = {"people", asset_find("rules/packs/people.yaml", &found_pack)};
    struct slice model = asset_find("rules/models/people.yaml", &found_model);

    if (bench->model)
        model = read_all(bench->model);
    struct match_settings settings = {0.95, 0.70};

    if (!found_pack || !found_model)
        die("missing asset", "rules/packs/people.yaml or rules/models/people.yaml");
    struct yaml_node *own =
        bench->own.len ? yaml_parse(bench->arena, "own", buf_slice(&bench->own), &problems) : NULL;
    struct ruleset *rules = ruleset_new(&pack, 1, own, &problems);
    if (rules)
        bench->matcher =
            matcher_new(ruleset_schema(rules), "people.yaml", model, &settings, &problems);
    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "%s:%u:%u: %s\n", problems.list[i].file ? problems.list[i].file : "",
                problems.list[i].line, problems.list[i].column, problems.list[i].text);
    if (rules == NULL || bench->matcher == NULL)
        die("cannot compile", "the shipped pack or model");
    problems_free(&problems);
    return rules;
}

static void pack_rows(struct bench *bench)
{
    struct ruleset *rules = make_ruleset(bench);
    struct cleaner *cleaner = cleaner_new(rules);
    struct source_rules source = {
        .name = "bench", .country = bench->country, .time_zone = "", .kind = bench->kind,
        .map_count = bench->map_count, .map = bench->maps};
    struct columns columns = {1, bench->column_count, bench->columns};
    struct arena *scratch = arena_new((size_t)64 << 20);
    struct buf features = BUF_INIT((size_t)1 << 30);
    double clean_ns = 0, pack_ns = 0, start;

    for (size_t i = 0; i < bench->row_count; i++) {
        struct row *row = &bench->rows[i];
        struct raw_record raw = {.external_id = row->id,
                                 .part = SLICE("main"),
                                 .columns = &columns,
                                 .values = row->cells};
        struct clean_record clean;
        struct err err;
        arena_reset(scratch);
        start = now_ns();
        if (ruleset_clean(cleaner, &source, &raw, scratch, &clean, &err) != STATUS_OK)
            die("cannot clean", err.text);
        clean_ns += now_ns() - start;
        for (size_t k = 0; bench->dump && slice_is(row->id, bench->dump) && k < clean.value_count;
             k++)
            fprintf(stderr, "%s = " SLICE_FMT " (flags %u)\n",
                    ruleset_schema(rules)->fields[clean.values[k].field].name,
                    SLICE_ARG(clean.values[k].value), clean.values[k].flags);
        buf_reset(&features);
        start = now_ns();
        features_pack(bench->matcher, &clean, 0, &features);
        pack_ns += now_ns() - start;
        row->features = arena_dup(bench->arena, buf_slice(&features));
        row->name_key = features_name_key(row->features);
    }
    double bytes = 0;
    for (size_t i = 0; i < bench->row_count; i++)
        bytes += (double)bench->rows[i].features.len;
    printf("clean_ns_per_record %.0f\npack_ns_per_record %.0f\nfeature_bytes_per_record %.0f\n",
           clean_ns / (double)bench->row_count, pack_ns / (double)bench->row_count,
           bytes / (double)bench->row_count);
    buf_free(&features);
    arena_free(&scratch);
    cleaner_free(&cleaner);
    ruleset_free(&rules);
}

/* Two bytes of length, then the features, record after record. */
static void write_features(const struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        die("cannot write", path);
    for (size_t i = 0; i < bench->row_count; i++) {
        struct slice features = bench->rows[i].features;
        fputc((int)(features.len >> 8), file);
        fputc((int)(features.len & 0xFF), file);
        fwrite(features.ptr, 1, features.len, file);
    }
    if (fclose(file) != 0)
        die("cannot write", path);
}

static int by_hash(const void *a, const void *b)
{
    const struct posting *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int by_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Bands of all keys; row_first and row_postings. */
static void index_postings(struct bench *bench)
{
    uint64_t *names = malloc((bench->row_count + 1) * sizeof(*names));

    bench->row_first = calloc(bench->row_count + 2, sizeof(uint32_t));
    bench->row_postings = malloc((bench->posting_count + 1) * sizeof(uint32_t));
    if (names == NULL || bench->row_first == NULL || bench->row_postings == NULL)
        die("out of memory", "index");
    for (size_t from = 0, to; from < bench->posting_count; from = to) {
        uint32_t degree = 0;
        for (to = from;
             to < bench->posting_count && bench->postings[to].hash == bench->postings[from].hash;
             to++)
            names[to - from] = bench->rows[bench->postings[to].row].name_key;
        qsort(names, to - from, sizeof(*names), by_u64);
        for (size_t i = 0; i < to - from; i++)
            degree += i == 0 || names[i] != names[i - 1];
        uint32_t holders = (uint32_t)(to - from);
        uint64_t hash = bench->postings[from].hash;
        uint8_t band = key_class_of(hash) == KEY_CLASS_VALUE ? degree_band(degree) : 0;
        for (size_t i = from; i < to; i++) {
            bench->postings[i].band = holders > key_records_max(hash) ? DEGREE_DEAD : band;
            bench->postings[i].holders = holders;
        }
    }
    for (size_t i = 0; i < bench->posting_count; i++)
        bench->row_first[bench->postings[i].row + 2]++;
    for (size_t i = 0; i <= bench->row_count; i++)
        bench->row_first[i + 1] += bench->row_first[i];
    for (size_t i = 0; i < bench->posting_count; i++)
        bench->row_postings[bench->row_first[bench->postings[i].row + 1]++] = (uint32_t)i;
    free(names);
}

static void make_postings(struct bench *bench)
{
    struct match_key keys[MATCH_KEYS_MAX];
    double start = now_ns();
    size_t by_kind[KINDS] = {0};

    bench->postings = malloc((bench->row_count + 1) * MATCH_KEYS_MAX * sizeof(struct posting));
    if (bench->postings == NULL)
        die("out of memory", "postings");
    for (size_t i = 0; i < bench->row_count; i++) {
        size_t count = features_keys(bench->matcher, bench->rows[i].features, keys);
        for (size_t k = 0; k < count; k++)
            bench->postings[bench->posting_count++] =
                (struct posting){keys[k].hash, (uint32_t)i, keys[k].kind, keys[k].is_value, 0, 0};
    }
    printf("keys_ns_per_record %.0f\nkeys_per_record %.2f\n",
           (now_ns() - start) / (double)bench->row_count,
           (double)bench->posting_count / (double)bench->row_count);
    for (size_t i = 0; i < bench->posting_count; i++)
        by_kind[bench->postings[i].kind % KINDS]++;
    for (uint8_t i = 0; i < KINDS; i++)
        if (by_kind[i])
            printf("keys_%s %.3f\n", matcher_key_name(bench->matcher, i),
                   (double)by_kind[i] / (double)bench->row_count);
    qsort(bench->postings, bench->posting_count, sizeof(struct posting), by_hash);
    index_postings(bench);
}

static int by_ends(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

static void add_pair(struct bench *bench, uint32_t a, uint32_t b)
{
    if (bench->pair_count == bench->pair_capacity) {
        bench->pair_capacity = bench->pair_capacity ? bench->pair_capacity * 2 : 65536;
        bench->pairs = realloc(bench->pairs, bench->pair_capacity * sizeof(struct pair));
        if (bench->pairs == NULL)
            die("out of memory", "pairs");
    }
    bench->pairs[bench->pair_count++] = (struct pair){a, b, 0};
}

static void make_pairs(struct bench *bench)
{
    size_t kept = 0, dead = 0;
    double by_kind[KINDS] = {0};

    for (size_t from = 0, to; from < bench->posting_count; from = to) {
        for (to = from;
             to < bench->posting_count && bench->postings[to].hash == bench->postings[from].hash;
             to++)
            continue;
        if (bench->postings[from].band == DEGREE_DEAD) {
            dead++;
            continue;
        }
        by_kind[bench->postings[from].kind % KINDS] +=
            (double)(to - from) * (double)(to - from - 1) / 2;
        for (size_t i = from; i < to; i++)
            for (size_t k = i + 1; k < to; k++)
                add_pair(bench, bench->postings[i].row, bench->postings[k].row);
    }
    qsort(bench->pairs, bench->pair_count, sizeof(struct pair), by_ends);
    for (size_t i = 0; i < bench->pair_count; i++)
        if (kept == 0 || by_ends(&bench->pairs[kept - 1], &bench->pairs[i]) != 0)
            bench->pairs[kept++] = bench->pairs[i];
    bench->pair_count = kept;
    printf("dead_keys %zu\npairs_per_record %.2f\n", dead, (double)kept / (double)bench->row_count);
    for (uint8_t i = 0; i < KINDS; i++)
        if (by_kind[i] > 0)
            printf("pairs_by_%s %.3f\n", matcher_key_name(bench->matcher, i),
                   by_kind[i] / (double)bench->row_count);
}

static unsigned band_of_holders(uint32_t holders)
{
    unsigned band = 0;

    while (band + 1 < HOLDER_BANDS && holders > 2U << band)
        band++;
    return band;
}

/* Which kinds of live keys a pair shares, and by how many the least shared key of each is held. */
static void count_kinds(struct bench *bench, const struct pair *pair, bool is_true_link)
{
    uint32_t least[KINDS] = {0}, kinds = 0, last = 0;
    uint32_t i = bench->row_first[pair->a], k = bench->row_first[pair->b];

    while (i < bench->row_first[pair->a + 1] && k < bench->row_first[pair->b + 1]) {
        const struct posting *x = &bench->postings[bench->row_postings[i]];
        const struct posting *y = &bench->postings[bench->row_postings[k]];
        uint32_t kind = x->kind % KINDS;
        if (x->hash == y->hash && x->band != DEGREE_DEAD) {
            kinds += least[kind] == 0;
            bench->finds[kind].pairs += least[kind] == 0;
            if (least[kind] == 0 || x->holders < least[kind])
                least[kind] = x->holders;
            last = kind;
        }
        i += x->hash <= y->hash;
        k += y->hash <= x->hash;
    }
    if (kinds != 1)
        return;
    unsigned band = band_of_holders(least[last]);
    bench->finds[last].only_pairs++;
    bench->finds[last].pairs_by_holders[band]++;
    bench->finds[last].only_links += is_true_link;
    bench->finds[last].links_by_holders[band] += is_true_link;
}

static void write_kinds(const struct bench *bench)
{
    fprintf(bench->kinds_file, "kind\tpairs\tpairs only\ttrue links only\tpairs only / true links only, of keys held by");
    for (unsigned band = 0; band < HOLDER_BANDS; band++)
        fprintf(bench->kinds_file, "\t<= %u", 2U << band);
    for (uint8_t kind = 0; kind < KINDS; kind++) {
        const struct kind_finds *finds = &bench->finds[kind];
        if (finds->pairs <= 0)
            continue;
        fprintf(bench->kinds_file, "\n%s\t%.0f\t%.0f\t%.0f\t", matcher_key_name(bench->matcher, kind), finds->pairs,
                finds->only_pairs, finds->only_links);
        for (unsigned band = 0; band < HOLDER_BANDS; band++)
            fprintf(bench->kinds_file, "\t%.0f / %.0f", finds->pairs_by_holders[band], finds->links_by_holders[band]);
    }
    fprintf(bench->kinds_file, "\n");
}

static size_t shared_keys(const struct bench *bench, uint32_t a, uint32_t b,
                          struct shared_key shared[MATCH_KEYS_MAX])
{
    size_t count = 0;
    uint32_t i = bench->row_first[a], k = bench->row_first[b];

    while (i < bench->row_first[a + 1] && k < bench->row_first[b + 1]) {
        const struct posting *x = &bench->postings[bench->row_postings[i]];
        const struct posting *y = &bench->postings[bench->row_postings[k]];
        if (x->hash == y->hash) {
            if (x->is_value)
                shared[count++] = (struct shared_key){x->hash, x->kind, x->band};
            i++, k++;
        } else if (x->hash < y->hash) {
            i++;
        } else {
            k++;
        }
    }
    return count;
}

static void show_row(const struct bench *bench, uint32_t row)
{
    fprintf(stderr, "   " SLICE_FMT ":", SLICE_ARG(bench->rows[row].id));
    for (size_t i = 0; i < bench->column_count; i++)
        if (bench->rows[row].cells[i].len)
            fprintf(stderr, " " SLICE_FMT " |", SLICE_ARG(bench->rows[row].cells[i]));
    fprintf(stderr, "\n");
}

static void show_pair(const struct bench *bench, const char *what, uint32_t a, uint32_t b)
{
    struct match_result result;
    struct shared_key shared[MATCH_KEYS_MAX];
    size_t count = shared_keys(bench, a, b, shared);

    match_score(bench->matcher, bench->rows[a].features, bench->rows[b].features, shared, count,
                &result);
    fprintf(stderr, "%s %.2f bits, p %.3f:", what, result.weight,
            weight_to_probability(result.weight));
    for (size_t i = 0; i < result.count; i++) {
        const struct comparison_result *c = &result.comparisons[i];
        fprintf(stderr, " %s=%s%+.1f", matcher_comparison_name(bench->matcher, c->comparison),
                matcher_level_name(bench->matcher, c->comparison, c->level), (double)c->weight);
        if (c->band)
            fprintf(stderr, "(band %u)", c->band);
    }
    fprintf(stderr, "\n");
    show_row(bench, a);
    show_row(bench, b);
}

static uint32_t find_root(struct bench *bench, uint32_t row)
{
    while (bench->rows[row].parent != row)
        row = bench->rows[row].parent = bench->rows[bench->rows[row].parent].parent;
    return row;
}

static void write_pair(const struct bench *bench, const struct pair *pair,
                       const struct match_result *result)
{
    fprintf(bench->pairs_file, "%.3f\t%d\t", result->weight,
            bench->rows[pair->a].entity == bench->rows[pair->b].entity);
    for (size_t i = 0; i < result->count; i++)
        fprintf(bench->pairs_file, " %s=%s%.*s:%.1f",
                matcher_comparison_name(bench->matcher, result->comparisons[i].comparison),
                matcher_level_name(bench->matcher, result->comparisons[i].comparison,
                                   result->comparisons[i].level),
                result->comparisons[i].band, "*******", (double)result->comparisons[i].weight);
    fprintf(bench->pairs_file, "\t" SLICE_FMT "\t" SLICE_FMT "\t%llx\t%llx\n",
            SLICE_ARG(bench->rows[pair->a].id), SLICE_ARG(bench->rows[pair->b].id),
            (unsigned long long)bench->rows[pair->a].name_key, (unsigned long long)bench->rows[pair->b].name_key);
}

static void score_pairs(struct bench *bench)
{
    struct shared_key shared[MATCH_KEYS_MAX];
    struct match_result result;
    double link = matcher_link_weight(bench->matcher),
           review = matcher_review_weight(bench->matcher);
    size_t linked = 0, right = 0, reviews = 0, reviews_right = 0, reached = 0;
    double start = now_ns();

    for (size_t i = 0; i < bench->pair_count; i++) {
        struct pair *pair = &bench->pairs[i];
        size_t count = shared_keys(bench, pair->a, pair->b, shared);
        match_score(bench->matcher, bench->rows[pair->a].features, bench->rows[pair->b].features,
                    shared, count, &result);
        pair->weight = result.weight;
        if (bench->pairs_file)
            write_pair(bench, pair, &result);
        if (bench->kinds_file)
            count_kinds(bench, pair, result.weight >= link && bench->rows[pair->a].entity == bench->rows[pair->b].entity);
    }
    printf("score_ns_per_pair %.0f\n", (now_ns() - start) / ((double)bench->pair_count + 1));
    for (size_t i = 0; i < bench->pair_count; i++) {
        struct pair *pair = &bench->pairs[i];
        bool same = bench->rows[pair->a].entity == bench->rows[pair->b].entity;
        reached += same;
        if (pair->weight >= link) {
            linked++;
            right += same;
            uint32_t a = find_root(bench, pair->a), b = find_root(bench, pair->b);
            bench->rows[a > b ? a : b].parent = a > b ? b : a;
            if (!same && bench->show_errors-- > 0)
                show_pair(bench, "WRONG", pair->a, pair->b);
        } else if (pair->weight >= review) {
            reviews++;
            reviews_right += same;
        }
    }
    printf(
        "links %zu\nlinks_right %.4f\nreviews %zu\nreviews_right %.4f\npairs_of_one_reached %zu\n",
        linked, (double)right / ((double)linked + 1e-9), reviews,
        (double)reviews_right / ((double)reviews + 1e-9), reached);
}

/* Pairs within groups of equal `value`. */
static double count_pairs(uint64_t *values, size_t count)
{
    double pairs = 0;

    qsort(values, count, sizeof(*values), by_u64);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && values[to] == values[from]; to++)
            continue;
        pairs += (double)(to - from) * (double)(to - from - 1) / 2;
    }
    return pairs;
}

static int by_entity(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
    return x->entity < y->entity ? -1 : x->entity > y->entity;
}

/* Pairs of one reachable group that ended in two groups. */
static void show_missed(struct bench *bench)
{
    struct row **order = malloc((bench->row_count + 1) * sizeof(*order));

    if (order == NULL)
        die("out of memory", "missed");
    for (size_t i = 0; i < bench->row_count; i++)
        order[i] = &bench->rows[i];
    qsort(order, bench->row_count, sizeof(*order), by_entity);
    for (size_t i = 0; i + 1 < bench->row_count && bench->show_missed > 0; i++) {
        struct row *a = order[i], *b = order[i + 1];
        uint32_t x = (uint32_t)(a - bench->rows), y = (uint32_t)(b - bench->rows);
        if (a->reachable != b->reachable || a->entity != b->entity ||
            find_root(bench, x) == find_root(bench, y))
            continue;
        struct pair key = {x < y ? x : y, x < y ? y : x, 0};
        bool judged = bsearch(&key, bench->pairs, bench->pair_count, sizeof(key), by_ends) != NULL;
        show_pair(bench, judged ? "MISSED" : "MISSED (no key)", key.a, key.b);
        bench->show_missed--;
    }
    free(order);
}

static void report(struct bench *bench)
{
    uint64_t *values = malloc((bench->row_count + 1) * sizeof(*values));
    double truth, bound, together, right;

    if (values == NULL)
        die("out of memory", "report");
    for (size_t i = 0; i < bench->row_count; i++)
        values[i] = bench->rows[i].entity;
    truth = count_pairs(values, bench->row_count);
    for (size_t i = 0; i < bench->row_count; i++)
        values[i] = (uint64_t)bench->rows[i].entity << 32 | bench->rows[i].reachable;
    bound = count_pairs(values, bench->row_count);
    for (size_t i = 0; i < bench->row_count; i++)
        values[i] = find_root(bench, (uint32_t)i);
    together = count_pairs(values, bench->row_count);
    for (size_t i = 0; i < bench->row_count; i++)
        values[i] = (uint64_t)bench->rows[i].entity << 32 | find_root(bench, (uint32_t)i);
    right = count_pairs(values, bench->row_count);
    printf("true_pairs %.0f\nreachable_recall %.4f\n", truth, bound / truth);
    printf("group_precision %.4f\ngroup_recall %.4f\ngroup_f1 %.4f\nbound_f1 %.4f\n",
           right / together, right / truth, 2 * right / (together + truth),
           2 * bound / (bound + truth));
    free(values);
}

static void write_groups(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        die("cannot write", path);
    fprintf(file, "id,customer_id\n");
    for (size_t i = 0; i < bench->row_count; i++)
        fprintf(file, SLICE_FMT "," SLICE_FMT "\n", SLICE_ARG(bench->rows[i].id),
                SLICE_ARG(bench->rows[find_root(bench, (uint32_t)i)].id));
    fclose(file);
}

int main(int argc, char **argv)
{
    struct bench bench = {.country = "", .kind = KIND_PERSON, .own = BUF_INIT(16384)};
    const char *out = NULL, *features = NULL;

    if (argc < 3)
        die("usage", "bench_match customers.csv truth.csv [--errors N] [--missed N] [--out FILE] "
                     "[--without FIELD] "
                     "[--country CC] [--dump ID] [--kinds FILE] [--pairs FILE] [--map COLUMN=FIELD] "
                     "[--own NAME=TYPE] [--kind company] [--model FILE]");
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--errors") == 0)
            bench.show_errors = atol(argv[i + 1]);
        else if (strcmp(argv[i], "--missed") == 0)
            bench.show_missed = atol(argv[i + 1]);
        else if (strcmp(argv[i], "--pairs") == 0)
            bench.pairs_file = fopen(argv[i + 1], "w");
        else if (strcmp(argv[i], "--kinds") == 0)
            bench.kinds_file = fopen(argv[i + 1], "w");
        else if (strcmp(argv[i], "--country") == 0)
            bench.country = argv[i + 1];
        else if (strcmp(argv[i], "--model") == 0)
            bench.model = argv[i + 1];
        else if (strcmp(argv[i], "--dump") == 0)
            bench.dump = argv[i + 1];
        else if (strcmp(argv[i], "--map") == 0)
            add_map(&bench, argv[i + 1]);
        else if (strcmp(argv[i], "--own") == 0)
            add_own(&bench, argv[i + 1]);
        else if (strcmp(argv[i], "--kind") == 0)
            bench.kind = argv[i + 1][0] == 'c' ? KIND_COMPANY : KIND_PERSON;
        else if (strcmp(argv[i], "--out") == 0)
            out = argv[i + 1];
        else if (strcmp(argv[i], "--features") == 0)
            features = argv[i + 1];
        else if (strcmp(argv[i], "--without") == 0 && bench.without_count < WITHOUT_MAX)
            bench.without[bench.without_count++] = argv[i + 1];
        else
            die("unknown option", argv[i]);
    }
    bench.arena = arena_new((size_t)8 << 30);
    if (bench.arena == NULL)
        die("out of memory", "arena");
    read_rows(&bench, argv[1]);
    read_truth(&bench, argv[2]);
    pack_rows(&bench);
    if (features)
        write_features(&bench, features);
    make_postings(&bench);
    make_pairs(&bench);
    score_pairs(&bench);
    report(&bench);
    show_missed(&bench);
    if (out)
        write_groups(&bench, out);
    if (bench.pairs_file)
        fclose(bench.pairs_file);
    if (bench.kinds_file) {
        write_kinds(&bench);
        fclose(bench.kinds_file);
    }
    buf_free(&bench.own);
    return 0;
}
