/*
 * db_types.h - the type numbers of PostgreSQL that we speak in binary (stable since before version 9; catalog pg_type).
 */
#ifndef TRIBUTARY_STORE_DB_TYPES_H
#define TRIBUTARY_STORE_DB_TYPES_H

#define PG_EPOCH_US   946684800000000LL /* 2000-01-01 UTC in wall microseconds */
#define PG_EPOCH_DAYS 10957             /* the same in days since 1970-01-01 */

enum db_type {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_NAME = 19,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_OID = 26,
    TYPE_XID = 28,
    TYPE_JSON = 114,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_UNKNOWN = 705,
    TYPE_BPCHAR = 1042,
    TYPE_VARCHAR = 1043,
    TYPE_DATE = 1082,
    TYPE_TIMESTAMP = 1114,
    TYPE_TIMESTAMPTZ = 1184,
    TYPE_NUMERIC = 1700,
    TYPE_UUID = 2950,
    TYPE_JSONB = 3802,
    TYPE_BOOL_ARRAY = 1000,
    TYPE_BYTEA_ARRAY = 1001,
    TYPE_INT2_ARRAY = 1005,
    TYPE_INT4_ARRAY = 1007,
    TYPE_TEXT_ARRAY = 1009,
    TYPE_VARCHAR_ARRAY = 1015,
    TYPE_INT8_ARRAY = 1016,
    TYPE_TIMESTAMPTZ_ARRAY = 1185,
    TYPE_JSON_ARRAY = 199,
    TYPE_JSONB_ARRAY = 3807,
};

#endif
