/*
 * ddl_view.c - the text of golden.customer and its masked twin.
 *
 * CREATE OR REPLACE VIEW can only append, and so can we: what the view has stays where it is, what the table has more
 * follows. Masking: public values as they are; of personal ones as much as tells two apart at a glance (first letter,
 * last digits, mail domain, year); of sensitive ones nothing.
 */
#include "daemon/store/ddl_internal.h"

#include <stdlib.h>

void put_identifier(struct buf *out, const char *name)
{
    buf_put_byte(out, '"');
    for (const char *c = name; *c; c++) {
        if (*c == '"')
            buf_put_byte(out, '"');
        buf_put_byte(out, (uint8_t)*c);
    }
    buf_put_byte(out, '"');
}

static void put_literal(struct buf *out, struct slice text)
{
    buf_put_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) { /* standard_conforming_strings is on */
        if (text.ptr[i] == '\'')
            buf_put_byte(out, '\'');
        buf_put_byte(out, (uint8_t)text.ptr[i]);
    }
    buf_put_byte(out, '\'');
}

/* Of one text `v`. */
static const char *text_mask(enum field_type type)
{
    switch (type) {
    case FIELD_EMAIL:
        return "left(v, 1) || '***' || coalesce(substring(v from '@.*$'), '')";
    case FIELD_PHONE:
        return "CASE WHEN length(split_part(v, ';', 1)) >= 10 THEN left(v, length(split_part(v, ';', 1)) - 8) || "
               "'****' || right(split_part(v, ';', 1), 4) ELSE '****' END";
    case FIELD_PERSON_NAME:
        return "left(v, 1) || '**'";
    case FIELD_ID_NUMBER:
        return "CASE WHEN length(v) >= 12 THEN '****' || right(v, 4) ELSE '****' END";
    default:
        return "'***'";
    }
}

static void put_masked(struct buf *out, const struct customer_column *column)
{
    enum sensitivity sensitivity = column->field->sensitivity;
    if (sensitivity == SENSITIVITY_PUBLIC) {
        buf_put_str(out, "c.");
        put_identifier(out, column->name);
    } else if (sensitivity == SENSITIVITY_PERSONAL && column->type == COLUMN_TEXT) {
        buf_printf(out, "(SELECT %s FROM (VALUES (c.", text_mask(column->field->type));
        put_identifier(out, column->name);
        buf_put_str(out, ")) m(v) WHERE v IS NOT NULL)");
    } else if (sensitivity == SENSITIVITY_PERSONAL && column->type == COLUMN_TEXT_ARRAY) {
        buf_put_str(out, "CASE WHEN c.");
        put_identifier(out, column->name);
        buf_printf(out, " IS NOT NULL THEN ARRAY(SELECT %s FROM unnest(c.",
                   text_mask(column->field->type));
        put_identifier(out, column->name);
        buf_put_str(out, ") WITH ORDINALITY m(v, n) ORDER BY n) END");
    } else if (sensitivity == SENSITIVITY_PERSONAL && column->type == COLUMN_DATE) {
        buf_put_str(out, "date_trunc('year', c.");
        put_identifier(out, column->name);
        buf_put_str(out, "::timestamp)::date");
    } else {
        buf_printf(out, "NULL::%s", column_type_sql(column->type));
    }
}

static const struct fixed_column *find_fixed(const char *name)
{
    for (size_t i = 0; i < fixed_column_count; i++)
        if (strcmp(fixed_columns[i].name, name) == 0)
            return &fixed_columns[i];
    return NULL;
}

static const struct table_column *find_in(const struct column_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->columns[i].name, name) == 0)
            return &list->columns[i];
    return NULL;
}

static void put_expression(struct buf *out, const struct customer_layout *layout, bool masked,
                           const struct table_column *column)
{
    const struct fixed_column *fixed = find_fixed(column->name);
    const struct customer_column *field = layout_find(layout, slice_str(column->name));
    if (fixed && fixed->expression)
        buf_put_str(out, fixed->expression);
    else if (field && masked)
        put_masked(out, field);
    else if (fixed || field) {
        buf_put_str(out, "c.");
        put_identifier(out, column->name);
    } else /* a field that is gone */
        buf_printf(out, "NULL::%s", column->type);
    buf_put_str(out, " AS ");
    put_identifier(out, column->name);
}

static void put_comment_text(struct buf *out, const struct customer_layout *layout, bool masked,
                             const struct table_column *column)
{
    const struct fixed_column *fixed = find_fixed(column->name);
    const struct customer_column *field = layout_find(layout, slice_str(column->name));
    if (fixed) {
        buf_put_str(out, fixed->comment);
        return;
    }
    if (field == NULL) {
        buf_put_str(out, "No longer configured: always NULL.");
        return;
    }
    const struct field *about = field->field;
    buf_put_str(out, about->label && about->label[0] ? about->label : about->name);
    if (about->label_zh && about->label_zh[0])
        buf_printf(out, " / %s", about->label_zh);
    if (field->type == COLUMN_MINOR_UNITS)
        buf_put_str(out, ", in minor units (cents)");
    if (field->type == COLUMN_CURRENCY)
        buf_put_str(out, ", currency (ISO 4217)");
    buf_printf(out, ". %s, %s%s.", field_type_name(about->type), sensitivity_name(about->sensitivity),
               masked && about->sensitivity != SENSITIVITY_PUBLIC ? ", masked" : "");
}

static void put_comments(struct buf *out, const struct customer_layout *layout, bool masked,
                         const struct column_list *order, const char *view_name)
{
    struct buf text = BUF_INIT(8192);
    for (size_t i = 0; i < order->count; i++) {
        buf_reset(&text);
        put_comment_text(&text, layout, masked, &order->columns[i]);
        buf_printf(out, "COMMENT ON COLUMN %s.", view_name);
        put_identifier(out, order->columns[i].name);
        buf_put_str(out, " IS ");
        put_literal(out, buf_slice(&text));
        buf_put_str(out, ";\n");
    }
    out->failed = out->failed || buf_failed(&text);
    buf_free(&text);
}

/* Columns of before 0013_texts are read where their successor is empty. */
static bool is_shown(const struct table_column *column)
{
    const struct fixed_column *fixed = find_fixed(column->name);
    return fixed ? fixed->comment != NULL : strcmp(column->name, "provenance_json") != 0;
}

/* What the view has, then what it lacks. */
static void order_columns(const struct column_list *table, const struct column_list *view,
                          struct column_list *order)
{
    for (size_t i = 0; i < view->count; i++)
        order->columns[order->count++] = view->columns[i];
    for (size_t i = 0; i < table->count; i++)
        if (is_shown(&table->columns[i]) && find_in(view, table->columns[i].name) == NULL)
            order->columns[order->count++] = table->columns[i];
}

void put_view(struct buf *out, const struct customer_layout *layout, bool masked,
              const struct column_list *table, const struct column_list *view)
{
    const char *name = masked ? "golden.customer_masked" : "golden.customer";
    struct table_column *room = calloc(table->count + view->count + 1, sizeof(*room));
    struct column_list order = {.columns = room};
    if (room == NULL) {
        out->failed = true;
        return;
    }
    order_columns(table, view, &order);
    size_t begin = out->len;
    buf_printf(out, "CREATE OR REPLACE VIEW %s AS SELECT\n", name);
    for (size_t i = 0; i < order.count; i++) {
        buf_put_str(out, i ? ",\n    " : "    ");
        put_expression(out, layout, masked, &order.columns[i]);
    }
    buf_put_str(out, "\nFROM tributary.customer c;\n");
    put_comments(out, layout, masked, &order, name);
    free(room);
    if (buf_failed(out))
        return;
    uint64_t hash = slice_hash(slice_sub(buf_slice(out), begin, out->len), 1);
    buf_printf(out, "COMMENT ON VIEW %s IS '%s [definition %016llx]';\n", name,
               masked ? "golden.customer with personal values masked and sensitive ones left out."
                      : "The golden record: one row per living customer.",
               (unsigned long long)hash);
}
