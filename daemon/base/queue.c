/* queue.c - see queue.h. */
#include "daemon/base/queue.h"
#include "daemon/base/condition.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t capacity;
    size_t head;
    size_t count;
    bool closed;
    void *items[];
};

struct queue *queue_new(size_t capacity)
{
    struct queue *queue = calloc(1, sizeof(*queue) + capacity * sizeof(void *));
    if (queue == NULL)
        return NULL;
    pthread_mutex_init(&queue->lock, NULL);
    condition_init(&queue->changed);
    queue->capacity = capacity;
    return queue;
}

void queue_free(struct queue **queue)
{
    if (*queue == NULL)
        return;
    pthread_cond_destroy(&(*queue)->changed);
    pthread_mutex_destroy(&(*queue)->lock);
    free(*queue);
    *queue = NULL;
}

/* Waits for a change; false when the deadline has passed. The lock is held. */
static bool wait_change(struct queue *queue, int64_t wait_ms, const struct timespec *until)
{
    if (wait_ms == 0)
        return false;
    if (wait_ms < 0)
        return pthread_cond_wait(&queue->changed, &queue->lock) == 0;
    return pthread_cond_timedwait(&queue->changed, &queue->lock, until) == 0;
}

enum status queue_put(struct queue *queue, void *item, int64_t wait_ms)
{
    struct timespec until = condition_deadline(wait_ms > 0 ? wait_ms : 0);
    enum status status = STATUS_OK;
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->count == queue->capacity) {
        if (!wait_change(queue, wait_ms, &until) && queue->count == queue->capacity) {
            status = STATUS_TIMEOUT;
            break;
        }
    }
    if (queue->closed) {
        status = STATUS_STOPPED;
    } else if (status == STATUS_OK) {
        queue->items[(queue->head + queue->count) % queue->capacity] = item;
        queue->count++;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

enum status queue_take(struct queue *queue, int64_t wait_ms, void **item)
{
    struct timespec until = condition_deadline(wait_ms > 0 ? wait_ms : 0);
    enum status status = STATUS_OK;
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0) {
        if (queue->closed) {
            status = STATUS_EMPTY;
            break;
        }
        if (!wait_change(queue, wait_ms, &until) && queue->count == 0 && !queue->closed) {
            status = STATUS_TIMEOUT;
            break;
        }
    }
    if (status == STATUS_OK) {
        *item = queue->items[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->count--;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

size_t queue_depth(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t depth = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return depth;
}
