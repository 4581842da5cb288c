/* batch.c - see batch.h. */
#include "daemon/accept/batch.h"

#include <stdlib.h>

struct batch *batch_new(void)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL)
        return NULL;
    batch->arena = arena_new(BATCH_ARENA_MAX_BYTES);
    if (batch->arena == NULL) {
        free(batch);
        return NULL;
    }
    return batch;
}

void batch_free(struct batch **batch)
{
    if (*batch == NULL)
        return;
    for (size_t i = 0; i < (*batch)->more_arena_count; i++)
        arena_free(&(*batch)->more_arenas[i]);
    free((*batch)->more_arenas);
    arena_free(&(*batch)->arena);
    free(*batch);
    *batch = NULL;
}
