/*
 * queue.h - a bounded queue of pointers between threads.
 *
 * Any number of producers and consumers. Capacity is given at birth; a full queue is backpressure.
 * Closing wakes everybody: producers are refused, consumers drain what is left, then hear EMPTY.
 */
#ifndef TRIBUTARY_BASE_QUEUE_H
#define TRIBUTARY_BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"

struct queue;

struct queue *queue_new(size_t capacity); /* NULL when out of memory */
void queue_free(struct queue **queue);    /* must be empty of anything that needs freeing */
/* Waits up to wait_ms for room (0: not at all, <0: for ever). STATUS_TIMEOUT: still full;
 * STATUS_STOPPED: closed. On anything but OK the item stays the caller's. */
MUST_CHECK enum status queue_put(struct queue *queue, void *item, int64_t wait_ms);
/* STATUS_TIMEOUT: nothing came; STATUS_EMPTY: closed and drained. */
MUST_CHECK enum status queue_take(struct queue *queue, int64_t wait_ms, void **item);
void queue_close(struct queue *queue);
size_t queue_depth(struct queue *queue);

#endif
