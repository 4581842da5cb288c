/*
 * fuzz_events.c - what endpoints and people write: Retry-After, secrets, headers, event bodies. The first byte says which.
 */
#include <assert.h>
#include <stdio.h>

#include "daemon/events/cloudevent.h"
#include "daemon/events/retry.h"
#include "daemon/events/standard_webhooks.h"
#include "daemon/events/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_retry_after(struct slice text)
{
    int64_t wait_ms = -1;
    struct retry_schedule schedule;
    struct err err;
    if (retry_after_parse(text, (int64_t)784111777 * 1000000, &wait_ms))
        assert(wait_ms >= 0 && wait_ms <= RETRY_AFTER_MAX_MS);
    if (retry_schedule_parse(&text, 1, &schedule, &err) == STATUS_OK)
        for (unsigned i = 0; i < 12; i++)
            assert(retry_wait_ms(&schedule, i, i * 7919) > 0 && retry_probe_ms(&schedule, i, i) > 0);
}

static void fuzz_secret(struct slice text)
{
    struct webhook_keys keys;
    struct err err;
    struct buf out = BUF_INIT(4096);
    if (webhook_keys_parse(text, &keys, &err) == STATUS_OK) {
        assert(keys.count <= WEBHOOK_SECRETS_MAX);
        webhook_sign(&keys, "evt_1", 1614265330, text, &out);
        assert(!buf_failed(&out) && (out.len > 0) == (keys.count > 0));
    }
    buf_free(&out);
}

static void fuzz_header(struct slice text)
{
    char line[WEBHOOK_HEADER_MAX];
    struct err err;
    ptrdiff_t at = slice_find_byte(text, ':');
    struct slice name = slice_sub(text, 0, at < 0 ? text.len : (size_t)at);
    struct slice value = slice_sub(text, name.len + 1, text.len);
    if (webhook_header(name, value, line, sizeof(line), &err) == STATUS_OK) {
        assert(strlen(line) == name.len + 2 + value.len);
        assert(strpbrk(line, "\r\n") == NULL);
    }
}

static void fuzz_body(struct slice text)
{
    static const struct slice some[] = {{"name", 4}, {"a", 1}};
    struct log_event event = {.seq = 1, .type = SLICE("lead.created"), .data = text};
    struct buf out = BUF_INIT(1 << 20);
    (void)cloudevent_put(&out, &event, "/tributary", some, 2);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct slice) = {fuzz_retry_after, fuzz_secret, fuzz_header, fuzz_body};
    if (size == 0)
        return 0;
    targets[data[0] % 4](slice_of((const char *)data + 1, size - 1));
    return 0;
}
