/* latch.c - see latch.h. */
#include "daemon/base/latch.h"

#include <time.h>

void latch_init(struct latch *latch)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&latch->lock, NULL);
    pthread_cond_init(&latch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    latch->set = false;
}

void latch_close(struct latch *latch)
{
    pthread_cond_destroy(&latch->changed);
    pthread_mutex_destroy(&latch->lock);
}

void latch_set(struct latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    latch->set = true;
    pthread_cond_broadcast(&latch->changed);
    pthread_mutex_unlock(&latch->lock);
}

bool latch_wait_ms(struct latch *latch, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&latch->lock);
    while (!latch->set && pthread_cond_timedwait(&latch->changed, &latch->lock, &until) == 0)
        ;
    bool set = latch->set;
    pthread_mutex_unlock(&latch->lock);
    return set;
}
