/*
 * employers.c - employers of records that are stored already.
 *
 * What people's records name is followed as they come. When `employers` of a source is switched, or another generation
 * reads the records differently, what is stored follows here, some records at a time, before anything new is resolved. A
 * crash in between begins again and finds what is done to be as it should be.
 */
#include "daemon/accept/employer.h"
#include "daemon/base/log.h"
#include "daemon/resolve/resolver.intern.h"
#include "rules/record_json.h"
#include "sql_queries.h"

#define PAGE_RECORDS 1000

enum { COLUMN_ID, COLUMN_EXTERNAL_ID, COLUMN_PART, COLUMN_SEQ, COLUMN_TEST, COLUMN_CLEAN };

struct page {
    struct resolver *r;
    struct source *source;
    struct turn *turn;
    struct arrival *persons;
    size_t count;
};

/* The stored record as it arrived, as far as its employer asks. */
static bool read_person(struct page *page, const struct db_result *rows, size_t row, struct arrival *person)
{
    static const struct delivery nothing;
    struct arena *arena = page->turn->arena;
    uint64_t record_id = (uint64_t)db_int(rows, row, COLUMN_ID);
    const struct roster_entry *entry = roster_at(page->r->roster, record_id);
    struct raw_record *raw = ARENA_NEW(arena, struct raw_record);
    if (entry == NULL || raw == NULL)
        return false;
    *raw = (struct raw_record){.external_id = arena_dup(arena, db_bytes(rows, row, COLUMN_EXTERNAL_ID)),
                               .part = arena_dup(arena, db_bytes(rows, row, COLUMN_PART)),
                               .is_test = db_int(rows, row, COLUMN_TEST) != 0};
    *person = (struct arrival){.source = page->source, .delivery = &nothing, .raw = raw,
                               .accept_seq = (uint64_t)db_int(rows, row, COLUMN_SEQ),
                               .key = roster_key(entry), .effective_us = entry->effective_us, .hash = entry->hash,
                               .backfill = (entry->flags & ROSTER_BACKFILL) != 0};
    struct slice clean = arena_dup(arena, db_bytes(rows, row, COLUMN_CLEAN));
    if (!clean_record_from_json(page->r->generation->schema, clean, arena, &person->clean))
        return false;
    if (!page->source->employers)
        person->clean.kind = KIND_COMPANY; /* which names none */
    return employer_attach(page->r->generation->ruleset, arena, person);
}

static bool stands_as_it_should(const struct page *page, const struct arrival *person)
{
    const struct resolver *r = page->r;
    uint64_t stands = employment_of(&r->employment, roster_find(r->roster, person->key));
    if (person->employer->raw->op == RECORD_DELETE)
        return stands == 0;
    return stands != 0 && stands == roster_find(r->roster, person->employer->key);
}

static enum status read_page(struct page *page, const struct db_result *rows, struct err *err)
{
    size_t count = db_rows(rows);
    page->count = 0;
    page->persons = ARENA_ARRAY(page->turn->arena, struct arrival, count + 1);
    for (size_t i = 0; page->persons && i < count; i++) {
        struct arrival *person = &page->persons[page->count];
        if (!read_person(page, rows, i, person))
            return err_set(err, RETRY_FATAL, "resolve.record_lost",
                           "record %lld cannot be read back; hint: please report this with the log",
                           (long long)db_int(rows, i, COLUMN_ID));
        page->count += !stands_as_it_should(page, person);
    }
    return page->persons ? STATUS_OK : err_set(err, RETRY_FATAL, "base.memory", "out of memory for employers");
}

static enum status write_page(struct page *page, struct err *err)
{
    if (stage_employers(page->turn, page->persons, page->count, err) != STATUS_OK ||
        follow_changes(page->turn, err) != STATUS_OK)
        return STATUS_FAILED;
    return turn_put(page->turn, err);
}

/* *last is the record id it ended with, 0 when there was none. */
static enum status follow_page(struct resolver *r, struct source *source, uint64_t *last, size_t *changed,
                               struct err *err)
{
    struct db_param params[] = {DB_P_INT4(source->source_id), DB_P_INT8((int64_t)*last), DB_P_INT4(PAGE_RECORDS)};
    struct db_result *rows = NULL;
    if (db_query(r->reader, &sql_employer_page, params, 3, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    size_t count = db_rows(rows);
    struct page page = {.r = r, .source = source, .turn = turn_new(r, count, "configuration")};
    enum status status = page.turn ? read_page(&page, rows, err)
                                   : err_set(err, RETRY_FATAL, "base.memory", "out of memory for employers");
    *last = count ? (uint64_t)db_int(rows, count - 1, COLUMN_ID) : 0;
    db_result_free(&rows);
    if (status == STATUS_OK && page.count > 0)
        status = write_page(&page, err);
    *changed += page.count;
    turn_free(&page.turn);
    return status;
}

static enum status follow_source(struct resolver *r, struct source *source, struct err *err)
{
    uint64_t last = 0;
    size_t changed = 0;
    enum status status = resolver_wait_written(r, err);
    do {
        if (stop_is_set(r->settings.stop))
            return err_set(err, RETRY_LATER, "resolve.stopping", "stopping; employers are followed at the next start");
        if (status == STATUS_OK)
            status = follow_page(r, source, &last, &changed, err);
    } while (status == STATUS_OK && last > 0);
    if (status == STATUS_OK)
        status = resolver_wait_written(r, err);
    struct db_param params[] = {DB_P_INT4(source->source_id), DB_P_BOOL(source->employers)};
    if (status == STATUS_OK)
        status = db_run(r->reader, &sql_source_employers_set, params, 2, NULL, err);
    if (status == STATUS_OK) {
        source->employers_stored = source->employers;
        if (changed > 0)
            log_info("resolve.employers", "source %s: the employers of %zu records %s", source->name, changed,
                     source->employers ? "are made" : "are taken away");
    }
    return status;
}

struct restoring {
    struct resolver *r;
    bool full;
};

static bool each_employment(const struct db_result *row, void *data)
{
    struct restoring *restoring = data;
    uint64_t person = (uint64_t)db_int(row, 0, 0);
    const struct roster_entry *entry = roster_at(restoring->r->roster, person);
    restoring->full = entry && !employment_set(&restoring->r->employment, person, (uint64_t)db_int(row, 0, 1),
                                               entry->effective_us);
    return !restoring->full;
}

enum status employers_restore(struct resolver *r, struct err *err)
{
    struct restoring restoring = {.r = r};
    enum status status = db_stream(r->reader, &sql_employment_load, NULL, 0, each_employment, &restoring, err);
    return restoring.full ? err_set(err, RETRY_FATAL, "base.memory", "out of memory for employers") : status;
}

enum status employers_follow(struct resolver *r, bool all, struct err *err)
{
    struct sources *sources = r->settings.sources;
    for (size_t i = 0; i < sources->count; i++) {
        struct source *source = &sources->list[i];
        bool configured = source->push || source->pull;
        bool switched = source->employers != source->employers_stored;
        if (configured && (switched || (all && source->employers)) && follow_source(r, source, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    return STATUS_OK;
}
