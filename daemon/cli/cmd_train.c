/* cmd_train.c - `tributary train`: a model learned without labels, from a sheet or from the records of an installation. */
#include "daemon/cli/cli.h"
#include "daemon/cli/learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODEL_MAX ((size_t)1 << 20)

struct training {
    const struct cli *cli;
    struct sheet_fields fields;
    struct learned learned;
};

/* ---- what was found ---- */

static const char *weakness_text(unsigned weakness)
{
    if (weakness & TRAIN_NO_PASS)
        return "no pass shows it; as before";
    if (weakness & TRAIN_FEW_PAIRS)
        return "weak: few pairs, near the base model";
    if (weakness & TRAIN_NO_CONTRAST)
        return "tells nothing apart here";
    return weakness & TRAIN_UNSEEN_LEVEL ? "some levels never seen" : "";
}

static void print_passes(const struct train_report *report)
{
    fprintf(stderr, "%-58s %9s %10s %6s %9s %11s\n", "pass (keys)", "pairs", "of one", "rounds", "change",
            "log2 L/pair");
    for (size_t i = 0; i < report->pass_count; i++) {
        const struct train_pass *pass = &report->passes[i];
        fprintf(stderr, "%-58.58s %9zu %10.0f %6u %9.2g %5.1f->%-5.1f%s\n", pass->keys, pass->pairs, pass->matches,
                pass->iterations, pass->last_change, pass->log_likelihood_first, pass->log_likelihood,
                pass->used ? "" : " not used: too few");
    }
}

static void print_comparisons(const struct training *t)
{
    const struct train_report *report = trained_report(t->learned.trained);

    char doubt[80] = "";
    if (report->doubt_bits > 0)
        snprintf(doubt, sizeof(doubt), ", after %.2f bits that contradictions take off", report->doubt_bits);
    fprintf(stderr, "\n%-24s %10s\n", "comparison", "pairs");
    for (size_t i = 0; i < report->comparison_count; i++) {
        const struct train_comparison *about = &report->comparisons[i];
        fprintf(stderr, "%-24s %10.0f  %s\n", matcher_comparison_name(t->fields.matcher, about->comparison),
                about->matches, weakness_text(about->weakness));
    }
    fprintf(stderr, "\n%zu records, %zu pairs that share a key, %zu random pairs; expected: %.0f pairs of one customer, "
            "one in %.0f%s\n", report->records, report->candidates, report->random_pairs, report->expected_matches,
            report->prior > 0 ? 1 / report->prior : 0, doubt);
}

/* ---- the file ---- */

static int write_model(struct training *t, const struct buf *text)
{
    const char *path = cli_value(t->cli, "output");
    char part[4096];

    if (path == NULL || strcmp(path, "-") == 0) {
        fwrite(text->data, 1, text->len, stdout);
        return fflush(stdout) == 0 ? EXIT_CODE_OK : cli_fail(t->cli, EXIT_CODE_FAILED, "cannot write");
    }
    bool in_place = cli_writes_in_place(path);
    if (snprintf(part, sizeof(part), in_place ? "%s" : "%s.part", path) >= (int)sizeof(part))
        return cli_usage_error(t->cli, "the name %s is too long", path);
    FILE *file = fopen(part, "we");
    bool written = file && fwrite(text->data, 1, text->len, file) == text->len;
    int error = errno;
    if (file && fclose(file) != 0)
        written = false;
    if (written && (in_place || rename(part, path) == 0))
        return EXIT_CODE_OK;
    error = written ? errno : error;
    if (file && !in_place)
        (void)unlink(part);
    return cli_fail(t->cli, EXIT_CODE_FAILED, "cannot write %s: %s", path, strerror(error));
}

/* "customers.csv" as customers. */
static void model_name(const char *path, char name[64])
{
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
    size_t len = 0;

    for (; from[len] && from[len] != '.' && len < 60; len++) {
        bool plain = (from[len] >= 'a' && from[len] <= 'z') || (from[len] >= 'A' && from[len] <= 'Z') ||
                     (from[len] >= '0' && from[len] <= '9') || from[len] == '-' || from[len] == '_';
        name[len] = plain ? from[len] : '_';
    }
    name[len] = '\0';
    if (len == 0 || name[0] == '-')
        memcpy(name, "learned", 8);
}

static int finish(struct training *t, const char *origin)
{
    struct buf text = BUF_INIT(MODEL_MAX);
    char name[64];
    int code = EXIT_CODE_OK;

    model_name(origin, name);
    learned_write(&t->learned, &t->fields, name, origin, &text);
    if (buf_failed(&text))
        code = cli_fail(t->cli, EXIT_CODE_BUG, "the model is larger than 1 MiB");
    if (code == EXIT_CODE_OK) /* what we write, we can read */
        code = sheet_fields_use_model(&t->fields, "learned", buf_slice(&text));
    if (code == EXIT_CODE_OK)
        code = write_model(t, &text);
    buf_free(&text);
    return code;
}

static int train(struct training *t)
{
    const char *given_seed = cli_value(t->cli, "seed"), *given_threads = cli_value(t->cli, "threads");
    int64_t seed = 1, threads = 0;
    struct err err = {0};

    if (given_seed && (!slice_to_int64(slice_str(given_seed), &seed) || seed < 0))
        return cli_usage_error(t->cli, "--seed is a number from 0, not %s", given_seed);
    if (given_threads && (!slice_to_int64(slice_str(given_threads), &threads) || threads < 1 || threads > 16))
        return cli_usage_error(t->cli, "--threads is 1 to 16, not %s", given_threads);
    bool stored = cli_argument_count(t->cli) == 0;
    int code = stored ? sheet_fields_open_stored(&t->fields, t->cli) : sheet_fields_open(&t->fields, t->cli, true);
    if (code == EXIT_CODE_OK && !stored)
        code = sheet_fields_tell(&t->fields);
    if (code != EXIT_CODE_OK)
        return code;
    enum status status = stored
                             ? learn_from_database(&t->fields, (uint64_t)seed, &t->learned, &err)
                             : learn_from_sheet(&t->fields, (uint64_t)seed, (unsigned)threads, true, &t->learned, &err);
    if (status != STATUS_OK)
        return cli_fail_err(t->cli, &err);
    const struct train_report *report = trained_report(t->learned.trained);
    print_passes(report);
    print_comparisons(t);
    if (!report->enough)
        return cli_fail(t->cli, EXIT_CODE_FAILED,
                        "too little to learn from: %zu records, in which some %.0f pairs look like one customer; hint: the shipped model "
                        "needs no training", report->records, report->expected_matches);
    return finish(t, stored ? "database" : cli_argument(t->cli, 0));
}

static int run(const struct cli *cli)
{
    struct training *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
    t->cli = cli;
    t->learned.features = BUF_INIT(0);
    int code = train(t);
    learned_free(&t->learned);
    sheet_fields_close(&t->fields);
    free(t);
    return code;
}

static const struct cli_option options[] = {
    {"output", 'o', "FILE", "where the model goes (default: standard output)"},
    {"map", 'm', "COLUMN=FIELD",
     "how a column is understood; COLUMN=NAME:TYPE makes a field of one's own, COLUMN=- leaves it out; may be repeated"},
    {"country", 0, "CODE", "of phone numbers and dates that name none, such as CN"},
    {"kind", 0, "KIND", "what a row is about when it does not say: person (default) or company"},
    {"day-first", 0, NULL, "03/04/2026 is the third of April"},
    {"model", 0, "FILE", "the model to start from (default: the configuration's, else the shipped one)"},
    {"seed", 0, "NUMBER", "of what is drawn at random; the same seed gives the same file (default: 1)"},
    {"threads", 0, "NUMBER", "for cleaning (default: one a processor)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_train = {
    .name = "train",
    .synopsis = "[IN.csv]",
    .help = "learns a model from a sheet or from the stored records, without labels",
    .details = "Estimates how much each agreement and disagreement says (m and u, by EM), how common names and values\n"
               "are, and how many pairs are one customer, and writes a model file for match.model or --model. What the\n"
               "records say little of stays near the model it starts from. The passes, their convergence and what is weak\n"
               "go to standard error. Without IN.csv the records of the configured installation are read from its database,\n"
               "running or not; nothing is written to it. match.model names the file, rematch --preview tells what it changes.\n\n"
               "  tributary train customers.csv -o customers-model.yaml --country DE\n"
               "  tributary train --config tributary.yaml -o model.yaml\n"
               "  tributary train people.csv -o m.yaml --map 'Beruf=occupation:text'",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
