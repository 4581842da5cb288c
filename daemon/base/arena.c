/* arena.c - see arena.h. Blocks double from 4 KiB to 1 MiB; a larger request has its own block. */
#include "daemon/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BLOCK_BYTES ((size_t)4096)
#define LAST_BLOCK_BYTES  ((size_t)1 << 20)
#define ALIGNMENT         ((size_t)16)

struct block {
    struct block *next;
    size_t size;
    size_t used;
    size_t unused_padding; /* keeps data[] aligned */
    char data[];
};

struct arena {
    struct block *first;
    struct block *current;
    size_t max_bytes;
    size_t held_bytes;
    size_t used_bytes;
    bool failed;
};

struct arena *arena_new(size_t max_bytes)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (arena)
        arena->max_bytes = max_bytes;
    return arena;
}

void arena_free(struct arena **arena)
{
    if (*arena == NULL)
        return;
    for (struct block *block = (*arena)->first; block;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(*arena);
    *arena = NULL;
}

void arena_reset(struct arena *arena)
{
    for (struct block *block = arena->first; block; block = block->next)
        block->used = 0;
    arena->current = arena->first;
    arena->used_bytes = 0;
    arena->failed = false;
}

bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}

void arena_fail(struct arena *arena)
{
    arena->failed = true;
}

size_t arena_used_bytes(const struct arena *arena)
{
    return arena->used_bytes;
}

static struct block *add_block(struct arena *arena, size_t bytes)
{
    size_t size = arena->current ? arena->current->size * 2 : FIRST_BLOCK_BYTES;
    if (size > LAST_BLOCK_BYTES)
        size = LAST_BLOCK_BYTES;
    if (size < bytes)
        size = bytes;
    if (size > arena->max_bytes || arena->held_bytes > arena->max_bytes - size)
        return NULL;
    struct block *block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    block->used = 0;
    arena->held_bytes += size;
    if (arena->current) {
        block->next = arena->current->next;
        arena->current->next = block;
    } else {
        block->next = arena->first;
        arena->first = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (arena->failed || bytes > arena->max_bytes) {
        arena->failed = true;
        return NULL;
    }
    size_t need = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (need == 0)
        need = ALIGNMENT;
    while (arena->current && arena->current->size - arena->current->used < need &&
           arena->current->next)
        arena->current = arena->current->next;
    if (arena->current == NULL || arena->current->size - arena->current->used < need) {
        struct block *block = add_block(arena, need);
        if (block == NULL) {
            arena->failed = true;
            return NULL;
        }
        arena->current = block;
    }
    void *memory = arena->current->data + arena->current->used;
    arena->current->used += need;
    arena->used_bytes += need;
    memset(memory, 0, need);
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        arena->failed = true;
        return NULL;
    }
    return arena_alloc(arena, bytes);
}

struct slice arena_dup(struct arena *arena, struct slice s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (copy == NULL)
        return SLICE_EMPTY;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return slice_of(copy, s.len);
}

const char *arena_str(struct arena *arena, struct slice s)
{
    return arena_dup(arena, s).ptr;
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text ? slice_of(text, (size_t)length) : SLICE_EMPTY;
}
