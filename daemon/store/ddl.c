/* ddl.c - see ddl.h: making the database fit the layout. */
#include "daemon/store/ddl_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/log.h"
#include "sql_queries.h"

#define DDL_LOCK 0x676f6c64656e2e63LL /* "golden.c" */

static enum status read_columns(struct db *db, const char *relation, struct column_list *list,
                                struct err *err)
{
    struct db_result *result = NULL;
    struct db_param name = DB_P_TEXT(slice_str(relation));
    *list = (struct column_list){0};
    enum status status = db_query(db, &sql_store_columns, &name, 1, &result, err);
    if (status != STATUS_OK)
        return status;
    list->columns = calloc(db_rows(result) + 1, sizeof(*list->columns));
    if (list->columns == NULL)
        status = err_set(err, RETRY_LATER, "store.memory", "out of memory");
    for (size_t row = 0; status == STATUS_OK && row < db_rows(result); row++) {
        struct table_column *column = &list->columns[list->count++];
        struct slice column_name = db_bytes(result, row, 0), type = db_bytes(result, row, 1);
        snprintf(column->name, sizeof(column->name), SLICE_FMT, SLICE_ARG(column_name));
        snprintf(column->type, sizeof(column->type), SLICE_FMT, SLICE_ARG(type));
    }
    db_result_free(&result);
    return status;
}

static const struct table_column *find_column(const struct column_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->columns[i].name, name) == 0)
            return &list->columns[i];
    return NULL;
}

static enum status check_table(const struct customer_layout *layout, const struct column_list *table,
                               struct err *err)
{
    for (size_t i = 0; i < fixed_column_count; i++)
        if (find_column(table, fixed_columns[i].name) == NULL)
            return err_set(err, RETRY_REJECT_CONFIG, "store.no_schema",
                           "tributary.customer has no column %s; hint: migrations come first",
                           fixed_columns[i].name);
    for (size_t i = 0; i < layout->column_count; i++) {
        const struct customer_column *column = &layout->columns[i];
        const struct table_column *there = find_column(table, column->name);
        if (there && strcmp(there->type, column_type_sql(column->type)) != 0)
            return err_set(err, RETRY_REJECT_CONFIG, "store.column_type",
                           "field %s: its golden column %s is %s and cannot become %s; hint: a changed type is a "
                           "new name", column->field->name, column->name, there->type,
                           column_type_sql(column->type));
    }
    return STATUS_OK;
}

static enum status run_text(struct db *db, struct buf *sql, struct err *err)
{
    buf_put_byte(sql, 0);
    if (buf_failed(sql))
        return err_set(err, RETRY_LATER, "store.memory", "out of memory");
    return db_exec(db, sql->data, err);
}

/* Appends what is missing, and to `table` too. */
static enum status add_columns(struct db *db, const struct customer_layout *layout,
                               struct column_list *table, struct err *err)
{
    struct buf sql = BUF_INIT(DDL_TEXT_MAX);
    size_t added = 0;
    for (size_t i = 0; i < layout->column_count; i++) {
        const struct customer_column *column = &layout->columns[i];
        if (find_column(table, column->name))
            continue;
        buf_put_str(&sql, added++ ? ", ADD COLUMN " : "ALTER TABLE tributary.customer ADD COLUMN ");
        put_identifier(&sql, column->name);
        buf_printf(&sql, " %s", column_type_sql(column->type));
    }
    enum status status = added ? run_text(db, &sql, err) : STATUS_OK;
    buf_free(&sql);
    if (status != STATUS_OK || added == 0)
        return status;
    log_info("store.columns_added", "golden.customer: %zu column%s added", added, added == 1 ? "" : "s");
    free(table->columns);
    return read_columns(db, "tributary.customer", table, err);
}

/* The definition a view's comment tells: "... [definition 0123456789abcdef]". */
static bool same_definition(struct slice comment, struct slice sql)
{
    ptrdiff_t at = slice_find(comment, SLICE("[definition "));
    if (at < 0)
        return false;
    return slice_find(sql, slice_sub(comment, (size_t)at, comment.len)) >= 0;
}

static enum status make_view(struct db *db, const struct customer_layout *layout, bool masked,
                             const struct column_list *table, struct err *err)
{
    const char *name = masked ? "golden.customer_masked" : "golden.customer";
    struct column_list view;
    struct buf sql = BUF_INIT(DDL_TEXT_MAX);
    struct db_result *comment = NULL;
    struct db_param param = DB_P_TEXT(slice_str(name));
    enum status status = read_columns(db, name, &view, err);
    if (status == STATUS_OK)
        status = db_query(db, &sql_store_comment, &param, 1, &comment, err);
    if (status == STATUS_OK) {
        put_view(&sql, layout, masked, table, &view);
        if (buf_failed(&sql) || !same_definition(db_bytes(comment, 0, 0), buf_slice(&sql)))
            status = run_text(db, &sql, err);
    }
    db_result_free(&comment);
    buf_free(&sql);
    free(view.columns);
    return status;
}

static enum status fit(struct db *db, const struct customer_layout *layout, struct err *err)
{
    struct column_list table = {0};
    struct db_param lock = DB_P_INT8(DDL_LOCK);
    enum status status = db_run(db, &sql_store_ddl_lock, &lock, 1, NULL, err);
    if (status == STATUS_OK)
        status = read_columns(db, "tributary.customer", &table, err);
    if (status == STATUS_OK)
        status = check_table(layout, &table, err);
    if (status == STATUS_OK)
        status = add_columns(db, layout, &table, err);
    if (status == STATUS_OK)
        status = make_view(db, layout, false, &table, err);
    if (status == STATUS_OK)
        status = make_view(db, layout, true, &table, err);
    free(table.columns);
    return status;
}

enum status ddl_golden(struct db *db, const struct customer_layout *layout, struct err *err)
{
    bool ambiguous = false;
    enum status status = db_begin(db, err);
    if (status == STATUS_OK)
        status = fit(db, layout, err);
    if (status == STATUS_OK)
        status = db_commit(db, &ambiguous, err);
    if (status != STATUS_OK) {
        db_rollback(db);
        if (status == STATUS_FAILED && err->retry == RETRY_REJECT_RECORD)
            err->retry = RETRY_REJECT_CONFIG; /* no record is to blame */
    }
    return status;
}
