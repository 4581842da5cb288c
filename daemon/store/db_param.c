/*
 * db_param.c - values to the wire, in the type the server inferred for the parameter.
 *
 * What PostgreSQL would refuse, and what it would cut short without a word (a text with a NUL inside, when sent as
 * text), is refused here as RETRY_REJECT_RECORD. A value of a kind that does not go with the type is our bug and
 * told as RETRY_FATAL.
 */
#include "daemon/store/db_internal.h"

#include <stdio.h>

#include "daemon/base/utf8.h"
#include "daemon/store/db_types.h"

static enum status misfit(Oid type, const char *what, struct err *err)
{
    return err_set(err, RETRY_FATAL, "store.param_type", "%s does not go with type %u", what, type);
}

static enum status out_of_range(const char *what, struct err *err)
{
    return err_set(err, RETRY_REJECT_RECORD, "store.range", "%s is out of range", what);
}

static enum status check_text(struct slice text, struct err *err)
{
    if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL)
        return err_set(err, RETRY_REJECT_RECORD, "store.nul", "the text has a NUL inside");
    if (!utf8_valid(text))
        return err_set(err, RETRY_REJECT_RECORD, "store.utf8", "the text is not UTF-8");
    return STATUS_OK;
}

/* In the server's own text format, for types we do not speak in binary. */
static void put_as_text(struct buf *out, struct slice text, int *format)
{
    *format = 0;
    buf_put_slice(out, text);
    buf_put_byte(out, 0);
}

static enum status put_integer(struct buf *out, int64_t value, Oid type, int *format, struct err *err)
{
    switch (type) {
    case TYPE_INT8:
        buf_put_u64(out, (uint64_t)value);
        return STATUS_OK;
    case TYPE_INT4:
        if (value < INT32_MIN || value > INT32_MAX)
            return out_of_range("an integer", err);
        buf_put_u32(out, (uint32_t)value);
        return STATUS_OK;
    case TYPE_OID:
        if (value < 0 || value > UINT32_MAX)
            return out_of_range("an oid", err);
        buf_put_u32(out, (uint32_t)value);
        return STATUS_OK;
    case TYPE_INT2:
        if (value < INT16_MIN || value > INT16_MAX)
            return out_of_range("a small integer", err);
        buf_put_u16(out, (uint16_t)value);
        return STATUS_OK;
    case TYPE_BOOL:
        buf_put_byte(out, value != 0);
        return STATUS_OK;
    default: {
        char text[32];
        snprintf(text, sizeof(text), "%lld", (long long)value);
        put_as_text(out, slice_str(text), format);
        return STATUS_OK;
    }
    }
}

static enum status put_real(struct buf *out, double value, Oid type, int *format)
{
    char text[40];
    if (type == TYPE_FLOAT8) {
        uint64_t raw = 0;
        memcpy(&raw, &value, sizeof(raw));
        buf_put_u64(out, raw);
        return STATUS_OK;
    }
    snprintf(text, sizeof(text), "%.17g", value);
    put_as_text(out, slice_str(text), format);
    return STATUS_OK;
}

static enum status put_timestamp(struct buf *out, int64_t wall_us, Oid type, struct err *err)
{
    int64_t value = 0;
    if (type != TYPE_TIMESTAMPTZ)
        return misfit(type, "a time", err);
    if (__builtin_sub_overflow(wall_us, PG_EPOCH_US, &value))
        return out_of_range("a time", err);
    buf_put_u64(out, (uint64_t)value);
    return STATUS_OK;
}

static enum status put_text(struct buf *out, struct slice text, Oid type, int *format,
                            struct err *err)
{
    enum status status = check_text(text, err);
    if (status != STATUS_OK)
        return status;
    switch (type) {
    case TYPE_JSONB:
        buf_put_byte(out, 1); /* its version */
        buf_put_slice(out, text);
        return STATUS_OK;
    case TYPE_TEXT:
    case TYPE_VARCHAR:
    case TYPE_BPCHAR:
    case TYPE_UNKNOWN:
    case TYPE_JSON:
        buf_put_slice(out, text);
        return STATUS_OK;
    case TYPE_BYTEA: /* its text format would read backslashes */
        return misfit(type, "a text", err);
    default:
        put_as_text(out, text, format);
        return STATUS_OK;
    }
}

static Oid element_of(Oid array)
{
    switch (array) {
    case TYPE_BOOL_ARRAY:
        return TYPE_BOOL;
    case TYPE_BYTEA_ARRAY:
        return TYPE_BYTEA;
    case TYPE_INT2_ARRAY:
        return TYPE_INT2;
    case TYPE_INT4_ARRAY:
        return TYPE_INT4;
    case TYPE_INT8_ARRAY:
        return TYPE_INT8;
    case TYPE_TIMESTAMPTZ_ARRAY:
        return TYPE_TIMESTAMPTZ;
    case TYPE_TEXT_ARRAY:
        return TYPE_TEXT;
    case TYPE_VARCHAR_ARRAY:
        return TYPE_VARCHAR;
    case TYPE_JSON_ARRAY:
        return TYPE_JSON;
    case TYPE_JSONB_ARRAY:
        return TYPE_JSONB;
    default:
        return 0;
    }
}

static enum status put_element(struct buf *out, const struct db_param *param, size_t i, Oid element,
                               struct err *err)
{
    int format = 1;
    if (param->type == DB_TEXT_ARRAY) {
        if (element == TYPE_BYTEA) {
            buf_put_slice(out, param->texts[i]);
            return STATUS_OK;
        }
        return put_text(out, param->texts[i], element, &format, err);
    }
    if (element == TYPE_TIMESTAMPTZ)
        return put_timestamp(out, param->integers[i], element, err);
    return put_integer(out, param->integers[i], element, &format, err);
}

static enum status put_array(struct buf *out, const struct db_param *param, Oid type,
                             struct err *err)
{
    Oid element = element_of(type);
    bool is_text = element == TYPE_TEXT || element == TYPE_VARCHAR || element == TYPE_JSON ||
                   element == TYPE_JSONB || element == TYPE_BYTEA;
    if (element == 0 || is_text != (param->type == DB_TEXT_ARRAY))
        return misfit(type, "an array", err);
    if (param->count > INT32_MAX)
        return out_of_range("an array's length", err);
    buf_put_u32(out, param->count > 0); /* dimensions: an empty array has none */
    buf_put_u32(out, 1);                /* may hold NULLs */
    buf_put_u32(out, element);
    if (param->count == 0)
        return STATUS_OK;
    buf_put_u32(out, (uint32_t)param->count);
    buf_put_u32(out, 1); /* lower bound */
    for (size_t i = 0; i < param->count && !buf_failed(out); i++) {
        size_t at = out->len;
        if (param->type == DB_TEXT_ARRAY && param->texts[i].ptr == NULL) {
            buf_put_u32(out, UINT32_MAX);
            continue;
        }
        buf_put_u32(out, 0);
        enum status status = put_element(out, param, i, element, err);
        if (status != STATUS_OK) {
            err_prefix(err, "element %zu", i + 1);
            return status;
        }
        if (buf_failed(out))
            break;
        uint32_t wire = __builtin_bswap32((uint32_t)(out->len - at - 4));
        memcpy(out->data + at, &wire, sizeof(wire));
    }
    return STATUS_OK;
}

static bool is_null(const struct db_param *param)
{
    switch (param->type) {
    case DB_NULL:
        return true;
    case DB_TEXT:
    case DB_BYTEA:
    case DB_JSONB:
    case DB_UUID:
        return param->text.ptr == NULL;
    default:
        return false;
    }
}

static enum status put_value(struct buf *out, const struct db_param *param, Oid type, int *format,
                             struct err *err)
{
    switch (param->type) {
    case DB_INT8:
    case DB_INT4:
        return type == TYPE_BOOL ? misfit(type, "an integer", err)
                                 : put_integer(out, param->integer, type, format, err);
    case DB_BOOL:
        return type == TYPE_BOOL ? put_integer(out, param->integer, type, format, err)
                                 : misfit(type, "a boolean", err);
    case DB_FLOAT8:
        return put_real(out, param->real, type, format);
    case DB_TEXT:
    case DB_JSONB:
        return put_text(out, param->text, type, format, err);
    case DB_BYTEA:
        if (type != TYPE_BYTEA)
            return misfit(type, "bytes", err);
        buf_put_slice(out, param->text);
        return STATUS_OK;
    case DB_TIMESTAMP:
        return put_timestamp(out, param->integer, type, err);
    case DB_INT8_ARRAY:
    case DB_TEXT_ARRAY:
        return put_array(out, param, type, err);
    case DB_UUID:
        if (type != TYPE_UUID || param->text.len != 16)
            return misfit(type, "a uuid", err);
        buf_put_slice(out, param->text);
        return STATUS_OK;
    case DB_NULL:
        break;
    }
    return misfit(type, "a parameter of unknown kind", err);
}

enum status db_param_encode(struct buf *out, const struct db_param *param, Oid type, int *format,
                            int *length, struct err *err)
{
    *format = 1;
    *length = -1;
    if (is_null(param))
        return STATUS_OK;
    size_t at = out->len;
    enum status status = put_value(out, param, type, format, err);
    if (status != STATUS_OK)
        return status;
    if (out->len - at > INT32_MAX)
        return out_of_range("a parameter's length", err);
    *length = (int)(out->len - at);
    return STATUS_OK;
}
