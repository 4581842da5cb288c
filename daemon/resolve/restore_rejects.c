/* restore_rejects.c - what was rejected, known again at start: delivered again it is a repeat. */
#include "daemon/resolve/resolver.intern.h"
#include "sql_queries.h"

#define REJECTS_MAX 500000 /* the newest */

static uint64_t big_endian(struct slice bytes, size_t at)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | (unsigned char)bytes.ptr[at + i];
    return value;
}

static bool each_reject(const struct db_result *row, void *data)
{
    struct resolver *r = data;
    struct intake *intake = r->settings.intake;
    const struct source *source = sources_by_id(r->settings.sources, (int32_t)db_int(row, 0, 0));
    struct slice body_key = db_is_null(row, 0, 5) ? SLICE_EMPTY : db_bytes(row, 0, 5);
    struct known_version version = {db_timestamp_us(row, 0, 4), (uint64_t)db_int(row, 0, 3)};
    known_lock(intake->known);
    if (body_key.len == 16) {
        (void)refused_note(intake->refused, (struct refused_key){big_endian(body_key, 0), big_endian(body_key, 8)}, 0);
    } else if (source && version.hash) {
        struct natural_key key = natural_key_of(slice_str(source->name), db_bytes(row, 0, 1), db_bytes(row, 0, 2));
        struct known_state state = known_get(intake->known, key);
        if (known_version_cmp(&version, &state.accepted) > 0)
            (void)known_accept(intake->known, key, version, 0); /* without room it is rejected once more */
    }
    known_unlock(intake->known);
    return true;
}

enum status restore_rejects(struct resolver *r, struct err *err)
{
    struct db_param most = DB_P_INT4(REJECTS_MAX);
    if (r->rejects_known)
        return STATUS_OK; /* the process remembers them over a rebuild */
    if (db_stream(r->reader, &sql_reject_known, &most, 1, each_reject, r, err) != STATUS_OK)
        return STATUS_FAILED;
    r->rejects_known = true;
    return STATUS_OK;
}
