/* retry.c - see retry.h. */
#include "daemon/events/retry.h"
#include "daemon/base/options.h"

#include <curl/curl.h>

#define SECOND_MS    ((int64_t)1000)
#define MINUTE_MS    (60 * SECOND_MS)
#define HOUR_MS      (60 * MINUTE_MS)
#define PROBE_MAX_MS (5 * MINUTE_MS)
#define WAIT_MAX_MS  (7 * 24 * HOUR_MS)

void retry_schedule_default(struct retry_schedule *schedule)
{
    static const int64_t waits_ms[] = {5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS,
                                       2 * HOUR_MS,   5 * HOUR_MS,   10 * HOUR_MS,
                                       14 * HOUR_MS,  20 * HOUR_MS,  24 * HOUR_MS};
    schedule->count = sizeof(waits_ms) / sizeof(waits_ms[0]);
    memcpy(schedule->waits_ms, waits_ms, sizeof(waits_ms));
}

enum status retry_schedule_parse(const struct slice *waits, size_t count,
                                 struct retry_schedule *schedule, struct err *err)
{
    retry_schedule_default(schedule);
    if (count == 0)
        return STATUS_OK;
    if (count > RETRY_WAITS_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "events.retry", "retry: at most %d waits",
                       RETRY_WAITS_MAX);
    for (size_t i = 0; i < count; i++) {
        int64_t wait_ms;
        if (!duration_parse_ms(waits[i], &wait_ms) || wait_ms < 1 || wait_ms > WAIT_MAX_MS)
            return err_set(err, RETRY_REJECT_CONFIG, "events.retry",
                           "retry: '" SLICE_FMT "' is no wait; hint: 5s, 5m, 2h, at most 7d",
                           SLICE_ARG(waits[i]));
        schedule->waits_ms[i] = wait_ms;
    }
    schedule->count = count;
    return STATUS_OK;
}

/* Up to a tenth longer, so that what failed together does not come back together. */
static int64_t with_jitter(int64_t wait_ms, uint64_t chance)
{
    return wait_ms + (int64_t)(chance % (uint64_t)(wait_ms / 10 + 1));
}

int64_t retry_wait_ms(const struct retry_schedule *schedule, unsigned attempts, uint64_t chance)
{
    size_t index = attempts > 0 ? attempts - 1 : 0;
    if (index >= schedule->count)
        index = schedule->count - 1;
    return with_jitter(schedule->waits_ms[index], chance);
}

int64_t retry_probe_ms(const struct retry_schedule *schedule, unsigned probes, uint64_t chance)
{
    int64_t last_ms = schedule->waits_ms[schedule->count - 1];
    int64_t most_ms = last_ms < PROBE_MAX_MS ? last_ms : PROBE_MAX_MS;
    int64_t wait_ms = schedule->waits_ms[0];
    for (unsigned i = 0; i < probes && wait_ms < most_ms; i++)
        wait_ms *= 2;
    return with_jitter(wait_ms > most_ms ? most_ms : wait_ms, chance);
}

static bool is_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

bool retry_after_parse(struct slice value, int64_t now_wall_us, int64_t *wait_ms)
{
    char text[64];
    value = slice_trim(value);
    if (is_digits(value)) {
        int64_t seconds;
        bool fits = slice_to_int64(value, &seconds) && seconds <= RETRY_AFTER_MAX_MS / 1000;
        *wait_ms = fits ? seconds * 1000 : RETRY_AFTER_MAX_MS;
        return true;
    }
    /* An HTTP date begins with the name of a day; curl_getdate alone would take a bare year too. */
    if (value.len < 16 || value.len >= sizeof(text) || memchr(value.ptr, '\0', value.len) ||
        !((value.ptr[0] >= 'A' && value.ptr[0] <= 'Z') ||
          (value.ptr[0] >= 'a' && value.ptr[0] <= 'z')))
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    time_t at = curl_getdate(text, NULL);
    if (at == (time_t)-1)
        return false;
    int64_t now_s = now_wall_us / 1000000; /* a date may be any year: no arithmetic before this */
    if (at <= now_s)
        *wait_ms = 0;
    else if (at - now_s > RETRY_AFTER_MAX_MS / 1000)
        *wait_ms = RETRY_AFTER_MAX_MS;
    else
        *wait_ms = ((int64_t)at * 1000000 - now_wall_us) / 1000;
    if (*wait_ms > RETRY_AFTER_MAX_MS)
        *wait_ms = RETRY_AFTER_MAX_MS;
    return true;
}
