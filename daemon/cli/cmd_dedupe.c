/* cmd_dedupe.c - `tributary dedupe`: a sheet clustered with no database at all. */
#include "daemon/base/asset.h"
#include "daemon/base/yaml.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/dedupe.h"
#include "daemon/cli/dedupe_sheet.h"
#include "daemon/cli/progress.h"
#include "daemon/engine/generation.h"
#include "rules/clean.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAPS_MAX      CLI_ARGUMENTS_MAX
#define SHIPPED_PACK  "rules/packs/people.yaml"
#define SHIPPED_MODEL "rules/models/people.yaml"
#define OUTPUT_BUFFER ((size_t)1 << 20)

struct deduping {
    const struct cli *cli;
    struct config *config;         /* with --config */
    struct generation *generation; /* likewise; else the two below are ours */
    struct ruleset *ruleset;
    struct matcher *matcher;
    struct dedupe_sheet sheet;
    struct source_rules rules;
    struct source_map maps[MAPS_MAX];
    struct slice mapped[MAPS_MAX]; /* the columns of maps */
    bool *ignored;                 /* per column: --map COLUMN=- */
    struct columns columns;
    struct dedupe *dedupe;
    uint64_t unreadable;
};

struct known_columns {
    struct csv_known_columns base;
    const struct ruleset *ruleset;
};

/* ---- rules and model ---- */

static int use_config(struct deduping *d)
{
    struct problems problems = {0};
    int code = cli_load_config(d->cli, &d->config);
    if (code != EXIT_CODE_OK)
        return code;
    d->generation = generation_new(d->config, &problems);
    if (d->generation) {
        d->ruleset = d->generation->ruleset;
        d->matcher = d->generation->matcher;
    } else {
        cli_print_problems(d->cli, &problems);
        code = EXIT_CODE_CONFIG;
    }
    problems_free(&problems);
    return code;
}

static int use_shipped(struct deduping *d)
{
    bool found = false;
    struct problems problems = {0};
    struct pack_text pack = {SHIPPED_PACK, asset_find(SHIPPED_PACK, &found)};
    struct match_settings settings = {.link_probability = 0.95, .review_probability = 0.70};
    d->ruleset = ruleset_new(&pack, 1, NULL, &problems);
    if (d->ruleset)
        d->matcher = matcher_new(ruleset_schema(d->ruleset), SHIPPED_MODEL, asset_find(SHIPPED_MODEL, &found),
                                 &settings, &problems);
    if (d->matcher == NULL)
        cli_print_problems(d->cli, &problems);
    problems_free(&problems);
    return d->matcher ? EXIT_CODE_OK : EXIT_CODE_BUG;
}

/* ---- columns ---- */

static bool is_known(const struct csv_known_columns *known, struct slice name)
{
    return ruleset_alias(((const struct known_columns *)(const void *)known)->ruleset, name) != NULL;
}

static size_t find_column(const struct csv_layout *layout, struct slice name)
{
    for (size_t i = 0; i < layout->column_count; i++) {
        if (slice_eq_nocase(layout->columns[i], name))
            return i;
    }
    return SIZE_MAX;
}

static int no_column(const struct deduping *d, struct slice name)
{
    struct buf names = BUF_INIT(2000);
    for (size_t i = 0; i < d->sheet.layout.column_count; i++) {
        buf_put_str(&names, i ? ", " : "");
        buf_put_slice(&names, d->sheet.layout.columns[i]);
    }
    int code = cli_usage_error(d->cli, "the sheet has no column '" SLICE_FMT "'; hint: it has " SLICE_FMT,
                               SLICE_ARG(name), SLICE_ARG(buf_slice(&names)));
    buf_free(&names);
    return code;
}

static int no_field(const struct deduping *d, struct slice name)
{
    const struct schema *schema = ruleset_schema(d->ruleset);
    const char *names[FIELDS_MAX];
    for (size_t i = 0; i < schema->count; i++)
        names[i] = schema->fields[i].name;
    const char *near = nearest_word(name, names, schema->count);
    return cli_usage_error(d->cli, "there is no field '" SLICE_FMT "'; hint: %s%s", SLICE_ARG(name),
                           near ? "did you mean " : "such as full_name, phone, email, company", near ? near : "");
}

/* --map COLUMN=FIELD, or COLUMN=- for a column that is not to be understood. */
static int read_maps(struct deduping *d)
{
    const char *const *values;
    size_t count = cli_values(d->cli, "map", &values);
    for (size_t i = 0; i < count; i++) {
        const char *equals = strrchr(values[i], '=');
        if (equals == NULL)
            return cli_usage_error(d->cli, "--map=%s: hint: --map 'Phone (home)=phone'", values[i]);
        struct slice column = slice_of(values[i], (size_t)(equals - values[i])), field = slice_str(equals + 1);
        size_t at = find_column(&d->sheet.layout, column);
        if (at == SIZE_MAX)
            return no_column(d, column);
        if (slice_is(field, "-")) {
            d->ignored[at] = true;
            continue;
        }
        if (schema_find(ruleset_schema(d->ruleset), equals + 1) == NULL)
            return no_field(d, field);
        d->mapped[d->rules.map_count] = d->sheet.layout.columns[at];
        d->maps[d->rules.map_count] =
            (struct source_map){field, 1, &d->mapped[d->rules.map_count]};
        d->rules.map_count++;
    }
    return EXIT_CODE_OK;
}

static struct slice field_of(const struct deduping *d, size_t column)
{
    struct slice name = d->sheet.layout.columns[column];
    if (d->ignored[column])
        return SLICE_EMPTY;
    for (size_t i = 0; i < d->rules.map_count; i++) {
        if (slice_eq(d->mapped[i], name))
            return d->maps[i].field;
    }
    const struct field *field = ruleset_alias(d->ruleset, name);
    return field ? slice_str(field->name) : SLICE_EMPTY;
}

/* Says how each column is understood. */
static int tell_columns(const struct deduping *d)
{
    size_t known = 0, unused = 0;
    fputs("understood:", stderr);
    for (size_t i = 0; i < d->sheet.layout.column_count; i++) {
        struct slice field = field_of(d, i);
        if (field.len == 0) {
            unused++;
            continue;
        }
        fprintf(stderr, "%s " SLICE_FMT " = " SLICE_FMT, known++ ? "," : "",
                SLICE_ARG(d->sheet.layout.columns[i]), SLICE_ARG(field));
    }
    fprintf(stderr, "%s; %zu column%s not used\n", known ? "" : " nothing", unused, unused == 1 ? "" : "s");
    if (known == 0)
        return cli_usage_error(d->cli, "no column is known; hint: --map COLUMN=FIELD, such as --map 'Tel.=phone'");
    return EXIT_CODE_OK;
}

static int prepare(struct deduping *d)
{
    struct known_columns known = {{is_known}, d->ruleset};
    struct err err = {0};
    const char *kind = cli_value(d->cli, "kind"), *country = cli_value(d->cli, "country");
    if (kind && strcmp(kind, "person") != 0 && strcmp(kind, "company") != 0)
        return cli_usage_error(d->cli, "--kind is person or company, not %s", kind);
    const char *code_of_country = country ? clean_country(slice_str(country)) : "";
    if (code_of_country == NULL)
        return cli_usage_error(d->cli, "--country=%s: hint: a code such as CN, DE or US", country);
    if (dedupe_sheet_open(cli_argument(d->cli, 0), &known.base, &d->sheet, &err) != STATUS_OK)
        return cli_fail_err(d->cli, &err);
    d->rules = (struct source_rules){.name = "dedupe", .country = code_of_country, .time_zone = "UTC",
                                     .kind = kind && kind[0] == 'c' ? KIND_COMPANY : KIND_PERSON,
                                     .map = d->maps, .day_first = cli_flag(d->cli, "day-first")};
    d->columns = (struct columns){1, d->sheet.layout.column_count, d->sheet.layout.columns};
    d->ignored = calloc(d->columns.count + 1, sizeof(*d->ignored));
    if (d->ignored == NULL)
        return cli_fail(d->cli, EXIT_CODE_TEMPORARY, "out of memory");
    int code = read_maps(d);
    return code == EXIT_CODE_OK ? tell_columns(d) : code;
}

/* ---- the rows ---- */

static enum status add_rows(struct deduping *d, struct err *err)
{
    struct progress *bar = progress_new(clock_system());
    struct slice *cells = calloc(d->columns.count + 1, sizeof(*cells));
    struct csv_row row;
    struct dedupe_stats stats;
    enum status status = cells ? STATUS_OK : err_set(err, RETRY_LATER, "base.memory", "out of memory");
    uint64_t rows = 0;
    while (status == STATUS_OK && (status = dedupe_sheet_next(&d->sheet, &row, err)) == STATUS_OK) {
        bool whole = dedupe_sheet_is_whole(&d->sheet, &row);
        for (size_t i = 0; whole && i < d->columns.count; i++)
            cells[i] = d->ignored[i] ? SLICE_EMPTY : row.cells[i];
        d->unreadable += !whole;
        status = dedupe_add(d->dedupe, whole ? cells : NULL, err);
        if (++rows % 1024 == 0) {
            dedupe_stats(d->dedupe, &stats);
            progress_show(bar, row.end_offset, d->sheet.bytes, stats.resolved, stats.rows);
        }
    }
    if (status == STATUS_EMPTY)
        status = dedupe_finish(d->dedupe, err);
    dedupe_stats(d->dedupe, &stats);
    progress_show(bar, status == STATUS_OK ? d->sheet.bytes : csv_reader_offset(d->sheet.reader), d->sheet.bytes,
                  stats.resolved, stats.rows);
    progress_free(&bar);
    free(cells);
    return status;
}

static uint64_t customer_of(const void *data, uint64_t row)
{
    return dedupe_customer(data, row);
}

/* A device or a pipe is written to, never replaced: renaming onto /dev/null takes it from everybody. */
static bool is_special(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && !S_ISREG(about.st_mode);
}

/* Beside its place, then renamed: nobody sees half a file, and IN may be OUT. */
static enum status write_file(struct deduping *d, const char *path, struct err *err)
{
    char part[4096];
    bool in_place = is_special(path);
    if (snprintf(part, sizeof(part), in_place ? "%s" : "%s.part", path) >= (int)sizeof(part))
        return err_set(err, RETRY_NONE, "dedupe.write", "the name %s is too long", path);
    FILE *file = fopen(part, "we");
    if (file == NULL)
        return err_set_errno(err, errno, "dedupe.write", "cannot write %s", part);
    setvbuf(file, NULL, _IOFBF, OUTPUT_BUFFER);
    enum status status = dedupe_sheet_write(&d->sheet, file, customer_of, d->dedupe, err);
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
        tell_left(&d->sheet, file);
}

static int cluster(struct deduping *d)
{
    struct err err = {0};
    const char *threads = cli_value(d->cli, "threads");
    int64_t thread_count = 0;
    if (threads && (!slice_to_int64(slice_str(threads), &thread_count) || thread_count < 1 || thread_count > 16))
        return cli_usage_error(d->cli, "--threads is 1 to 16, not %s", threads);
    struct dedupe_settings settings = {.ruleset = d->ruleset, .matcher = d->matcher, .rules = &d->rules,
                                       .columns = &d->columns, .threads = (unsigned)thread_count};
    int64_t started_us = clock_monotonic_us(clock_system());
    d->dedupe = dedupe_new(&settings, &err);
    enum status status = d->dedupe ? add_rows(d, &err) : STATUS_FAILED;
    if (status == STATUS_OK && to_stdout(d->cli))
        status = dedupe_sheet_write(&d->sheet, stdout, customer_of, d->dedupe, &err);
    else if (status == STATUS_OK)
        status = write_file(d, cli_value(d->cli, "output"), &err);
    if (status != STATUS_OK)
        return cli_fail_err(d->cli, &err);
    print_stats(d, (double)(clock_monotonic_us(clock_system()) - started_us) / 1e6);
    return EXIT_CODE_OK;
}

static int run(const struct cli *cli)
{
    struct deduping *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
    d->cli = cli;
    d->sheet.fd = -1;
    int code = cli_value(cli, "config") ? use_config(d) : use_shipped(d);
    if (code == EXIT_CODE_OK)
        code = prepare(d);
    if (code == EXIT_CODE_OK)
        code = cluster(d);
    dedupe_free(&d->dedupe);
    dedupe_sheet_close(&d->sheet);
    free(d->ignored);
    if (d->generation) {
        generation_free(&d->generation);
    } else {
        matcher_free(&d->matcher);
        ruleset_free(&d->ruleset);
    }
    config_free(&d->config);
    free(d);
    return code;
}

static const struct cli_option options[] = {
    {"output", 'o', "FILE", "where the sheet with customer_id goes (default: standard output)"},
    {"map", 'm', "COLUMN=FIELD", "how a column is understood; COLUMN=- leaves it out; may be repeated"},
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
               "themselves. With --config the rules, fields and model of that configuration are used, else the\n"
               "shipped ones.\n\n"
               "  tributary dedupe contacts.csv -o grouped.csv --country CN\n"
               "  tributary dedupe crm.csv -o out.csv --map 'Tel. 2=phone' --map 'Owner=-'",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
