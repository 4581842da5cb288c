/* db_result.c - reading binary results. A wrong type or column is our bug and asserts. */
#include "daemon/store/db_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>

#include "daemon/store/db_types.h"

size_t db_rows(const struct db_result *result)
{
    return (size_t)PQntuples(result->result);
}

size_t db_columns(const struct db_result *result)
{
    return (size_t)PQnfields(result->result);
}

bool db_is_null(const struct db_result *result, size_t row, size_t column)
{
    assert(row < db_rows(result) && column < db_columns(result));
    return PQgetisnull(result->result, (int)row, (int)column) != 0;
}

static struct slice cell(const struct db_result *result, size_t row, size_t column)
{
    if (db_is_null(result, row, column))
        return SLICE_EMPTY;
    return slice_of(PQgetvalue(result->result, (int)row, (int)column),
                    (size_t)PQgetlength(result->result, (int)row, (int)column));
}

static uint64_t big_endian(struct slice bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (unsigned char)bytes.ptr[i];
    return value;
}

static Oid type_of(const struct db_result *result, size_t column)
{
    return PQftype(result->result, (int)column);
}

int64_t db_int(const struct db_result *result, size_t row, size_t column)
{
    struct slice bytes = cell(result, row, column);
    uint64_t value = big_endian(bytes);
    switch (type_of(result, column)) {
    case TYPE_BOOL:
        return value != 0;
    case TYPE_INT2:
        return (int16_t)value;
    case TYPE_INT4:
    case TYPE_DATE:
        return (int32_t)value;
    case TYPE_INT8:
    case TYPE_OID:
    case TYPE_XID:
        return (int64_t)value;
    default:
        break;
    }
    assert(type_of(result, column) == TYPE_INT8); /* the column is no integer */
    return 0;
}

double db_real(const struct db_result *result, size_t row, size_t column)
{
    struct slice bytes = cell(result, row, column);
    uint64_t raw = big_endian(bytes);
    if (type_of(result, column) == TYPE_FLOAT4) {
        uint32_t narrow = (uint32_t)raw;
        float value = 0;
        memcpy(&value, &narrow, sizeof(value));
        return (double)value;
    }
    assert(type_of(result, column) == TYPE_FLOAT8);
    double value = 0;
    memcpy(&value, &raw, sizeof(value));
    return value;
}

struct slice db_bytes(const struct db_result *result, size_t row, size_t column)
{
    struct slice bytes = cell(result, row, column);
    if (type_of(result, column) == TYPE_JSONB && bytes.len > 0)
        return slice_sub(bytes, 1, bytes.len);
    return bytes;
}

int64_t db_timestamp_us(const struct db_result *result, size_t row, size_t column)
{
    assert(type_of(result, column) == TYPE_TIMESTAMPTZ);
    if (db_is_null(result, row, column))
        return 0;
    int64_t value = (int64_t)big_endian(cell(result, row, column));
    if (value == INT64_MAX || value == INT64_MIN) /* infinity */
        return value;
    int64_t wall_us = 0;
    return __builtin_add_overflow(value, PG_EPOCH_US, &wall_us) ? INT64_MAX : wall_us;
}

uint64_t db_affected(const struct db_result *result)
{
    const char *count = PQcmdTuples(result->result);
    return count[0] ? strtoull(count, NULL, 10) : 0;
}

void db_result_free(struct db_result **result)
{
    if (*result == NULL)
        return;
    PQclear((*result)->result);
    free(*result);
    *result = NULL;
}
