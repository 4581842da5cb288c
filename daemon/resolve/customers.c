/* customers.c - the third step of a turn: the golden record of every customer touched. */
#include "daemon/resolve/resolver.intern.h"
#include "daemon/base/log.h"
#include "rules/record_json.h"
#include "sql_queries.h"

#include <stdlib.h>

struct id_bag {
    int64_t *ids;
    size_t count;
};

/* ---- what stood before ---- */

static struct slice pack_state(struct arena *arena, struct customer_state state,
                               const struct customer_texts *texts)
{
    state.lead_source_len = (uint32_t)texts->lead_source.len;
    state.owner_len = (uint32_t)texts->owner.len;
    state.team_len = (uint32_t)texts->team.len;
    state.provenance_len = (uint32_t)texts->provenance.len;
    const struct slice parts[] = {slice_of((const char *)&state, sizeof(state)), texts->lead_source,
                                  texts->owner, texts->team, texts->provenance};
    size_t total = 0, used = 0;
    for (size_t i = 0; i < 5; i++)
        total += parts[i].len;
    char *out = arena_alloc(arena, total);
    for (size_t i = 0; out && i < 5; i++) {
        memcpy(out + used, parts[i].ptr, parts[i].len);
        used += parts[i].len;
    }
    return slice_of(out, out ? total : 0);
}

static bool unpack_state(struct slice packed, struct customer_state *state,
                         struct customer_texts *texts)
{
    if (packed.len < sizeof(*state))
        return false;
    memcpy(state, packed.ptr, sizeof(*state));
    size_t at = sizeof(*state);
    const uint32_t lens[] = {state->lead_source_len, state->owner_len, state->team_len,
                             state->provenance_len};
    struct slice *const parts[] = {&texts->lead_source, &texts->owner, &texts->team,
                                   &texts->provenance};
    for (size_t i = 0; i < 4; i++) {
        *parts[i] = slice_sub(packed, at, at + lens[i]);
        at += lens[i];
    }
    return true;
}

enum status turn_query(struct turn *turn, const struct sql_query *query,
                       const struct db_param *params, struct db_result **result, struct err *err)
{
    struct resolver *r = turn->r;
    for (unsigned attempt = 0;; attempt++) {
        bool fresh = !db_is_open(r->reader);
        enum status status = db_open(r->reader, err);
        if (status == STATUS_OK && fresh)
            status = db_run(r->reader, &sql_session_by_index, NULL, 0, NULL, err);
        if (status == STATUS_OK)
            status = db_query(r->reader, query, params, 1, result, err);
        if (status == STATUS_OK)
            return STATUS_OK;
        if (err->retry != RETRY_RECONNECT && err->retry != RETRY_LATER && err->retry != RETRY_NOW)
            return status;
        if (attempt == 0)
            log_err(LOG_LEVEL_WARN, err, "the resolver waits for the database");
        if (resolver_is_closing(r) || stop_wait_ms(r->settings.stop, db_backoff_ms(attempt)))
            return STATUS_FAILED;
    }
}

static enum status read_states(struct turn *turn, const struct id_bag *missing, struct err *err)
{
    struct resolver *r = turn->r;
    struct db_param ids = DB_P_INT8S(missing->ids, missing->count);
    struct db_result *result = NULL;
    if (missing->count == 0)
        return STATUS_OK;
    if (turn_query(turn, &sql_customer_state, &ids, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < db_rows(result); i++) {
        struct customer_state state = {
            .version = (int32_t)db_int(result, i, 1), .lead_count = (int32_t)db_int(result, i, 2),
            .created_us = db_timestamp_us(result, i, 3),
            .last_seen_us = db_timestamp_us(result, i, 4),
            .lead_us = db_is_null(result, i, 5) ? 0 : db_timestamp_us(result, i, 5),
            .space_key = space_key_of(db_bytes(result, i, 11)), .kind = (uint32_t)db_int(result, i, 10)};
        struct customer_texts texts = {db_bytes(result, i, 6), db_bytes(result, i, 7),
                                       db_bytes(result, i, 8), db_bytes(result, i, 9)};
        struct slice packed = pack_state(turn->arena, state, &texts);
        if (!cache_put(r->customers, (uint64_t)db_int(result, i, 0), packed, turn->set->number))
            arena_fail(turn->arena);
    }
    db_result_free(&result);
    return STATUS_OK;
}

/* A customer id that stood once, was merged away and stands again goes on counting its versions. */
static enum status read_last_versions(struct turn *turn, const struct id_bag *returned,
                                      struct err *err)
{
    struct db_param ids = DB_P_INT8S(returned->ids, returned->count);
    struct db_result *result = NULL;
    if (returned->count == 0)
        return STATUS_OK;
    if (turn_query(turn, &sql_customer_last_versions, &ids, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < db_rows(result); i++) {
        struct customer_state state = {.version = (int32_t)db_int(result, i, 1)};
        struct customer_texts none = {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
        struct slice packed = pack_state(turn->arena, state, &none);
        if (!cache_put(turn->r->customers, (uint64_t)db_int(result, i, 0), packed,
                       turn->set->number))
            arena_fail(turn->arena);
    }
    db_result_free(&result);
    return STATUS_OK;
}

static enum status read_records(struct turn *turn, const struct id_bag *missing, struct err *err)
{
    struct db_param ids = DB_P_INT8S(missing->ids, missing->count);
    struct db_result *result = NULL;
    if (missing->count == 0)
        return STATUS_OK;
    if (turn_query(turn, &sql_record_clean, &ids, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < db_rows(result); i++) {
        if (!cache_put(turn->r->records, (uint64_t)db_int(result, i, 0), db_bytes(result, i, 1),
                       turn->set->number))
            arena_fail(turn->arena);
    }
    db_result_free(&result);
    return STATUS_OK;
}

static enum status read_owners(struct turn *turn, const struct id_bag *assigned, struct err *err)
{
    struct db_param ids = DB_P_INT8S(assigned->ids, assigned->count);
    struct db_result *result = NULL;
    if (assigned->count == 0)
        return STATUS_OK;
    if (writer_committed(turn->r->writer) < turn->r->assigned_set && resolver_wait_written(turn->r, err) != STATUS_OK)
        return STATUS_FAILED;
    if (turn_query(turn, &sql_record_owners, &ids, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    turn->assigned = ARENA_ARRAY(turn->arena, struct assigned, db_rows(result) + 1);
    for (size_t i = 0; turn->assigned && i < db_rows(result); i++)
        turn->assigned[turn->assigned_count++] =
            (struct assigned){(uint64_t)db_int(result, i, 0), db_int(result, i, 1),
                              arena_dup(turn->arena, db_bytes(result, i, 2)),
                              arena_dup(turn->arena, db_bytes(result, i, 3))};
    db_result_free(&result);
    return STATUS_OK;
}

static uint64_t *members_of(struct turn *turn, uint64_t customer_id, size_t *count)
{
    *count = graph_member_count(turn->r->graph, customer_id);
    uint64_t *members = ARENA_ARRAY(turn->arena, uint64_t, *count + 1);
    if (members)
        *count = graph_members(turn->r->graph, customer_id, members, *count);
    return members;
}

static struct roster_entry *entry_of(struct turn *turn, uint64_t id)
{
    return roster_at(turn->r->roster, id);
}

/* Brings everything the golden records need into the caches, and keeps it there until the set is committed: what is
 * put meanwhile must not push it out again. */
static enum status fetch(struct turn *turn, struct err *err)
{
    struct resolver *r = turn->r;
    size_t members_max = 0;
    for (size_t i = 0; i < turn->touched_count; i++)
        members_max += graph_member_count(r->graph, turn->touched[i]);
    struct id_bag records = {ARENA_ARRAY(turn->arena, int64_t, members_max + 1), 0};
    struct id_bag states = {ARENA_ARRAY(turn->arena, int64_t, turn->touched_count + 1), 0};
    struct id_bag returned = {ARENA_ARRAY(turn->arena, int64_t, turn->touched_count + 1), 0};
    struct id_bag assigned = {ARENA_ARRAY(turn->arena, int64_t, members_max + 1), 0};
    if (arena_failed(turn->arena))
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for %zu customers",
                       turn->touched_count);
    for (size_t i = 0; i < turn->touched_count; i++) {
        uint64_t id = turn->touched[i];
        bool found = cache_pin(r->customers, id, turn->set->number);
        const struct staged *own = turn_staged(turn, id);
        if (!found && (entry_of(turn, id)->flags & ROSTER_CUSTOMER))
            states.ids[states.count++] = (int64_t)id;
        else if (!found && (own == NULL || !own->is_new))
            returned.ids[returned.count++] = (int64_t)id;
        size_t count = 0;
        uint64_t *members = members_of(turn, id, &count);
        for (size_t j = 0; members && j < count; j++) {
            if (entry_of(turn, members[j])->flags & ROSTER_ASSIGNED)
                assigned.ids[assigned.count++] = (int64_t)members[j];
            if (turn_staged(turn, members[j]))
                continue;
            if (!cache_pin(r->records, members[j], turn->set->number))
                records.ids[records.count++] = (int64_t)members[j];
        }
    }
    if (read_states(turn, &states, err) != STATUS_OK ||
        read_last_versions(turn, &returned, err) != STATUS_OK ||
        read_owners(turn, &assigned, err) != STATUS_OK)
        return STATUS_FAILED;
    return read_records(turn, &records, err);
}

/* ---- what stands now ---- */

static bool clean_of(struct turn *turn, uint64_t record_id, struct clean_record *decoded,
                     const struct clean_record **clean)
{
    const struct staged *staged = turn_staged(turn, record_id);
    if (staged && !staged->deleted) {
        *clean = &staged->arrival->clean;
        return true;
    }
    bool found = false;
    struct slice json = cache_get(turn->r->records, record_id, &found);
    *clean = decoded;
    return found &&
           clean_record_from_json(turn->r->generation->schema, json, turn->arena, decoded);
}

static enum status compute_golden(struct turn *turn, const uint64_t *members, size_t count,
                                  struct golden_record *golden, struct err *err)
{
    struct resolver *r = turn->r;
    struct survivor_record *records = ARENA_ARRAY(turn->arena, struct survivor_record, count + 1);
    struct clean_record *decoded = ARENA_ARRAY(turn->arena, struct clean_record, count + 1);
    for (size_t i = 0; records && decoded && i < count; i++) {
        const struct roster_entry *entry = entry_of(turn, members[i]);
        const struct source *source = &r->settings.sources->list[entry->source];
        records[i] = (struct survivor_record){.record_id = members[i], .source_rank = source->rank,
                                              .verified = (entry->flags & ROSTER_VERIFIED) != 0,
                                              .effective_us = entry->effective_us,
                                              .content_hash = entry->hash};
        if (!clean_of(turn, members[i], &decoded[i], &records[i].clean))
            return err_set(err, RETRY_FATAL, "resolve.record_lost",
                           "record %llu cannot be read back; hint: please report this with the log",
                           (unsigned long long)members[i]);
    }
    if (arena_failed(turn->arena))
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a customer of %zu records",
                       count);
    return survive(r->generation->survivorship, records, count, turn->arena, golden, err);
}

static void find_actor(struct turn *turn, struct customer_view *view)
{
    view->actor = slice_str(turn->actor);
    for (size_t i = 0; i < view->member_count; i++) {
        const struct staged *staged = turn_staged(turn, view->members[i]);
        if (staged) {
            view->actor = slice_str(staged->arrival->source->name);
            view->source_id = staged->arrival->source->source_id;
        }
    }
}

/* The source of a customer's first record: it tells the space. */
static const struct source *source_of(struct turn *turn, const struct customer_view *view)
{
    return &turn->r->settings.sources->list[entry_of(turn, view->members[0])->source];
}

static void write_row(struct turn *turn, const struct customer_view *view,
                      struct customer_state *state, struct customer_texts *texts)
{
    struct resolver *r = turn->r;
    int64_t first_us = INT64_MAX, last_us = INT64_MIN;
    const struct source *source = source_of(turn, view);
    for (size_t i = 0; i < view->member_count; i++) {
        const struct roster_entry *entry = entry_of(turn, view->members[i]);
        first_us = entry->effective_us < first_us ? entry->effective_us : first_us;
        last_us = entry->effective_us > last_us ? entry->effective_us : last_us;
    }
    if (view->lead_record) {
        const struct roster_entry *lead = entry_of(turn, view->lead_record);
        texts->lead_source = slice_str(r->settings.sources->list[lead->source].name);
        state->lead_us = lead->effective_us;
    } else {
        texts->lead_source = SLICE_EMPTY;
        state->lead_us = 0;
    }
    state->version = view->version;
    state->lead_count = view->lead_count;
    state->last_seen_us = last_us;
    state->kind = (uint32_t)view->golden->kind;
    state->space_key = source->space_key;
    struct customer_row row = {
        .customer_id = (int64_t)view->customer_id, .kind = view->golden->kind,
        .space = slice_str(source->space), .version = view->version,
        .record_count = (int32_t)view->member_count, .created_at_us = state->created_us,
        .updated_at_us = turn->set->now_us, .first_seen_at_us = first_us,
        .last_seen_at_us = last_us, .lead_at_us = state->lead_us,
        .lead_source = texts->lead_source, .lead_count = view->lead_count, .owner = texts->owner,
        .team = texts->team, .provenance = texts->provenance,
        .value_count = view->golden->value_count, .values = view->golden->values};
    customer_layout_put(r->generation->layout, &row, &turn->set->customers.buf, NULL);
    turn->set->customers.count++;
    if (!cache_put(r->customers, view->customer_id, pack_state(turn->arena, *state, texts),
                   turn->set->number))
        arena_fail(turn->arena);
}

/* Counts a customer among the companies, or not any more. */
static void note_kind(struct resolver *r, struct roster_entry *entry, bool company)
{
    bool was = (entry->flags & ROSTER_COMPANY) != 0;
    r->company_count += company - was;
    entry->flags = (uint16_t)(company ? entry->flags | ROSTER_COMPANY : entry->flags & ~ROSTER_COMPANY);
}

/* ---- who looks after it ---- */

static int compare_assigned(const void *key, const void *element)
{
    uint64_t id = *(const uint64_t *)key, other = ((const struct assigned *)element)->record_id;
    return id < other ? -1 : id > other;
}

/* Whether it lost a record that somebody looks after. */
static bool lost_assigned(struct turn *turn, uint64_t customer_id)
{
    size_t count = 0;
    const struct graph_move *moves = turn_moves_from(turn->left, turn->left_count, customer_id, &count);
    for (size_t i = 0; i < count; i++) {
        if (entry_of(turn, moves[i].record_id)->flags & ROSTER_ASSIGNED)
            return true;
    }
    return false;
}

static bool is_assigned_now(const struct turn *turn, const struct customer_view *view)
{
    const struct id_list *now = &turn->set->assigned_ids;
    size_t at = 0;
    for (size_t i = 0; i < view->member_count && at < now->count; i++) { /* both ascend */
        while (at < now->count && (uint64_t)now->ids[at] < view->members[i])
            at++;
        if (at < now->count && (uint64_t)now->ids[at] == view->members[i])
            return true;
    }
    return false;
}

/* The newest word among its records; without one what stands stays, unless the record it was said of has left. */
static void find_owner(struct turn *turn, const struct customer_view *view, struct slice *owner, struct slice *team)
{
    const struct assigned *newest = NULL;
    if (is_assigned_now(turn, view)) {
        *owner = turn->set->assigned_owner;
        *team = turn->set->assigned_team;
        return;
    }
    for (size_t i = 0; turn->assigned_count > 0 && i < view->member_count; i++) {
        const struct assigned *found = bsearch(&view->members[i], turn->assigned, turn->assigned_count,
                                               sizeof(*found), compare_assigned);
        if (found && (newest == NULL || found->assignment_id > newest->assignment_id))
            newest = found;
    }
    if (newest) {
        *owner = newest->owner;
        *team = newest->team;
    } else if (lost_assigned(turn, view->customer_id)) {
        *owner = *team = SLICE_EMPTY;
    }
}

static void put_change(struct buf *changes, const char *name, struct slice before, struct slice now)
{
    if (slice_eq(before, now))
        return;
    if (changes->len > 0)
        changes->len--; /* the closing brace */
    else
        buf_put_byte(changes, '{');
    buf_printf(changes, "%s\"%s\":[", changes->len > 1 ? "," : "", name);
    before.len ? buf_put_json(changes, before) : buf_put_str(changes, "null");
    buf_put_byte(changes, ',');
    now.len ? buf_put_json(changes, now) : buf_put_str(changes, "null");
    buf_put_str(changes, "]}");
}

/* Whether another generation cleaned one of its records otherwise; told once. */
static bool is_recleaned(struct turn *turn, const struct customer_view *view)
{
    bool recleaned = false;
    for (size_t i = 0; i < view->member_count; i++) {
        struct roster_entry *entry = entry_of(turn, view->members[i]);
        recleaned |= (entry->flags & ROSTER_RECLEANED) != 0;
        entry->flags &= (uint16_t)~ROSTER_RECLEANED;
    }
    return recleaned;
}

static enum status write_living(struct turn *turn, uint64_t customer_id, struct err *err)
{
    struct resolver *r = turn->r;
    struct roster_entry *entry = entry_of(turn, customer_id);
    struct golden_record golden;
    struct customer_view view = {.customer_id = customer_id, .golden = &golden,
                                 .is_new = !(entry->flags & ROSTER_CUSTOMER)};
    view.members = members_of(turn, customer_id, &view.member_count);
    if (view.members == NULL ||
        compute_golden(turn, view.members, view.member_count, &golden, err) != STATUS_OK)
        return STATUS_FAILED;
    struct customer_state state = {0};
    struct customer_texts texts = {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    bool found = false;
    struct slice packed = arena_dup(turn->arena, cache_get(r->customers, customer_id, &found));
    if (found)
        (void)unpack_state(packed, &state, &texts);
    if (view.is_new)
        state.created_us = turn->set->now_us;
    struct resolver_scratch *scratch = &r->scratch;
    struct buf *provenance = &scratch->text, *changes = &scratch->changes;
    buf_reset(provenance);
    buf_reset(changes);
    provenance_put(r->generation->schema, &golden, view.members, provenance);
    struct slice owner = texts.owner, team = texts.team;
    find_owner(turn, &view, &owner, &team);
    bool other_owner = !slice_eq(owner, texts.owner) || !slice_eq(team, texts.team);
    bool elsewhere = state.kind != (uint32_t)golden.kind || state.space_key != source_of(turn, &view)->space_key;
    if (turn->only_changed && !view.is_new && !other_owner && !elsewhere && !is_recleaned(turn, &view) &&
        slice_eq(buf_slice(provenance), texts.provenance))
        return STATUS_OK;
    if (view.is_new)
        view.changed = true;
    else if (!slice_eq(buf_slice(provenance), texts.provenance))
        view.changed = provenance_diff(r->generation->schema, texts.provenance, &golden,
                                       &scratch->provenance, changes);
    if (!view.is_new && other_owner) {
        put_change(changes, "owner", texts.owner, owner);
        put_change(changes, "team", texts.team, team);
        view.changed = true;
    }
    texts.owner = owner;
    texts.team = team;
    view.changes = arena_dup(turn->arena, buf_slice(changes));
    texts.provenance = arena_dup(turn->arena, buf_slice(provenance));
    view.version = state.version + (view.changed ? 1 : 0);
    view.last_seen_before_us = view.is_new ? 0 : state.last_seen_us;
    if (buf_failed(provenance) || buf_failed(changes))
        arena_fail(turn->arena);
    find_actor(turn, &view);
    if (tell_customer(turn, &view, err) != STATUS_OK)
        return STATUS_FAILED;
    if (!view.is_new)
        id_list_add(turn->set, &turn->set->stale_customers, (int64_t)customer_id);
    else
        r->customer_count++;
    r->lead_count += (view.lead_count > 0) - (state.lead_count > 0);
    note_kind(r, entry, golden.kind == KIND_COMPANY);
    entry->flags |= ROSTER_CUSTOMER;
    write_row(turn, &view, &state, &texts);
    return STATUS_OK;
}

static void write_gone(struct turn *turn, uint64_t customer_id)
{
    struct resolver *r = turn->r;
    struct roster_entry *entry = entry_of(turn, customer_id);
    if (!(entry->flags & ROSTER_CUSTOMER))
        return; /* it never stood: a record that joined at once */
    entry->flags &= (uint16_t)~ROSTER_CUSTOMER;
    struct customer_state state = {0};
    struct customer_texts texts;
    bool found = false;
    struct slice packed = cache_get(r->customers, customer_id, &found);
    if (found)
        (void)unpack_state(packed, &state, &texts);
    r->customer_count--;
    note_kind(r, entry, false);
    r->lead_count -= state.lead_count > 0;
    tell_gone(turn, customer_id, state.version + 1);
    /* Should the id stand again, it goes on from here; without a row its state is only the version. */
    struct customer_state kept = {.version = state.version + 1};
    struct customer_texts none = {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    if (!cache_put(r->customers, customer_id, pack_state(turn->arena, kept, &none),
                   turn->set->number))
        arena_fail(turn->arena);
    id_list_add(turn->set, &turn->set->stale_customers, (int64_t)customer_id);
}

enum status write_customers(struct turn *turn, struct err *err)
{
    if (fetch(turn, err) != STATUS_OK)
        return STATUS_FAILED;
    /* Those that are gone first, so that merges are told before what they made. */
    for (size_t i = 0; i < turn->touched_count; i++) {
        if (graph_member_count(turn->r->graph, turn->touched[i]) == 0)
            write_gone(turn, turn->touched[i]);
    }
    for (size_t i = 0; i < turn->touched_count; i++) {
        if (graph_member_count(turn->r->graph, turn->touched[i]) > 0 &&
            write_living(turn, turn->touched[i], err) != STATUS_OK)
            return STATUS_FAILED;
    }
    for (size_t i = 0; i < turn->staged_count; i++) {
        const struct staged *staged = &turn->staged[i];
        if (!cache_put(turn->r->records, staged->record_id, staged->json, turn->set->number))
            arena_fail(turn->arena);
    }
    if (arena_failed(turn->arena))
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a write set");
    return STATUS_OK;
}
