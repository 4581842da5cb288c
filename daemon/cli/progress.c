/* progress.c - see progress.h. */
#include "daemon/cli/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR_CELLS       30
#define TERMINAL_US     100000
#define PLAIN_US        2000000

struct progress {
    const struct clock *clock;
    int64_t started_us, shown_us;
    bool terminal;
    uint64_t bytes_done, bytes_total, records_done, records_received;
};

struct progress *progress_new(const struct clock *clock)
{
    struct progress *progress = calloc(1, sizeof(*progress));
    if (progress) {
        progress->clock = clock;
        progress->started_us = clock_monotonic_us(clock);
        progress->terminal = isatty(STDERR_FILENO);
    }
    return progress;
}

static void draw(struct progress *p)
{
    double seconds = (double)(p->shown_us - p->started_us) / 1e6;
    double share = p->bytes_total ? (double)p->bytes_done / (double)p->bytes_total : 0;
    /* A file read to its end is done when its records are. */
    if (p->records_received && p->records_done < p->records_received)
        share *= (double)p->records_done / (double)p->records_received;
    double rate = seconds > 0 ? (double)p->records_done / seconds : 0;
    double left = share > 0.001 && share < 1 ? seconds * (1 - share) / share : 0;
    if (!p->terminal) {
        fprintf(stderr, "%3.0f %%  %llu of %llu records resolved, %.0f/s, %.0f s left\n", share * 100,
                (unsigned long long)p->records_done, (unsigned long long)p->records_received, rate, left);
        return;
    }
    char bar[BAR_CELLS * 3 + 1] = "";
    for (int i = 0; i < BAR_CELLS; i++)
        strcat(bar, i < (int)(share * BAR_CELLS) ? "█" : "░");
    fprintf(stderr, "\r%s %3.0f %%  %llu records  %.0f/s  %.0f s left \x1b[K", bar, share * 100,
            (unsigned long long)p->records_done, rate, left);
    fflush(stderr);
}

void progress_show(struct progress *p, uint64_t bytes_done, uint64_t bytes_total,
                   uint64_t records_done, uint64_t records_received)
{
    if (p == NULL)
        return;
    p->bytes_done = bytes_done;
    p->bytes_total = bytes_total;
    p->records_done = records_done;
    p->records_received = records_received;
    int64_t now_us = clock_monotonic_us(p->clock);
    if (now_us - p->shown_us < (p->terminal ? TERMINAL_US : PLAIN_US))
        return;
    p->shown_us = now_us;
    draw(p);
}

void progress_free(struct progress **progress)
{
    struct progress *p = *progress;
    if (p == NULL)
        return;
    p->shown_us = clock_monotonic_us(p->clock);
    draw(p);
    if (p->terminal)
        fputc('\n', stderr);
    free(p);
    *progress = NULL;
}
