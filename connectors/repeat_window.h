/*
 * repeat_window.h - the same thing sent again within a while is the same thing.
 *
 * Remembers for each 128-bit hash the key that was given to it first, for `window_ms`, up to a number of entries; the
 * oldest are forgotten first. Grows as needed. Any thread.
 */
#ifndef TRIBUTARY_CONNECTORS_REPEAT_WINDOW_H
#define TRIBUTARY_CONNECTORS_REPEAT_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#define WINDOW_KEY_BYTES 16

struct window_hash {
    uint64_t high, low;
};

struct repeat_window;

struct repeat_window *repeat_window_new(size_t entries_max, int64_t window_ms); /* NULL: out of memory */
void repeat_window_free(struct repeat_window **window);
/* If the hash was seen within the window, `key` becomes the key it has; else it is remembered with `key` as given. */
void repeat_window_key(struct repeat_window *window, struct window_hash hash, int64_t now_us,
                       uint8_t key[WINDOW_KEY_BYTES]);

#endif
