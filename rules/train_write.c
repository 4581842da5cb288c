/* train_write.c - the model file that training leaves. */
#include <math.h>
#include <stdlib.h>

#include "rules/own_field.h"
#include "rules/train_intern.h"

#define PER           100000.0
#define SCRATCH_BYTES ((size_t)16 << 20)

struct writer {
    const struct trained *t;
    struct buf *out;
};

/* ---- levels ---- */

static void put_level(const struct writer *w, size_t c, unsigned l)
{
    const struct trained *t = w->t;
    const struct level_model *base = train_base_level(t, c, l);
    double ratio = exp2(t->weight[c][l]);
    double m = t->learned[c] ? t->m[c][l] : (double)base->m;
    unsigned use = base->frequency;

    if (c >= CMP_FIXED_COUNT)
        use = t->own_models[c - CMP_FIXED_COUNT].levels[l].frequency;
    m = m < 1e-5 ? 1e-5 : m > 1 ? 1 : m;
    if (m / ratio > 999)
        m = 999 * ratio < 1 ? 999 * ratio : 1;
    if (m / ratio < 1e-11)
        m = 1e-11 * ratio;
    buf_printf(w->out, "{m: %.4g, u: %.4g", m, m / ratio);
    if (use != FREQUENCY_NONE)
        buf_printf(w->out, ", frequency: %s",
                   use == FREQUENCY_VALUE    ? "value"
                   : use == FREQUENCY_FAMILY ? "family"
                   : use == FREQUENCY_GIVEN  ? "given"
                                             : "both");
    if (t->ceiling[c][l] < 1000)
        buf_printf(w->out, ", at_most: %.3g", weight_to_probability((double)t->ceiling[c][l]));
    if (base->lifts)
        buf_put_str(w->out, ", lifts: true");
    buf_put_str(w->out, "}");
}

static const struct train_comparison *reported(const struct trained *t, size_t c)
{
    for (size_t i = 0; i < t->report.comparison_count; i++)
        if (t->reported[i].comparison == c)
            return &t->reported[i];
    return NULL;
}

static void put_note(const struct writer *w, size_t c)
{
    const struct train_comparison *about = reported(w->t, c);

    if (about == NULL)
        buf_put_str(w->out, " # not in these records: as in the base model");
    else if (about->weakness & TRAIN_NO_PASS)
        buf_put_str(w->out, " # no pass shows it: as in the base model");
    else
        buf_printf(w->out, " # from %.0f pairs of one customer%s%s%s", about->matches,
                   about->weakness & TRAIN_FEW_PAIRS ? "; few: near the base model" : "",
                   about->weakness & TRAIN_UNSEEN_LEVEL ? "; some levels never seen" : "",
                   about->weakness & TRAIN_NO_CONTRAST ? "; it tells nothing apart here" : "");
    buf_put_str(w->out, "\n");
}

static void put_levels(const struct writer *w, size_t c, const char *const *names, const char *indent)
{
    unsigned levels = train_levels(w->t, c);

    /* "else" stands first in the code and last in the file. */
    for (unsigned i = 1; i <= levels; i++) {
        buf_printf(w->out, "%s%s: ", indent, names[i % levels]);
        put_level(w, c, i % levels);
        buf_put_str(w->out, "\n");
    }
}

static void put_comparisons(const struct writer *w)
{
    buf_put_str(w->out, "comparisons:\n");
    for (size_t c = 0; c < CMP_TOGETHER; c++) {
        const float *loss = w->t->base->comparisons[c].band_loss;
        buf_printf(w->out, "  %s:", comparison_names[c]);
        put_note(w, c);
        if (loss[DEGREE_DEAD - 1] > 0) {
            buf_put_str(w->out, "    band_loss: [");
            for (size_t i = 0; i < DEGREE_DEAD; i++)
                buf_printf(w->out, "%s%.4g", i ? ", " : "", (double)loss[i]);
            buf_put_str(w->out, "]\n");
        }
        buf_put_str(w->out, "    levels:\n");
        put_levels(w, c, comparison_levels[c], "      ");
    }
}

/* ---- own fields ---- */

static void put_own_types(const struct writer *w)
{
    buf_put_str(w->out, "\nown_fields:\n");
    for (size_t type = 0; type < FIELD_TYPE_COUNT; type++) {
        if (!own_type_is_compared((enum field_type)type))
            continue;
        buf_printf(w->out, "  %s: {", field_type_name((enum field_type)type));
        for (unsigned i = 1; i <= OWN_LEVELS; i++) {
            const struct level_model *level = &w->t->base->customs[type].levels[i % OWN_LEVELS];
            buf_printf(w->out, "%s%s: {m: %.4g, u: %.4g}", i > 1 ? ", " : "", own_levels[i % OWN_LEVELS],
                       (double)level->m, (double)level->u);
        }
        buf_put_str(w->out, "}\n");
    }
}

static double per_100000(double count, double total)
{
    double per = count / total * PER;

    return per > PER ? PER : per < 0.02 ? 0.02 : per;
}

static void put_terms(const struct writer *w, const struct train_term *terms, size_t count, double total,
                      double rest, const char *indent)
{
    buf_printf(w->out, "%sdefault: %.4g\n", indent, per_100000(rest, total));
    if (count == 0)
        return;
    buf_printf(w->out, "%sper_100000:\n", indent);
    for (size_t i = 0; i < count; i++) {
        buf_printf(w->out, "%s  ", indent);
        buf_put_json(w->out, terms[i].text);
        buf_printf(w->out, ": %.4g\n", per_100000((double)terms[i].count, total));
    }
}

static bool is_written(const struct trained *t, size_t c)
{
    if (c < CMP_FIXED_COUNT)
        return reported(t, c) != NULL;
    return reported(t, c) && t->learned[c] && !(reported(t, c)->weakness & TRAIN_NO_CONTRAST);
}

static void put_fields(const struct writer *w)
{
    const struct trained *t = w->t;
    bool any = false;

    for (size_t own = 0; own < t->work.custom_count; own++) {
        const struct custom_field *field = &t->work.custom_fields[own];
        const struct train_terms *terms = &t->own_terms[own];
        size_t c = CMP_FIXED_COUNT + own;
        /* What tells nothing apart only costs time and room. */
        if (!is_written(t, c))
            continue;
        if (!any)
            buf_put_str(w->out, "\n# Fields that no comparison above looks at, and how common their values are, counted\n"
                                "# once a likely customer.\nfields:\n");
        any = true;
        buf_printf(w->out, "  %s:", field->name);
        put_note(w, c);
        buf_printf(w->out, "    type: %s\n    levels:\n", field_type_name(field->type));
        put_levels(w, c, own_levels, "      ");
        if (field->default_log2 < 0)
            put_terms(w, terms->values, terms->value_count, (double)terms->total, (double)terms->default_value,
                      "    ");
        if (field->default_token_log2 < 0) {
            buf_put_str(w->out, "    words:\n");
            put_terms(w, terms->words, terms->word_count, (double)terms->total, (double)terms->default_word,
                      "      ");
        }
    }
}

static void put_keys(const struct writer *w)
{
    const struct trained *t = w->t;
    bool any = false;

    for (size_t i = 0; i < t->work.recipe_count; i++) {
        if (!t->recipe_kept[i])
            continue;
        if (!any)
            buf_put_str(w->out, "\n# Keys beside the fixed ones: what else two records may share to be compared at all, and the\n"
                                "# pairs a record that it costs.\nkeys:\n");
        any = true;
        buf_printf(w->out, "  - [%s] # %.2g\n", t->work.recipes[i].name, t->recipe_cost[i]);
    }
}

/* ---- names ---- */

static void put_name(const struct writer *w, struct slice text, double per)
{
    buf_put_str(w->out, "      ");
    buf_put_json(w->out, text);
    buf_printf(w->out, ": %.4g\n", per);
}

static double number_of(const struct yaml_node *node, double otherwise)
{
    char text[32] = {0};

    if (node == NULL || node->kind != YAML_SCALAR || node->text.len >= sizeof(text))
        return otherwise;
    memcpy(text, node->text.ptr, node->text.len);
    return strtod(text, NULL);
}

static void put_as_it_is(const struct writer *w, const struct yaml_node *section, const char *name)
{
    const struct yaml_node *table = yaml_get(section, "per_100000");

    buf_printf(w->out, "  %s:\n    default: %.4g\n    per_100000:\n", name,
               number_of(yaml_get(section, "default"), 10));
    for (size_t i = 0; table && table->kind == YAML_MAP && i < table->count; i++)
        put_name(w, table->keys[i]->text, number_of(table->values[i], 10));
}

static void put_frequencies(const struct writer *w, struct slice base_text)
{
    struct problems problems = {0};
    struct arena *scratch = arena_new(SCRATCH_BYTES * 4);
    const struct yaml_node *root = scratch ? yaml_parse(scratch, "base", base_text, &problems) : NULL;
    const struct yaml_node *section = yaml_get(root, "frequencies");

    if (section) {
        buf_put_str(w->out, "\n# How common names are, as in the base model: what these records say of it is in u.\nfrequencies:\n");
        put_as_it_is(w, yaml_get(section, "surname"), "surname");
        put_as_it_is(w, yaml_get(section, "given"), "given");
        put_as_it_is(w, yaml_get(section, "character"), "character");
    }
    problems_free(&problems);
    if (scratch)
        arena_free(&scratch);
}

/* ---- the head ---- */

static void put_together(const struct writer *w)
{
    const struct trained *t = w->t;
    bool any = false;

    buf_printf(w->out, "together:\n  factor: %.4g\n  name_and_address_bits: %.4g\n", (double)t->base->together_factor,
               (double)t->base->name_and_address_max);
    for (size_t i = 0; i < t->comparisons; i++)
        for (size_t j = i + 1; j < t->comparisons; j++) {
            if (!(t->agree[i][j] > 0 || t->differ[i][j] > 0) || !is_written(t, i) || !is_written(t, j))
                continue;
            if (!any)
                buf_put_str(w->out, "  twice: # bits that two comparisons say twice when both agree, and when both differ\n");
            any = true;
            buf_printf(w->out, "    - {fields: [%s, %s], agree: %.3g, differ: %.3g}\n",
                       matcher_comparison_name(&t->work, (uint8_t)i), matcher_comparison_name(&t->work, (uint8_t)j),
                       (double)t->agree[i][j], (double)t->differ[i][j]);
        }
    buf_put_str(w->out, "\n");
}

static void put_head(const struct writer *w, const char *name, const char *origin)
{
    const struct trained *t = w->t;
    const struct train_report *report = &t->report;

    buf_printf(w->out, "# %s - learned by `tributary train` from %s.\n#\n", name, origin);
    buf_printf(w->out, "# %zu records, %zu pairs that share a key, %zu random pairs, seed %llu. Expected among the records:\n"
                       "# %.0f pairs of one customer. Each pass takes the pairs that one kind of key brings together and leaves out what\n"
                       "# the key looks at (docs/matching.md):\n",
               report->records, report->candidates, report->random_pairs, (unsigned long long)t->settings.seed,
               report->expected_matches);
    for (size_t i = 0; i < report->pass_count; i++) {
        const struct train_pass *pass = &report->passes[i];
        buf_printf(w->out, "#   %s: %zu pairs, %.0f of one customer, %u rounds, last change %.1g%s\n", pass->keys, pass->pairs,
                   pass->matches, pass->iterations, pass->last_change, pass->used ? "" : "; too few, not used");
    }
    if (report->doubt_bits > 0)
        buf_printf(w->out, "# Contradictions show what agrees to claim too much: the prior gives way by %.2f bits.\n", report->doubt_bits);
    buf_printf(w->out, "\nmodel: %s\nversion: 1\nprior: %.4g\nname_bits_max: %.4g\nceiling_excess: %.4g\n", name,
               report->prior, (double)t->base->name_bits_max, (double)t->base->ceiling_excess);
    put_together(w);
}

void trained_write(const struct trained *trained, struct slice base_text, const char *name, const char *origin,
                   struct buf *out)
{
    struct writer w = {trained, out};

    put_head(&w, name, origin);
    put_comparisons(&w);
    put_own_types(&w);
    put_fields(&w);
    put_keys(&w);
    put_frequencies(&w, base_text);
}
