/*
 * sheet_fields.h - a sheet, the rules and the model it is read with, and which of its columns is which field.
 *
 * For the commands that read a sheet without a database (dedupe, train). The rules, fields and model are those of --config,
 * else the shipped ones. --map COLUMN=FIELD names a field; --map COLUMN=FIELD:TYPE makes one of one's own; with
 * `learn_columns`, columns that nothing knows become fields of one's own too when they look like evidence.
 */
#ifndef TRIBUTARY_CLI_SHEET_FIELDS_H
#define TRIBUTARY_CLI_SHEET_FIELDS_H

#include "daemon/cli/cli.h"
#include "daemon/cli/dedupe_sheet.h"
#include "rules/match.h"
#include "rules/ruleset.h"

struct sheet_fields {
    const struct cli *cli;
    struct arena *arena;
    struct config *config; /* with --config */
    struct ruleset *ruleset;
    struct matcher *matcher;
    struct match_settings settings;
    const char *model_name; /* of `matcher`: what training starts from */
    struct slice model_text;
    bool model_is_shipped;
    struct dedupe_sheet sheet;
    struct columns columns;
    struct source_rules rules;
    struct source_map maps[CLI_ARGUMENTS_MAX];
    struct slice mapped[CLI_ARGUMENTS_MAX]; /* the columns of maps */
    bool *ignored;                          /* by column: --map COLUMN=- */
    bool *learned;                          /* by column: a field only because it looked like evidence */
    size_t learned_count, used_count;       /* columns learned; all that are a field */
};

/* The options --map, --country, --kind, --day-first and --model must be in the command's table. On anything but
 * EXIT_CODE_OK the reason was printed. Free in any case. */
int sheet_fields_open(struct sheet_fields *fields, const struct cli *cli, bool learn_columns);
/* Of an installation's own records: rules, fields and model of its configuration, and no sheet. */
int sheet_fields_open_stored(struct sheet_fields *fields, const struct cli *cli);
void sheet_fields_close(struct sheet_fields *fields);

/* Makes the matcher anew of another model's text, which says what is compared. EXIT_CODE_OK, or the problems were printed. */
int sheet_fields_use_model(struct sheet_fields *fields, const char *name, struct slice text);
/* Columns that only looked like evidence are left out from now on. */
void sheet_fields_forget_learned(struct sheet_fields *fields);
/* Says on standard error how each column is understood. EXIT_CODE_USAGE when none is. */
int sheet_fields_tell(const struct sheet_fields *fields);

#endif
