/*
 * parked.h - the events of one sink that failed or stand behind one that failed, in memory.
 *
 * A mirror of the sink's rows in tributary.sink_parked that are not dead, in order of seq, and the
 * list of what has changed and is not yet saved. A row is a head when no earlier row names one of
 * its customers (named.h): heads alone are tried; the rest wait without attempt. Events that name
 * no customer are heads each. One thread.
 */
#ifndef TRIBUTARY_EVENTS_PARKED_H
#define TRIBUTARY_EVENTS_PARKED_H

#include "daemon/events/named.h"

#define PARKED_MAX       10000
#define PARKED_NAMES_MAX (2 * NAMED_MAX) /* customers named by all of them */
#define PARKED_ERROR_MAX 160

struct parked_row {
    struct named named; /* the caller's in a call, copied once it stands here */
    uint64_t seq;
    unsigned attempts;
    int status;          /* HTTP status of the last attempt; 0 none */
    int64_t due_us;      /* monotonic; when a head is tried next */
    int64_t due_wall_us; /* the same, to be stored; 0: not set */
    bool taken;          /* a head whose body was fetched */
    unsigned waits;      /* for how many of its customers there is an earlier row; 0: a head */
};

struct parked_change {
    struct parked_row row; /* without the other customers: the event has them */
    bool gone;             /* delivered: the row is deleted */
    bool dead;
    char error[PARKED_ERROR_MAX];
};

struct parked_name {
    uint64_t customer_id;
    uint64_t seq;
};

struct parked {
    size_t count;
    size_t capacity;
    struct parked_row *rows; /* by seq */
    size_t name_count;
    size_t name_capacity;
    struct parked_name *names; /* by customer and seq */
    size_t change_count;
    size_t change_capacity;
    struct parked_change *changes;
};

void parked_free(struct parked *parked);
void parked_clear(struct parked *parked); /* rows and changes */

/* Whether an event that names one of them stands here. */
bool parked_holds(const struct parked *parked, const struct named *named);
struct parked_row *parked_find(struct parked *parked, uint64_t seq);
/* Puts a row as read from the database. False: full or out of memory. */
bool parked_put(struct parked *parked, const struct parked_row *row);

/* These note the change; false: full or out of memory, and nothing has changed. */
bool parked_add(struct parked *parked, const struct parked_row *row, const char *error);
/* Takes the row out, delivered or dead, and makes those that only waited for it due at now_us. */
bool parked_remove(struct parked *parked, uint64_t seq, bool dead, const struct parked_row *last,
                   const char *error, int64_t now_us);
/* The attempt failed: attempts, status and times are those of `row` from now on, and it is not taken any more. */
bool parked_failed(struct parked *parked, const struct parked_row *row, const char *error);
/* An event that was never parked and is dead at once. */
bool parked_add_dead(struct parked *parked, const struct parked_row *row, const char *error);
void parked_saved(struct parked *parked); /* forgets the changes */

/* The heads that are due and not taken, oldest first: up to max, marked taken. What they name is borrowed. */
size_t parked_take_due(struct parked *parked, int64_t now_us, struct parked_row *due, size_t max);
/* When the next head not taken is due; INT64_MAX: none. */
int64_t parked_next_due_us(const struct parked *parked);
/* Makes every head that waits due between now and now + spread. */
void parked_all_due(struct parked *parked, int64_t now_us, int64_t spread_us);

#endif
