/* model.c - reading a model file into a matcher. */
#include "rules/model_intern.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/frequency.h"
#include "rules/own_field.h"

#define MODEL_ARENA_BYTES ((size_t)32 << 20)
#define JUDGING_VERSION   2 /* of how judged pairs become customers: another one is another generation */
#define MODEL_FORMAT      1 /* of what a model file may say, and of what the comparisons mean */

static const struct {
    const char *field;
    uint8_t tag;
} field_tags[] = {
    {"full_name", TAG_FULL_NAME},
    {"given_name", TAG_GIVEN_NAME},
    {"family_name", TAG_FAMILY_NAME},
    {"name_suffix", TAG_SUFFIX},
    {"name_title", TAG_NAME_TITLE},
    {"gender", TAG_GENDER},
    {"phone", TAG_PHONE},
    {"email", TAG_EMAIL},
    {"birth_date", TAG_BIRTH},
    {"national_id", TAG_IDENTITY},
    {"credit_code", TAG_IDENTITY},
    {"wechat_id", TAG_WECHAT_ID},
    {"wechat_openid", TAG_WECHAT_OPENID},
    {"member_no", TAG_MEMBER},
    {"company", TAG_COMPANY},
    {"address_line", TAG_ADDRESS},
    {"city", TAG_CITY},
    {"district", TAG_DISTRICT},
    {"postal_code", TAG_POSTAL},
    {"website", TAG_WEBSITE},
};

void model_check_keys(struct model_reader *reader, const struct yaml_node *map,
                      const char *const *known, size_t count, const char *what)
{
    if (map == NULL || map->kind != YAML_MAP)
        return;
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i];
        bool found = false;
        for (size_t k = 0; k < count && !found; k++)
            found = slice_is(key->text, known[k]);
        if (found)
            continue;
        const char *nearest = nearest_word(key->text, known, count);
        problems_add(reader->problems, key, "unknown %s `" SLICE_FMT "`%s%s%s", what,
                     SLICE_ARG(key->text), nearest ? "; hint: did you mean `" : "",
                     nearest ? nearest : "", nearest ? "`?" : "");
    }
}

bool model_read_number(struct model_reader *reader, const struct yaml_node *map, const char *key,
                       double low, double high, double *value)
{
    const struct yaml_node *node = yaml_get(map, key);
    char text[64], *end = text;

    if (node == NULL)
        return false;
    if (node->kind == YAML_SCALAR && node->text.len > 0 && node->text.len < sizeof(text)) {
        memcpy(text, node->text.ptr, node->text.len);
        text[node->text.len] = '\0';
        *value = strtod(text, &end);
    }
    if (end == text || *end != '\0' || !isfinite(*value) || *value < low || *value > high) {
        problems_add(reader->problems, node, "`%s` must be a number from %g to %g", key, low, high);
        return false;
    }
    return true;
}

void model_need_number(struct model_reader *reader, const struct yaml_node *map, const char *key,
                       double low, double high, double *value)
{
    if (yaml_get(map, key) == NULL)
        problems_add(reader->problems, map, "`%s` is missing", key);
    else
        (void)model_read_number(reader, map, key, low, high, value);
}

static double probability_to_weight(double probability)
{
    return log2(probability / (1 - probability));
}

static void read_level(struct model_reader *reader, const struct yaml_node *node,
                       struct level_model *level)
{
    static const char *const known[] = {"m", "u", "frequency", "at_most", "lifts"};
    double m = 0.5, u = 0.5, at_most = 0.5;

    if (node->kind != YAML_MAP) {
        problems_add(reader->problems, node, "a level must be a map such as {m: 0.9, u: 0.001}");
        return;
    }
    model_check_keys(reader, node, known, sizeof(known) / sizeof(known[0]), "key of a level");
    model_need_number(reader, node, "m", 1e-6, 1, &m);
    model_need_number(reader, node, "u", 1e-12, 1000, &u);
    level->weight = (float)log2(m / u);
    level->m = (float)m;
    level->u = (float)u;
    level->ceiling = INFINITY;
    if (model_read_number(reader, node, "at_most", 0.001, 0.999, &at_most))
        level->ceiling = (float)probability_to_weight(at_most);
    const struct yaml_node *frequency = yaml_get(node, "frequency");
    struct slice use = yaml_text(node, "frequency", SLICE("none"));
    level->frequency = slice_is(use, "both")     ? FREQUENCY_BOTH
                       : slice_is(use, "family") ? FREQUENCY_FAMILY
                       : slice_is(use, "given")  ? FREQUENCY_GIVEN
                       : slice_is(use, "value")  ? FREQUENCY_VALUE
                                                 : FREQUENCY_NONE;
    if (frequency && level->frequency == FREQUENCY_NONE && !slice_is(use, "none"))
        problems_add(reader->problems, frequency,
                     "`frequency` must be both, family, given, value or none");
    struct slice lifts = yaml_text(node, "lifts", SLICE("false"));
    level->lifts = slice_is(lifts, "true");
    if (!level->lifts && !slice_is(lifts, "false"))
        problems_add(reader->problems, yaml_get(node, "lifts"), "`lifts` must be true or false");
}

void model_read_levels(struct model_reader *reader, const struct yaml_node *levels,
                       const struct yaml_node *where, const char *const *names, size_t count,
                       size_t needed, struct comparison_model *comparison)
{
    if (levels == NULL || levels->kind != YAML_MAP) {
        problems_add(reader->problems, where, "its levels are missing");
        return;
    }
    model_check_keys(reader, levels, names, count, "level");
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *level = yaml_get(levels, names[i]);
        if (level)
            read_level(reader, level, &comparison->levels[i]);
        else if (i < needed)
            problems_add(reader->problems, levels, "level `%s` is missing", names[i]);
        else
            comparison->levels[i] = comparison->levels[0];
    }
}

static void read_band_loss(struct model_reader *reader, const struct yaml_node *node,
                           struct comparison_model *comparison)
{
    float last = 0;

    if (node == NULL)
        return;
    if (node->kind != YAML_LIST || node->count != DEGREE_DEAD) {
        problems_add(reader->problems, node, "`band_loss` must be a list of %d numbers",
                     DEGREE_DEAD);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        char text[32] = {0}, *end = text;
        const struct yaml_node *item = node->values[i];
        if (item->kind == YAML_SCALAR && item->text.len < sizeof(text))
            memcpy(text, item->text.ptr, item->text.len);
        float loss = strtof(text, &end);
        if (end == text || *end != '\0' || !(loss >= last) || loss > 100) {
            problems_add(reader->problems, item,
                         "a band's loss must be a number from the last one's to 100");
            return;
        }
        comparison->band_loss[i] = last = loss;
    }
}

static void read_comparisons(struct model_reader *reader, const struct yaml_node *root)
{
    static const char *const known[] = {"levels", "band_loss"};
    const struct yaml_node *comparisons = yaml_get(root, "comparisons");

    if (comparisons == NULL || comparisons->kind != YAML_MAP) {
        problems_add(reader->problems, root, "`comparisons` is missing");
        return;
    }
    model_check_keys(reader, comparisons, comparison_names, CMP_TOGETHER, "comparison");
    for (size_t i = 0; i < CMP_TOGETHER; i++) {
        const struct yaml_node *node = yaml_get(comparisons, comparison_names[i]);
        if (node == NULL || node->kind != YAML_MAP) {
            problems_add(reader->problems, node ? node : comparisons, "comparison `%s` is missing",
                         comparison_names[i]);
            continue;
        }
        model_check_keys(reader, node, known, 2, "key of a comparison");
        model_read_levels(reader, yaml_get(node, "levels"), node, comparison_levels[i],
                          comparison_level_counts[i], comparison_levels_needed((uint8_t)i),
                          &reader->matcher->comparisons[i]);
        read_band_loss(reader, yaml_get(node, "band_loss"), &reader->matcher->comparisons[i]);
    }
}

/* What a field of the user's own may be compared by; the other types say nothing. */
static const enum field_type own_types[] = {
    FIELD_TEXT, FIELD_PERSON_NAME, FIELD_EMAIL, FIELD_PHONE,    FIELD_ADDRESS, FIELD_COMPANY,
    FIELD_DATE, FIELD_ID_NUMBER,   FIELD_URL,   FIELD_CATEGORY, FIELD_NUMBER,  FIELD_MONEY,
};
#define OWN_TYPES (sizeof(own_types) / sizeof(own_types[0]))

static void read_own_fields(struct model_reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *own = yaml_get(root, "own_fields");
    const char *names[OWN_TYPES];

    for (size_t i = 0; i < OWN_TYPES; i++)
        names[i] = field_type_name(own_types[i]);
    if (own == NULL || own->kind != YAML_MAP) {
        problems_add(reader->problems, root, "`own_fields` is missing");
        return;
    }
    model_check_keys(reader, own, names, OWN_TYPES, "type of field");
    for (size_t i = 0; i < OWN_TYPES; i++) {
        const struct yaml_node *node = yaml_get(own, names[i]);
        if (node == NULL)
            problems_add(reader->problems, own, "type `%s` is missing", names[i]);
        else
            model_read_levels(reader, node, node, own_levels, OWN_LEVELS, OWN_CLOSE,
                              &reader->matcher->customs[own_types[i]]);
    }
}

void model_read_table(struct model_reader *reader, const struct yaml_node *table,
                      void (*add)(void *data, struct slice name, float per_100000), void *data)
{
    for (size_t i = 0; table && table->kind == YAML_MAP && i < table->count; i++) {
        char text[32] = {0}, *end = text;
        const struct yaml_node *value = table->values[i];
        if (value->kind == YAML_SCALAR && value->text.len < sizeof(text))
            memcpy(text, value->text.ptr, value->text.len);
        float number = strtof(text, &end);
        if (end == text || *end != '\0' || !(number > 0) || number > 100000)
            problems_add(reader->problems, value,
                         "a frequency must be a number above 0, at most 100000");
        else
            add(data, table->keys[i]->text, number);
    }
}

struct name_table {
    struct frequency_table *table;
    struct arena *scratch;
    enum frequency_kind kind;
};

static void add_name(void *data, struct slice name, float per_100000)
{
    struct name_table *into = data;

    frequency_table_add(into->table, into->scratch, into->kind, name, per_100000);
}

static void read_frequency_section(struct model_reader *reader, const struct yaml_node *section,
                                   enum frequency_kind kind, struct arena *scratch)
{
    static const char *const known[] = {"default", "per_100000"};
    struct name_table into = {&reader->matcher->frequencies, scratch, kind};
    double per = 100;

    if (section == NULL || section->kind != YAML_MAP)
        return;
    model_check_keys(reader, section, known, 2, "key of a frequency table");
    model_need_number(reader, section, "default", 0.01, 100000, &per);
    reader->matcher->default_log2[kind] = (float)log2(per / 100000);
    model_read_table(reader, yaml_get(section, "per_100000"), add_name, &into);
}

static void read_frequencies(struct model_reader *reader, const struct yaml_node *root)
{
    static const char *const names[] = {"surname", "given", "character"};
    static const enum frequency_kind kinds[] = {FREQUENCY_SURNAME, FREQUENCY_GIVEN_NAME,
                                                FREQUENCY_CHARACTER};
    const struct yaml_node *frequencies = yaml_get(root, "frequencies");
    size_t entries = model_fields_entries(root);

    model_check_keys(reader, frequencies, names, 3, "frequency table");
    for (size_t i = 0; i < 3; i++) {
        const struct yaml_node *table = yaml_get(yaml_get(frequencies, names[i]), "per_100000");
        entries += table ? table->count : 0;
        reader->matcher->default_log2[kinds[i]] = -10;
    }
    if (entries > FREQUENCIES_MAX) {
        problems_add(reader->problems, frequencies, "%zu names; at most %d", entries,
                     FREQUENCIES_MAX);
        entries = 0;
        frequencies = NULL;
    }
    struct arena *scratch = arena_new(MODEL_ARENA_BYTES);
    /* Each entry may stand for its reading too. */
    if (scratch == NULL ||
        !frequency_table_init(&reader->matcher->frequencies, reader->matcher->arena, entries * 2)) {
        problems_add(reader->problems, NULL, "out of memory for the frequency tables");
    } else {
        for (size_t i = 0; i < 3; i++)
            read_frequency_section(reader, yaml_get(frequencies, names[i]), kinds[i], scratch);
        reader->matcher->default_log2[FREQUENCY_SYLLABLE] =
            reader->matcher->default_log2[FREQUENCY_CHARACTER] + 2;
    }
    if (scratch)
        arena_free(&scratch);
}

static void read_root(struct model_reader *reader, const struct yaml_node *root)
{
    static const char *const known[] = {"model",         "version",        "prior",
                                        "name_bits_max", "ceiling_excess", "comparisons",
                                        "together",      "own_fields",     "fields",
                                        "keys",          "frequencies"};
    struct matcher *matcher = reader->matcher;
    static const char *const together[] = {"factor", "name_and_address_bits", "twice"};
    double version = 1, prior = 1e-5, name_bits = 16, excess = 0.1, factor = 0.5, household = 80;

    model_check_keys(reader, root, known, sizeof(known) / sizeof(known[0]), "key of a model");
    model_need_number(reader, root, "version", 1, MODEL_FORMAT, &version);
    model_need_number(reader, root, "prior", 1e-12, 0.5, &prior);
    model_need_number(reader, root, "name_bits_max", 1, 40, &name_bits);
    model_need_number(reader, root, "ceiling_excess", 0, 0.5, &excess);
    model_check_keys(reader, yaml_get(root, "together"), together, 3, "key of together");
    if (yaml_get(root, "together")) {
        model_need_number(reader, yaml_get(root, "together"), "factor", 0, 1, &factor);
        model_need_number(reader, yaml_get(root, "together"), "name_and_address_bits", 1, 80, &household);
    }
    matcher->prior_weight = probability_to_weight(prior);
    matcher->name_bits_max = (float)name_bits;
    matcher->ceiling_excess = (float)excess;
    matcher->together_factor = (float)factor;
    matcher->name_and_address_max = (float)household;
    read_comparisons(reader, root);
    read_own_fields(reader, root);
    read_frequencies(reader, root);
    if (reader->matcher->frequencies.slots && reader->matcher->field_tags)
        model_read_fields(reader, root);
    model_read_recipes(reader, root);
    model_read_twice(reader, root);
}

static void bind_fields(struct matcher *matcher, const struct schema *schema)
{
    matcher->field_count = schema->count;
    matcher->field_tags = ARENA_ARRAY(matcher->arena, uint8_t, schema->count + 1);
    matcher->field_custom = ARENA_ARRAY(matcher->arena, uint8_t, schema->count + 1);
    matcher->identity_fields[0] = matcher->identity_fields[1] = FIELD_NONE;
    if (arena_failed(matcher->arena))
        return;
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        if (field->custom)
            continue;
        for (size_t k = 0; k < sizeof(field_tags) / sizeof(field_tags[0]); k++)
            if (strcmp(field->name, field_tags[k].field) == 0)
                matcher->field_tags[field->id] = field_tags[k].tag;
        if (strcmp(field->name, "national_id") == 0)
            matcher->identity_fields[0] = field->id;
        if (strcmp(field->name, "credit_code") == 0)
            matcher->identity_fields[1] = field->id;
    }
}

static uint64_t fingerprint_of(const struct matcher *matcher, const struct schema *schema,
                               struct slice model, const struct match_settings *settings)
{
    uint64_t hash =
        slice_hash(model, ((MODEL_FORMAT * 1000 + KEYS_LAYOUT) * 1000 + FEATURES_LAYOUT) * 1000 + JUDGING_VERSION);
    char line[160];

    for (size_t i = 0; i < schema->count; i++)
        if (matcher->field_tags[schema->fields[i].id]) {
            snprintf(line, sizeof(line), "%s %d", schema->fields[i].name,
                     (int)schema->fields[i].type);
            hash = slice_hash(slice_str(line), hash);
        }
    snprintf(line, sizeof(line), "%.9g %.9g", settings->link_probability,
             settings->review_probability);
    return slice_hash(slice_str(line), hash);
}

static struct matcher *read_model(const struct schema *schema, const char *model_name, struct slice model,
                                  const struct match_settings *settings, bool for_training,
                                  struct problems *problems)
{
    struct match_settings defaults = {0.95, 0.70};
    struct model_reader reader = {.problems = problems, .before = problems->count + problems->dropped};
    struct arena *arena = arena_new(MODEL_ARENA_BYTES);
    struct arena *scratch = arena_new(MODEL_ARENA_BYTES);
    struct matcher *matcher = arena && scratch ? ARENA_NEW(arena, struct matcher) : NULL;

    if (settings == NULL)
        settings = &defaults;
    if (matcher == NULL) {
        problems_add(problems, NULL, "out of memory for the model %s", model_name);
    } else {
        matcher->arena = arena;
        matcher->name = arena_str(arena, slice_str(model_name));
        matcher->link_weight = probability_to_weight(settings->link_probability);
        matcher->review_weight = probability_to_weight(settings->review_probability);
        if (!(settings->review_probability > 0 && settings->link_probability < 1 &&
              settings->review_probability <= settings->link_probability))
            problems_add(
                problems, NULL,
                "match: review %g and link %g must be above 0 and below 1, review not above link",
                settings->review_probability, settings->link_probability);
        reader.matcher = matcher;
        reader.for_training = for_training;
        reader.schema = schema;
        bind_fields(matcher, schema);
        struct yaml_node *root = yaml_parse(scratch, model_name, model, problems);
        if (root && root->kind != YAML_MAP)
            problems_add(problems, root, "a model must be a map");
        else if (root)
            read_root(&reader, root);
        if (arena_failed(arena) || arena_failed(scratch))
            problems_add(problems, NULL, "out of memory for the model %s", model_name);
        else
            matcher->fingerprint = fingerprint_of(matcher, schema, model, settings);
    }
    arena_free(&scratch);
    if (problems->count + problems->dropped > reader.before) {
        arena_free(&arena);
        return NULL;
    }
    return matcher;
}

struct matcher *matcher_new(const struct schema *schema, const char *model_name, struct slice model,
                            const struct match_settings *settings, struct problems *problems)
{
    return read_model(schema, model_name, model, settings, false, problems);
}

struct matcher *matcher_new_for_training(const struct schema *schema, const char *model_name, struct slice model,
                                         const struct match_settings *settings, struct problems *problems)
{
    return read_model(schema, model_name, model, settings, true, problems);
}

void matcher_free(struct matcher **matcher)
{
    if (*matcher == NULL)
        return;
    struct arena *arena = (*matcher)->arena;
    arena_free(&arena);
    *matcher = NULL;
}

uint64_t matcher_fingerprint(const struct matcher *matcher)
{
    return matcher->fingerprint;
}

double matcher_link_weight(const struct matcher *matcher)
{
    return matcher->link_weight;
}

double matcher_review_weight(const struct matcher *matcher)
{
    return matcher->review_weight;
}

double matcher_prior_weight(const struct matcher *matcher)
{
    return matcher->prior_weight;
}

double weight_to_probability(double weight)
{
    return 1 / (1 + exp2(-weight));
}
