/*
 * asked.c - what the resolver writes because somebody asks, not because something came in: decisions, owners, events of no
 * customer. Each is one turn, begun only when the writer is free.
 */
#include "daemon/resolve/resolver.intern.h"

#include <math.h>
#include <stdlib.h>

#define BUSY_MS  15000 /* for what was decided before */
#define DRAIN_MS 30000 /* for the turn itself */

/* Puts the decisions into the graph and into the turn's set. */
static enum status note_decisions(struct turn *turn, const struct steward_decisions *decisions, struct err *err)
{
    struct write_set *set = turn->set;
    struct graph *graph = turn->r->graph;
    set->decided_by = arena_dup(set->arena, slice_str(decisions->actor));
    set->decision_note = arena_dup(set->arena, slice_str(decisions->note ? decisions->note : ""));
    set->decision_origin = arena_dup(set->arena, slice_str(decisions->origin ? decisions->origin : ""));
    set->decision_generation = turn->r->generation->generation_id;
    for (size_t i = 0; i < decisions->retracted_count; i++) {
        graph_undecide(graph, (uint64_t)decisions->retracted[i]);
        id_list_add(set, &set->retracted_ids, decisions->retracted[i]);
    }
    for (size_t i = 0; i < decisions->count; i++) {
        const struct steward_decision *d = &decisions->list[i];
        id_list_add(set, &set->decision_ids, (int64_t)d->decision_id);
        id_list_add(set, &set->decision_a, (int64_t)d->a);
        id_list_add(set, &set->decision_b, (int64_t)d->b);
        text_list_add(set, &set->decision_kinds, d->always ? SLICE("always") : SLICE("never"));
        text_list_add(set, &set->decision_weights,
                      isnan(d->weight) ? SLICE("") : arena_printf(set->arena, "%.9g", d->weight));
        if (graph_decide(graph, d->decision_id, d->always ? DECISION_ALWAYS : DECISION_NEVER, d->key_a, d->key_b,
                         err) != STATUS_OK)
            return STATUS_FAILED;
    }
    return STATUS_OK;
}

/* Before anything is changed: nobody is to wait behind a database that does not answer. */
static enum status can_write(struct resolver *r, struct err *err)
{
    if (writer_drain(r->writer, BUSY_MS) || writer_failed(r->writer, err))
        return STATUS_OK; /* a failure is told by what comes next */
    return err_set(err, RETRY_LATER, "resolve.busy", "what was decided before is not committed yet; hint: try again, "
                   "tributary status says what the database waits for");
}

enum status resolver_decide(struct resolver *resolver, const struct steward_decisions *decisions, struct err *err)
{
    if (can_write(resolver, err) != STATUS_OK)
        return STATUS_FAILED;
    struct turn *turn = turn_new(resolver, 1, decisions->actor);
    if (turn == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a turn");
    enum status status = note_decisions(turn, decisions, err);
    if (status == STATUS_OK)
        status = follow_changes(turn, err);
    if (status == STATUS_OK)
        status = turn_put(turn, err);
    turn_free(&turn);
    if (status != STATUS_OK) { /* the graph has heard of them: it is read again, without */
        resolver->failed = true;
        resolver->failure = *err;
        return status;
    }
    if (writer_drain(resolver->writer, DRAIN_MS))
        return STATUS_OK;
    if (writer_failed(resolver->writer, err)) {
        err_prefix(err, "nothing was decided");
        return STATUS_FAILED;
    }
    return err_set(err, RETRY_LATER, "resolve.slow", "it is decided but not committed yet: nothing of it is done before it all "
                   "is; hint: tributary decision list says whether");
}

static int compare_customers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

enum status resolver_assigned(struct resolver *resolver, const int64_t *records, size_t count,
                              const char *actor, struct err *err)
{
    if (can_write(resolver, err) != STATUS_OK)
        return STATUS_FAILED;
    struct turn *turn = turn_new(resolver, 1, actor);
    if (turn)
        turn->touched = ARENA_ARRAY(turn->arena, uint64_t, count + 1);
    if (turn == NULL || turn->touched == NULL) {
        turn_free(&turn);
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a turn");
    }
    for (size_t i = 0; i < count; i++) {
        struct roster_entry *entry = roster_at(resolver->roster, (uint64_t)records[i]);
        uint64_t customer = graph_customer(resolver->graph, (uint64_t)records[i]);
        if (entry)
            entry->flags |= ROSTER_ASSIGNED;
        if (customer)
            turn->touched[turn->touched_count++] = customer;
    }
    size_t kept = 0;
    if (turn->touched_count > 1)
        qsort(turn->touched, turn->touched_count, sizeof(*turn->touched), compare_customers);
    for (size_t i = 0; i < turn->touched_count; i++) {
        if (kept == 0 || turn->touched[kept - 1] != turn->touched[i])
            turn->touched[kept++] = turn->touched[i];
    }
    turn->touched_count = kept;
    enum status status = write_customers(turn, err);
    if (status == STATUS_OK)
        status = turn_put(turn, err);
    turn_free(&turn);
    if (status != STATUS_OK) {
        resolver->failed = true;
        resolver->failure = *err;
        return status;
    }
    if (!writer_drain(resolver->writer, DRAIN_MS))
        return err_set(err, RETRY_LATER, "resolve.slow", "the change is decided but not committed yet");
    return STATUS_OK;
}

enum status resolver_tell(struct resolver *resolver, const char *type, int32_t source_id,
                          struct slice data, struct err *err)
{
    if (can_write(resolver, err) != STATUS_OK)
        return STATUS_FAILED;
    struct turn *turn = turn_new(resolver, 1, "resolve");
    if (turn == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a turn");
    write_event(turn->set, type, 0, source_id, data);
    enum status status = turn_put(turn, err);
    turn_free(&turn);
    return status;
}
