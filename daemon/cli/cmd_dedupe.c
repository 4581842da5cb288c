/* cmd_dedupe.c - `tributary dedupe`: a sheet clustered with no database at all. */
#include "daemon/cli/cli.h"
#include "daemon/cli/dedupe.h"
#include "daemon/cli/learn.h"
#include "daemon/cli/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRAIN_SEED    1
#define SELF_TRAIN_ROWS 60000 /* in a larger sheet of known columns chance likeness outweighs what is learned */
#define OUTPUT_BUFFER ((size_t)1 << 20)

struct deduping {
    const struct cli *cli;
    struct sheet_fields fields;
    unsigned threads;
    struct dedupe *dedupe;
    uint64_t unreadable;
};

/* ---- the model ---- */

static double seconds_since(int64_t started_us)
{
    return (double)(clock_monotonic_us(clock_system()) - started_us) / 1e6;
}

/* The sheet is all there is: it tells itself what its columns are worth. */
static int train(struct deduping *d)
{
    struct learned learned;
    struct err err = {0};
    int64_t started_us = clock_monotonic_us(clock_system());
    struct buf text = BUF_INIT((size_t)1 << 20);
    int code = EXIT_CODE_OK;

    if (learn_from_sheet(&d->fields, TRAIN_SEED, d->threads, false, &learned, &err) != STATUS_OK) {
        code = cli_fail_err(d->cli, &err);
    } else if (trained_report(learned.trained)->enough) {
        learned_write(&learned, &d->fields, "learned", cli_argument(d->cli, 0), &text);
        code = buf_failed(&text) ? cli_fail(d->cli, EXIT_CODE_BUG, "the model learned is larger than 1 MiB")
                                 : sheet_fields_use_model(&d->fields, "learned", buf_slice(&text));
    } else {
        sheet_fields_forget_learned(&d->fields);
        code = sheet_fields_use_model(&d->fields, d->fields.model_name, d->fields.model_text);
    }
    if (code == EXIT_CODE_OK)
        learned_tell(&learned, seconds_since(started_us));
    learned_free(&learned);
    buf_free(&text);
    return code;
}

/* Of a sheet that nothing knows, what is learned is all there is, however large it is. */
static bool is_too_large(struct deduping *d, double *rows)
{
    struct err err;

    return d->fields.learned_count < d->fields.used_count && learn_guess_rows(&d->fields, rows, &err) == STATUS_OK &&
           *rows > SELF_TRAIN_ROWS;
}

static int leave_untrained(struct deduping *d, double rows)
{
    fprintf(stderr, "not trained: some %.0f rows, more than %d; hint: tributary train writes a model, --model uses it\n", rows,
            SELF_TRAIN_ROWS);
    sheet_fields_forget_learned(&d->fields);
    return sheet_fields_use_model(&d->fields, d->fields.model_name, d->fields.model_text);
}

static int prepare(struct deduping *d)
{
    const char *threads = cli_value(d->cli, "threads");
    int64_t thread_count = 0;
    if (threads && (!slice_to_int64(slice_str(threads), &thread_count) || thread_count < 1 || thread_count > 16))
        return cli_usage_error(d->cli, "--threads is 1 to 16, not %s", threads);
    d->threads = (unsigned)thread_count;
    bool asked = !cli_flag(d->cli, "no-train") && cli_value(d->cli, "model") == NULL;
    double large = 0;
    int code = sheet_fields_open(&d->fields, d->cli, asked);
    if (code == EXIT_CODE_OK && asked && d->fields.model_is_shipped)
        code = is_too_large(d, &large) ? leave_untrained(d, large) : train(d);
    return code == EXIT_CODE_OK ? sheet_fields_tell(&d->fields) : code;
}

/* ---- the rows ---- */

static enum status add_rows(struct deduping *d, struct err *err)
{
    struct progress *bar = progress_new(clock_system());
    struct slice *cells = calloc(d->fields.columns.count + 1, sizeof(*cells));
    struct csv_row row;
    struct dedupe_stats stats;
    enum status status = cells ? STATUS_OK : err_set(err, RETRY_LATER, "base.memory", "out of memory");
    uint64_t rows = 0;
    while (status == STATUS_OK && (status = dedupe_sheet_next(&d->fields.sheet, &row, err)) == STATUS_OK) {
        bool whole = dedupe_sheet_is_whole(&d->fields.sheet, &row);
        for (size_t i = 0; whole && i < d->fields.columns.count; i++)
            cells[i] = d->fields.ignored[i] ? SLICE_EMPTY : row.cells[i];
        d->unreadable += !whole;
        status = dedupe_add(d->dedupe, whole ? cells : NULL, err);
        if (++rows % 1024 == 0) {
            dedupe_stats(d->dedupe, &stats);
            progress_show(bar, row.end_offset, d->fields.sheet.bytes, stats.resolved, stats.rows);
        }
    }
    if (status == STATUS_EMPTY)
        status = dedupe_finish(d->dedupe, err);
    dedupe_stats(d->dedupe, &stats);
    progress_show(bar, status == STATUS_OK ? d->fields.sheet.bytes : csv_reader_offset(d->fields.sheet.reader), d->fields.sheet.bytes,
                  stats.resolved, stats.rows);
    progress_free(&bar);
    free(cells);
    return status;
}

static uint64_t customer_of(const void *data, uint64_t row)
{
    return dedupe_customer(data, row);
}

/* Beside its place, then renamed: nobody sees half a file, and IN may be OUT. */
static enum status write_file(struct deduping *d, const char *path, struct err *err)
{
    char part[4096];
    bool in_place = cli_writes_in_place(path);
    if (snprintf(part, sizeof(part), in_place ? "%s" : "%s.part", path) >= (int)sizeof(part))
        return err_set(err, RETRY_NONE, "dedupe.write", "the name %s is too long", path);
    FILE *file = fopen(part, "we");
    if (file == NULL)
        return err_set_errno(err, errno, "dedupe.write", "cannot write %s", part);
    setvbuf(file, NULL, _IOFBF, OUTPUT_BUFFER);
    enum status status = dedupe_sheet_write(&d->fields.sheet, file, customer_of, d->dedupe, err);
    if (fclose(file) != 0 && status == STATUS_OK)
        status = err_set_errno(err, errno, "dedupe.write", "cannot write %s", part);
    if (status == STATUS_OK && !in_place && rename(part, path) != 0)
        status = err_set_errno(err, errno, "dedupe.write", "cannot rename %s to %s", part, path);
    if (status != STATUS_OK && !in_place)
        (void)unlink(part);
    return status;
}

static bool to_stdout(const struct cli *cli)
{
    const char *path = cli_value(cli, "output");
    return path == NULL || strcmp(path, "-") == 0;
}

static void tell_left(const struct dedupe_sheet *sheet, FILE *file)
{
    bool one = sheet->left_count == 1;
    fprintf(file, "%zu row%s another number of cells than the header, or cannot be read: left as %s, without an id: line%s",
            sheet->left_count, one ? " has" : "s have", one ? "it is" : "they are", one ? "" : "s");
    for (size_t i = 0; i < sheet->left_count && i < DEDUPE_LINES_TOLD; i++)
        fprintf(file, "%s %llu", i ? "," : "", (unsigned long long)sheet->left_lines[i]);
    fputs(sheet->left_count > DEDUPE_LINES_TOLD ? " ...\n" : "\n", file);
}

static void print_stats(const struct deduping *d, double seconds)
{
    struct dedupe_stats s;
    FILE *file = to_stdout(d->cli) ? stderr : stdout;
    dedupe_stats(d->dedupe, &s);
    unsigned long long rows = s.rows, customers = s.customers, duplicates = s.duplicates;
    unsigned long long reviews = s.reviews, refused = s.refused, unreadable = d->unreadable;
    if (cli_wants_json(d->cli)) {
        fprintf(file, "{\"records\":%llu,\"customers\":%llu,\"duplicates\":%llu,\"largest_customer\":%llu,"
                "\"largest_records\":%llu,\"reviews\":%llu,\"refused\":%llu,\"unreadable\":%llu,"
                "\"seconds\":%.3f,\"index_bytes\":%zu}\n",
                rows, customers, duplicates, (unsigned long long)s.largest, (unsigned long long)s.largest_rows,
                reviews, refused, unreadable, seconds, s.index_bytes);
        return;
    }
    fprintf(file, "%llu records are %llu customer%s: %llu duplicate%s (%.1f %%), in %.1f s\n", rows, customers,
            customers == 1 ? "" : "s", duplicates, duplicates == 1 ? "" : "s", rows ? 100.0 * (double)duplicates / (double)rows : 0.0, seconds);
    if (s.largest_rows > 1)
        fprintf(file, "largest: customer %llu with %llu records\n", (unsigned long long)s.largest,
                (unsigned long long)s.largest_rows);
    fprintf(file, "%llu pair%s doubtful: left apart, a person should look at %s\n", reviews, reviews == 1 ? " is" : "s are",
            reviews == 1 ? "it" : "them");
    if (refused)
        fprintf(file, "%llu record%s would be refused in a load (tributary load says why)\n", refused,
                refused == 1 ? "" : "s");
    if (unreadable)
        tell_left(&d->fields.sheet, file);
}

static int cluster(struct deduping *d)
{
    struct err err = {0};
    struct dedupe_settings settings = {.ruleset = d->fields.ruleset, .matcher = d->fields.matcher,
                                       .rules = &d->fields.rules, .columns = &d->fields.columns,
                                       .threads = d->threads};
    int64_t started_us = clock_monotonic_us(clock_system());
    d->dedupe = dedupe_new(&settings, &err);
    enum status status = d->dedupe ? add_rows(d, &err) : STATUS_FAILED;
    if (status == STATUS_OK && to_stdout(d->cli))
        status = dedupe_sheet_write(&d->fields.sheet, stdout, customer_of, d->dedupe, &err);
    else if (status == STATUS_OK)
        status = write_file(d, cli_value(d->cli, "output"), &err);
    if (status != STATUS_OK)
        return cli_fail_err(d->cli, &err);
    print_stats(d, seconds_since(started_us));
    return EXIT_CODE_OK;
}

static int run(const struct cli *cli)
{
    struct deduping *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
    d->cli = cli;
    int code = prepare(d);
    if (code == EXIT_CODE_OK)
        code = cluster(d);
    dedupe_free(&d->dedupe);
    sheet_fields_close(&d->fields);
    free(d);
    return code;
}

static const struct cli_option options[] = {
    {"output", 'o', "FILE", "where the sheet with customer_id goes (default: standard output)"},
    {"map", 'm', "COLUMN=FIELD",
     "how a column is understood; COLUMN=NAME:TYPE makes a field of one's own, COLUMN=- leaves it out; may be repeated"},
    {"model", 0, "FILE", "the model, as tributary train wrote it, or shipped (default: learned from the sheet)"},
    {"no-train", 0, NULL, "the model as it is shipped or configured, and no columns that it does not know"},
    {"country", 0, "CODE", "of phone numbers and dates that name none, such as CN"},
    {"kind", 0, "KIND", "what a row is about when it does not say: person (default) or company"},
    {"day-first", 0, NULL, "03/04/2026 is the third of April"},
    {"threads", 0, "NUMBER", "for cleaning (default: one a processor)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_dedupe = {
    .name = "dedupe",
    .synopsis = "IN.csv",
    .help = "groups the rows of a sheet into customers, with no database at all",
    .details = "Writes the sheet again with a last column customer_id: equal for rows that are one customer, the\n"
               "number of its first row. Everything else stays as it was, quotes, title lines and blank rows included, and\n"
               "rows that do not fit the header, whose lines are told and which get no id; sheets\n"
               "in other encodings come out in UTF-8. Known column names (name, Phone Number, 手机 ...) map\n"
               "themselves; others are compared by what their values look like. What each is worth is learned\n"
               "from the sheet, unless --model or the configuration's match.model names a model, or the sheet says\n"
               "too little. With --config the rules and fields of that configuration are used, else the shipped ones.\n\n"
               "  tributary dedupe contacts.csv -o grouped.csv --country CN\n"
               "  tributary dedupe crm.csv -o out.csv --map 'Tel. 2=phone' --map 'Owner=-' \\\n"
               "                    --map 'Beruf=occupation:text'",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
