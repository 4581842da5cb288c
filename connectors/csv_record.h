/*
 * csv_record.h - a row of a sheet into a delivery, by what the source's options say of its columns.
 *
 * Pure but for the context's look-ups. Refusals: the row's own fault (csv_reader.h),
 * "csv.ragged_row" (param: cells found), "csv.no_id" (param: the column). The external id is the
 * `id` columns' values joined by U+001F; without `id` it is "h:" and the content hash of the mapped
 * values, so that the same row is the same record wherever it stands.
 */
#ifndef TRIBUTARY_CONNECTORS_CSV_RECORD_H
#define TRIBUTARY_CONNECTORS_CSV_RECORD_H

#include "connectors/connector.h"
#include "connectors/csv_reader.h"
#include "rules/clean.h"

struct csv_plan {
    const struct source_context *context;
    const struct csv_layout *layout;
    uint64_t columns_id;
    bool *mapped; /* per column: it is one of our fields */
    size_t mapped_count;
    size_t id_count;
    size_t *id_columns;
    size_t time_column; /* SIZE_MAX: none */
    struct clean_context clean; /* how its values are read */
    struct slice
        missing; /* a configured id column the sheet does not have; empty when all are there */
    struct slice *scratch_names, *scratch_values; /* for the hash */
};

/* Fills the plan from `arena`; context and layout are borrowed. */
MUST_CHECK enum status csv_plan_make(const struct source_context *context,
                                     const struct csv_layout *layout, struct arena *arena,
                                     struct csv_plan *plan, struct err *err);
/* The columns as a batch carries them; one for all deliveries of a batch. NULL when the arena is
 * full. */
const struct columns *csv_plan_columns(const struct csv_plan *plan, struct arena *arena);

/* The plan in words; see csv_file_understood. */
void csv_plan_tell(const struct csv_plan *plan, struct buf *out);

/* Fills *delivery (all but position) with memory of `arena`, which may be full afterwards. */
void csv_row_deliver(const struct csv_plan *plan, const struct csv_row *row,
                     const struct columns *columns, struct arena *arena, struct delivery *delivery);
/* About how much of the arena that takes. */
size_t csv_row_cost_bytes(const struct csv_plan *plan, const struct csv_row *row);

#endif
