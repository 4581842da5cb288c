/*
 * postings.c - see postings.intern.h.
 *
 * The two upper bits of a reference tell its shape. A small block is one header word (count,
 * degree, class: a byte each) and `class` words of slots; free blocks of a class are chained.
 */
#include "daemon/resolve/postings.intern.h"

#include <assert.h>

#define SHAPE_MASK   0xC0000000u
#define SHAPE_SINGLE 0x00000000u
#define SHAPE_SMALL  0x40000000u
#define SHAPE_LARGE  0x80000000u
#define VALUE_MASK   0x3FFFFFFFu
#define CHUNK_BITS   16
#define CHUNK_WORDS  (1u << CHUNK_BITS)
#define SMALL_MAX    32u
#define LARGE_MIN    16u /* a large posting that shrinks below becomes small again */
#define NO_BLOCK     UINT32_MAX

static const uint8_t class_capacity[POSTING_CLASS_COUNT] = {2, 3, 4, 6, 8, 12, 16, 24, SMALL_MAX};

struct header {
    uint8_t count, degree, class, unused;
};

static uint32_t *block_at(const struct postings *postings, uint32_t block)
{
    return &postings->chunks.items[block >> CHUNK_BITS][block & (CHUNK_WORDS - 1)];
}

static struct header header_of(const uint32_t *block)
{
    struct header header;
    memcpy(&header, block, sizeof(header));
    return header;
}

static void set_header(uint32_t *block, struct header header)
{
    memcpy(block, &header, sizeof(header));
}

void postings_init(struct postings *postings, const struct entries *entries,
                   const struct graph_matcher_ops *ops)
{
    *postings = (struct postings){.entries = entries, .ops = ops, .used_words = CHUNK_WORDS};
    for (size_t i = 0; i < POSTING_CLASS_COUNT; i++)
        postings->first_free[i] = NO_BLOCK;
    for (size_t i = 0; i < KNOWN_NAMES; i++)
        postings->known_names[i].slot = NO_SLOT;
}

void postings_free(struct postings *postings)
{
    for (size_t i = 0; i < postings->chunks.count; i++)
        free(postings->chunks.items[i]);
    word_chunks_free(&postings->chunks);
    for (size_t i = 0; i < postings->large.count; i++)
        large_posting_free(postings, &postings->large.items[i]);
    large_postings_free(&postings->large);
    slots_free(&postings->free_large);
}

static uint8_t class_for(uint32_t count)
{
    uint8_t class = 0;
    while (class_capacity[class] < count)
        class ++;
    return class;
}

static uint32_t new_block(struct postings *postings, uint8_t class)
{
    uint32_t block = postings->first_free[class];
    if (block != NO_BLOCK) {
        postings->first_free[class] = *block_at(postings, block);
        return block;
    }
    uint32_t words = class_capacity[class] + 1u;
    if (CHUNK_WORDS - postings->used_words < words) {
        if (postings->chunks.count << CHUNK_BITS >= VALUE_MASK)
            return NO_BLOCK;
        uint32_t *chunk = malloc(CHUNK_WORDS * sizeof(*chunk));
        if (chunk == NULL || !word_chunks_push(&postings->chunks, chunk)) {
            free(chunk);
            return NO_BLOCK;
        }
        postings->used_words = 0;
    }
    block = (uint32_t)(postings->chunks.count - 1) << CHUNK_BITS | postings->used_words;
    postings->used_words += words;
    return block;
}

static void free_block(struct postings *postings, uint32_t block)
{
    uint8_t class = header_of(block_at(postings, block)).class;
    *block_at(postings, block) = postings->first_free[class];
    postings->first_free[class] = block;
}

void postings_know_name(struct postings *postings, uint32_t slot, uint64_t name)
{
    postings->known_names[slot % KNOWN_NAMES] = (struct known_name){name, slot};
}

static uint64_t name_of(struct postings *postings, uint32_t slot)
{
    const struct known_name *known = &postings->known_names[slot % KNOWN_NAMES];
    if (known->slot == slot)
        return known->name;
    struct features_room room;
    uint64_t name = postings->ops->name_key(entries_features(postings->entries, slot, &room));
    postings_know_name(postings, slot, name);
    return name;
}

static bool has_name(struct postings *postings, const uint32_t *slots, uint32_t count,
                     uint64_t name, uint32_t except)
{
    for (uint32_t i = 0; i < count; i++)
        if (slots[i] != except && name_of(postings, slots[i]) == name)
            return true;
    return false;
}

/* A small block of another class with the same holders. */
static uint32_t copy_block(struct postings *postings, uint32_t block, uint8_t class)
{
    uint32_t copy = new_block(postings, class);
    if (copy == NO_BLOCK)
        return NO_BLOCK;
    const uint32_t *from = block_at(postings, block);
    uint32_t *to = block_at(postings, copy);
    struct header header = header_of(from);
    memcpy(to + 1, from + 1, header.count * sizeof(*to));
    header.class = class;
    set_header(to, header);
    return copy;
}

static struct large_posting *large_at(const struct postings *postings, uint32_t reference)
{
    return &postings->large.items[reference & VALUE_MASK];
}

/* Takes a large posting over; frees it when out of memory. */
static uint32_t keep_large(struct postings *postings, struct large_posting *large)
{
    if (!slots_reserve(&postings->free_large, postings->large.count + 1)) {
        large_posting_free(postings, large);
        return NO_POSTING;
    }
    if (postings->free_large.count) {
        uint32_t index = postings->free_large.items[--postings->free_large.count];
        postings->large.items[index] = *large;
        return SHAPE_LARGE | index;
    }
    if (postings->large.count >= VALUE_MASK || !large_postings_push(&postings->large, *large)) {
        large_posting_free(postings, large);
        return NO_POSTING;
    }
    return SHAPE_LARGE | (uint32_t)(postings->large.count - 1);
}

static uint32_t make_large(struct postings *postings, const uint32_t *slots, uint32_t count, bool counts_names)
{
    struct large_posting large = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint64_t name = counts_names ? name_of(postings, slots[i]) : 0;
        if (!large_posting_add(postings, &large, slots[i], counts_names ? &name : NULL)) {
            large_posting_free(postings, &large);
            return NO_POSTING;
        }
    }
    return keep_large(postings, &large);
}

/* How many distinct names a few holders bear. */
static uint8_t degree_of(const struct named_slot *holders, uint32_t count)
{
    uint8_t degree = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same = 0;
        while (same < i && holders[same].name != holders[i].name)
            same++;
        degree = (uint8_t)(degree + (same == i));
    }
    return degree;
}

static uint32_t build_large(struct postings *postings, const struct named_slot *holders, uint32_t count,
                            bool counts_names)
{
    struct large_posting large = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (!large_posting_add(postings, &large, holders[i].slot, counts_names ? &holders[i].name : NULL)) {
            large_posting_free(postings, &large);
            return NO_POSTING;
        }
    }
    return keep_large(postings, &large);
}

uint32_t postings_build(struct postings *postings, const struct named_slot *holders, uint32_t count,
                        bool counts_names)
{
    if (count == 1)
        return holders[0].slot;
    if (count > SMALL_MAX)
        return build_large(postings, holders, count, counts_names);
    uint8_t class = class_for(count);
    uint32_t block = new_block(postings, class);
    if (block == NO_BLOCK)
        return NO_POSTING;
    uint32_t *words = block_at(postings, block);
    set_header(words, (struct header){.count = (uint8_t)count, .class = class,
                                      .degree = counts_names ? degree_of(holders, count) : 0});
    for (uint32_t i = 0; i < count; i++)
        words[1 + i] = holders[i].slot;
    return SHAPE_SMALL | block;
}

static bool add_to_single(struct postings *postings, uint32_t *reference, uint32_t slot,
                          const uint64_t *name)
{
    uint32_t block = new_block(postings, 0);
    if (block == NO_BLOCK)
        return false;
    uint32_t *words = block_at(postings, block);
    bool same = !name || has_name(postings, reference, 1, *name, NO_SLOT);
    set_header(words, (struct header){.count = 2, .degree = same ? 1 : 2});
    words[1] = *reference;
    words[2] = slot;
    *reference = SHAPE_SMALL | block;
    return true;
}

static bool add_to_small(struct postings *postings, uint32_t *reference, uint32_t slot,
                         const uint64_t *name)
{
    uint32_t block = *reference & VALUE_MASK;
    uint32_t *words = block_at(postings, block);
    struct header header = header_of(words);
    if (header.count == SMALL_MAX) {
        uint32_t large = make_large(postings, words + 1, header.count, name != NULL);
        if (large == NO_POSTING)
            return false;
        if (!large_posting_add(postings, large_at(postings, large), slot, name)) {
            large_posting_free(postings, large_at(postings, large));
            (void)slots_push(&postings->free_large, large & VALUE_MASK); /* reserved */
            return false;
        }
        free_block(postings, block);
        *reference = large;
        return true;
    }
    if (header.count == class_capacity[header.class]) {
        uint32_t copy = copy_block(postings, block, class_for(header.count + 1u));
        if (copy == NO_BLOCK)
            return false;
        free_block(postings, block);
        words = block_at(postings, copy);
        header = header_of(words);
        *reference = SHAPE_SMALL | copy;
    }
    if (name && !has_name(postings, words + 1, header.count, *name, NO_SLOT))
        header.degree++;
    words[1 + header.count++] = slot;
    set_header(words, header);
    return true;
}

bool postings_add(struct postings *postings, uint32_t *reference, uint32_t slot, const uint64_t *name)
{
    if (*reference == NO_POSTING) {
        *reference = slot;
        return true;
    }
    switch (*reference & SHAPE_MASK) {
    case SHAPE_SINGLE:
        return add_to_single(postings, reference, slot, name);
    case SHAPE_SMALL:
        return add_to_small(postings, reference, slot, name);
    default:
        return large_posting_add(postings, large_at(postings, *reference), slot, name);
    }
}

static bool remove_from_small(struct postings *postings, uint32_t *reference, uint32_t slot,
                              const uint64_t *name)
{
    uint32_t block = *reference & VALUE_MASK;
    uint32_t *words = block_at(postings, block);
    struct header header = header_of(words);
    uint32_t at = 1;
    while (at <= header.count && words[at] != slot)
        at++;
    if (at > header.count)
        return false;
    if (name && !has_name(postings, words + 1, header.count, *name, slot))
        header.degree--;
    words[at] = words[header.count--];
    set_header(words, header);
    if (header.count == 1) {
        *reference = words[1];
        free_block(postings, block);
    } else if (class_for(header.count) + 1 < header.class) {
        uint32_t copy = copy_block(postings, block, class_for(header.count));
        if (copy == NO_BLOCK)
            return true; /* the larger block does as well */
        free_block(postings, block);
        *reference = SHAPE_SMALL | copy;
    }
    return true;
}

/* A large posting that has become small. Out of memory: it stays as it is. */
static void make_small(struct postings *postings, uint32_t *reference)
{
    struct large_posting *large = large_at(postings, *reference);
    uint32_t block = new_block(postings, class_for(large->count));
    if (block == NO_BLOCK)
        return;
    uint32_t *words = block_at(postings, block);
    struct header header = {.degree = (uint8_t)large->degree, .class = class_for(large->count)};
    for (uint32_t i = 0; i < large->slot_capacity; i++)
        if (large->slots[i] != NO_SLOT)
            words[1 + header.count++] = large->slots[i];
    set_header(words, header);
    large_posting_free(postings, large);
    (void)slots_push(&postings->free_large, *reference & VALUE_MASK); /* reserved */
    *reference = SHAPE_SMALL | block;
}

bool postings_remove(struct postings *postings, uint32_t *reference, uint32_t slot, const uint64_t *name)
{
    if (*reference == NO_POSTING)
        return false;
    switch (*reference & SHAPE_MASK) {
    case SHAPE_SINGLE:
        if (*reference != slot)
            return false;
        *reference = NO_POSTING;
        return true;
    case SHAPE_SMALL:
        return remove_from_small(postings, reference, slot, name);
    default:
        if (!large_posting_remove(postings, large_at(postings, *reference), slot, name))
            return false;
        if (large_at(postings, *reference)->count < LARGE_MIN)
            make_small(postings, reference);
        return true;
    }
}

struct posting_size postings_size(const struct postings *postings, uint32_t reference)
{
    if (reference == NO_POSTING)
        return (struct posting_size){0, 0};
    switch (reference & SHAPE_MASK) {
    case SHAPE_SINGLE:
        return (struct posting_size){1, 1};
    case SHAPE_SMALL: {
        struct header header = header_of(block_at(postings, reference & VALUE_MASK));
        return (struct posting_size){header.count, header.degree};
    }
    default: {
        const struct large_posting *large = large_at(postings, reference);
        return (struct posting_size){large->count, large->degree};
    }
    }
}

void postings_view(const struct postings *postings, const uint32_t *reference,
                   struct holders *holders)
{
    holders->size = postings_size(postings, *reference);
    holders->span = holders->size.count;
    if (*reference == NO_POSTING || (*reference & SHAPE_MASK) == SHAPE_SINGLE) {
        holders->slots = reference;
    } else if ((*reference & SHAPE_MASK) == SHAPE_SMALL) {
        holders->slots = block_at(postings, *reference & VALUE_MASK) + 1;
    } else {
        holders->slots = large_at(postings, *reference)->slots;
        holders->span = large_at(postings, *reference)->slot_capacity;
    }
}

uint32_t postings_any(const struct postings *postings, uint32_t reference)
{
    struct holders holders;
    if (reference == NO_POSTING || (reference & SHAPE_MASK) == SHAPE_LARGE)
        return NO_SLOT;
    postings_view(postings, &reference, &holders);
    return holders.slots[0];
}

void postings_prefetch(const struct postings *postings, uint32_t reference)
{
    if (reference != NO_POSTING && (reference & SHAPE_MASK) == SHAPE_SMALL)
        __builtin_prefetch(block_at(postings, reference & VALUE_MASK));
}

bool postings_hold(const struct postings *postings, uint32_t reference, uint32_t slot)
{
    struct holders holders;
    if (reference != NO_POSTING && (reference & SHAPE_MASK) == SHAPE_LARGE)
        return large_posting_has(large_at(postings, reference), slot);
    postings_view(postings, &reference, &holders);
    for (uint32_t i = 0; i < holders.span; i++)
        if (holders.slots[i] == slot)
            return true;
    return false;
}

size_t postings_bytes(const struct postings *postings)
{
    return postings->chunks.count * CHUNK_WORDS * sizeof(uint32_t) +
           postings->chunks.capacity * sizeof(uint32_t *) +
           postings->large.capacity * sizeof(struct large_posting) +
           postings->free_large.capacity * sizeof(uint32_t) + postings->large_bytes;
}
