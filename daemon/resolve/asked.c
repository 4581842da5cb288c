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

/* Puts the turn, unless status says that it failed, and waits until it is committed. `says`: the command that tells. */
static enum status finish(struct resolver *resolver, struct turn *turn, enum status status, const char *says,
                          struct err *err)
{
    if (status == STATUS_OK)
        status = turn_put(turn, err);
    turn_free(&turn);
    if (status != STATUS_OK) { /* the memory has heard of it: it is read again, without */
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
                   "is; hint: %s says whether", says);
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
    return finish(resolver, turn, status, "tributary decision list", err);
}

/* Marks the records, and notes which customers that touches. */
static void note_assignment(struct turn *turn, const struct steward_assignment *assignment)
{
    struct write_set *set = turn->set;
    set->decided_by = arena_dup(set->arena, slice_str(assignment->actor));
    set->assigned_owner = arena_dup(set->arena, slice_str(assignment->owner));
    set->assigned_team = arena_dup(set->arena, slice_str(assignment->team));
    for (size_t i = 0; i < assignment->count; i++) {
        struct roster_entry *entry = roster_at(turn->r->roster, assignment->records[i]);
        uint64_t customer = graph_customer(turn->r->graph, assignment->records[i]);
        if (customer == 0) /* it is gone meanwhile */
            continue;
        id_list_add(set, &set->assigned_ids, (int64_t)assignment->records[i]);
        entry->flags |= ROSTER_ASSIGNED;
        turn->touched[turn->touched_count++] = customer;
    }
    turn->touched_count = ids_each_once(turn->touched, turn->touched_count);
}

enum status resolver_assign(struct resolver *resolver, const struct steward_assignment *assignment, struct err *err)
{
    if (can_write(resolver, err) != STATUS_OK)
        return STATUS_FAILED;
    struct turn *turn = turn_new(resolver, 1, assignment->actor);
    if (turn)
        turn->touched = ARENA_ARRAY(turn->arena, uint64_t, assignment->count + 1);
    if (turn == NULL || turn->touched == NULL) {
        turn_free(&turn);
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a turn");
    }
    note_assignment(turn, assignment);
    resolver->assigned_set = turn->set->number;
    return finish(resolver, turn, write_customers(turn, err), "tributary customer show", err);
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
