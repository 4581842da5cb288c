/* follow.c - the second step of a turn: what settling the graph changed, followed into rows. */
#include "daemon/resolve/resolver.intern.h"

#include <stdlib.h>

static bool was_stored(const struct turn *turn, uint64_t record_id)
{
    const struct staged *staged = turn_staged(turn, record_id);
    return staged == NULL || !staged->is_new;
}

static void write_links(struct turn *turn)
{
    const struct graph_changes *changes = &turn->changes;
    const struct generation *generation = turn->r->generation;
    for (size_t i = 0; i < changes->gone_link_count; i++)
        write_gone_link(turn->set, changes->gone_links[i].a, changes->gone_links[i].b);
    for (size_t i = 0; i < changes->new_link_count; i++) {
        const struct graph_link *link = &changes->new_links[i];
        if (was_stored(turn, link->a) && was_stored(turn, link->b))
            write_gone_link(turn->set, link->a, link->b); /* its evidence may only have changed */
        write_link(turn->set, link, generation->generation_id, generation->matcher);
    }
}

void tell_review(struct turn *turn, const struct graph_review *review)
{
    struct buf data = BUF_INIT(4096);
    buf_printf(&data, "{\"a\":%llu,\"b\":%llu,\"reason\":\"%s\",\"probability\":%.4f",
               (unsigned long long)review->a, (unsigned long long)review->b,
               review_reason_name(review->reason), weight_to_probability(review->weight));
    if (review->bridge_a)
        buf_printf(&data, ",\"bridge\":[%llu,%llu]", (unsigned long long)review->bridge_a,
                   (unsigned long long)review->bridge_b);
    buf_put_byte(&data, '}');
    uint64_t pair[] = {review->a, review->b};
    struct told_sources told = tell_sources(turn, (uint64_t[]){0, 0}, pair, 2);
    write_event_of(turn->set, "review.opened", graph_customer(turn->r->graph, review->a), 0,
                   told.ids, told.count, buf_slice(&data));
    buf_free(&data);
}

static void write_reviews(struct turn *turn)
{
    struct graph_changes *changes = &turn->changes;
    for (size_t i = 0; i < changes->gone_review_count; i++)
        write_gone_review(turn->set, changes->gone_reviews[i].a, changes->gone_reviews[i].b);
    for (size_t i = 0; i < changes->new_review_count; i++) {
        const struct graph_review *review = &changes->new_reviews[i];
        if (was_stored(turn, review->a) && was_stored(turn, review->b))
            write_gone_review(turn->set, review->a, review->b);
        write_review(turn->set, review);
        tell_review(turn, review);
    }
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

size_t ids_each_once(uint64_t *ids, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    }
    return kept;
}

static void sort_touched(struct turn *turn)
{
    size_t count = ids_each_once(turn->touched, turn->touched_count);
    bool none = count > 0 && turn->touched[0] == 0; /* of records that are in no customer */
    if (none)
        memmove(turn->touched, turn->touched + 1, (count - 1) * sizeof(*turn->touched));
    turn->touched_count = count - none;
}

static int compare_left(const void *a, const void *b)
{
    const struct graph_move *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->record_id < y->record_id ? -1 : x->record_id > y->record_id;
}

/* Keeps the moves out of customers that stood, to be found by customer. */
static void note_left(struct turn *turn, const struct graph_move *moves, size_t count)
{
    size_t removed_count = 0;
    for (size_t i = 0; i < count; i++)
        removed_count += moves[i].from != 0 && moves[i].to == 0;
    turn->left = ARENA_ARRAY(turn->arena, struct graph_move, count + 1);
    turn->removed = ARENA_ARRAY(turn->arena, struct graph_move, removed_count + 1);
    for (size_t i = 0; turn->left && turn->removed && i < count; i++) {
        if (moves[i].from != 0 && moves[i].to != 0 && moves[i].from != moves[i].to)
            turn->left[turn->left_count++] = moves[i];
        if (moves[i].from != 0 && moves[i].to == 0)
            turn->removed[turn->removed_count++] = moves[i];
    }
    if (turn->removed_count > 1)
        qsort(turn->removed, turn->removed_count, sizeof(*turn->removed), compare_left);
    if (turn->left_count > 1)
        qsort(turn->left, turn->left_count, sizeof(*turn->left), compare_left);
}

/* A record that was in the customer with the deleted one and is in one still: the customer's first, else the first
 * that left with it. 0: it was the last. */
static uint64_t heir_of(const struct turn *turn, uint64_t customer)
{
    if (graph_customer(turn->r->graph, customer) != 0)
        return customer;
    size_t count = 0;
    const struct graph_move *moves = turn_moves_from(turn->left, turn->left_count, customer, &count);
    return count ? moves[0].record_id : 0;
}

/* Notes where each record went and which customers that touches. */
static enum status note_moves(struct turn *turn, const struct graph_move *moves, size_t count,
                              struct err *err)
{
    turn->touched = ARENA_ARRAY(turn->arena, uint64_t,
                                2 * count + turn->staged_count + turn->retimed_count + 1);
    note_left(turn, moves, count);
    if (turn->touched == NULL || turn->left == NULL || turn->removed == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for %zu moves", count);
    for (size_t i = 0; i < count; i++) {
        turn->touched[turn->touched_count++] = moves[i].from;
        turn->touched[turn->touched_count++] = moves[i].to;
        const struct staged *staged = turn_staged(turn, moves[i].record_id);
        if (staged == NULL || !staged->is_new)
            write_move(turn->set, moves[i].record_id, moves[i].to);
        if (moves[i].from != 0 && moves[i].to == 0)
            write_heir(turn->set, moves[i].record_id, heir_of(turn, moves[i].from));
    }
    for (size_t i = 0; i < turn->staged_count; i++) {
        turn->touched[turn->touched_count++] = graph_customer(turn->r->graph, turn->staged[i].record_id);
    }
    for (size_t i = 0; i < turn->retimed_count; i++)
        turn->touched[turn->touched_count++] = graph_customer(turn->r->graph, turn->retimed[i]);
    sort_touched(turn);
    return STATUS_OK;
}

/* Who names which employer now, and since when those are named. */
static void write_employers(struct turn *turn)
{
    turn->employed_count = ids_each_once(turn->employed, turn->employed_count);
    for (size_t i = 0; i < turn->employed_count; i++)
        write_employment(turn->set, turn->employed[i], employment_of(&turn->r->employment, turn->employed[i]));
    turn->retimed_count = ids_each_once(turn->retimed, turn->retimed_count);
    for (size_t i = 0; i < turn->retimed_count; i++) {
        uint64_t id = turn->retimed[i];
        if (turn_staged(turn, id) == NULL) /* else its row tells */
            write_retimed(turn->set, id, roster_at(turn->r->roster, id)->effective_us);
    }
}

/* The row of each staged record; new ones know their customer and whether they are a lead. */
static void write_staged(struct turn *turn)
{
    for (size_t i = 0; i < turn->staged_count; i++) {
        const struct staged *staged = &turn->staged[i];
        const struct arrival *arrival = staged->arrival;
        const struct roster_entry *entry = roster_at(turn->r->roster, staged->record_id);
        struct record_row row = {
            .record_id = (int64_t)staged->record_id, .customer_id = (int64_t)graph_customer(turn->r->graph, staged->record_id),
            .effective_us = entry->effective_us, .hash = entry->hash,
            .accept_seq = arrival->accept_seq, .source_id = arrival->source->source_id,
            .kind = (int16_t)(staged->deleted && !arrival->is_employer ? arrival->source->rules.kind
                                                               : arrival->clean.kind),
            .flags = (int16_t)(entry->flags & ROSTER_STORED_FLAGS),
            .lead_us = entry->flags & ROSTER_LEAD ? turn->set->now_us : 0,
            .space = slice_str(arrival->source->space), .external_id = arrival->raw->external_id,
            .part = arrival->raw->part, .clean_json = staged->json, .features = staged->features};
        if (staged->is_new)
            write_record(turn->set, &row);
        else
            write_record_update(turn->set, &row);
        write_details(turn->set, staged->record_id, !staged->is_new, arrival);
    }
}

static enum status follow(struct turn *turn, const struct graph_move *moves, size_t count,
                          struct err *err)
{
    if (note_moves(turn, moves, count, err) != STATUS_OK || write_customers(turn, err) != STATUS_OK)
        return STATUS_FAILED;
    write_staged(turn);
    write_employers(turn);
    return STATUS_OK;
}

enum status follow_changes(struct turn *turn, struct err *err)
{
    if (graph_settle(turn->r->graph, turn->arena, &turn->changes, err) != STATUS_OK)
        return STATUS_FAILED;
    if (follow(turn, turn->changes.moves, turn->changes.move_count, err) != STATUS_OK)
        return STATUS_FAILED;
    write_links(turn);
    write_reviews(turn);
    return STATUS_OK;
}

enum status follow_moves(struct turn *turn, const struct graph_move *moves, size_t count,
                         struct err *err)
{
    turn->changes.move_count = count;
    turn->changes.moves = (struct graph_move *)(uintptr_t)moves;
    return follow(turn, moves, count, err);
}
