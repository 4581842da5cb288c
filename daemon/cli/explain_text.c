/* explain_text.c - see explain_text.h. */
#include "daemon/cli/explain_text.h"
#include "daemon/cli/show.h"

#include <stdio.h>

#include "daemon/cli/text_columns.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double real_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* Control characters become spaces: names and notes do not play with the terminal. */
static void put_clean(struct buf *out, const char *text)
{
    for (; text && *text; text++)
        buf_put_byte(out, (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : (uint8_t)*text);
}

/* Sure things are not rounded to certain ones. */
static void put_probability(struct buf *out, double probability)
{
    if (probability > 0.9995 && probability < 1)
        buf_put_str(out, "> 99.9 %");
    else if (probability < 0.001)
        buf_put_str(out, "< 0.1 %");
    else
        buf_printf(out, "%.1f %%", probability * 100);
}

static void probability_cell(struct text_columns *columns, double probability)
{
    struct buf text = BUF_INIT(64);
    put_probability(&text, probability);
    text_columns_cell(columns, buf_slice(&text));
    buf_free(&text);
}

static void put_verdict(const json_t *e, struct buf *out)
{
    const char *verdict = text_of(e, "verdict");
    const json_t *a = json_object_get(e, "a"), *b = json_object_get(e, "b");
    long long customer = show_int(a, "customer_id");
    if (is_true(e, "same_customer"))
        buf_printf(out, "One customer: %lld.\n", customer);
    else
        buf_printf(out, "%s: customers %lld and %lld.\n",
                   strcmp(verdict, "review") == 0 ? "A person is to decide" : "Apart", customer,
                   show_int(b, "customer_id"));
    size_t i;
    json_t *word;
    json_array_foreach(json_object_get(e, "why"), i, word) {
        buf_put_str(out, "  - ");
        put_clean(out, json_string_value(word));
        buf_put_byte(out, '\n');
    }
    if (show_int(e, "pairs_examined") > 1)
        buf_printf(out, "  (the best pair of %lld between the two customers)\n", show_int(e, "pairs_examined"));
}

static const char *value_of(const json_t *record, const char *field, size_t nth)
{
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(record, "values"), i, value) {
        if (strcmp(text_of(value, "field"), field) == 0 && nth-- == 0)
            return text_of(value, "value");
    }
    return NULL;
}

/* Every field of either, side by side. */
static void put_values(const json_t *a, const json_t *b, struct text_columns *columns)
{
    const json_t *sides[] = {a, b};
    for (int side = 0; side < 2; side++) {
        size_t i;
        json_t *value;
        json_array_foreach(json_object_get(sides[side], "values"), i, value) {
            const char *field = text_of(value, "field");
            size_t nth = 0;
            for (size_t before = 0; before < i; before++)
                nth += strcmp(text_of(json_array_get(json_object_get(sides[side], "values"), before), "field"),
                              field) == 0;
            if (side == 1 && value_of(a, field, nth))
                continue; /* stands there already */
            const char *left = value_of(a, field, nth), *right = value_of(b, field, nth);
            text_columns_cell(columns, slice_str(field));
            text_columns_cell(columns, slice_str(left ? left : "-"));
            text_columns_cell(columns, slice_str(right ? right : "-"));
        }
    }
}

static void put_parties(const json_t *e, struct buf *out)
{
    const json_t *a = json_object_get(e, "a"), *b = json_object_get(e, "b");
    struct text_columns columns = TEXT_COLUMNS(3, 0);
    text_columns_cell(&columns, SLICE("record"));
    text_columns_format(&columns, "%lld", show_int(a, "record_id"));
    text_columns_format(&columns, "%lld", show_int(b, "record_id"));
    text_columns_cell(&columns, SLICE("customer"));
    text_columns_format(&columns, "%lld", show_int(a, "customer_id"));
    text_columns_format(&columns, "%lld", show_int(b, "customer_id"));
    static const char *const keys[] = {"source", "external_id", "part"};
    for (size_t i = 0; i < 3; i++) {
        text_columns_cell(&columns, slice_str(keys[i]));
        text_columns_cell(&columns, slice_str(text_of(a, keys[i])));
        text_columns_cell(&columns, slice_str(text_of(b, keys[i])));
    }
    put_values(a, b, &columns);
    buf_put_byte(out, '\n');
    text_columns_put(&columns, "", out);
}

/* A value many names hold says less: from how many on stands beside the level. */
static void level_cell(struct text_columns *columns, const char *level, long long band)
{
    if (band < 1 || band > 6)
        text_columns_cell(columns, slice_str(level));
    else
        text_columns_format(columns, "%s (of %lld%s names)", level, band == 1 ? 2 : (1LL << (band - 1)) + 1,
                            band == 1 ? "" : "+");
}

static void put_comparisons(const json_t *e, struct buf *out)
{
    struct text_columns columns = TEXT_COLUMNS(7, 4 | 8 | 16);
    static const char *const heading[] = {"evidence", "level", "bits", "sum", "probability", "a", "b"};
    for (size_t i = 0; i < 7; i++)
        text_columns_cell(&columns, slice_str(heading[i]));
    double prior = real_of(e, "prior");
    text_columns_cell(&columns, SLICE("prior"));
    text_columns_cell(&columns, SLICE(""));
    text_columns_format(&columns, "%+.1f", prior);
    text_columns_format(&columns, "%.1f", prior);
    for (int i = 0; i < 3; i++)
        text_columns_cell(&columns, SLICE_EMPTY);
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(e, "comparisons"), i, c) {
        const char *level = text_of(c, "level");
        text_columns_cell(&columns, slice_str(text_of(c, "name")));
        level_cell(&columns, strcmp(level, "else") == 0 ? "differs" : level, show_int(c, "band"));
        text_columns_format(&columns, "%+.1f", real_of(c, "weight"));
        text_columns_format(&columns, "%.1f", real_of(c, "sum"));
        probability_cell(&columns, real_of(c, "probability"));
        text_columns_cell(&columns, slice_str(text_of(c, "a")));
        text_columns_cell(&columns, slice_str(text_of(c, "b")));
    }
    buf_put_byte(out, '\n');
    text_columns_put(&columns, "", out);
    const json_t *link = json_object_get(e, "link"), *review = json_object_get(e, "review_threshold");
    buf_printf(out, "\n%.1f bits: ", real_of(e, "weight"));
    put_probability(out, real_of(e, "probability"));
    buf_printf(out, ". Linked from %.1f bits (%.0f %%), asked about from %.1f (%.0f %%); generation %lld.\n",
               real_of(link, "weight"), real_of(link, "probability") * 100, real_of(review, "weight"),
               real_of(review, "probability") * 100, show_int(e, "generation"));
}

static void put_shared(const json_t *e, struct buf *out)
{
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(e, "shared_keys"), i, key) {
        buf_put_str(out, i ? ", " : "Shared keys: ");
        buf_put_str(out, text_of(key, "key"));
        if (!is_true(key, "live") && show_int(key, "records") > show_int(key, "records_max"))
            buf_printf(out, " (in %lld records: too many)", show_int(key, "records"));
        else if (show_int(key, "degree") > 1 || !is_true(key, "live"))
            buf_printf(out, " (of %lld names%s)", show_int(key, "degree"),
                       is_true(key, "live") ? "" : ": no evidence");
    }
    if (i > 0)
        buf_put_str(out, ".\n");
}

static void put_keys_of(const json_t *e, const char *side, struct buf *out)
{
    size_t i;
    json_t *key;
    buf_printf(out, "Keys of %lld:", show_int(json_object_get(e, side), "record_id"));
    json_array_foreach(json_object_get(json_object_get(e, "keys"), side), i, key) {
        buf_put_str(out, i ? ", " : " ");
        put_clean(out, json_string_value(key));
    }
    buf_put_str(out, i ? ".\n" : " none.\n");
}

/* What only one of them says, and what neither does. */
static void put_missing(const json_t *e, struct buf *out)
{
    const json_t *missing = json_object_get(e, "missing");
    for (int which = 0; which < 3; which++) {
        size_t i, count = 0;
        json_t *m;
        json_array_foreach(missing, i, m) {
            bool in_a = is_true(m, "a"), in_b = is_true(m, "b");
            if (which == 0 ? !in_a : which == 1 ? !in_b : in_a || in_b)
                continue;
            if (count == 0 && which < 2)
                buf_printf(out, "Only in %lld: ", show_int(json_object_get(e, which == 0 ? "a" : "b"), "record_id"));
            else if (count == 0)
                buf_put_str(out, "In neither: ");
            buf_put_str(out, count++ ? ", " : "");
            put_clean(out, text_of(m, "name"));
            if (which < 2 && json_is_real(json_object_get(m, "weight")))
                buf_printf(out, " (the same in both: %+.1f)", real_of(m, "weight"));
        }
        if (count > 0)
            buf_put_str(out, ".\n");
    }
}

static void put_path(const json_t *e, struct buf *out)
{
    const json_t *path = json_object_get(e, "path");
    size_t i, j;
    json_t *link, *evidence;
    if (json_array_size(path) == 0)
        return;
    buf_put_str(out, "\nHow they hang together:\n");
    json_array_foreach(path, i, link) {
        buf_printf(out, "  %lld - %lld  ", show_int(link, "from"), show_int(link, "to"));
        if (strcmp(text_of(link, "reason"), "decision") == 0) {
            buf_printf(out, "decision %lld\n", show_int(link, "decision_id"));
            continue;
        }
        buf_printf(out, "%.1f bits:", real_of(link, "weight"));
        json_array_foreach(json_object_get(link, "evidence"), j, evidence) {
            const char *name = json_string_value(json_array_get(evidence, 0));
            const char *level = json_string_value(json_array_get(evidence, 1));
            buf_put_str(out, j ? ", " : " ");
            put_clean(out, name);
            buf_put_byte(out, ' ');
            put_clean(out, level);
            buf_printf(out, " %+.1f", json_number_value(json_array_get(evidence, 2)));
        }
        buf_put_byte(out, '\n');
    }
}

void explain_text(const json_t *explanation, struct buf *out)
{
    put_verdict(explanation, out);
    put_parties(explanation, out);
    put_comparisons(explanation, out);
    put_shared(explanation, out);
    if (json_is_false(json_object_get(explanation, "shares_live_key"))) {
        put_keys_of(explanation, "a", out);
        put_keys_of(explanation, "b", out);
    }
    put_missing(explanation, out);
    put_path(explanation, out);
}
