/*
 * tell.c - what a turn tells downstream of each customer: leads, merges, splits, updates; and its history.
 *
 * A lead is a fact of the record that made it (ROSTER_LEAD), so it moves with its record through merges and
 * splits: leads created - leads merged + leads restored by splits = customers that are a lead.
 */
#include "daemon/resolve/resolver.intern.h"

#include <stdlib.h>

void golden_to_json(const struct schema *schema, const struct golden_record *golden, struct buf *out)
{
    buf_put_byte(out, '{');
    for (size_t i = 0; i < golden->value_count; i++) {
        const struct survivor_value *value = &golden->values[i];
        bool first = i == 0 || golden->values[i - 1].field != value->field;
        bool last = i + 1 == golden->value_count || golden->values[i + 1].field != value->field;
        bool multiple = schema->fields[value->field].multiple;
        if (!multiple && !first)
            continue;
        if (first) {
            if (i)
                buf_put_byte(out, ',');
            buf_put_json(out, slice_str(schema->fields[value->field].name));
            buf_put_str(out, multiple ? ":[" : ":");
        } else {
            buf_put_byte(out, ',');
        }
        buf_put_json(out, value->value);
        if (multiple && last)
            buf_put_byte(out, ']');
    }
    buf_put_byte(out, '}');
}

static struct roster_entry *entry_of(struct turn *turn, uint64_t id)
{
    return roster_at(turn->r->roster, id);
}

static int compare_moves(const void *key, const void *element)
{
    uint64_t id = *(const uint64_t *)key, other = ((const struct graph_move *)element)->record_id;
    return id < other ? -1 : id > other;
}

static const struct graph_move *move_of(const struct turn *turn, uint64_t record_id)
{
    if (turn->changes.move_count == 0)
        return NULL;
    return bsearch(&record_id, turn->changes.moves, turn->changes.move_count,
                   sizeof(struct graph_move), compare_moves);
}

/* The customer a record was in before this turn; 0 when it is new. */
static uint64_t customer_before(struct turn *turn, uint64_t record_id)
{
    const struct staged *staged = turn_staged(turn, record_id);
    if (staged && staged->is_new)
        return 0;
    const struct graph_move *move = move_of(turn, record_id);
    return move ? move->from : graph_customer(turn->r->graph, record_id);
}

/* The moves of this turn out of a customer into others, by record id. */
static const struct graph_move *moves_from(const struct turn *turn, uint64_t customer_id, size_t *count)
{
    return turn_moves_from(turn->left, turn->left_count, customer_id, count);
}

/* Earlier by (effective time, id). */
static bool is_earlier(struct turn *turn, uint64_t a, uint64_t b)
{
    const struct roster_entry *x = entry_of(turn, a), *y = entry_of(turn, b);
    return x->effective_us != y->effective_us ? x->effective_us < y->effective_us : a < b;
}

/* ---- event bodies ---- */

static struct buf *open_body(struct turn *turn, uint64_t customer_id, int32_t version)
{
    struct buf *data = &turn->r->scratch.body;
    buf_reset(data);
    buf_put_str(data, "{\"customer_id\":");
    buf_put_decimal(data, customer_id);
    buf_put_str(data, ",\"version\":");
    buf_put_decimal(data, (uint64_t)version);
    return data;
}

static void close_body(struct turn *turn, struct buf *data, const struct customer_view *view)
{
    buf_put_str(data, view->golden->kind == KIND_COMPANY ? ",\"kind\":\"company\",\"customer\":"
                                                       : ",\"kind\":\"person\",\"customer\":");
    golden_to_json(turn->r->generation->schema, view->golden, data);
    buf_put_byte(data, '}');
}

static uint64_t send_body(struct turn *turn, const char *type, uint64_t customer_id, int32_t source_id,
                          struct told_sources told, const struct buf *data)
{
    turn->set->out_of_memory |= buf_failed(data);
    return write_event_of(turn->set, type, customer_id, source_id, told.ids, told.count, buf_slice(data));
}

/* What a sink is told that wants the customers of some sources; `view` is NULL when nothing of it is left, `merged` the
 * customer that came to it. */
static uint64_t send_of_all(struct turn *turn, const char *type, uint64_t customer_id, uint64_t merged,
                            const struct customer_view *view, const struct buf *data)
{
    struct told_sources told = tell_sources(turn, (uint64_t[]){customer_id, merged}, view ? view->members : NULL,
                                            view ? view->member_count : 0);
    bool caused = view && strcmp(type, "customer.split") != 0;
    return send_body(turn, type, customer_id, caused ? view->source_id : 0, told, data);
}

static void put_lead(struct turn *turn, struct buf *data, uint64_t record_id, const struct record_key *key)
{
    const struct roster_entry *entry = entry_of(turn, record_id);
    char at[40];
    clock_format_utc(entry->effective_us, at, sizeof(at));
    buf_put_str(data, ",\"lead\":{\"source\":");
    buf_put_json(data, slice_str(turn->r->settings.sources->list[entry->source].name));
    buf_put_str(data, ",\"at\":\"");
    buf_put_str(data, at);
    buf_put_str(data, "\",\"record_id\":");
    buf_put_decimal(data, record_id);
    buf_put_str(data, ",\"external_id\":");
    buf_put_json(data, key->external_id);
    buf_put_str(data, ",\"part\":");
    buf_put_json(data, key->part);
    buf_put_byte(data, '}');
}

static enum status tell_lead(struct turn *turn, const struct customer_view *view, const char *type,
                             uint64_t record_id, uint64_t *seq, struct err *err)
{
    struct record_key key;
    if (tell_key(turn, record_id, &key, err) != STATUS_OK)
        return STATUS_FAILED;
    struct buf *data = open_body(turn, view->customer_id, view->version);
    put_lead(turn, data, record_id, &key);
    close_body(turn, data, view);
    const struct roster_entry *entry = entry_of(turn, record_id);
    *seq = send_body(turn, type, view->customer_id,
                     turn->r->settings.sources->list[entry->source].source_id, (struct told_sources){0}, data);
    return STATUS_OK;
}

/* ---- leads ---- */

static void mark_lead(struct turn *turn, uint64_t record_id)
{
    struct roster_entry *entry = entry_of(turn, record_id);
    entry->flags |= ROSTER_LEAD;
    const struct staged *staged = turn_staged(turn, record_id);
    if (staged == NULL || !staged->is_new)
        id_list_add(turn->set, &turn->set->lead_ids, (int64_t)record_id);
}

static bool lost_its_lead(struct turn *turn, const struct customer_view *view)
{
    for (size_t i = 0; i < turn->lost_lead_count; i++) {
        for (size_t j = 0; j < view->member_count; j++) {
            if (customer_before(turn, view->members[j]) == turn->lost_leads[i])
                return true;
        }
    }
    return false;
}

/* The earliest member that may make a lead; any member when `any`. 0 none. */
static uint64_t earliest(struct turn *turn, const struct customer_view *view, bool any)
{
    uint64_t best = 0;
    for (size_t i = 0; i < view->member_count; i++) {
        uint64_t id = view->members[i];
        if ((any || roster_makes_lead(entry_of(turn, id))) &&
            (best == 0 || is_earlier(turn, id, best)))
            best = id;
    }
    return best;
}

/* When and where from a customer is a lead is said of its earliest record that may make one, not of the one that came
 * first and did: that would depend on the order of arrival. */
static void count_leads(struct turn *turn, struct customer_view *view)
{
    view->lead_count = 0;
    view->lead_record = 0;
    for (size_t i = 0; i < view->member_count; i++) {
        uint64_t id = view->members[i];
        if (!(entry_of(turn, id)->flags & ROSTER_LEAD))
            continue;
        view->lead_count++;
        if (view->lead_record == 0 || is_earlier(turn, id, view->lead_record))
            view->lead_record = id;
    }
    uint64_t first = view->lead_count ? earliest(turn, view, false) : 0;
    if (first)
        view->lead_record = first;
}

/* A staged record of a lead-making source by which a customer silent for long comes back. */
static uint64_t returning_record(struct turn *turn, const struct customer_view *view)
{
    for (size_t i = 0; i < view->member_count; i++) {
        const struct staged *staged = turn_staged(turn, view->members[i]);
        const struct roster_entry *entry = entry_of(turn, view->members[i]);
        if (staged == NULL || !roster_makes_lead(entry) || view->last_seen_before_us == 0)
            continue;
        int64_t silence_ms = staged->arrival->source->lead_again_after_ms;
        if (silence_ms > 0 && entry->effective_us - view->last_seen_before_us >= silence_ms * 1000)
            return view->members[i];
    }
    return 0;
}

/* Makes the customer a lead if it has become one. *seq: the event's, or 0. */
static enum status settle_lead(struct turn *turn, struct customer_view *view, uint64_t *seq, struct err *err)
{
    *seq = 0;
    count_leads(turn, view);
    if (view->lead_count == 0) {
        bool silent = lost_its_lead(turn, view); /* it was told already: only its record is gone */
        uint64_t record = earliest(turn, view, false);
        if (record == 0 && silent)
            record = earliest(turn, view, true);
        if (record == 0)
            return STATUS_OK;
        mark_lead(turn, record);
        count_leads(turn, view);
        return silent ? STATUS_OK : tell_lead(turn, view, "lead.created", record, seq, err);
    }
    uint64_t back = returning_record(turn, view);
    return back ? tell_lead(turn, view, "lead.returned", back, seq, err) : STATUS_OK;
}

/* ---- merges ---- */

struct merged {
    uint64_t customer_id;
    bool had_lead;
};

static int compare_merged(const void *a, const void *b)
{
    uint64_t x = ((const struct merged *)a)->customer_id, y = ((const struct merged *)b)->customer_id;
    return x < y ? -1 : x > y;
}

/* True when some record of `customer_id` went elsewhere than `into`: then it was split, not merged. */
static bool went_elsewhere(const struct turn *turn, uint64_t customer_id, uint64_t into)
{
    size_t count = 0;
    const struct graph_move *moves = moves_from(turn, customer_id, &count);
    for (size_t i = 0; i < count; i++) {
        if (moves[i].to != into)
            return true;
    }
    return graph_member_count(turn->r->graph, customer_id) > 0;
}

/* The customers that stood before and all of whose records are in this one now or gone, itself left out; ascending.
 * *from_split: it has records of one that was split, too. */
static size_t merged_into(struct turn *turn, const struct customer_view *view, struct merged **list,
                          bool *from_split)
{
    struct merged *found = ARENA_ARRAY(turn->arena, struct merged, view->member_count + 1);
    size_t count = 0, distinct = 0, kept = 0;
    *list = found;
    *from_split = false;
    for (size_t i = 0; found && i < view->member_count; i++) {
        uint64_t before = customer_before(turn, view->members[i]);
        if (before && before != view->customer_id)
            found[count++] = (struct merged){
                before, (entry_of(turn, view->members[i])->flags & ROSTER_LEAD) != 0};
    }
    if (count > 1)
        qsort(found, count, sizeof(*found), compare_merged);
    for (size_t i = 0; i < count; i++) {
        if (distinct && found[distinct - 1].customer_id == found[i].customer_id)
            found[distinct - 1].had_lead |= found[i].had_lead;
        else
            found[distinct++] = found[i];
    }
    for (size_t i = 0; i < distinct; i++) {
        if (went_elsewhere(turn, found[i].customer_id, view->customer_id))
            *from_split = true;
        else
            found[kept++] = found[i];
    }
    return kept;
}

static void put_records_from(struct turn *turn, struct buf *data, const struct customer_view *view,
                             uint64_t from)
{
    bool first = true;
    buf_put_str(data, ",\"records\":[");
    for (size_t i = 0; i < view->member_count; i++) {
        if (customer_before(turn, view->members[i]) != from)
            continue;
        if (!first)
            buf_put_byte(data, ',');
        buf_put_decimal(data, view->members[i]);
        first = false;
    }
    buf_put_byte(data, ']');
}

static uint64_t tell_merge(struct turn *turn, const struct customer_view *view, const char *type,
                           uint64_t from)
{
    struct buf *data = open_body(turn, view->customer_id, view->version);
    buf_put_str(data, ",\"merged\":");
    buf_put_decimal(data, from);
    put_records_from(turn, data, view, from);
    close_body(turn, data, view);
    return send_of_all(turn, type, view->customer_id, from, view, data);
}

/* ---- splits ---- */

/* Tells once, from the customer that stood: which of its records are where now, and what it is itself. `view` is NULL
 * when nothing of it is left. */
static uint64_t tell_split(struct turn *turn, uint64_t customer_id, int32_t version,
                           const struct customer_view *view)
{
    size_t count = 0;
    const struct graph_move *moves = moves_from(turn, customer_id, &count);
    struct buf *data = open_body(turn, customer_id, version);
    buf_put_str(data, ",\"records\":{");
    for (size_t i = 0; i < count; i++) {
        buf_put_str(data, i ? ",\"" : "\"");
        buf_put_decimal(data, moves[i].record_id);
        buf_put_str(data, "\":");
        buf_put_decimal(data, moves[i].to);
    }
    buf_put_byte(data, '}');
    if (view)
        close_body(turn, data, view);
    else
        buf_put_str(data, ",\"customer\":null}");
    return send_of_all(turn, "customer.split", customer_id, 0, view, data);
}

static bool lost_records(const struct turn *turn, uint64_t customer_id)
{
    size_t count = 0;
    (void)moves_from(turn, customer_id, &count);
    return count > 0;
}

void tell_gone(struct turn *turn, uint64_t customer_id, int32_t version)
{
    uint64_t into = 0;
    bool several = false;
    size_t count = 0;
    const struct graph_move *moves = moves_from(turn, customer_id, &count);
    for (size_t i = 0; i < count; i++) {
        several |= into != 0 && into != moves[i].to;
        into = moves[i].to;
    }
    uint64_t seq = 0;
    const char *what = "merged"; /* the event is the receiver's: tell_customer */
    if (several) {
        what = "split";
        seq = tell_split(turn, customer_id, version, NULL);
    } else if (into == 0) {
        what = "removed";
        struct buf *data = open_body(turn, customer_id, version);
        buf_put_byte(data, '}');
        seq = send_of_all(turn, "customer.removed", customer_id, 0, NULL, data);
    }
    write_history(turn->set, customer_id, version, what, slice_str(turn->actor), seq, SLICE_EMPTY);
}

/* ---- all of it ---- */

static uint64_t tell_update(struct turn *turn, const struct customer_view *view)
{
    struct buf *data = open_body(turn, view->customer_id, view->version);
    buf_put_str(data, ",\"changes\":");
    buf_put_slice(data, view->changes.len ? view->changes : SLICE("{}"));
    close_body(turn, data, view);
    return send_of_all(turn, "customer.updated", view->customer_id, 0, view, data);
}

static uint64_t tell_merges(struct turn *turn, const struct customer_view *view,
                            const struct merged *merged, size_t count)
{
    uint64_t seq = 0;
    bool had_lead = false;
    for (size_t i = 0; i < view->member_count; i++)
        had_lead |= customer_before(turn, view->members[i]) == view->customer_id &&
                    (entry_of(turn, view->members[i])->flags & ROSTER_LEAD);
    for (size_t i = 0; i < count; i++) {
        seq = tell_merge(turn, view, "customer.merged", merged[i].customer_id);
        if (merged[i].had_lead && had_lead)
            (void)tell_merge(turn, view, "lead.merged", merged[i].customer_id);
        had_lead |= merged[i].had_lead;
    }
    return seq;
}

enum status tell_customer(struct turn *turn, struct customer_view *view, struct err *err)
{
    struct merged *merged = NULL;
    bool from_split = false;
    size_t merged_count = merged_into(turn, view, &merged, &from_split);
    bool split = !view->is_new && lost_records(turn, view->customer_id);
    const char *what = merged_count ? "merged" : split ? "split" : "updated";
    uint64_t seq = 0;
    if ((split || merged_count) && !view->changed) {
        view->version++;
        view->changed = true;
    }
    if (split)
        seq = tell_split(turn, view->customer_id, view->version, view);
    if (merged_count)
        seq = tell_merges(turn, view, merged, merged_count);
    uint64_t lead_seq;
    if (settle_lead(turn, view, &lead_seq, err) != STATUS_OK)
        return STATUS_FAILED;
    if (!view->changed)
        return STATUS_OK;
    if (view->is_new && merged_count == 0 && !from_split) {
        if (view->version == 1)
            return STATUS_OK; /* history begins with the first change; created_at tells the rest */
        what = "returned";
        seq = lead_seq;
    } else if (view->is_new && from_split && merged_count == 0) {
        what = "split";
    }
    if (seq == 0)
        seq = tell_update(turn, view);
    write_history(turn->set, view->customer_id, view->version, what, view->actor, seq, view->changes);
    return STATUS_OK;
}
