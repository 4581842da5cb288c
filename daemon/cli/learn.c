/* learn.c - see learn.h. */
#include "daemon/cli/learn.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/cli/dedupe_pool.h"

#define LOOK_ROWS          2000 /* rows whose length tells how many there are */

static enum status no_memory(struct err *err)
{
    return err_set(err, RETRY_LATER, "base.memory", "out of memory while reading a sample to train on");
}

enum status learn_guess_rows(struct sheet_fields *f, double *rows, struct err *err)
{
    struct csv_row row;
    uint64_t count = 0, end = f->sheet.data_offset;
    enum status status = STATUS_OK;

    while (count < LOOK_ROWS && (status = dedupe_sheet_next(&f->sheet, &row, err)) == STATUS_OK) {
        count++;
        end = row.end_offset;
    }
    if (status == STATUS_FAILED)
        return status;
    double bytes = (double)(end - f->sheet.data_offset), all = (double)(f->sheet.bytes - f->sheet.data_offset);
    *rows = count < LOOK_ROWS || bytes <= 0 ? (double)count : all / bytes * (double)count;
    return dedupe_sheet_rewind(&f->sheet, err);
}

static bool is_taken(uint64_t row, uint64_t seed, double share)
{
    uint64_t x = (row + 1) * 0x9E3779B97F4A7C15ULL + seed;

    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBULL;
    return share >= 1 || (double)(x >> 11) < share * 9007199254740992.0;
}

bool learned_add(struct learned *l, struct slice features)
{
    if (features.len == 0 || l->count >= TRAIN_RECORDS_MAX)
        return true;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 4096;
        struct slice *records = realloc(l->records, capacity * sizeof(*records));
        if (records == NULL)
            return false;
        l->records = records;
        l->capacity = capacity;
    }
    /* The buffer moves while it grows: learned_train says where each lies. */
    l->records[l->count++] = (struct slice){NULL, features.len};
    buf_put_slice(&l->features, features);
    return !buf_failed(&l->features);
}

static bool keep(struct learned *l, const struct dedupe_chunk *chunk)
{
    bool kept = !chunk->failed;

    for (size_t i = 0; kept && i < chunk->count; i++)
        kept = learned_add(l, chunk->cleaned[i].keyed.features);
    return kept;
}

static bool take_back(struct learned *l, struct dedupe_pool *pool, bool all)
{
    struct dedupe_chunk *chunk;
    bool kept = true;

    while (kept && (chunk = dedupe_pool_take(pool, all)) != NULL) {
        kept = keep(l, chunk);
        dedupe_pool_give_back(pool, chunk);
    }
    return kept;
}

static enum status read_sample(struct sheet_fields *f, struct dedupe_pool *pool, uint64_t seed, struct learned *l,
                               struct err *err)
{
    struct slice *cells = calloc(f->columns.count + 1, sizeof(*cells));
    double share = (double)TRAIN_RECORDS_MAX * 0.95 / (l->rows > 1 ? l->rows : 1);
    struct csv_row row;
    uint64_t number = 0;
    enum status status = cells ? STATUS_OK : no_memory(err);

    while (status == STATUS_OK && (status = dedupe_sheet_next(&f->sheet, &row, err)) == STATUS_OK) {
        if (!is_taken(number++, seed, share) || !dedupe_sheet_is_whole(&f->sheet, &row))
            continue;
        for (size_t i = 0; i < f->columns.count; i++)
            cells[i] = f->ignored[i] ? SLICE_EMPTY : row.cells[i];
        enum dedupe_added added = dedupe_pool_add(pool, cells);
        if (added == DEDUPE_NO_MEMORY || (added == DEDUPE_CHUNK_SENT && !take_back(l, pool, false)))
            status = no_memory(err);
    }
    free(cells);
    l->rows = (double)number;
    dedupe_pool_send(pool);
    if (status == STATUS_EMPTY)
        status = take_back(l, pool, true) ? STATUS_OK : no_memory(err);
    return status == STATUS_OK ? dedupe_sheet_rewind(&f->sheet, err) : status;
}

enum status learned_train(struct sheet_fields *f, uint64_t seed, bool is_kept, struct learned *l, struct err *err)
{
    struct train_settings how = {
        .seed = seed, .scale = l->count ? l->rows / (double)l->count : 1, .is_kept = is_kept};
    size_t at = 0;

    for (size_t i = 0; i < l->count; i++) {
        l->records[i].ptr = l->features.data + at;
        at += l->records[i].len;
    }
    l->trained = train_new(f->matcher, l->records, l->count, &how, err);
    return l->trained ? STATUS_OK : STATUS_FAILED;
}

enum status learn_from_sheet(struct sheet_fields *f, uint64_t seed, unsigned threads, bool is_kept,
                             struct learned *l, struct err *err)
{
    struct dedupe_settings settings = {.ruleset = f->ruleset, .matcher = f->matcher, .rules = &f->rules,
                                       .columns = &f->columns};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    *l = (struct learned){.features = BUF_INIT(LEARNED_BYTES_MAX)};
    if (learn_guess_rows(f, &l->rows, err) != STATUS_OK)
        return STATUS_FAILED;
    struct dedupe_pool *pool =
        dedupe_pool_new(&settings, threads ? threads : processors > 0 ? (unsigned)processors : 1, err);
    enum status status = pool ? read_sample(f, pool, seed, l, err) : STATUS_FAILED;
    dedupe_pool_free(&pool);
    return status == STATUS_OK ? learned_train(f, seed, is_kept, l, err) : status;
}

void learned_free(struct learned *l)
{
    trained_free(&l->trained);
    buf_free(&l->features);
    free(l->records);
    *l = (struct learned){.features = BUF_INIT(0)};
}

void learned_write(const struct learned *l, const struct sheet_fields *f, const char *name, const char *origin,
                   struct buf *out)
{
    trained_write(l->trained, f->model_text, name, origin, out);
}

void learned_tell(const struct learned *l, double seconds)
{
    const struct train_report *report = trained_report(l->trained);

    if (!report->enough)
        fprintf(stderr, "not trained: %zu records, in which some %.0f pairs look like one customer, say too little; the model stays as it is\n",
                report->records, report->expected_matches);
    else
        fprintf(stderr, "trained on %zu records: some %.0f pairs of one customer, %zu passes, in %.1f s\n", report->records,
                report->expected_matches, report->pass_count, seconds);
}
