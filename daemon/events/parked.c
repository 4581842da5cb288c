/* parked.c - see parked.h. */
#include "daemon/events/parked.h"

#include <stdio.h>
#include <stdlib.h>

#define CHANGES_MAX 20000 /* a save is made long before */

void parked_free(struct parked *parked)
{
    free(parked->rows);
    free(parked->changes);
    *parked = (struct parked){0};
}

void parked_clear(struct parked *parked)
{
    parked->count = 0;
    parked->change_count = 0;
}

/* Index of the first row not before (customer, seq). */
static size_t lower_bound(const struct parked *parked, uint64_t customer_id, uint64_t seq)
{
    size_t from = 0, to = parked->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct parked_row *row = &parked->rows[middle];
        if (row->customer_id < customer_id || (row->customer_id == customer_id && row->seq < seq))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool parked_holds(const struct parked *parked, uint64_t customer_id)
{
    size_t at = lower_bound(parked, customer_id, 0);
    return customer_id != 0 && at < parked->count && parked->rows[at].customer_id == customer_id;
}

struct parked_row *parked_find(struct parked *parked, uint64_t customer_id, uint64_t seq)
{
    size_t at = lower_bound(parked, customer_id, seq);
    bool found = at < parked->count && parked->rows[at].customer_id == customer_id &&
                 parked->rows[at].seq == seq;
    return found ? &parked->rows[at] : NULL;
}

/* Room for one more element of `size` bytes. */
static bool grow(void **items, size_t count, size_t *capacity, size_t max, size_t size)
{
    if (count < *capacity)
        return true;
    if (count >= max)
        return false;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    if (wanted > max)
        wanted = max;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

bool parked_put(struct parked *parked, const struct parked_row *row)
{
    void *rows = parked->rows;
    bool room = grow(&rows, parked->count, &parked->capacity, PARKED_MAX, sizeof(*parked->rows));
    parked->rows = rows;
    if (!room)
        return false;
    size_t at = lower_bound(parked, row->customer_id, row->seq);
    memmove(&parked->rows[at + 1], &parked->rows[at], (parked->count - at) * sizeof(*row));
    parked->rows[at] = *row;
    parked->count++;
    return true;
}

/* One statement saves all changes, so a row stands among them once. */
static struct parked_change *change_of(struct parked *parked, uint64_t seq)
{
    for (size_t i = 0; i < parked->change_count; i++)
        if (parked->changes[i].row.seq == seq)
            return &parked->changes[i];
    void *changes = parked->changes;
    bool room = grow(&changes, parked->change_count, &parked->change_capacity, CHANGES_MAX,
                     sizeof(*parked->changes));
    parked->changes = changes;
    return room ? &parked->changes[parked->change_count++] : NULL;
}

static bool note(struct parked *parked, const struct parked_row *row, bool gone, bool dead,
                 const char *error)
{
    struct parked_row copy = *row; /* it may lie in what is about to move */
    struct parked_change *change = change_of(parked, copy.seq);
    if (change == NULL)
        return false;
    *change = (struct parked_change){.row = copy, .gone = gone, .dead = dead};
    snprintf(change->error, sizeof(change->error), "%s", error);
    return true;
}

bool parked_add(struct parked *parked, const struct parked_row *row, const char *error)
{
    if (parked->count >= PARKED_MAX || !note(parked, row, false, false, error))
        return false;
    if (parked_put(parked, row))
        return true;
    parked->change_count--; /* it was the last */
    return false;
}

bool parked_changed(struct parked *parked, const struct parked_row *row, const char *error)
{
    return note(parked, row, false, false, error);
}

bool parked_add_dead(struct parked *parked, const struct parked_row *row, const char *error)
{
    return note(parked, row, false, true, error);
}

bool parked_remove(struct parked *parked, uint64_t customer_id, uint64_t seq, bool dead,
                   const struct parked_row *last, const char *error, int64_t now_us)
{
    size_t at = lower_bound(parked, customer_id, seq);
    if (at >= parked->count || parked->rows[at].seq != seq ||
        parked->rows[at].customer_id != customer_id)
        return true;
    if (!note(parked, last, !dead, dead, error))
        return false;
    parked->count--;
    memmove(&parked->rows[at], &parked->rows[at + 1], (parked->count - at) * sizeof(*parked->rows));
    if (customer_id && at < parked->count && parked->rows[at].customer_id == customer_id)
        parked->rows[at].due_us = now_us;
    return true;
}

void parked_saved(struct parked *parked)
{
    parked->change_count = 0;
}

static bool is_head(const struct parked *parked, size_t i)
{
    uint64_t customer_id = parked->rows[i].customer_id;
    return customer_id == 0 || i == 0 || parked->rows[i - 1].customer_id != customer_id;
}

static int by_seq(const void *a, const void *b)
{
    const struct parked_row *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

size_t parked_take_due(struct parked *parked, int64_t now_us, struct parked_row *due, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < parked->count; i++) {
        struct parked_row *row = &parked->rows[i];
        if (row->taken || row->due_us > now_us || !is_head(parked, i))
            continue;
        if (count < max) {
            due[count++] = *row;
        } else { /* the newest gives way to an older one */
            size_t newest = 0;
            for (size_t k = 1; k < max; k++)
                newest = due[k].seq > due[newest].seq ? k : newest;
            if (row->seq < due[newest].seq)
                due[newest] = *row;
        }
    }
    qsort(due, count, sizeof(*due), by_seq);
    for (size_t i = 0; i < count; i++)
        parked_find(parked, due[i].customer_id, due[i].seq)->taken = true;
    return count;
}

int64_t parked_next_due_us(const struct parked *parked)
{
    int64_t next_us = INT64_MAX;
    for (size_t i = 0; i < parked->count; i++) {
        const struct parked_row *row = &parked->rows[i];
        if (!row->taken && row->due_us < next_us && is_head(parked, i))
            next_us = row->due_us;
    }
    return next_us;
}

void parked_all_due(struct parked *parked, int64_t now_us, int64_t spread_us)
{
    for (size_t i = 0; i < parked->count; i++) {
        struct parked_row *row = &parked->rows[i];
        int64_t due_us = now_us + (int64_t)(row->seq % 997) * spread_us / 997;
        if (is_head(parked, i) && row->due_us > due_us)
            row->due_us = due_us;
    }
}
