/*
 * packing.intern.h - features in fewer bytes: frequent runs of up to 8 bytes have a code of one.
 *
 * The table is made once, from the first features that come; what came before stays as it was. Features of
 * people and companies take about seven tenths of their length then, and some 100 ns to be read. Which table
 * it is can be seen nowhere: what is unpacked is what was packed, byte by byte.
 */
#ifndef TRIBUTARY_RESOLVE_PACKING_INTERN_H
#define TRIBUTARY_RESOLVE_PACKING_INTERN_H

#include "daemon/base/slice.h"
#include "daemon/resolve/grow.intern.h"
#include "rules/match.h"

#define PACKING_CODES    255
#define PACKING_RUN_MAX  8
#define PACKING_MAX      FEATURES_MAX_BYTES /* what is longer is not packed */

struct packing_run {
    unsigned char bytes[PACKING_RUN_MAX]; /* zeros behind its length */
    uint8_t length; /* 0: there is no such code */
};
VECTOR(packing_sample, unsigned char)

struct packing {
    struct packing_run runs[PACKING_CODES];
    uint8_t *codes_of_two;  /* by two bytes: the code of the two or of the first alone; NULL until trained */
    uint8_t *codes_of_more; /* by a hash of three bytes: a code of three or more */
    struct packing_sample sample;
};

/* Room for features to be unpacked into. */
struct features_room {
    char bytes[PACKING_MAX + PACKING_RUN_MAX];
};

void packing_free(struct packing *packing);
/* Features that come: they are learnt from until there are enough, then the table is made. Running out of memory only
 * means that nothing is packed. */
void packing_learn(struct packing *packing, struct slice features);
/* Whether the table is made; from then on it never changes, and any thread may pack and unpack. */
static inline bool packing_is_ready(const struct packing *packing)
{
    return packing->codes_of_two != NULL;
}
/* Packs into `room`; empty when that is not shorter, or nothing was learnt yet. */
struct slice packing_pack(const struct packing *packing, struct slice features, struct features_room *room);
struct slice packing_unpack(const struct packing *packing, struct slice packed, struct features_room *room);
size_t packing_bytes(const struct packing *packing);

#endif
