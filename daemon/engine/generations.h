/*
 * generations.h - which generation is in force: those in the database, and the one the configuration asks for.
 *
 * A changed configuration makes a *pending* generation; the daemon goes on with the one applied last, compiled from the
 * texts kept in tributary.generation, until `tributary rematch --apply`. The first one, and any while there are no
 * records, is applied at once.
 */
#ifndef TRIBUTARY_ENGINE_GENERATIONS_H
#define TRIBUTARY_ENGINE_GENERATIONS_H

#include "daemon/engine/generation.h"
#include "daemon/store/db.h"

/* Finds or makes its row in tributary.generation. */
MUST_CHECK enum status generation_pin(struct generation *generation, struct db *db, struct err *err);

/* Pins `configured` and finds out what to go on with: *in_force is `configured` itself, or another, compiled here, that
 * the caller frees. Its `changed` is set when it has yet to be applied to what stands: an application that was
 * interrupted; texts that this version of the program understands otherwise, or not at all. The log says why. */
MUST_CHECK enum status generations_choose(struct db *db, struct generation *configured,
                                          struct generation **in_force, struct err *err);

/* Logs that `pending` is. */
void generations_tell_pending(const struct generation *in_force, const struct generation *pending);

/* Reads one back and compiles it, pinned, to be applied over what `in_force` made. RETRY_NONE with id op.not_found when
 * there is none, RETRY_REJECT_CONFIG with id rematch.texts when it cannot be compiled. */
MUST_CHECK enum status generations_read(struct db *db, int32_t generation_id, const struct generation *in_force,
                                        struct generation **generation, struct err *err);

#endif
