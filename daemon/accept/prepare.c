/* prepare.c - see prepare.h. */
#include "daemon/accept/prepare.h"

#include "rules/record_json.h"

void preparing_init(struct preparing *preparing)
{
    *preparing = (struct preparing){.scratch = arena_new(FEATURES_SCRATCH_BYTES), .text = BUF_INIT(RECORD_JSON_MAX_BYTES)};
}

void preparing_free(struct preparing *preparing)
{
    arena_free(&preparing->scratch);
    buf_free(&preparing->text);
}

static bool prepare_keys(const struct matcher *matcher, struct arena *arena, struct keyed_features *keyed)
{
    struct match_key keys[MATCH_KEYS_MAX];
    keyed->key_count = features_keys(matcher, keyed->features, keys);
    struct match_key *kept = ARENA_ARRAY(arena, struct match_key, keyed->key_count);
    if (kept && keyed->key_count)
        memcpy(kept, keys, keyed->key_count * sizeof(*keys));
    keyed->keys = kept;
    keyed->name_key = features_name_key(keyed->features);
    return kept != NULL;
}

bool prepare_record(struct preparing *preparing, const struct generation *generation, const struct clean_record *clean,
                    uint32_t space_key, struct arena *arena, struct prepared *prepared)
{
    struct buf *text = &preparing->text;
    if (preparing->scratch == NULL) {
        arena_fail(arena); /* no memory, whatever the record is */
        return false;
    }
    buf_reset(text);
    clean_record_to_json(generation->schema, clean, text);
    if (buf_failed(text) || text->len > RECORD_JSON_MAX_BYTES)
        return false;
    prepared->json = arena_dup(arena, buf_slice(text));
    arena_reset(preparing->scratch);
    buf_reset(text);
    features_pack_using(generation->matcher, clean, space_key, preparing->scratch, text);
    if (buf_failed(text))
        return false;
    prepared->keyed.features = arena_dup(arena, buf_slice(text));
    return prepare_keys(generation->matcher, arena, &prepared->keyed) && !arena_failed(arena);
}

void prepare_batch(struct preparing *preparing, const struct generation *generation, struct batch *batch)
{
    for (size_t i = 0; i < batch->arrival_count; i++) {
        struct arrival *arrival = &batch->arrivals[i];
        bool stored = preparing->scratch && arrival->raw && arrival->raw->op != RECORD_DELETE && arrival->clean.outcome == CLEAN_OK;
        arrival->prepared.done = stored && prepare_record(preparing, generation, &arrival->clean,
                                                          arrival->source->space_key, batch->arena, &arrival->prepared);
    }
}
