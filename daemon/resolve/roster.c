/* roster.c - see roster.h. */
#include "daemon/resolve/roster.h"

#include <stdlib.h>
#include <string.h>

void roster_free(struct roster *roster)
{
    free(roster->entries);
    *roster = (struct roster){0};
}

struct roster_entry *roster_at(struct roster *roster, uint64_t record_id)
{
    if (record_id >= roster->capacity) {
        size_t capacity = roster->capacity ? roster->capacity * 2 : 4096;
        while (capacity <= record_id)
            capacity *= 2;
        struct roster_entry *entries = realloc(roster->entries, capacity * sizeof(*entries));
        if (entries == NULL)
            return NULL;
        memset(entries + roster->capacity, 0, (capacity - roster->capacity) * sizeof(*entries));
        roster->entries = entries;
        roster->capacity = capacity;
    }
    return &roster->entries[record_id];
}
