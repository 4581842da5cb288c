/* known.c - see known.h. */
#include "daemon/accept/known.h"

#include <pthread.h>
#include <stdlib.h>

/* What was accepted and is not (yet) what stands. */
struct pending {
    struct natural_key key;
    uint32_t next_free;
    bool is_new; /* the roster has not got the key */
    struct known_version accepted;
    uint64_t provisional_batch;
};
VECTOR(pendings, struct pending)

struct known {
    pthread_mutex_t lock;
    size_t max_records;
    struct roster rosters[2];
    struct roster *roster;   /* what stands */
    struct roster *before;   /* what stood before it was forgotten, until it is read again */
    struct pendings pendings;
    struct slot_map by_key;  /* places among the pendings */
    uint32_t first_free;     /* NO_SLOT when there is none */
    size_t new_count;        /* pendings whose key the roster has not got */
};

int known_version_cmp(const struct known_version *a, const struct known_version *b)
{
    if (a->hash == 0 || b->hash == 0)
        return (a->hash != 0) - (b->hash != 0);
    if (a->effective_us != b->effective_us)
        return a->effective_us < b->effective_us ? -1 : 1;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static uint64_t hash_of_pending(const void *owner, uint32_t place)
{
    const struct known *known = owner;
    return natural_key_mix(known->pendings.items[place].key);
}

struct known *known_new(size_t max_records)
{
    struct known *known = calloc(1, sizeof(*known));
    if (known == NULL)
        return NULL;
    known->max_records = max_records;
    known->roster = &known->rosters[0];
    known->first_free = NO_SLOT;
    known->by_key = (struct slot_map){.hash_of = hash_of_pending, .owner = known};
    roster_init(&known->rosters[0]);
    roster_init(&known->rosters[1]);
    pthread_mutex_init(&known->lock, NULL);
    return known;
}

void known_free(struct known **known)
{
    if (*known == NULL)
        return;
    pthread_mutex_destroy(&(*known)->lock);
    roster_free(&(*known)->rosters[0]);
    roster_free(&(*known)->rosters[1]);
    pendings_free(&(*known)->pendings);
    slot_map_free(&(*known)->by_key);
    free(*known);
    *known = NULL;
}

void known_lock(struct known *known)
{
    pthread_mutex_lock(&known->lock);
}

void known_unlock(struct known *known)
{
    pthread_mutex_unlock(&known->lock);
}

static uint32_t find_pending(const struct known *known, struct natural_key key)
{
    struct slot_probe probe;
    uint32_t place = slot_map_first(&known->by_key, natural_key_mix(key), &probe);
    while (place != NO_SLOT && !natural_key_eq(known->pendings.items[place].key, key))
        place = slot_map_next(&known->by_key, &probe);
    return place;
}

static struct known_version version_in(const struct roster *roster, uint64_t record_id)
{
    const struct roster_entry *entry = roster ? roster_at(roster, record_id) : NULL;
    return entry ? (struct known_version){entry->effective_us, entry->hash} : (struct known_version){0, 0};
}

/* The newest version that stands or stood. */
static struct known_version standing(const struct known *known, struct natural_key key, uint64_t record_id)
{
    struct known_version now = version_in(known->roster, record_id);
    struct known_version then = version_in(known->before, known->before ? roster_find(known->before, key) : 0);
    return known_version_cmp(&then, &now) > 0 ? then : now;
}

struct known_state known_get(const struct known *known, struct natural_key key)
{
    struct known_state state = {.record_id = roster_find(known->roster, key)};
    state.resolved = version_in(known->roster, state.record_id);
    state.accepted = standing(known, key, state.record_id);
    uint32_t place = find_pending(known, key);
    if (place != NO_SLOT) {
        const struct pending *pending = &known->pendings.items[place];
        if (known_version_cmp(&pending->accepted, &state.accepted) > 0)
            state.accepted = pending->accepted;
        state.provisional_batch = pending->provisional_batch;
    }
    return state;
}

static void drop_pending(struct known *known, uint32_t place)
{
    struct pending *pending = &known->pendings.items[place];
    slot_map_remove(&known->by_key, natural_key_mix(pending->key), place);
    known->new_count -= pending->is_new;
    *pending = (struct pending){.next_free = known->first_free};
    known->first_free = place;
}

static uint32_t new_pending(struct known *known, struct natural_key key)
{
    uint32_t place = known->first_free;
    if (place != NO_SLOT)
        known->first_free = known->pendings.items[place].next_free;
    else if (known->pendings.count < SLOTS_MAX && pendings_push(&known->pendings, (struct pending){0}))
        place = (uint32_t)known->pendings.count - 1;
    else
        return NO_SLOT;
    struct pending *pending = &known->pendings.items[place];
    *pending = (struct pending){.key = key, .is_new = roster_find(known->roster, key) == 0};
    known->new_count += pending->is_new;
    if (slot_map_add(&known->by_key, natural_key_mix(key), place))
        return place;
    known->new_count -= pending->is_new;
    *pending = (struct pending){.next_free = known->first_free};
    known->first_free = place;
    return NO_SLOT;
}

size_t known_count(const struct known *known)
{
    return roster_count(known->roster) + known->new_count;
}

size_t known_room(const struct known *known)
{
    /* While it is read again, what stood before is a better guess. */
    size_t before = known->before ? roster_count(known->before) : 0, count = known_count(known);
    size_t most = before > count ? before : count;
    return most < known->max_records ? known->max_records - most : 0;
}

bool known_is_new(const struct known *known, struct natural_key key)
{
    return roster_find(known->roster, key) == 0 && find_pending(known, key) == NO_SLOT &&
           (known->before == NULL || roster_find(known->before, key) == 0);
}

bool known_accept(struct known *known, struct natural_key key, struct known_version accepted,
                  uint64_t provisional_batch)
{
    uint64_t record_id = roster_find(known->roster, key);
    uint32_t place = find_pending(known, key);
    struct known_version stands = standing(known, key, record_id);
    if (provisional_batch == 0 && known_version_cmp(&accepted, &stands) <= 0) {
        if (place != NO_SLOT)
            drop_pending(known, place);
        return true;
    }
    if (place == NO_SLOT) {
        bool is_new = record_id == 0 && stands.hash == 0;
        if (is_new && known_room(known) == 0)
            return false;
        place = new_pending(known, key);
    }
    if (place == NO_SLOT)
        return false;
    known->pendings.items[place].accepted = accepted;
    known->pendings.items[place].provisional_batch = provisional_batch;
    return true;
}

struct roster *known_roster(struct known *known)
{
    return known->roster;
}

struct roster_entry *known_add(struct known *known, uint64_t record_id, struct natural_key key)
{
    struct roster_entry *entry = roster_at(known->roster, record_id);
    if (entry)
        return natural_key_eq(roster_key(entry), key) ? entry : NULL;
    uint32_t place = find_pending(known, key);
    bool is_counted = place != NO_SLOT && known->pendings.items[place].is_new;
    if (!is_counted && known_count(known) >= known->max_records)
        return NULL;
    entry = roster_add(known->roster, record_id, key);
    if (entry && is_counted) {
        known->pendings.items[place].is_new = false;
        known->new_count--;
    }
    return entry;
}

void known_resolved(struct known *known, struct natural_key key)
{
    uint32_t place = find_pending(known, key);
    if (place == NO_SLOT || known->pendings.items[place].provisional_batch != 0)
        return;
    struct known_version stands = version_in(known->roster, roster_find(known->roster, key));
    if (known_version_cmp(&known->pendings.items[place].accepted, &stands) <= 0)
        drop_pending(known, place);
}

void known_forget_resolved(struct known *known)
{
    struct roster *other = known->roster == &known->rosters[0] ? &known->rosters[1] : &known->rosters[0];
    if (known->before) {
        roster_free(known->roster); /* read in part only: the older one knows more */
    } else {
        known->before = known->roster;
        known->roster = other;
    }
    known->new_count = 0;
    for (size_t i = 0; i < known->pendings.count; i++) {
        struct pending *pending = &known->pendings.items[i];
        pending->is_new = pending->key.high != 0 || pending->key.low != 0;
        known->new_count += pending->is_new;
    }
}

/* What was accepted and is not resolved any more waits among the pendings; where there is no memory for it, a repeat
 * will be told by the resolver only. */
void known_restored(struct known *known)
{
    struct roster *before = known->before;
    if (before == NULL)
        return;
    for (uint64_t id = 1; id < roster_end(before); id++) {
        const struct roster_entry *entry = roster_at(before, id);
        if (entry == NULL)
            continue;
        struct known_version then = version_in(before, id);
        struct known_version now = version_in(known->roster, roster_find(known->roster, roster_key(entry)));
        if (known_version_cmp(&then, &now) <= 0 || find_pending(known, roster_key(entry)) != NO_SLOT)
            continue;
        uint32_t place = new_pending(known, roster_key(entry));
        if (place != NO_SLOT)
            known->pendings.items[place].accepted = then;
    }
    known->before = NULL;
    roster_free(before);
}

size_t known_bytes(const struct known *known)
{
    return known->pendings.capacity * sizeof(struct pending) + slot_map_bytes(&known->by_key) +
           (known->before ? roster_bytes(known->before) : 0);
}
