/*
 * evaluate: how good is a grouping of the generated customers?
 *
 *   cc -O2 -o build/bench/evaluate tests/bench/evaluate.c -lm
 *   evaluate --truth truth.csv [--prediction OUT.csv]... [--baseline customers.csv]... [--errors N]
 *
 * A prediction is a CSV file with the columns `id` and `customer_id` (others are passed over; a
 * record with an empty customer_id is alone). Records of the truth that no prediction names count
 * as alone and are reported; ids the truth does not know are reported and passed over.
 *
 * Prints one `name value` a line. With t the pairs of records that truly are one customer, p the
 * pairs put together, c the pairs in both: precision c/p, recall c/t, F1 their harmonic mean.
 * B-cubed: the same three averaged over records (Bagga and Baldwin 1998), so that a large group
 * weighs by its records and not by its pairs. `bound` is the score of the reachable groups, which
 * are the best grouping whose every join has sufficient evidence (generate_reach.h). `of_bound` is
 * F1 divided by the bound's F1. `lucky` counts right pairs beyond the bound.
 *
 * --baseline scores the plain join that everybody tries first, computed from the records: two
 * records are one when their phones have the same digits, or their e-mails are the same in lower
 * case, each way it can be meant: `join` counts the pairs that share a value, `closed` makes groups
 * of them, `careful` is `join` without values that more than 10 records share.
 * --errors lists up to N wrong joins and N missed reachable pairs of the prediction on standard
 * error.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX   16
#define COLUMNS_MAX 256
#define CAREFUL_MAX 10

struct record {
    uint64_t id; /* hash of the id */
    uint32_t entity, group, predicted;
    uint64_t phone, email;
    const char *name; /* the id itself, in the truth file's bytes */
};

struct book {
    struct record *records;
    uint32_t count;
    uint32_t *index; /* open addressing by id, holds record number + 1 */
    uint32_t mask;
};

struct csv {
    char *bytes, *at, *end;
    char *fields[COLUMNS_MAX];
    unsigned count;
};

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "evaluate: %s: %s\n", what, detail);
    exit(1);
}

static void *must_allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory)
        die("out of memory", "allocate");
    return memory;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t hash_text(const char *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    return mix(h);
}

static struct csv csv_open(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct csv csv = {0};
    long size = -1;

    if (!file)
        die(path, strerror(errno));
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        die(path, "cannot be measured");
    csv.bytes = must_allocate((size_t)size + 1, 1);
    if (fread(csv.bytes, 1, (size_t)size, file) != (size_t)size)
        die(path, "cannot be read");
    fclose(file);
    csv.at = csv.bytes;
    csv.end = csv.bytes + size;
    if (size >= 3 && memcmp(csv.at, "\xef\xbb\xbf", 3) == 0)
        csv.at += 3;
    return csv;
}

/* Reads one field in place; returns the byte that ended it, '\0' at the end of the file. */
static char csv_field(struct csv *csv, char **field)
{
    char *in = csv->at, *out = csv->at, ended;

    *field = out;
    if (in < csv->end && *in == '"') {
        for (in++; in < csv->end; in++) {
            if (*in == '"' && in + 1 < csv->end && in[1] == '"')
                in++;
            else if (*in == '"')
                break;
            *out++ = *in;
        }
        in += in < csv->end;
    }
    while (in < csv->end && *in != ',' && *in != '\n')
        *out++ = *in++;
    ended = in < csv->end ? *in : '\0';
    csv->at = in + (in < csv->end);
    if (ended != ',' && out > *field && out[-1] == '\r')
        out--;
    *out = '\0';
    return ended;
}

/* Reads the next row into csv->fields. The fields live until the struct does. */
static bool csv_next(struct csv *csv)
{
    char ended = ',';

    csv->count = 0;
    if (csv->at >= csv->end)
        return false;
    while (ended == ',') {
        char *field;

        ended = csv_field(csv, &field);
        if (csv->count < COLUMNS_MAX)
            csv->fields[csv->count++] = field;
    }
    return true;
}

/* The column of that header, or -1. */
static int csv_column(const struct csv *csv, const char *name)
{
    for (unsigned i = 0; i < csv->count; i++) {
        if (strcmp(csv->fields[i], name) == 0)
            return (int)i;
    }
    return -1;
}

static int csv_must_column(const struct csv *csv, const char *path, const char *name)
{
    int column = csv_column(csv, name);

    if (column < 0) {
        fprintf(stderr, "evaluate: %s has no column %s\n", path, name);
        exit(1);
    }
    return column;
}

static const char *csv_get(const struct csv *csv, int column)
{
    return column >= 0 && (unsigned)column < csv->count ? csv->fields[column] : "";
}

static struct record *book_find(const struct book *book, const char *name)
{
    uint64_t id = hash_text(name);

    for (uint32_t i = (uint32_t)id & book->mask; book->index[i]; i = (i + 1) & book->mask) {
        if (book->records[book->index[i] - 1].id == id)
            return &book->records[book->index[i] - 1];
    }
    return NULL;
}

static void book_load(struct book *book, const char *path)
{
    struct csv csv = csv_open(path);
    uint32_t capacity = 0;

    csv_next(&csv);
    int id = csv_must_column(&csv, path, "id"), entity = csv_must_column(&csv, path, "entity");
    int group = csv_must_column(&csv, path, "reachable_group");

    while (csv_next(&csv)) {
        if (book->count == capacity) {
            capacity = capacity * 2 + 1024;
            book->records = realloc(book->records, capacity * sizeof(*book->records));
            if (!book->records)
                die("out of memory", path);
        }
        struct record *r = &book->records[book->count++];

        memset(r, 0, sizeof(*r));
        r->name = csv_get(&csv, id);
        r->id = hash_text(r->name);
        r->entity = (uint32_t)strtoul(csv_get(&csv, entity), NULL, 10);
        r->group = (uint32_t)strtoul(csv_get(&csv, group), NULL, 10);
    }
    for (book->mask = 1023; book->mask < book->count * 2ULL; book->mask = book->mask * 2 + 1)
        ;
    book->index = must_allocate((size_t)book->mask + 1, sizeof(*book->index));
    for (uint32_t i = 0; i < book->count; i++) {
        uint32_t at = (uint32_t)book->records[i].id & book->mask;

        while (book->index[at])
            at = (at + 1) & book->mask;
        book->index[at] = i + 1;
    }
}

static int compare_u64(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

struct tally {
    double pairs, squares; /* over the runs: n(n-1)/2, and n*n */
};

/* Sorts `keys` and counts the pairs of equal ones; 0 is no key. */
static struct tally count_runs(uint64_t *keys, uint32_t count)
{
    struct tally tally = {0, 0};

    qsort(keys, count, sizeof(*keys), compare_u64);
    for (uint32_t i = 0; i < count;) {
        uint32_t from = i;

        while (i < count && keys[i] == keys[from])
            i++;
        if (keys[from] != 0) {
            double n = i - from;

            tally.pairs += n * (n - 1) / 2;
            tally.squares += n * n;
        }
    }
    return tally;
}

struct score {
    double precision, recall, f1;
};

static struct score score_of(double common, double predicted, double truth)
{
    struct score s;

    s.precision = predicted > 0 ? common / predicted : 1;
    s.recall = truth > 0 ? common / truth : 1;
    s.f1 = s.precision + s.recall > 0 ? 2 * s.precision * s.recall / (s.precision + s.recall) : 0;
    return s;
}

static void print_score(const char *prefix, const char *kind, struct score s)
{
    printf("%s%s_precision %.6f\n", prefix, kind, s.precision);
    printf("%s%s_recall %.6f\n", prefix, kind, s.recall);
    printf("%s%s_f1 %.6f\n", prefix, kind, s.f1);
}

/*
 * B-cubed precision is the mean over records of (same group and customer) / (same group): with n_ij
 * records of customer i in group j, the sum of n_ij^2 / n_j. The keys hold group and customer.
 */
static double b_cubed(uint64_t *keys, uint32_t count)
{
    double total = 0;

    qsort(keys, count, sizeof(*keys), compare_u64);
    for (uint32_t i = 0; i < count;) {
        uint32_t from = i;
        double squares = 0;

        while (i < count && keys[i] >> 32 == keys[from] >> 32) {
            uint32_t inner = i;

            while (i < count && keys[i] == keys[inner])
                i++;
            squares += (double)(i - inner) * (double)(i - inner);
        }
        total += squares / (double)(i - from);
    }
    return count ? total / count : 1;
}

/* Scores the grouping `group[i]` of the records; prints both kinds of score. */
static struct score score_grouping(const struct book *book, const uint32_t *group,
                                   const char *prefix)
{
    uint64_t *keys = must_allocate(book->count, sizeof(*keys));
    struct score pairwise, b;
    double truth, predicted, common;

    for (uint32_t i = 0; i < book->count; i++)
        keys[i] = book->records[i].entity + 1ULL;
    truth = count_runs(keys, book->count).pairs;
    for (uint32_t i = 0; i < book->count; i++)
        keys[i] = group[i] + 1ULL;
    predicted = count_runs(keys, book->count).pairs;
    for (uint32_t i = 0; i < book->count; i++)
        keys[i] = (uint64_t)group[i] << 32 | book->records[i].entity;
    common = count_runs(keys, book->count).pairs;
    pairwise = score_of(common, predicted, truth);
    b.precision = b_cubed(keys, book->count);
    for (uint32_t i = 0; i < book->count; i++)
        keys[i] = (uint64_t)book->records[i].entity << 32 | group[i];
    b.recall = b_cubed(keys, book->count);
    b.f1 = b.precision + b.recall > 0 ? 2 * b.precision * b.recall / (b.precision + b.recall) : 0;
    print_score(prefix, "pairwise", pairwise);
    print_score(prefix, "b_cubed", b);
    free(keys);
    return pairwise;
}

static uint32_t *bound_grouping(const struct book *book)
{
    uint32_t *group = must_allocate(book->count, sizeof(*group));

    for (uint32_t i = 0; i < book->count; i++)
        group[i] = book->records[i].group;
    return group;
}

static void load_prediction(struct book *book, const char *path, uint32_t *unknown, uint32_t *twice)
{
    struct csv csv = csv_open(path);

    csv_next(&csv);
    int id = csv_must_column(&csv, path, "id");
    int customer = csv_must_column(&csv, path, "customer_id");

    while (csv_next(&csv)) {
        struct record *r = book_find(book, csv_get(&csv, id));
        const char *value = csv_get(&csv, customer);

        if (!r) {
            ++*unknown;
            continue;
        }
        *twice += r->phone != 0;
        r->phone = *value ? hash_text(value) : 0; /* the phone's place is free in this mode */
    }
    free(csv.bytes);
}

struct labelled {
    uint64_t label;
    uint32_t record;
};

static int compare_labelled(const void *left, const void *right)
{
    const struct labelled *a = left, *b = right;

    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    return a->record < b->record ? -1 : a->record > b->record;
}

/* Gives equal labels of record->phone one small number; a record without a label its own. */
static uint32_t *number_labels(const struct book *book)
{
    struct labelled *all = must_allocate(book->count, sizeof(*all));
    uint32_t *group = must_allocate(book->count, sizeof(*group)), next = 0;

    for (uint32_t i = 0; i < book->count; i++)
        all[i] = (struct labelled){book->records[i].phone, i};
    qsort(all, book->count, sizeof(*all), compare_labelled);
    for (uint32_t i = 0; i < book->count; i++) {
        if (i == 0 || all[i].label == 0 || all[i].label != all[i - 1].label)
            next++;
        group[all[i].record] = next;
    }
    free(all);
    return group;
}

/*
 * Lists neighbours in `first` order that differ in `second`: with first = group and second =
 * customer the wrong joins, with first = reachable group and second = group the missed pairs.
 */
static void list_errors(const struct book *book, const uint32_t *group, bool missed, unsigned limit)
{
    struct labelled *all = must_allocate(book->count, sizeof(*all));

    for (uint32_t i = 0; i < book->count; i++)
        all[i] = (struct labelled){missed ? book->records[i].group : group[i], i};
    qsort(all, book->count, sizeof(*all), compare_labelled);
    for (uint32_t i = 1; i < book->count && limit > 0; i++) {
        uint32_t a = all[i - 1].record, b = all[i].record;
        bool differ =
            missed ? group[a] != group[b] : book->records[a].entity != book->records[b].entity;

        if (all[i].label == all[i - 1].label && differ) {
            fprintf(stderr, "%s %s %s\n", missed ? "missed" : "wrong", book->records[a].name,
                    book->records[b].name);
            limit--;
        }
    }
    free(all);
}

static void score_prediction(struct book *book, char **paths, unsigned count, double bound_f1,
                             unsigned errors)
{
    uint32_t unknown = 0, twice = 0, missing = 0;
    uint64_t *keys = must_allocate(book->count, sizeof(*keys));
    double right, reachable;

    for (unsigned i = 0; i < count; i++)
        load_prediction(book, paths[i], &unknown, &twice);
    for (uint32_t i = 0; i < book->count; i++)
        missing += book->records[i].phone == 0;
    uint32_t *group = number_labels(book);
    struct score s = score_grouping(book, group, "");

    printf("of_bound %.6f\n", bound_f1 > 0 ? s.f1 / bound_f1 : 1);
    for (uint32_t i = 0; i < book->count; i++)
        keys[i] = (uint64_t)group[i] << 32 | book->records[i].entity;
    right = count_runs(keys, book->count).pairs;
    for (uint32_t i = 0; i < book->count; i++)
        keys[i] = (uint64_t)group[i] << 32 | book->records[i].group;
    reachable = count_runs(keys, book->count).pairs;
    printf("lucky %.0f\nrecords_alone_or_missing %u\nunknown_ids %u\nrepeated_ids %u\n",
           right - reachable, missing, unknown, twice);
    list_errors(book, group, false, errors);
    list_errors(book, group, true, errors);
    free(group);
    free(keys);
}

/* The digits of a phone, ASCII only; the rest in lower case without blanks at the ends. */
static uint64_t trivial_key(const char *s, bool digits)
{
    char key[256];
    size_t n = 0;

    while (*s == ' ' || *s == '\t')
        s++;
    for (; *s && n + 1 < sizeof(key); s++) {
        if (digits ? *s >= '0' && *s <= '9' : true)
            key[n++] = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
    }
    while (n > 0 && (key[n - 1] == ' ' || key[n - 1] == '\t'))
        n--;
    key[n] = '\0';
    return n ? hash_text(key) : 0;
}

static void load_contacts(struct book *book, const char *path)
{
    static const char *const phones[] = {"phone", "mobile", "手机", "电话"};
    static const char *const emails[] = {"email", "邮箱"};
    struct csv csv = csv_open(path);
    int id, phone = -1, email = -1;

    csv_next(&csv);
    id = csv_must_column(&csv, path, "id");
    for (unsigned i = 0; phone < 0 && i < sizeof(phones) / sizeof(*phones); i++)
        phone = csv_column(&csv, phones[i]);
    for (unsigned i = 0; email < 0 && i < sizeof(emails) / sizeof(*emails); i++)
        email = csv_column(&csv, emails[i]);
    while (csv_next(&csv)) {
        struct record *r = book_find(book, csv_get(&csv, id));

        if (!r)
            continue;
        r->phone = trivial_key(csv_get(&csv, phone), true);
        r->email = trivial_key(csv_get(&csv, email), false);
    }
    free(csv.bytes);
}

/* Forgets values that more than CAREFUL_MAX records share. */
static void drop_common(struct book *book, bool phones)
{
    struct labelled *all = must_allocate(book->count, sizeof(*all));

    for (uint32_t i = 0; i < book->count; i++)
        all[i] = (struct labelled){phones ? book->records[i].phone : book->records[i].email, i};
    qsort(all, book->count, sizeof(*all), compare_labelled);
    for (uint32_t i = 0; i < book->count;) {
        uint32_t from = i;

        while (i < book->count && all[i].label == all[from].label)
            i++;
        for (uint32_t k = from; i - from > CAREFUL_MAX && k < i; k++) {
            if (phones)
                book->records[all[k].record].phone = 0;
            else
                book->records[all[k].record].email = 0;
        }
    }
    free(all);
}

/* Pairs that share the phone or the e-mail; with `entity`, only those of one customer. */
static double joined_pairs(const struct book *book, bool entity)
{
    uint64_t *keys = must_allocate(book->count, sizeof(*keys));
    double pairs = 0;

    for (int which = 0; which < 3; which++) {
        for (uint32_t i = 0; i < book->count; i++) {
            const struct record *r = &book->records[i];
            uint64_t key = which == 0 ? r->phone
                           : which == 1
                               ? r->email
                               : (r->phone && r->email ? mix(r->phone ^ mix(r->email)) : 0);

            keys[i] = key && entity ? mix(key + r->entity * UINT64_C(0x9e3779b97f4a7c15)) : key;
        }
        pairs += (which < 2 ? 1 : -1) * count_runs(keys, book->count).pairs;
    }
    free(keys);
    return pairs;
}

static uint32_t find_root(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

static uint32_t *closed_grouping(const struct book *book)
{
    struct labelled *all = must_allocate(book->count, sizeof(*all));
    uint32_t *parent = must_allocate(book->count, sizeof(*parent));

    for (uint32_t i = 0; i < book->count; i++)
        parent[i] = i;
    for (int phones = 0; phones < 2; phones++) {
        for (uint32_t i = 0; i < book->count; i++)
            all[i] = (struct labelled){phones ? book->records[i].phone : book->records[i].email, i};
        qsort(all, book->count, sizeof(*all), compare_labelled);
        for (uint32_t i = 1; i < book->count; i++) {
            if (all[i].label && all[i].label == all[i - 1].label)
                parent[find_root(parent, all[i].record)] = find_root(parent, all[i - 1].record);
        }
    }
    for (uint32_t i = 0; i < book->count; i++)
        parent[i] = find_root(parent, i);
    free(all);
    return parent;
}

static void score_baseline(struct book *book, char **paths, unsigned count)
{
    uint64_t *keys = must_allocate(book->count, sizeof(*keys));
    uint32_t *group;
    double truth;

    for (unsigned i = 0; i < count; i++)
        load_contacts(book, paths[i]);
    for (uint32_t i = 0; i < book->count; i++)
        keys[i] = book->records[i].entity + 1ULL;
    truth = count_runs(keys, book->count).pairs;
    print_score("baseline_join_", "pairwise",
                score_of(joined_pairs(book, true), joined_pairs(book, false), truth));
    group = closed_grouping(book);
    score_grouping(book, group, "baseline_closed_");
    drop_common(book, true);
    drop_common(book, false);
    print_score("baseline_careful_", "pairwise",
                score_of(joined_pairs(book, true), joined_pairs(book, false), truth));
    free(group);
    free(keys);
}

int main(int argc, char **argv)
{
    char *predictions[FILES_MAX], *baselines[FILES_MAX], *truth = NULL;
    unsigned prediction_count = 0, baseline_count = 0, errors = 0;
    struct book book = {0};

    for (int i = 1; i < argc; i += 2) {
        char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (value && strcmp(argv[i], "--truth") == 0) {
            truth = value;
        } else if (value && strcmp(argv[i], "--prediction") == 0 && prediction_count < FILES_MAX) {
            predictions[prediction_count++] = value;
        } else if (value && strcmp(argv[i], "--baseline") == 0 && baseline_count < FILES_MAX) {
            baselines[baseline_count++] = value;
        } else if (value && strcmp(argv[i], "--errors") == 0) {
            errors = (unsigned)strtoul(value, NULL, 10);
        } else {
            truth = NULL;
            break;
        }
    }
    if (!truth) {
        fprintf(stderr, "usage: evaluate --truth truth.csv [--prediction OUT.csv]... "
                        "[--baseline customers.csv]... [--errors N]\n");
        return 64;
    }
    book_load(&book, truth);
    printf("records %u\n", book.count);
    uint32_t *bound = bound_grouping(&book);
    struct score s = score_grouping(&book, bound, "bound_");

    if (prediction_count > 0)
        score_prediction(&book, predictions, prediction_count, s.f1, errors);
    if (baseline_count > 0)
        score_baseline(&book, baselines, baseline_count);
    free(bound);
    return 0;
}
