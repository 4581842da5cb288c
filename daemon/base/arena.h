/*
 * arena.h - memory that is given back all at once.
 *
 * One arena a batch (reset, not freed, between batches), one a configuration generation. An arena
 * belongs to one thread at a time. It has a maximum given at birth; when an allocation does not fit
 * or malloc fails the arena becomes *failed*: that and every later allocation return NULL and slices
 * come back empty, so a stage may check arena_failed() once at its end where NULL does no harm in
 * between. Memory is zeroed.
 */
#ifndef TRIBUTARY_BASE_ARENA_H
#define TRIBUTARY_BASE_ARENA_H

#include "daemon/base/slice.h"

struct arena;

/* NULL only when out of memory. */
struct arena *arena_new(size_t max_bytes);
/* Frees and sets *arena to NULL; NULL is allowed. */
void arena_free(struct arena **arena);
/* Everything handed out becomes invalid; the sticky failure is forgotten; the first blocks are kept. */
void arena_reset(struct arena *arena);
bool arena_failed(const struct arena *arena);
/* Marks it failed by hand (a stage that cannot go on for want of room). */
void arena_fail(struct arena *arena);
size_t arena_used_bytes(const struct arena *arena);

/* 16-byte aligned and zeroed; NULL when failed. bytes == 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* NULL too when count * size overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy, followed by a NUL that does not count. */
struct slice arena_dup(struct arena *arena, struct slice s);
/* A NUL-terminated copy; "" when failed. */
const char *arena_str(struct arena *arena, struct slice s);
struct slice arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

#endif
