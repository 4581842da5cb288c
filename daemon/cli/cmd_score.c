/* cmd_score.c - `tributary score`: how alike two columns of values are, and how well that tells
 * labelled pairs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/csv_reader.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/score_curve.h"
#include "rules/match.h"

#define LAYOUT_MAX_BYTES ((size_t)4 << 20)
#define OUTPUT_MAX_BYTES ((size_t)4 << 20)
#define NO_COLUMN        ((size_t)-1)

struct scoring {
    const struct cli *cli;
    enum field_type type;
    size_t left, right, label;
    size_t rows, unreadable;
    bool summary_only;
    struct score_curve curve;
    struct buf out;
};

static size_t find_column(const struct csv_layout *layout, const char *name)
{
    for (size_t i = 0; name && i < layout->column_count; i++)
        if (slice_eq_nocase(layout->columns[i], slice_str(name)))
            return i;
    return NO_COLUMN;
}

/* The first of the names that is a column. */
static size_t find_any(const struct csv_layout *layout, const char *const *names, size_t count)
{
    size_t column = NO_COLUMN;

    for (size_t i = 0; i < count && column == NO_COLUMN; i++)
        column = find_column(layout, names[i]);
    return column;
}

static int choose_column(const struct scoring *scoring, const struct csv_layout *layout,
                         const char *option, size_t *column)
{
    const char *wanted = cli_value(scoring->cli, option);

    if (wanted == NULL)
        return EXIT_CODE_OK;
    *column = find_column(layout, wanted);
    if (*column != NO_COLUMN)
        return EXIT_CODE_OK;
    return cli_fail(scoring->cli, EXIT_CODE_USAGE,
                    "no column `%s`; hint: the first column is `" SLICE_FMT "`", wanted,
                    SLICE_ARG(layout->columns[0]));
}

static int choose_columns(struct scoring *scoring, const struct csv_layout *layout)
{
    static const char *const lefts[] = {"left",      "a",        "name1", "value1",
                                        "left_name", "company1", "公司1"};
    static const char *const rights[] = {"right",      "b",        "name2", "value2",
                                         "right_name", "company2", "公司2"};
    static const char *const labels[] = {"label", "is_match", "match", "same", "truth", "target"};

    scoring->left = find_any(layout, lefts, sizeof(lefts) / sizeof(lefts[0]));
    scoring->right = find_any(layout, rights, sizeof(rights) / sizeof(rights[0]));
    scoring->label = find_any(layout, labels, sizeof(labels) / sizeof(labels[0]));
    if (scoring->left == NO_COLUMN || scoring->right == NO_COLUMN) {
        scoring->left = 0;
        scoring->right = 1;
    }
    int code = choose_column(scoring, layout, "left", &scoring->left);
    if (code == EXIT_CODE_OK)
        code = choose_column(scoring, layout, "right", &scoring->right);
    if (code == EXIT_CODE_OK)
        code = choose_column(scoring, layout, "label", &scoring->label);
    return code;
}

static bool read_label(struct slice text, bool *same)
{
    static const char *const yes[] = {"1", "true", "t", "yes", "y", "same", "match", "是"};
    static const char *const no[] = {"0", "false", "f", "no", "n", "different", "distinct", "否"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        *same = slice_eq_nocase(slice_trim(text), slice_str(yes[i]));
        if (*same || slice_eq_nocase(slice_trim(text), slice_str(no[i])))
            return true;
    }
    return false;
}

static void put_cell(struct buf *out, struct slice cell, bool first)
{
    if (!first)
        buf_put_byte(out, ',');
    bool plain = true;
    for (size_t i = 0; i < cell.len && plain; i++)
        plain = !strchr(",\"\r\n", cell.ptr[i]);
    if (plain) {
        buf_put_slice(out, cell);
        return;
    }
    buf_put_byte(out, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == '"')
            buf_put_byte(out, '"');
        buf_put_byte(out, (uint8_t)cell.ptr[i]);
    }
    buf_put_byte(out, '"');
}

static void put_line(struct scoring *scoring, const struct slice *cells, size_t count,
                     const char *last)
{
    if (scoring->summary_only)
        return;
    buf_reset(&scoring->out);
    for (size_t i = 0; i < count; i++)
        put_cell(&scoring->out, cells[i], i == 0);
    put_cell(&scoring->out, slice_str(last), count == 0);
    buf_put_byte(&scoring->out, '\n');
    fwrite(scoring->out.data, 1, scoring->out.len, stdout);
}

static int score_row(struct scoring *scoring, const struct csv_row *row)
{
    char text[32];
    bool same;

    if (row->blank)
        return EXIT_CODE_OK;
    if (row->fault != CSV_FAULT_NONE || row->cell_count <= scoring->left ||
        row->cell_count <= scoring->right) {
        scoring->unreadable++;
        return EXIT_CODE_OK;
    }
    double score = match_similarity(NULL, scoring->type, row->cells[scoring->left],
                                    row->cells[scoring->right]);
    scoring->rows++;
    snprintf(text, sizeof(text), "%.4f", score);
    put_line(scoring, row->cells, row->cell_count, text);
    if (scoring->label < row->cell_count && read_label(row->cells[scoring->label], &same) &&
        !score_curve_add(&scoring->curve, score, same))
        return cli_fail(scoring->cli, EXIT_CODE_TEMPORARY,
                        "more labelled pairs than fit into memory");
    return EXIT_CODE_OK;
}

static void print_counts(FILE *file, const char *name, const struct score_counts *c, bool json)
{
    double mcc = score_mcc(c), f1 = score_f1(c), precision = score_precision(c);
    double recall = score_recall(c), specificity = score_specificity(c);

    if (json)
        fprintf(file,
                ", \"%s\": {\"threshold\": %.4f, \"mcc\": %.4f, \"f1\": %.4f, \"precision\": %.4f, "
                "\"recall\": %.4f, \"specificity\": %.4f}",
                name, c->threshold, mcc, f1, precision, recall, specificity);
    else
        fprintf(file,
                "%-6s threshold %.4f  mcc %.4f  f1 %.4f  precision %.4f  recall %.4f  "
                "specificity %.4f\n",
                name, c->threshold, mcc, f1, precision, recall, specificity);
}

static void print_summary(struct scoring *scoring)
{
    bool json = cli_wants_json(scoring->cli);
    FILE *file = scoring->summary_only ? stdout : stderr;

    if (json)
        fprintf(file, "{\"pairs\": %zu, \"labelled\": %zu, \"unreadable\": %zu", scoring->rows,
                scoring->curve.count, scoring->unreadable);
    else
        fprintf(file, "%zu pairs, %zu labelled, %zu unreadable\n", scoring->rows,
                scoring->curve.count, scoring->unreadable);
    if (scoring->curve.count) {
        struct score_counts half = score_curve_at(&scoring->curve, 0.5);
        struct score_counts best = score_curve_best(&scoring->curve);
        print_counts(file, json ? "at_half" : "at 0.5", &half, json);
        print_counts(file, "best", &best, json);
    }
    if (json)
        fprintf(file, "}\n");
}

static int score_rows(struct scoring *scoring, struct csv_reader *reader, struct arena *arena)
{
    struct csv_settings settings = CSV_SETTINGS_GUESS;
    struct csv_layout layout;
    struct csv_row row;
    struct err err;

    settings.header = CSV_HEADER_FIRST_ROW;
    enum status status = csv_reader_begin(reader, &settings, arena, &layout, &err);
    if (status == STATUS_EMPTY)
        return cli_fail(scoring->cli, EXIT_CODE_FAILED, "the file is empty");
    if (status != STATUS_OK)
        return cli_fail_err(scoring->cli, &err);
    if (layout.column_count < 2)
        return cli_fail(scoring->cli, EXIT_CODE_FAILED,
                        "the file has %zu column; hint: two columns of values are needed",
                        layout.column_count);
    int code = choose_columns(scoring, &layout);
    if (code != EXIT_CODE_OK)
        return code;
    put_line(scoring, layout.columns, layout.column_count, "score");
    while (code == EXIT_CODE_OK && (status = csv_reader_next(reader, &row, &err)) == STATUS_OK)
        code = score_row(scoring, &row);
    if (code == EXIT_CODE_OK && status == STATUS_FAILED)
        code = cli_fail_err(scoring->cli, &err);
    if (code == EXIT_CODE_OK)
        print_summary(scoring);
    return code;
}

static int run(const struct cli *cli)
{
    struct scoring scoring = {.cli = cli, .out = BUF_INIT(OUTPUT_MAX_BYTES)};
    const char *type = cli_value(cli, "type"), *path = cli_argument(cli, 0);
    int code = EXIT_CODE_TEMPORARY;

    if (type == NULL || !field_type_parse(slice_str(type), &scoring.type))
        return cli_usage_error(cli,
                               "--type must name a type of field, such as person_name, company, "
                               "email, phone, address or date");
    scoring.summary_only = cli_flag(cli, "summary");
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_fail(cli, EXIT_CODE_FAILED, "cannot read %s: %s", path, strerror(errno));
    struct arena *arena = arena_new(LAYOUT_MAX_BYTES);
    struct csv_reader *reader = csv_reader_new_fd(fd);
    if (arena && reader)
        code = score_rows(&scoring, reader, arena);
    else
        cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
    csv_reader_free(&reader);
    arena_free(&arena);
    score_curve_free(&scoring.curve);
    buf_free(&scoring.out);
    if (fd != STDIN_FILENO)
        close(fd);
    return code;
}

static const struct cli_option options[] = {
    {"type", 't', "TYPE",
     "type of the values: person_name, company, email, phone, address, date ..."},
    {"left", 0, "COLUMN",
     "column of the first value (default: left, a, name1 ..., else the first)"},
    {"right", 0, "COLUMN",
     "column of the second value (default: right, b, name2 ..., else the second)"},
    {"label", 0, "COLUMN",
     "column that says whether they are the same (default: label, is_match, same ...)"},
    {"summary", 's', NULL, "print the summary only, on standard output"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_score = {
    .name = "score",
    .synopsis = "PAIRS.csv --type=TYPE",
    .help = "scores how alike pairs of values are",
    .details = "Writes the pairs with a further column `score`, from 0 (different) to 1 (the "
               "same), to standard output. With a\n"
               "column of labels (true/false, 1/0, yes/no, 是/否) it tells on standard error how "
               "well the score parts them: MCC,\n"
               "F1, precision, recall and specificity at a threshold of 0.5 and at the best one. "
               "PAIRS.csv may be - for\n"
               "standard input.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
