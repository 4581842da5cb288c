/* ddl_layout.c - the columns of a schema's fields, and a customer's row in them. */
#include "daemon/store/ddl_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/store/db_types.h"

/* As sql/migrations/0001_core.sql creates them, in the order struct customer_row has them and customer_layout_put
 * writes them. */
const struct fixed_column fixed_columns[] = {
    {"customer_id", "The customer. Never reused; an old id is found in golden.redirect.", NULL},
    {"kind", "person or company.", "CASE c.kind WHEN 1 THEN 'person' WHEN 2 THEN 'company' END"},
    {"space", "Brand or tenant; records of different spaces never meet.", NULL},
    {"version", "Counts up by one with every change.", NULL},
    {"record_count", "How many source records make this customer.", NULL},
    {"created_at", "When the customer first appeared here.", NULL},
    {"updated_at", "When the row last changed.", NULL},
    {"first_seen_at", "Earliest effective time of its records.", NULL},
    {"last_seen_at", "Latest effective time of its records.", NULL},
    {"lead_at", "When the customer became a lead; NULL: it is none.", NULL},
    {"lead_source", "The source that made it a lead.", NULL},
    {"lead_count", "How many of its records were leads.", NULL},
    {"owner", "Who looks after the customer.", NULL},
    {"team", "The team that does.", NULL},
    {"provenance", NULL, NULL}, /* told by golden.provenance */
};
const size_t fixed_column_count = sizeof(fixed_columns) / sizeof(fixed_columns[0]);

const char *column_type_sql(enum column_type type)
{
    static const char *const names[] = {
        [COLUMN_TEXT] = "text",          [COLUMN_TEXT_ARRAY] = "text[]",
        [COLUMN_DATE] = "date",          [COLUMN_NUMERIC] = "numeric",
        [COLUMN_MINOR_UNITS] = "bigint", [COLUMN_CURRENCY] = "text",
        [COLUMN_TIMESTAMP] = "timestamp with time zone",
    };
    return names[type];
}

static enum column_type type_of_field(const struct field *field)
{
    if (field->multiple || field->type == FIELD_TAGS)
        return COLUMN_TEXT_ARRAY;
    switch (field->type) {
    case FIELD_DATE:
        return COLUMN_DATE;
    case FIELD_NUMBER:
        return COLUMN_NUMERIC;
    case FIELD_MONEY:
        return COLUMN_MINOR_UNITS;
    case FIELD_TIMESTAMP:
        return COLUMN_TIMESTAMP;
    default:
        return COLUMN_TEXT;
    }
}

static bool is_taken(const struct customer_layout *layout, const char *name)
{
    for (size_t i = 0; i < fixed_column_count; i++)
        if (strcmp(fixed_columns[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < layout->column_count; i++)
        if (strcmp(layout->columns[i].name, name) == 0)
            return true;
    return false;
}

static enum status add_column(struct customer_layout *layout, const struct field *field,
                              enum column_type type, struct err *err)
{
    struct customer_column column = {.type = type, .field = field};
    int len = snprintf(column.name, sizeof(column.name), "%s%s%s", field->custom ? "x_" : "",
                       field->name, type == COLUMN_CURRENCY ? "_currency" : "");
    if (len < 0 || len > IDENTIFIER_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "store.column_name",
                       "field %s: its golden column's name is longer than %d bytes; hint: name it shorter",
                       field->name, IDENTIFIER_MAX);
    if (is_taken(layout, column.name))
        return err_set(err, RETRY_REJECT_CONFIG, "store.column_name",
                       "field %s: there is a golden column %s already; hint: give it another name",
                       field->name, column.name);
    layout->columns[layout->column_count++] = column;
    return STATUS_OK;
}

static void put_copy_statement(struct customer_layout *layout)
{
    struct buf *out = &layout->copy_statement;
    buf_put_str(out, "COPY tributary.customer (");
    for (size_t i = 0; i < fixed_column_count; i++)
        buf_printf(out, "%s%s", i ? ", " : "", fixed_columns[i].name);
    for (size_t i = 0; i < layout->column_count; i++) {
        buf_put_str(out, ", ");
        put_identifier(out, layout->columns[i].name);
    }
    buf_put_str(out, ") FROM STDIN (FORMAT binary)");
    buf_put_byte(out, 0);
}

enum status customer_layout_new(const struct schema *schema, struct customer_layout **out,
                                struct err *err)
{
    *out = NULL;
    struct customer_layout *layout = calloc(1, sizeof(*layout));
    if (layout)
        layout->columns = calloc(CUSTOMER_FIELDS_MAX, sizeof(*layout->columns));
    if (layout == NULL || layout->columns == NULL) {
        customer_layout_free(&layout);
        return err_set(err, RETRY_LATER, "store.memory", "out of memory");
    }
    layout->copy_statement = BUF_INIT(DDL_TEXT_MAX);
    assert(schema->count <= FIELDS_MAX);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        enum column_type type = type_of_field(field);
        status = add_column(layout, field, type, err);
        if (status == STATUS_OK && type == COLUMN_MINOR_UNITS)
            status = add_column(layout, field, COLUMN_CURRENCY, err);
    }
    put_copy_statement(layout);
    if (status == STATUS_OK && buf_failed(&layout->copy_statement))
        status = err_set(err, RETRY_LATER, "store.memory", "out of memory");
    if (status != STATUS_OK)
        customer_layout_free(&layout);
    *out = layout;
    return status;
}

void customer_layout_free(struct customer_layout **layout)
{
    if (*layout == NULL)
        return;
    buf_free(&(*layout)->copy_statement);
    free((*layout)->columns);
    free(*layout);
    *layout = NULL;
}

const struct customer_column *layout_find(const struct customer_layout *layout, struct slice name)
{
    for (size_t i = 0; i < layout->column_count; i++)
        if (slice_is(name, layout->columns[i].name))
            return &layout->columns[i];
    return NULL;
}

const char *customer_layout_copy_statement(const struct customer_layout *layout)
{
    return layout->copy_statement.data;
}

static void put_optional_text(struct buf *rows, struct slice text)
{
    if (text.len > 0)
        copy_text(rows, text);
    else
        copy_null(rows);
}

static void put_fixed(const struct customer_row *row, struct buf *rows)
{
    copy_int8(rows, row->customer_id);
    copy_int2(rows, (int16_t)row->kind);
    copy_text(rows, row->space);
    copy_int4(rows, row->version);
    copy_int4(rows, row->record_count);
    copy_timestamp(rows, row->created_at_us);
    copy_timestamp(rows, row->updated_at_us);
    copy_timestamp(rows, row->first_seen_at_us);
    copy_timestamp(rows, row->last_seen_at_us);
    if (row->lead_at_us != 0)
        copy_timestamp(rows, row->lead_at_us);
    else
        copy_null(rows);
    put_optional_text(rows, row->lead_source);
    copy_int4(rows, row->lead_count);
    put_optional_text(rows, row->owner);
    put_optional_text(rows, row->team);
    copy_text(rows, row->provenance.len > 0 ? row->provenance : SLICE("[]"));
}

/* A set's members follow each other in the row: text[] straight from them. */
static void put_array(struct buf *rows, const struct survivor_value *values, size_t count)
{
    size_t bytes = 20;
    for (size_t i = 0; i < count; i++)
        bytes += 4 + values[i].value.len;
    if (bytes > INT32_MAX || count > INT32_MAX) {
        rows->failed = true;
        return;
    }
    buf_put_u32(rows, (uint32_t)bytes);
    buf_put_u32(rows, 1); /* dimensions */
    buf_put_u32(rows, 0); /* no NULLs */
    buf_put_u32(rows, TYPE_TEXT);
    buf_put_u32(rows, (uint32_t)count);
    buf_put_u32(rows, 1); /* lower bound */
    for (size_t i = 0; i < count; i++)
        copy_text(rows, values[i].value);
}

void customer_layout_put(const struct customer_layout *layout, const struct customer_row *row,
                         struct buf *rows, size_t *unfit_count)
{
    copy_row(rows, (uint16_t)(fixed_column_count + layout->column_count));
    put_fixed(row, rows);
    size_t next = 0; /* both lists go by field id */
    for (size_t i = 0; i < layout->column_count; i++) {
        const struct customer_column *column = &layout->columns[i];
        while (next < row->value_count && row->values[next].field < column->field->id) {
            assert(next == 0 || row->values[next - 1].field <= row->values[next].field);
            next++;
        }
        size_t count = 0;
        while (next + count < row->value_count && row->values[next + count].field == column->field->id)
            count++;
        if (count == 0) {
            copy_null(rows);
        } else if (column->type == COLUMN_TEXT_ARRAY) {
            put_array(rows, row->values + next, count);
        } else if (!put_column_value(rows, column->type, row->values[next].value)) {
            copy_null(rows);
            if (unfit_count && column->type != COLUMN_CURRENCY)
                (*unfit_count)++;
        }
    }
}
