/*
 * latch.h - something that happens once, waited for up to a deadline: the end of a thread.
 */
#ifndef TRIBUTARY_BASE_LATCH_H
#define TRIBUTARY_BASE_LATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool set;
};

void latch_init(struct latch *latch);
void latch_close(struct latch *latch);
void latch_set(struct latch *latch);
/* True when it is set within wait_ms. */
bool latch_wait_ms(struct latch *latch, int64_t wait_ms);

#endif
