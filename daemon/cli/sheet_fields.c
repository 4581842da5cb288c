/* sheet_fields.c - see sheet_fields.h. */
#include "daemon/cli/sheet_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/asset.h"
#include "daemon/cli/sheet_columns.h"
#include "rules/clean.h"

#define SHIPPED_PACK   "rules/packs/people.yaml"
#define SHIPPED_MODEL  "rules/models/people.yaml"
#define ARENA_BYTES    ((size_t)256 << 20)
#define MODEL_MAX      ((size_t)1 << 20)
#define FIELDS_TEXT    65536
#define MODEL_FIELDS_MAX 64

struct known_columns {
    struct csv_known_columns base;
    const struct ruleset *ruleset;
};

/* A field of one's own that the command line or the sheet makes. */
struct own_field {
    char name[FIELD_NAME_MAX + 1];
    enum field_type type;
    size_t column;
    bool learned;
};

/* ---- rules and model ---- */

static const struct yaml_node *config_fields(const struct sheet_fields *f)
{
    return f->config ? options_node(f->config->root, "fields") : NULL;
}

static int make_rules(struct sheet_fields *f, const struct yaml_node *user_fields)
{
    bool found = false;
    struct problems problems = {0};
    struct pack_text shipped = {SHIPPED_PACK, asset_find(SHIPPED_PACK, &found)};

    ruleset_free(&f->ruleset);
    f->ruleset = f->config ? ruleset_new(f->config->packs, f->config->pack_count, user_fields, &problems)
                           : ruleset_new(&shipped, 1, user_fields, &problems);
    if (f->ruleset == NULL)
        cli_print_problems(f->cli, &problems);
    problems_free(&problems);
    return f->ruleset ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
}

static int read_file(struct sheet_fields *f, const char *path, struct slice *text)
{
    FILE *file = fopen(path, "re");
    char *bytes = file ? arena_alloc(f->arena, MODEL_MAX + 1) : NULL;
    size_t len = bytes ? fread(bytes, 1, MODEL_MAX + 1, file) : 0;
    int error = errno;
    bool failed = file == NULL || ferror(file);

    if (file)
        fclose(file);
    if (failed)
        return cli_fail(f->cli, EXIT_CODE_FAILED, "cannot read the model %s: %s; hint: tributary train writes one", path,
                        strerror(error));
    if (bytes == NULL || len > MODEL_MAX)
        return cli_fail(f->cli, EXIT_CODE_FAILED, "the model %s is larger than 1 MiB", path);
    *text = slice_of(bytes, len);
    return EXIT_CODE_OK;
}

static int find_model(struct sheet_fields *f)
{
    const char *model = cli_value(f->cli, "model");
    bool found = false;

    f->settings = (struct match_settings){.link_probability = 0.95, .review_probability = 0.70};
    if (f->config) {
        const struct options *match = options_section(f->config->root, "match");
        f->settings.link_probability = options_float(match, "link");
        f->settings.review_probability = options_float(match, "review");
    }
    struct slice shipped = asset_find(SHIPPED_MODEL, &found);
    f->model_name = f->config ? f->config->model_name : SHIPPED_MODEL;
    f->model_text = f->config ? f->config->model : shipped;
    if (model && strcmp(model, "shipped") != 0 && strcmp(model, "people") != 0) {
        f->model_name = model;
        int code = read_file(f, model, &f->model_text);
        if (code != EXIT_CODE_OK)
            return code;
    } else if (model) {
        f->model_name = SHIPPED_MODEL;
        f->model_text = shipped;
    }
    f->model_is_shipped = slice_eq(f->model_text, shipped);
    return EXIT_CODE_OK;
}

static int make_matcher(struct sheet_fields *f, const char *name, struct slice text, bool for_training)
{
    struct problems problems = {0};
    const struct schema *schema = ruleset_schema(f->ruleset);
    struct matcher *matcher = for_training
                                  ? matcher_new_for_training(schema, name, text, &f->settings, &problems)
                                  : matcher_new(schema, name, text, &f->settings, &problems);

    if (matcher) {
        matcher_free(&f->matcher);
        f->matcher = matcher;
    } else {
        cli_print_problems(f->cli, &problems);
    }
    problems_free(&problems);
    return matcher ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
}

int sheet_fields_use_model(struct sheet_fields *f, const char *name, struct slice text)
{
    return make_matcher(f, name, text, false);
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

static int no_column(const struct sheet_fields *f, struct slice name)
{
    struct buf names = BUF_INIT(2000);
    for (size_t i = 0; i < f->sheet.layout.column_count; i++) {
        buf_put_str(&names, i ? ", " : "");
        buf_put_slice(&names, f->sheet.layout.columns[i]);
    }
    int code = cli_usage_error(f->cli, "the sheet has no column '" SLICE_FMT "'; hint: it has " SLICE_FMT,
                               SLICE_ARG(name), SLICE_ARG(buf_slice(&names)));
    buf_free(&names);
    return code;
}

static int no_field(const struct sheet_fields *f, struct slice name)
{
    const struct schema *schema = ruleset_schema(f->ruleset);
    const char *names[FIELDS_MAX];
    for (size_t i = 0; i < schema->count; i++)
        names[i] = schema->fields[i].name;
    const char *near = nearest_word(name, names, schema->count);
    return cli_usage_error(f->cli, "there is no field '" SLICE_FMT "'; hint: %s%s; --map COLUMN=%.*s:text makes one",
                           SLICE_ARG(name), near ? "did you mean " : "such as full_name, phone, email, company",
                           near ? near : "", SLICE_ARG(name));
}

static bool has_field(const struct sheet_fields *f, const char *name)
{
    return schema_find(ruleset_schema(f->ruleset), name) != NULL;
}

static int add_map(struct sheet_fields *f, size_t column, struct slice field)
{
    if (f->rules.map_count == CLI_ARGUMENTS_MAX)
        return cli_usage_error(f->cli, "more than %d columns are mapped", CLI_ARGUMENTS_MAX);
    f->mapped[f->rules.map_count] = f->sheet.layout.columns[column];
    f->maps[f->rules.map_count] = (struct source_map){field, 1, &f->mapped[f->rules.map_count]};
    f->rules.map_count++;
    return EXIT_CODE_OK;
}

/* FIELD:TYPE. */
static int own_map(struct sheet_fields *f, size_t column, struct slice field, struct own_field *own, size_t *own_count)
{
    ptrdiff_t colon = slice_find_byte(field, ':');
    struct slice name = slice_sub(field, 0, (size_t)colon), type = slice_sub(field, (size_t)colon + 1, field.len);
    struct own_field *made = &own[*own_count];

    *made = (struct own_field){.column = column};
    if (name.len == 0 || name.len > FIELD_NAME_MAX)
        return cli_usage_error(f->cli, "'" SLICE_FMT "' is no name of a field", SLICE_ARG(name));
    memcpy(made->name, name.ptr, name.len);
    if (!field_type_parse(type, &made->type))
        return cli_usage_error(f->cli, "there is no type '" SLICE_FMT "'; hint: text, category, number, date, id_number, "
                               "phone, email, address, company, person_name, url or money", SLICE_ARG(type));
    if (has_field(f, made->name))
        return cli_usage_error(f->cli, "the field %s is there already; hint: --map COLUMN=%s without a type", made->name,
                               made->name);
    ++*own_count;
    return add_map(f, column, arena_dup(f->arena, name));
}

/* --map COLUMN=FIELD, COLUMN=FIELD:TYPE, or COLUMN=- for a column that is not to be understood. */
static int read_maps(struct sheet_fields *f, struct own_field *own, size_t *own_count)
{
    const char *const *values;
    size_t count = cli_values(f->cli, "map", &values);
    for (size_t i = 0; i < count; i++) {
        const char *equals = strrchr(values[i], '=');
        if (equals == NULL)
            return cli_usage_error(f->cli, "--map=%s: hint: --map 'Phone (home)=phone'", values[i]);
        struct slice column = slice_of(values[i], (size_t)(equals - values[i])), field = slice_str(equals + 1);
        size_t at = find_column(&f->sheet.layout, column);
        if (at == SIZE_MAX)
            return no_column(f, column);
        int code = EXIT_CODE_OK;
        if (slice_is(field, "-"))
            f->ignored[at] = true;
        else if (slice_find_byte(field, ':') > 0)
            code = own_map(f, at, field, own, own_count);
        else if (!has_field(f, equals + 1))
            return no_field(f, field);
        else
            code = add_map(f, at, field);
        if (code != EXIT_CODE_OK)
            return code;
    }
    return EXIT_CODE_OK;
}

static struct slice field_of(const struct sheet_fields *f, size_t column)
{
    struct slice name = f->sheet.layout.columns[column];
    if (f->ignored[column])
        return SLICE_EMPTY;
    for (size_t i = 0; i < f->rules.map_count; i++) {
        if (slice_eq(f->mapped[i], name))
            return f->maps[i].field;
    }
    const struct field *field = ruleset_alias(f->ruleset, name);
    return field ? slice_str(field->name) : SLICE_EMPTY;
}

/* ---- columns that nothing knows ---- */

static bool name_is_taken(const struct sheet_fields *f, const char *name, const struct own_field *own, size_t count)
{
    static const char *const reserved[] = {"outcome", "issues", "flags", "extra", "kind"};
    for (size_t i = 0; i < count; i++) {
        if (strcmp(own[i].name, name) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcmp(reserved[i], name) == 0)
            return true;
    }
    return has_field(f, name);
}

static enum status look_at_rows(struct sheet_fields *f, struct column_look *look, struct err *err)
{
    struct csv_row row;
    enum status status = STATUS_OK;
    for (size_t rows = 0; rows < SHEET_LOOK_ROWS; rows++) {
        status = dedupe_sheet_next(&f->sheet, &row, err);
        if (status != STATUS_OK)
            break;
        if (dedupe_sheet_is_whole(&f->sheet, &row))
            column_look_add(look, row.cells);
    }
    return status == STATUS_FAILED ? status : dedupe_sheet_rewind(&f->sheet, err);
}

static int learn_columns(struct sheet_fields *f, struct own_field *own, size_t *own_count)
{
    size_t columns = f->columns.count;
    bool *known = ARENA_ARRAY(f->arena, bool, columns + 1);
    struct err err = {0};

    for (size_t i = 0; known && i < columns; i++)
        known[i] = f->ignored[i] || field_of(f, i).len > 0;
    struct column_look *look = known ? column_look_new(f->arena, columns, f->sheet.layout.columns, known) : NULL;
    if (look == NULL)
        return cli_fail(f->cli, EXIT_CODE_TEMPORARY, "out of memory");
    if (look_at_rows(f, look, &err) != STATUS_OK)
        return cli_fail_err(f->cli, &err);
    for (size_t i = 0; i < columns; i++) {
        enum field_type type;
        if (column_look_use(look, i, &type) != COLUMN_USED || f->rules.map_count == CLI_ARGUMENTS_MAX)
            continue;
        struct own_field *made = &own[*own_count];
        *made = (struct own_field){.column = i, .type = type, .learned = true};
        column_field_name(f->sheet.layout.columns[i], i, made->name);
        if (name_is_taken(f, made->name, own, *own_count)) {
            size_t len = strlen(made->name);
            snprintf(made->name + len, sizeof(made->name) - len, "_%zu", i + 1);
        }
        if (name_is_taken(f, made->name, own, *own_count))
            continue;
        ++*own_count;
        f->learned[i] = true;
        f->learned_count++;
        (void)add_map(f, i, arena_dup(f->arena, slice_str(made->name)));
    }
    return EXIT_CODE_OK;
}

/* ---- own fields into the rules ---- */

static const struct yaml_node *join_maps(struct sheet_fields *f, const struct yaml_node *a, const struct yaml_node *b)
{
    struct yaml_node *joined = ARENA_NEW(f->arena, struct yaml_node);
    size_t before = a && a->kind == YAML_MAP ? a->count : 0, count = before + b->count;

    if (joined == NULL)
        return b;
    *joined = *b;
    joined->count = count;
    joined->keys = ARENA_ARRAY(f->arena, struct yaml_node *, count + 1);
    joined->values = ARENA_ARRAY(f->arena, struct yaml_node *, count + 1);
    for (size_t i = 0; joined->keys && joined->values && i < count; i++) {
        joined->keys[i] = i < before ? a->keys[i] : b->keys[i - before];
        joined->values[i] = i < before ? a->values[i] : b->values[i - before];
    }
    return joined;
}

/* Fields that a trained model knows and the rules do not: a column of that name is one. */
static void add_model_fields(struct sheet_fields *f, struct own_field *own, size_t *own_count)
{
    struct problems problems = {0};
    const struct yaml_node *root = yaml_parse(f->arena, f->model_name, f->model_text, &problems);
    const struct yaml_node *fields = yaml_get(root, "fields");

    problems_free(&problems); /* told when the model is read */
    for (size_t i = 0; fields && fields->kind == YAML_MAP && i < fields->count; i++) {
        struct own_field made = {.column = SIZE_MAX};
        struct slice name = fields->keys[i]->text;
        if (name.len == 0 || name.len > FIELD_NAME_MAX || *own_count >= MODEL_FIELDS_MAX)
            continue;
        memcpy(made.name, name.ptr, name.len);
        if (!field_type_parse(yaml_text(fields->values[i], "type", SLICE_EMPTY), &made.type) ||
            name_is_taken(f, made.name, own, *own_count))
            continue;
        for (size_t c = 0; c < f->columns.count && made.column == SIZE_MAX; c++) {
            char heading[FIELD_NAME_MAX + 1];
            column_field_name(f->sheet.layout.columns[c], c, heading);
            if (strcmp(heading, made.name) == 0 && field_of(f, c).len == 0 && !f->ignored[c])
                made.column = c;
        }
        if (made.column != SIZE_MAX)
            (void)add_map(f, made.column, arena_dup(f->arena, name));
        own[(*own_count)++] = made;
    }
}

static int add_own_fields(struct sheet_fields *f, const struct own_field *own, size_t count)
{
    struct problems problems = {0};
    struct buf text = BUF_INIT(FIELDS_TEXT);
    int code;

    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s: {type: %s}\n", own[i].name, field_type_name(own[i].type));
    struct yaml_node *node =
        yaml_parse(f->arena, "--map", arena_dup(f->arena, buf_slice(&text)), &problems);
    if (node) {
        code = make_rules(f, join_maps(f, config_fields(f), node));
    } else {
        cli_print_problems(f->cli, &problems);
        code = EXIT_CODE_USAGE;
    }
    problems_free(&problems);
    buf_free(&text);
    return code;
}

static int understand(struct sheet_fields *f, bool learn)
{
    size_t count = 0;
    struct own_field *own = ARENA_ARRAY(f->arena, struct own_field, CLI_ARGUMENTS_MAX + MODEL_FIELDS_MAX + 1);
    if (own == NULL)
        return cli_fail(f->cli, EXIT_CODE_TEMPORARY, "out of memory");
    int code = read_maps(f, own, &count);
    if (code == EXIT_CODE_OK && !f->model_is_shipped)
        add_model_fields(f, own, &count);
    if (code == EXIT_CODE_OK && learn)
        code = learn_columns(f, own, &count);
    if (code == EXIT_CODE_OK && count > 0)
        code = add_own_fields(f, own, count);
    for (size_t i = 0; code == EXIT_CODE_OK && i < f->columns.count; i++)
        f->used_count += field_of(f, i).len > 0;
    return code == EXIT_CODE_OK ? make_matcher(f, f->model_name, f->model_text, learn) : code;
}

void sheet_fields_forget_learned(struct sheet_fields *f)
{
    for (size_t i = 0; i < f->columns.count; i++)
        f->ignored[i] = f->ignored[i] || f->learned[i];
    f->learned_count = 0;
}

static void tell_learned(const struct sheet_fields *f)
{
    const struct schema *schema = ruleset_schema(f->ruleset);
    size_t told = 0;

    for (size_t i = 0; i < f->columns.count; i++) {
        const struct field *field =
            f->learned[i] && !f->ignored[i] ? schema_find(schema, arena_str(f->arena, field_of(f, i))) : NULL;
        if (field == NULL)
            continue;
        fprintf(stderr, "%s " SLICE_FMT " (%s)", told ? "," : "compared by their type:",
                SLICE_ARG(f->sheet.layout.columns[i]), field_type_name(field->type));
        told++;
    }
    if (told)
        fputs("\n", stderr);
}

int sheet_fields_tell(const struct sheet_fields *f)
{
    size_t known = 0, unused = 0, learned = 0;
    fputs("understood:", stderr);
    for (size_t i = 0; i < f->columns.count; i++) {
        struct slice field = field_of(f, i);
        unused += field.len == 0;
        learned += field.len > 0 && f->learned[i];
        if (field.len > 0 && !f->learned[i])
            fprintf(stderr, "%s " SLICE_FMT " = " SLICE_FMT, known++ ? "," : "",
                    SLICE_ARG(f->sheet.layout.columns[i]), SLICE_ARG(field));
    }
    fprintf(stderr, "%s; %zu column%s not used\n", known ? "" : " nothing", unused, unused == 1 ? "" : "s");
    tell_learned(f);
    if (known + learned == 0)
        return cli_usage_error(f->cli, "no column is known; hint: --map COLUMN=FIELD, such as --map 'Tel.=phone'");
    return EXIT_CODE_OK;
}

/* ---- the whole ---- */

static int read_options(struct sheet_fields *f)
{
    const char *kind = cli_value(f->cli, "kind"), *country = cli_value(f->cli, "country");
    if (kind && strcmp(kind, "person") != 0 && strcmp(kind, "company") != 0)
        return cli_usage_error(f->cli, "--kind is person or company, not %s", kind);
    const char *code_of_country = country ? clean_country(slice_str(country)) : "";
    if (code_of_country == NULL)
        return cli_usage_error(f->cli, "--country=%s: hint: a code such as CN, DE or US", country);
    f->rules = (struct source_rules){.name = "dedupe", .country = code_of_country, .time_zone = "UTC",
                                     .kind = kind && kind[0] == 'c' ? KIND_COMPANY : KIND_PERSON,
                                     .map = f->maps, .day_first = cli_flag(f->cli, "day-first")};
    return EXIT_CODE_OK;
}

static int open_rules(struct sheet_fields *f, const struct cli *cli, bool with_config)
{
    *f = (struct sheet_fields){.cli = cli, .sheet = {.fd = -1}};
    f->arena = arena_new(ARENA_BYTES);
    if (f->arena == NULL)
        return cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
    int code = with_config ? cli_load_config(cli, &f->config) : EXIT_CODE_OK;
    if (code == EXIT_CODE_OK)
        code = find_model(f);
    if (code == EXIT_CODE_OK)
        code = make_rules(f, config_fields(f));
    return code;
}

int sheet_fields_open_stored(struct sheet_fields *f, const struct cli *cli)
{
    int code = open_rules(f, cli, true);
    return code == EXIT_CODE_OK ? make_matcher(f, f->model_name, f->model_text, true) : code;
}

int sheet_fields_open(struct sheet_fields *f, const struct cli *cli, bool learn)
{
    struct err err = {0};
    int code = open_rules(f, cli, cli_value(cli, "config") != NULL);

    if (code == EXIT_CODE_OK)
        code = read_options(f);
    if (code != EXIT_CODE_OK)
        return code;
    struct known_columns known = {{is_known}, f->ruleset};
    if (dedupe_sheet_open(cli_argument(cli, 0), &known.base, &f->sheet, &err) != STATUS_OK)
        return cli_fail_err(cli, &err);
    f->columns = (struct columns){1, f->sheet.layout.column_count, f->sheet.layout.columns};
    f->ignored = ARENA_ARRAY(f->arena, bool, f->columns.count + 1);
    f->learned = ARENA_ARRAY(f->arena, bool, f->columns.count + 1);
    if (f->ignored == NULL || f->learned == NULL)
        return cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
    return understand(f, learn);
}

void sheet_fields_close(struct sheet_fields *f)
{
    dedupe_sheet_close(&f->sheet);
    matcher_free(&f->matcher);
    ruleset_free(&f->ruleset);
    config_free(&f->config);
    arena_free(&f->arena);
}
