/* stage.c - the first step of a turn: what each arrival means for its record. */
#include "daemon/accept/employer.h"
#include "daemon/resolve/resolver.intern.h"
#include "daemon/base/log.h"

#include <assert.h>
#include <sodium.h>

#define IDENTIFIER_HASH_BYTES 16
#define IDENTIFIERS_MAX       8

/* Keyed hashes of the e-mails and phones of a refused record, so that erasure can find it. */
static struct slice identifiers(struct turn *turn, const struct clean_record *clean)
{
    const struct schema *schema = turn->r->generation->schema;
    char *out = arena_alloc(turn->arena, IDENTIFIERS_MAX * IDENTIFIER_HASH_BYTES);
    size_t used = 0;
    for (size_t i = 0; out && i < clean->value_count && used < IDENTIFIERS_MAX; i++) {
        const struct clean_value *value = &clean->values[i];
        enum field_type type = schema->fields[value->field].type;
        if (type != FIELD_EMAIL && type != FIELD_PHONE && type != FIELD_ID_NUMBER)
            continue;
        crypto_generichash((unsigned char *)out + used * IDENTIFIER_HASH_BYTES,
                           IDENTIFIER_HASH_BYTES, (const unsigned char *)value->value.ptr,
                           value->value.len, turn->r->hash_key, sizeof(turn->r->hash_key));
        used++;
    }
    return slice_of(out, out ? used * IDENTIFIER_HASH_BYTES : 0);
}

static void tell_reject(struct turn *turn, const struct arrival *arrival, const char *code,
                        const char *field, bool quarantined)
{
    struct buf data = BUF_INIT(65536);
    buf_put_str(&data, "{\"source\":");
    buf_put_json(&data, slice_str(arrival->source->name));
    buf_put_str(&data, ",\"code\":");
    buf_put_json(&data, slice_str(code));
    buf_put_str(&data, ",\"field\":");
    buf_put_json(&data, slice_str(field));
    buf_put_str(&data, ",\"position\":");
    buf_put_json(&data, arrival->delivery->position);
    buf_printf(&data, ",\"quarantined\":%s}", quarantined ? "true" : "false");
    if (!buf_failed(&data))
        write_event(turn->set, "record.rejected", 0, arrival->source->source_id, buf_slice(&data));
    buf_free(&data);
}

static void reject(struct turn *turn, const struct arrival *arrival)
{
    int32_t source_id = arrival->source->source_id;
    if (arrival->raw == NULL) {
        const char *code = arrival->delivery->refusal ? arrival->delivery->refusal : "delivery.empty";
        write_reject(turn->set, arrival, false, code, "", arrival->delivery->refusal_param, SLICE_EMPTY);
        write_set_count(turn->set, source_id, LEDGER_REJECTED);
        tell_reject(turn, arrival, code, "", false);
        return;
    }
    const struct clean_record *clean = &arrival->clean;
    bool quarantined = clean->outcome == CLEAN_QUARANTINE;
    enum issue_severity wanted = quarantined ? ISSUE_QUARANTINE : ISSUE_REJECT;
    const struct issue *issue = NULL;
    for (size_t i = 0; i < clean->issue_count && issue == NULL; i++) {
        if (clean->issues[i].severity == wanted)
            issue = &clean->issues[i];
    }
    const char *code = issue ? issue->code : "rule.refused";
    const char *field = issue && issue->field != FIELD_NONE
                            ? turn->r->generation->schema->fields[issue->field].name : "";
    write_reject(turn->set, arrival, quarantined, code, field, issue ? issue->param : SLICE_EMPTY,
                 identifiers(turn, clean));
    write_set_count(turn->set, source_id, quarantined ? LEDGER_QUARANTINED : LEDGER_REJECTED);
    tell_reject(turn, arrival, code, field, quarantined);
}

/* What stands in the way of a clean record nobody foresaw. */
static void quarantine(struct turn *turn, const struct arrival *arrival, const char *code)
{
    write_reject(turn->set, arrival, true, code, "", SLICE_EMPTY, identifiers(turn, &arrival->clean));
    write_set_count(turn->set, arrival->source->source_id, LEDGER_QUARANTINED);
    tell_reject(turn, arrival, code, "", true);
}

static uint16_t flags_of(const struct arrival *arrival)
{
    const struct source *source = arrival->source;
    uint16_t flags = arrival->is_employer ? ROSTER_EMPLOYER : 0;
    if (arrival->raw->op == RECORD_DELETE)
        flags |= ROSTER_DELETED;
    if (source->leads && !arrival->is_employer)
        flags |= ROSTER_LEAD_MAKING;
    if (arrival->backfill)
        flags |= ROSTER_BACKFILL;
    if (arrival->raw->is_test)
        flags |= ROSTER_TEST;
    if (source->verified && !arrival->is_employer) /* what was verified is the person's */
        flags |= ROSTER_VERIFIED;
    return flags;
}

static struct prepared nothing_left(const struct arrival *arrival)
{
    return (struct prepared){.json = arrival->is_employer ? SLICE("{\"kind\":\"company\",\"v\":[]}")
                                                          : SLICE("{\"kind\":\"person\",\"v\":[]}")};
}

/* What the cleaning pool has prepared, else made here. False when the record is beyond all bounds, or out of memory
 * (the turn's arena has failed). */
static bool take_prepared(struct turn *turn, const struct arrival *arrival, struct prepared *prepared)
{
    if (arrival->raw->op == RECORD_DELETE) {
        *prepared = nothing_left(arrival);
        return true;
    }
    *prepared = arrival->prepared;
    return prepared->done || prepare_record(&turn->r->preparing, turn->r->generation, &arrival->clean,
                                            arrival->source->space_key, turn->arena, prepared);
}

static enum status no_memory(const struct arrival *arrival, struct err *err)
{
    return err_set(err, RETRY_FATAL, "base.memory", "out of memory for the record accepted as %llu",
                   (unsigned long long)arrival->accept_seq);
}

static void note_lost_lead(struct turn *turn, uint64_t record_id, const struct roster_entry *entry)
{
    uint64_t customer = graph_customer(turn->r->graph, record_id);
    if ((entry->flags & ROSTER_LEAD) && customer)
        turn->lost_leads[turn->lost_lead_count++] = customer;
}

static void count_arrival(struct turn *turn, const struct arrival *arrival, enum ledger_outcome outcome)
{
    if (!arrival->is_employer) /* was not received */
        write_set_count(turn->set, arrival->source->source_id, outcome);
}

static enum status no_room(struct err *err)
{
    return err_set(err, RETRY_FATAL, "resolve.records_max",
                   "no room for another record; hint: raise limits.records");
}

/* The staged record of an id, which may be there from an arrival of this turn before. */
static struct staged *stage_record(struct turn *turn, uint64_t record_id, bool stood)
{
    struct staged *staged = turn_staged(turn, record_id);
    if (staged)
        return staged;
    assert(turn->staged_count < turn->staged_max); /* a turn stages each arrival at most once */
    staged = &turn->staged[turn->staged_count];
    *staged = (struct staged){.record_id = record_id, .is_new = !stood};
    return u64_map_set(&turn->r->scratch.staged, record_id, (uint32_t)turn->staged_count++) ? staged : NULL;
}

/* Puts the arrival's version in the place of whatever stood. */
static enum status stage_version(struct turn *turn, const struct arrival *arrival, uint64_t record_id,
                                 const struct prepared *prepared, struct err *err)
{
    struct resolver *r = turn->r;
    struct known *known = r->settings.intake->known;
    bool deleted = arrival->raw->op == RECORD_DELETE;
    if (record_id == 0)
        record_id = ++r->last_record_id;
    struct roster_entry *entry = known_add(known, record_id, arrival->key);
    if (entry == NULL)
        return no_room(err);
    bool stood = (entry->flags & ROSTER_STORED) != 0;
    bool was_live = stood && !(entry->flags & ROSTER_DELETED);
    struct staged *staged = stage_record(turn, record_id, stood);
    if (staged == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for record %llu",
                       (unsigned long long)record_id);
    if (deleted)
        note_lost_lead(turn, record_id, entry);
    uint16_t kept = entry->flags & (ROSTER_LEAD | ROSTER_CUSTOMER | ROSTER_COMPANY | ROSTER_ASSIGNED);
    entry->flags = flags_of(arrival) | ROSTER_STORED | (deleted ? kept & ~ROSTER_LEAD : kept);
    entry->effective_us = arrival->effective_us;
    entry->hash = arrival->hash;
    entry->source = (uint16_t)(arrival->source - r->settings.sources->list);
    known_resolved(known, arrival->key);
    staged->arrival = arrival;
    staged->deleted = deleted;
    staged->json = prepared->json;
    staged->features = prepared->keyed.features;
    if (deleted) {
        graph_remove(r->graph, record_id);
        count_arrival(turn, arrival, LEDGER_DELETED);
        return STATUS_OK;
    }
    count_arrival(turn, arrival, was_live ? LEDGER_UPDATED : LEDGER_STORED);
    return graph_put_keyed(r->graph, record_id, arrival->key, &prepared->keyed, err);
}

static bool is_live(const struct roster_entry *entry)
{
    return entry && (entry->flags & ROSTER_STORED) && !(entry->flags & ROSTER_DELETED);
}

/* Nobody names it any more. */
static enum status stage_gone_employer(struct turn *turn, const struct arrival *person, uint64_t record_id,
                                       struct err *err)
{
    const struct roster_entry *entry = roster_at(turn->r->roster, record_id);
    const struct staged *staged = turn_staged(turn, record_id);
    struct arrival *gone = ARENA_NEW(turn->arena, struct arrival);
    struct raw_record *raw = ARENA_NEW(turn->arena, struct raw_record);
    if (gone == NULL || raw == NULL || entry == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for an employer");
    *raw = (struct raw_record){.op = RECORD_DELETE, .part = SLICE(EMPLOYER_PART)};
    if (staged) /* new in this turn: its row is still to be made */
        raw->external_id = staged->arrival->raw->external_id;
    *gone = (struct arrival){.source = person->source, .delivery = person->delivery, .raw = raw,
                             .accept_seq = person->accept_seq, .key = roster_key(entry), .hash = entry->hash,
                             .effective_us = entry->effective_us, .is_employer = true,
                             .clean = {.kind = KIND_COMPANY}};
    struct prepared prepared = nothing_left(gone);
    return stage_version(turn, gone, record_id, &prepared, err);
}

/* Its time is that of the oldest record that names it: one that did had the time `was_us` and has another now, or none
 * (INT64_MAX). All of them are looked at only when the oldest may have gone. */
static void settle_time(struct turn *turn, uint64_t record_id, int64_t was_us, int64_t is_us)
{
    struct roster_entry *entry = roster_at(turn->r->roster, record_id);
    int64_t since_us = is_us;
    if (entry == NULL || (is_us >= entry->effective_us && was_us != entry->effective_us))
        return;
    if (is_us >= entry->effective_us &&
        !employment_since(&turn->r->employment, record_id, entry->effective_us, &since_us))
        return;
    if (since_us == entry->effective_us)
        return;
    entry->effective_us = since_us;
    turn->retimed[turn->retimed_count++] = record_id;
}

/* The record of the company a person's record names: 0 of one beyond all bounds, which is told, then as if not named. */
static enum status stage_named(struct turn *turn, const struct arrival *person, uint64_t *record_id, struct err *err)
{
    struct arrival *employer = person->employer;
    struct prepared prepared;
    *record_id = roster_find(turn->r->roster, employer->key);
    if (is_live(roster_at(turn->r->roster, *record_id)))
        return STATUS_OK;
    if (!take_prepared(turn, employer, &prepared)) {
        *record_id = 0;
        if (arena_failed(turn->arena))
            return no_memory(employer, err);
        log_error("resolve.employer_too_large", "the employer that the record accepted as %llu names is left out, it is "
                  "too large; hint: look at what %s sends", (unsigned long long)person->accept_seq, person->source->name);
        return STATUS_OK;
    }
    employer->effective_us = person->effective_us;
    if (stage_version(turn, employer, *record_id, &prepared, err) != STATUS_OK)
        return STATUS_FAILED;
    *record_id = roster_find(turn->r->roster, employer->key);
    return STATUS_OK;
}

/* The company a person's record names, once that version of it stands: the record comes with the first that names it
 * and goes with the last. */
static enum status stage_employer(struct turn *turn, const struct arrival *person, struct err *err)
{
    struct employment *employment = &turn->r->employment;
    bool named = person->employer->raw->op != RECORD_DELETE;
    uint64_t person_id = roster_find(turn->r->roster, person->key);
    uint64_t before = employment_of(employment, person_id), now = 0;
    int64_t was_us = employment_time(employment, person_id);
    if (named && stage_named(turn, person, &now, err) != STATUS_OK)
        return STATUS_FAILED;
    if (before == 0 && now == 0)
        return STATUS_OK;
    if (!employment_set(employment, person_id, now, person->effective_us))
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for an employer");
    if (before != now)
        turn->employed[turn->employed_count++] = person_id;
    if (now)
        settle_time(turn, now, before == now ? was_us : INT64_MAX, person->effective_us);
    int64_t since_us = 0;
    if (before == 0 || before == now)
        return STATUS_OK;
    if (!employment_since(employment, before, INT64_MIN, &since_us))
        return stage_gone_employer(turn, person, before, err);
    settle_time(turn, before, was_us, INT64_MAX);
    return STATUS_OK;
}

/* Whether a record, and the company it names, find room where their keys are new. */
static bool finds_room(const struct turn *turn, const struct arrival *arrival, bool alone)
{
    const struct known *known = turn->r->settings.intake->known;
    size_t needs = !alone && known_is_new(known, arrival->key);
    if (arrival->employer && arrival->employer->raw->op != RECORD_DELETE)
        needs += known_is_new(known, arrival->employer->key);
    return needs <= known_room(known);
}

enum status stage_employers(struct turn *turn, struct arrival *persons, size_t count, struct err *err)
{
    enum status status = STATUS_OK;
    size_t without_room = 0;
    known_lock(turn->r->settings.intake->known);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (finds_room(turn, &persons[i], true))
            status = stage_employer(turn, &persons[i], err);
        else
            without_room++;
    }
    known_unlock(turn->r->settings.intake->known);
    if (without_room > 0)
        log_error("resolve.employers_max", "%zu employers of stored records find no room; hint: raise limits.records, then "
                  "switch `employers` off and on", without_room);
    return status;
}

static enum status stage_arrival(struct turn *turn, const struct arrival *arrival, struct err *err)
{
    if (arrival->raw == NULL || (arrival->raw->op != RECORD_DELETE &&
                                 (arrival->clean.outcome == CLEAN_REJECT ||
                                  arrival->clean.outcome == CLEAN_QUARANTINE))) {
        reject(turn, arrival);
        return STATUS_OK;
    }
    if (arrival->raw->op != RECORD_DELETE && arrival->clean.outcome == CLEAN_SUPPRESS) {
        write_set_count(turn->set, arrival->source->source_id, LEDGER_SUPPRESSED);
        return STATUS_OK;
    }
    struct known_state state = known_get(turn->r->settings.intake->known, arrival->key);
    struct known_version version = {arrival->effective_us, arrival->hash};
    if (known_version_cmp(&version, &state.resolved) <= 0) {
        /* Delivered again, or an old version that comes late: the newer one stands. */
        write_set_count(turn->set, arrival->source->source_id, LEDGER_REPEAT);
        return STATUS_OK;
    }
    if (!finds_room(turn, arrival, false)) {
        quarantine(turn, arrival, "record.no_room"); /* limits.records was reached since its acceptance */
        return STATUS_OK;
    }
    struct prepared prepared;
    if (!take_prepared(turn, arrival, &prepared)) {
        if (arena_failed(turn->arena))
            return no_memory(arrival, err);
        quarantine(turn, arrival, "record.too_large");
        return STATUS_OK;
    }
    enum status status = stage_version(turn, arrival, state.record_id, &prepared, err);
    return status == STATUS_OK && arrival->employer ? stage_employer(turn, arrival, err) : status;
}

enum status stage_batch(struct turn *turn, const struct batch *batch, struct err *err)
{
    enum status status = STATUS_OK;
    known_lock(turn->r->settings.intake->known);
    for (size_t i = 0; i < batch->arrival_count && status == STATUS_OK; i++)
        status = stage_arrival(turn, &batch->arrivals[i], err);
    known_unlock(turn->r->settings.intake->known);
    id_list_add(turn->set, &turn->set->batches, (int64_t)batch->batch_id);
    return status;
}
