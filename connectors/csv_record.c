/* csv_record.c - see csv_record.h. */
#include "connectors/csv_record.h"

#include <errno.h>
#include <stdio.h>

#include "rules/clean.h"

#define ID_SEPARATOR "\x1F"

static size_t find_column(const struct csv_layout *layout, struct slice name)
{
    for (size_t i = 0; i < layout->column_count; i++) {
        if (slice_eq(layout->columns[i], name))
            return i;
    }
    for (size_t i = 0; i < layout->column_count; i++) {
        if (slice_eq_nocase(layout->columns[i], slice_trim(name)))
            return i;
    }
    return SIZE_MAX;
}

enum status csv_plan_make(const struct source_context *context, const struct csv_layout *layout,
                          struct arena *arena, struct csv_plan *plan, struct err *err)
{
    size_t count = layout->column_count;
    const struct slice *ids;
    *plan = (struct csv_plan){.context = context, .layout = layout, .time_column = SIZE_MAX};
    plan->id_count = options_strings(context->options, "id", &ids);
    plan->mapped = ARENA_ARRAY(arena, bool, count);
    plan->id_columns = ARENA_ARRAY(arena, size_t, plan->id_count);
    plan->scratch_names = ARENA_ARRAY(arena, struct slice, count);
    plan->scratch_values = ARENA_ARRAY(arena, struct slice, count);
    if (arena_failed(arena))
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot plan a sheet of %zu columns",
                             count);
    for (size_t i = 0; i < count; i++) {
        plan->columns_id = slice_hash(layout->columns[i], plan->columns_id + 1);
        plan->mapped[i] = context->field_of_column(context, layout->columns[i]) != FIELD_NONE;
        plan->mapped_count += plan->mapped[i];
    }
    for (size_t i = 0; i < plan->id_count; i++) {
        plan->id_columns[i] = find_column(layout, ids[i]);
        if (plan->id_columns[i] == SIZE_MAX)
            plan->missing = ids[i];
    }
    const char *time = options_string(context->options, "time");
    if (time && time[0])
        plan->time_column = find_column(layout, slice_str(time));
    if (plan->time_column != SIZE_MAX)
        plan->clean = (struct clean_context){.country = options_string(context->options, "country"),
                                             .time_zone = options_string(context->options, "time_zone"),
                                             .day_first = options_bool(context->options, "day_first")};
    return STATUS_OK;
}

/* What a column is for; "" for nothing we know. */
static const char *use_of(const struct csv_plan *plan, size_t column)
{
    uint16_t field = plan->context->field_of_column(plan->context, plan->layout->columns[column]);
    for (size_t i = 0; i < plan->id_count; i++) {
        if (plan->id_columns[i] == column)
            return "id";
    }
    if (column == plan->time_column)
        return "time";
    return field == FIELD_NONE ? "" : plan->context->schema->fields[field].name;
}

void csv_plan_tell(const struct csv_plan *plan, struct buf *out)
{
    size_t told = 0, count = plan->layout->column_count;
    for (size_t i = 0; i < count; i++) {
        const char *use = use_of(plan, i);
        if (use[0] == '\0')
            continue;
        buf_printf(out, "%s" SLICE_FMT " = %s", told++ ? ", " : "", SLICE_ARG(plan->layout->columns[i]), use);
    }
    if (told == 0)
        buf_put_str(out, "nothing");
    if (told < count)
        buf_printf(out, "; %zu column%s %s kept as %s", count - told, count - told == 1 ? "" : "s",
                   count - told == 1 ? "is" : "are", count - told == 1 ? "it is" : "they are");
}

const struct columns *csv_plan_columns(const struct csv_plan *plan, struct arena *arena)
{
    struct columns *columns = ARENA_NEW(arena, struct columns);
    struct slice *names = ARENA_ARRAY(arena, struct slice, plan->layout->column_count);
    if (columns == NULL || names == NULL)
        return NULL;
    for (size_t i = 0; i < plan->layout->column_count; i++)
        names[i] = arena_dup(arena, plan->layout->columns[i]);
    *columns = (struct columns){plan->columns_id, plan->layout->column_count, names};
    return arena_failed(arena) ? NULL : columns;
}

static void refuse(struct delivery *delivery, const char *code, struct slice param)
{
    delivery->record_count = 0;
    delivery->refusal = code;
    delivery->refusal_param = param;
}

/* The cells lie in the row's text (then in its copy) or were put together (then copied one by one).
 */
static struct slice *copy_cells(const struct csv_plan *plan, const struct csv_row *row,
                                struct slice body, struct arena *arena)
{
    size_t count = plan->layout->column_count;
    bool same = row->text.len == body.len && plan->layout->encoding == TEXT_UTF8;
    struct slice text = same ? body : arena_dup(arena, row->text);
    struct slice *values = ARENA_ARRAY(arena, struct slice, count);
    if (values == NULL || arena_failed(arena))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct slice cell = i < row->cell_count ? row->cells[i] : SLICE_EMPTY;
        bool inside =
            cell.ptr >= row->text.ptr && cell.ptr + cell.len <= row->text.ptr + row->text.len;
        if (cell.len == 0)
            values[i] = SLICE_EMPTY;
        else if (inside)
            values[i] = slice_of(text.ptr + (cell.ptr - row->text.ptr), cell.len);
        else
            values[i] = arena_dup(arena, cell);
    }
    return values;
}

static struct slice joined_id(const struct csv_plan *plan, const struct slice *values,
                              struct arena *arena, struct slice *missing)
{
    struct slice id = SLICE_EMPTY;
    for (size_t i = 0; i < plan->id_count; i++) {
        size_t column = plan->id_columns[i];
        struct slice value = column == SIZE_MAX ? SLICE_EMPTY : slice_trim(values[column]);
        if (value.len == 0) {
            *missing = column == SIZE_MAX ? plan->missing : plan->layout->columns[column];
            return SLICE_EMPTY;
        }
        id = i == 0 ? value
                    : arena_printf(arena, "%.*s" ID_SEPARATOR "%.*s", (int)id.len, id.ptr,
                                   (int)value.len, value.ptr);
    }
    return id;
}

static struct slice hashed_id(const struct csv_plan *plan, const struct slice *values,
                              struct arena *arena)
{
    size_t used = 0;
    for (int only_mapped = 1; only_mapped >= 0 && used == 0; only_mapped--) {
        for (size_t i = 0; i < plan->layout->column_count; i++) {
            if (values[i].len == 0 || (only_mapped && !plan->mapped[i]))
                continue;
            plan->scratch_names[used] = plan->layout->columns[i];
            plan->scratch_values[used++] = values[i];
        }
    }
    struct columns columns = {0, used, plan->scratch_names};
    struct raw_record record = {
        .op = RECORD_UPSERT, .columns = &columns, .values = plan->scratch_values};
    struct content_hash hash = raw_record_hash(&record);
    return arena_printf(arena, "h:%016llx%016llx", (unsigned long long)hash.high,
                        (unsigned long long)hash.low);
}

static int64_t effective_time(const struct csv_plan *plan, const struct slice *values,
                              struct arena *arena)
{
    if (plan->time_column == SIZE_MAX || values[plan->time_column].len == 0)
        return 0;
    struct cleaned cleaned;
    int64_t at_us = 0;
    clean_value_typed(FIELD_TIMESTAMP, &plan->clean, values[plan->time_column], arena, &cleaned);
    if ((cleaned.flags & VALUE_INVALID) || !clean_timestamp_us(cleaned.value, &at_us))
        return 0;
    return at_us;
}

/* More cells than columns do no harm while they are empty; fewer are never guessed at. */
static bool is_ragged(const struct csv_plan *plan, const struct csv_row *row)
{
    if (row->cell_count < plan->layout->column_count)
        return true;
    for (size_t i = plan->layout->column_count; i < row->cell_count; i++) {
        if (slice_trim(row->cells[i]).len > 0)
            return true;
    }
    return false;
}

static void deliver_fault(const struct csv_row *row, struct arena *arena, struct delivery *delivery)
{
    refuse(delivery, csv_fault_code(row->fault), SLICE_EMPTY);
    if (row->fault == CSV_FAULT_ROW_TOO_LONG) /* the body is only its beginning: say so for good */
        delivery->meta =
            arena_printf(arena, "{\"refusal\":\"%s\",\"bytes\":%llu}", csv_fault_code(row->fault),
                         (unsigned long long)(row->end_offset - row->offset));
}

void csv_row_deliver(const struct csv_plan *plan, const struct csv_row *row,
                     const struct columns *columns, struct arena *arena, struct delivery *delivery)
{
    *delivery = (struct delivery){.body = arena_dup(arena, row->raw), .meta = SLICE("{}")};
    if (row->fault) {
        deliver_fault(row, arena, delivery);
        return;
    }
    if (is_ragged(plan, row)) {
        refuse(delivery, "csv.ragged_row", arena_printf(arena, "%zu", row->cell_count));
        return;
    }
    struct slice *values = copy_cells(plan, row, delivery->body, arena);
    if (values == NULL)
        return;
    struct raw_record *record = &delivery->records[0];
    *record = (struct raw_record){
        .part = SLICE("main"), .op = RECORD_UPSERT, .columns = columns, .values = values};
    struct slice missing = SLICE_EMPTY;
    record->external_id =
        plan->id_count ? joined_id(plan, values, arena, &missing) : hashed_id(plan, values, arena);
    if (record->external_id.len == 0) {
        refuse(delivery, "csv.no_id", arena_dup(arena, missing));
        return;
    }
    record->effective_us = effective_time(plan, values, arena);
    delivery->record_count = 1;
}

size_t csv_row_cost_bytes(const struct csv_plan *plan, const struct csv_row *row)
{
    size_t text = plan->layout->encoding == TEXT_UTF8 ? 0 : row->text.len;
    return row->raw.len + 2 * text + plan->layout->column_count * sizeof(struct slice) +
           sizeof(struct delivery) + 256;
}
