/*
 * lookup.h - finding a word however it is written: column headings, code tables, lists.
 *
 * Two foldings. A *heading* keeps letters and digits only ("E-Mail *", "e_mail" and "ｅｍａｉｌ"
 * are "email"); a *value* keeps its punctuation but not case, width or runs of spaces. A map is
 * built once in an arena and read by any thread.
 */
#ifndef TRIBUTARY_RULES_LOOKUP_H
#define TRIBUTARY_RULES_LOOKUP_H

#include "daemon/base/arena.h"
#include "daemon/base/slice.h"

#define FOLDED_MAX 256 /* bytes; a longer text is in no map */

/* Writes the folded text and returns it; ptr NULL when it does not fit in FOLDED_MAX. */
struct slice fold_heading(struct slice text, char out[FOLDED_MAX]);
struct slice fold_value(struct slice text, char out[FOLDED_MAX]);

struct lookup_entry {
    struct slice key;  /* folded; ptr NULL: free */
    struct slice text; /* what it stands for */
    uint32_t number;
};

struct lookup {
    size_t count;
    size_t mask; /* slots - 1 */
    struct lookup_entry *slots;
};

/* Room for `count` entries, each added once. False when the arena is full. */
bool lookup_init(struct lookup *lookup, size_t count, struct arena *arena);
/* The key must be folded; it is kept, so it must live as long as the map. Returns the entry that
 * was there before, which stays as it is, or NULL when it was added. */
const struct lookup_entry *lookup_add(struct lookup *lookup, struct slice key, struct slice text,
                                      uint32_t number);
/* NULL when there is none; a key with ptr NULL is never found. */
const struct lookup_entry *lookup_find(const struct lookup *lookup, struct slice key);

#endif
