/* parked.c - see parked.h. */
#include "daemon/events/parked.h"

#include <stdio.h>
#include <stdlib.h>

#define CHANGES_MAX 20000 /* a save is made long before */

void parked_free(struct parked *parked)
{
    parked_clear(parked);
    free(parked->rows);
    free(parked->names);
    free(parked->changes);
    *parked = (struct parked){0};
}

void parked_clear(struct parked *parked)
{
    for (size_t i = 0; i < parked->count; i++)
        named_free(&parked->rows[i].named);
    parked->count = 0;
    parked->name_count = 0;
    parked->change_count = 0;
}

/* Index of the first row not before seq. */
static size_t row_bound(const struct parked *parked, uint64_t seq)
{
    size_t from = 0, to = parked->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (parked->rows[middle].seq < seq)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Index of the first name not before (customer, seq). */
static size_t name_bound(const struct parked *parked, uint64_t customer_id, uint64_t seq)
{
    size_t from = 0, to = parked->name_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct parked_name *name = &parked->names[middle];
        if (name->customer_id < customer_id ||
            (name->customer_id == customer_id && name->seq < seq))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool names_at(const struct parked *parked, size_t at, uint64_t customer_id)
{
    return at < parked->name_count && parked->names[at].customer_id == customer_id;
}

bool parked_holds(const struct parked *parked, const struct named *named)
{
    for (size_t i = 0; i < named_count(named); i++) {
        uint64_t customer_id = named_at(named, i);
        if (names_at(parked, name_bound(parked, customer_id, 0), customer_id))
            return true;
    }
    return false;
}

struct parked_row *parked_find(struct parked *parked, uint64_t seq)
{
    size_t at = row_bound(parked, seq);
    return at < parked->count && parked->rows[at].seq == seq ? &parked->rows[at] : NULL;
}

/* Room for `count` elements of `size` bytes and one more. */
static bool grow(void **items, size_t count, size_t *capacity, size_t max, size_t size)
{
    if (count < *capacity)
        return true;
    if (count >= max)
        return false;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    while (wanted <= count)
        wanted *= 2;
    if (wanted > max)
        wanted = max;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

/* Whether the first of a customer's names stands at `at`. */
static bool is_first(const struct parked *parked, size_t at)
{
    return at == 0 || parked->names[at - 1].customer_id != parked->names[at].customer_id;
}

/* The row is in its place already; of each customer the earliest row waits for nobody. */
static void put_names(struct parked *parked, struct parked_row *row)
{
    for (size_t i = 0; i < named_count(&row->named); i++) {
        uint64_t customer_id = named_at(&row->named, i);
        size_t at = name_bound(parked, customer_id, row->seq);
        bool has_later = names_at(parked, at, customer_id);
        memmove(&parked->names[at + 1], &parked->names[at],
                (parked->name_count - at) * sizeof(parked->names[0]));
        parked->names[at] = (struct parked_name){customer_id, row->seq};
        parked->name_count++;
        if (!is_first(parked, at))
            row->waits++;
        else if (has_later)
            parked_find(parked, parked->names[at + 1].seq)->waits++;
    }
}

static void drop_names(struct parked *parked, const struct parked_row *row, int64_t now_us)
{
    for (size_t i = 0; i < named_count(&row->named); i++) {
        uint64_t customer_id = named_at(&row->named, i);
        size_t at = name_bound(parked, customer_id, row->seq);
        bool was_first = is_first(parked, at);
        parked->name_count--;
        memmove(&parked->names[at], &parked->names[at + 1],
                (parked->name_count - at) * sizeof(parked->names[0]));
        if (!was_first || !names_at(parked, at, customer_id))
            continue;
        struct parked_row *next = parked_find(parked, parked->names[at].seq);
        if (--next->waits == 0)
            next->due_us = now_us;
    }
}

static bool make_room(struct parked *parked, const struct parked_row *row)
{
    void *rows = parked->rows, *names = parked->names;
    size_t last_name = parked->name_count + named_count(&row->named);
    bool room = grow(&rows, parked->count, &parked->capacity, PARKED_MAX, sizeof(*parked->rows)) &&
                grow(&names, last_name, &parked->name_capacity, PARKED_NAMES_MAX,
                     sizeof(*parked->names));
    parked->rows = rows;
    parked->names = names;
    return room;
}

bool parked_put(struct parked *parked, const struct parked_row *row)
{
    struct named named;
    if (!make_room(parked, row) || !named_copy(&named, &row->named))
        return false;
    size_t at = row_bound(parked, row->seq);
    memmove(&parked->rows[at + 1], &parked->rows[at], (parked->count - at) * sizeof(*row));
    parked->rows[at] = *row;
    parked->rows[at].named = named;
    parked->rows[at].waits = 0;
    parked->count++;
    put_names(parked, &parked->rows[at]);
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
    struct parked_row copy = *row;
    copy.named = (struct named){.subject = row->named.subject};
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

bool parked_failed(struct parked *parked, const struct parked_row *row, const char *error)
{
    struct parked_row *stored = parked_find(parked, row->seq);
    bool noted = note(parked, row, false, false, error);
    if (stored) {
        stored->attempts = row->attempts;
        stored->status = row->status;
        stored->due_us = row->due_us;
        stored->due_wall_us = row->due_wall_us;
        stored->taken = false;
    }
    return noted;
}

bool parked_add_dead(struct parked *parked, const struct parked_row *row, const char *error)
{
    return note(parked, row, false, true, error);
}

bool parked_remove(struct parked *parked, uint64_t seq, bool dead, const struct parked_row *last,
                   const char *error, int64_t now_us)
{
    size_t at = row_bound(parked, seq);
    if (at >= parked->count || parked->rows[at].seq != seq)
        return true;
    if (!note(parked, last, !dead, dead, error))
        return false;
    drop_names(parked, &parked->rows[at], now_us);
    named_free(&parked->rows[at].named);
    parked->count--;
    memmove(&parked->rows[at], &parked->rows[at + 1], (parked->count - at) * sizeof(*parked->rows));
    return true;
}

void parked_saved(struct parked *parked)
{
    parked->change_count = 0;
}

size_t parked_take_due(struct parked *parked, int64_t now_us, struct parked_row *due, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < parked->count && count < max; i++) {
        struct parked_row *row = &parked->rows[i];
        if (row->taken || row->due_us > now_us || row->waits > 0)
            continue;
        row->taken = true;
        due[count++] = *row;
    }
    return count;
}

int64_t parked_next_due_us(const struct parked *parked)
{
    int64_t next_us = INT64_MAX;
    for (size_t i = 0; i < parked->count; i++) {
        const struct parked_row *row = &parked->rows[i];
        if (!row->taken && row->due_us < next_us && row->waits == 0)
            next_us = row->due_us;
    }
    return next_us;
}

void parked_all_due(struct parked *parked, int64_t now_us, int64_t spread_us)
{
    for (size_t i = 0; i < parked->count; i++) {
        struct parked_row *row = &parked->rows[i];
        int64_t due_us = now_us + (int64_t)(row->seq % 997) * spread_us / 997;
        if (row->waits == 0 && row->due_us > due_us)
            row->due_us = due_us;
    }
}
