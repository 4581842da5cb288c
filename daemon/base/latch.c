/* latch.c - see latch.h. */
#include "daemon/base/latch.h"
#include "daemon/base/condition.h"

void latch_init(struct latch *latch)
{
    pthread_mutex_init(&latch->lock, NULL);
    condition_init(&latch->changed);
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
    struct timespec until = condition_deadline(wait_ms);
    pthread_mutex_lock(&latch->lock);
    while (!latch->set && pthread_cond_timedwait(&latch->changed, &latch->lock, &until) == 0)
        ;
    bool set = latch->set;
    pthread_mutex_unlock(&latch->lock);
    return set;
}
