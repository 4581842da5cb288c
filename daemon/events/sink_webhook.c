/*
 * sink_webhook.c - signed POSTs by libcurl, several at once, each of another customer.
 *
 * A delivery has succeeded when its status line is 2xx, whatever follows it; redirects are not
 * followed and are failures. Nothing of the answer but status and Retry-After is read: what an
 * endpoint says back may be personal.
 */
#include "daemon/events/sink.h"
#include "daemon/events/standard_webhooks.h"
#include "daemon/events/webhook.h"
#include "daemon/base/log.h"
#include "daemon/base/version.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MAX_BYTES ((size_t)1 << 20)
#define CONNECT_MAX_MS   10000
#define HEADERS_MAX      64
#define HTTP_OK          200
#define HTTP_GONE        410
#define HTTP_TOO_MANY    429

struct transfer {
    struct sink *sink;
    CURL *easy;
    struct event_item *item; /* NULL: free */
    struct curl_slist *headers;
    int64_t retry_after_ms;
    size_t answer_bytes;
    char error[CURL_ERROR_SIZE];
};

struct webhook {
    const char *url;
    const char *ca_file;
    long timeout_ms;
    struct webhook_keys keys;
    struct curl_slist *headers; /* of every delivery */
    struct transfer transfers[SINK_PARALLEL_MAX];
};

/* ---- life ---- */

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

enum status webhook_header(struct slice name, struct slice value, char *line, size_t size,
                           struct err *err)
{
    static const char *const ours[] = {"webhook-id", "webhook-timestamp", "webhook-signature",
                                       "content-type", "content-length"};
    bool good = name.len > 0 && name.len + value.len + 3 <= size;
    for (size_t i = 0; i < name.len; i++)
        good = good && name.ptr[i] > ' ' && name.ptr[i] < 127 && name.ptr[i] != ':';
    for (size_t i = 0; i < value.len; i++)
        good = good && ((unsigned char)value.ptr[i] >= ' ' || value.ptr[i] == '\t') &&
               value.ptr[i] != 127;
    if (!good)
        return err_set(err, RETRY_REJECT_CONFIG, "events.header",
                       "header '" SLICE_FMT "' cannot be sent; hint: "
                       "a name without spaces, a value on one line, together under %zu bytes",
                       SLICE_ARG(name), size);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (slice_eq_nocase(name, slice_str(ours[i])))
            return err_set(err, RETRY_REJECT_CONFIG, "events.header",
                           "header '" SLICE_FMT "' is tributary's own", SLICE_ARG(name));
    memcpy(line, name.ptr, name.len);
    memcpy(line + name.len, ": ", 2);
    memcpy(line + name.len + 2, value.ptr, value.len);
    line[name.len + 2 + value.len] = '\0';
    return STATUS_OK;
}

static enum status make_headers(struct sink *sink, struct err *err)
{
    const struct option_text *headers;
    size_t count = options_text_map(sink->options, "headers", &headers);
    struct webhook *webhook = sink->webhook;
    bool good = add_header(&webhook->headers, "Content-Type: " CLOUDEVENT_CONTENT_TYPE) &&
                add_header(&webhook->headers, "User-Agent: tributary/" TRIBUTARY_VERSION) &&
                add_header(&webhook->headers, "Accept: */*") &&
                add_header(&webhook->headers, "Expect:");
    if (count > HEADERS_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "events.header", "more than %d headers",
                       HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < headers[i].count; k++) {
            char line[WEBHOOK_HEADER_MAX];
            if (webhook_header(headers[i].name, headers[i].values[k], line, sizeof(line), err) !=
                STATUS_OK)
                return STATUS_FAILED;
            good = good && add_header(&webhook->headers, line);
        }
    }
    return good ? STATUS_OK : err_set(err, RETRY_LATER, "base.memory", "out of memory");
}

static enum status open_webhook(struct sink *sink, struct err *err)
{
    const struct slice *waits;
    struct webhook *webhook = sink->webhook = calloc(1, sizeof(*webhook));
    if (webhook == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory");
    webhook->url = options_string(sink->options, "url");
    webhook->ca_file = options_string(sink->options, "ca_file");
    webhook->timeout_ms = (long)options_int(sink->options, "timeout");
    sink->max_attempts = (unsigned)options_int(sink->options, "max_attempts");
    sink->parallel = (unsigned)options_int(sink->options, "parallel");
    if (sink->parallel > SINK_PARALLEL_MAX)
        sink->parallel = SINK_PARALLEL_MAX;
    for (size_t i = 0; i < SINK_PARALLEL_MAX; i++)
        webhook->transfers[i].sink = sink;
    size_t wait_count = options_strings(sink->options, "retry", &waits);
    if (webhook_keys_parse(options_secret(sink->options, "secret"), &webhook->keys, err) !=
            STATUS_OK ||
        retry_schedule_parse(waits, wait_count, &sink->schedule, err) != STATUS_OK)
        return STATUS_FAILED;
    return make_headers(sink, err);
}

static void finish(struct transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    transfer->item = NULL;
}

static void close_webhook(struct sink *sink)
{
    struct webhook *webhook = sink->webhook;
    if (webhook == NULL)
        return;
    for (size_t i = 0; i < SINK_PARALLEL_MAX; i++) {
        struct transfer *transfer = &webhook->transfers[i];
        if (transfer->easy && transfer->item)
            curl_multi_remove_handle(sink->multi, transfer->easy);
        if (transfer->easy)
            curl_easy_cleanup(transfer->easy);
        finish(transfer);
    }
    curl_slist_free_all(webhook->headers);
    webhook_keys_wipe(&webhook->keys);
    free(webhook);
    sink->webhook = NULL;
}

/* ---- one delivery ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    (void)bytes;
    transfer->answer_bytes += size * count;
    return transfer->answer_bytes > ANSWER_MAX_BYTES ? 0 : size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    struct slice line = slice_of(bytes, size * count);
    ptrdiff_t colon = slice_find_byte(line, ':');
    if (colon > 0 && slice_eq_nocase(slice_sub(line, 0, (size_t)colon), SLICE("retry-after"))) {
        int64_t wait_ms;
        int64_t now_us = clock_wall_us(transfer->sink->clock);
        if (retry_after_parse(slice_sub(line, (size_t)colon + 1, line.len), now_us, &wait_ms))
            transfer->retry_after_ms = wait_ms;
    }
    return size * count;
}

static bool make_transfer_headers(struct transfer *transfer)
{
    const struct webhook *webhook = transfer->sink->webhook;
    char id[CLOUDEVENT_ID_MAX], line[64];
    int64_t now_s = clock_wall_us(transfer->sink->clock) / 1000000;
    bool good = true;
    cloudevent_id(transfer->item->seq, id);
    for (const struct curl_slist *common = webhook->headers; common; common = common->next)
        good = good && add_header(&transfer->headers, common->data);
    snprintf(line, sizeof(line), "webhook-id: %s", id);
    good = good && add_header(&transfer->headers, line);
    snprintf(line, sizeof(line), "webhook-timestamp: %lld", (long long)now_s);
    good = good && add_header(&transfer->headers, line);
    if (webhook->keys.count == 0)
        return good;
    struct buf signature = BUF_INIT(1024);
    buf_put_str(&signature, "webhook-signature: ");
    webhook_sign(&webhook->keys, id, now_s, transfer->item->body, &signature);
    buf_put_byte(&signature, 0);
    good = good && !buf_failed(&signature) && add_header(&transfer->headers, signature.data);
    buf_free(&signature);
    return good;
}

static bool set_options(struct transfer *transfer)
{
    const struct webhook *webhook = transfer->sink->webhook;
    CURL *easy = transfer->easy;
    long connect_ms = webhook->timeout_ms < CONNECT_MAX_MS ? webhook->timeout_ms : CONNECT_MAX_MS;
    curl_easy_reset(easy); /* keeps connections */
    return curl_easy_setopt(easy, CURLOPT_URL, webhook->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, webhook->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->item->body.ptr) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)transfer->item->body.len) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
           (webhook->ca_file == NULL || webhook->ca_file[0] == '\0' ||
            curl_easy_setopt(easy, CURLOPT_CAINFO, webhook->ca_file) == CURLE_OK);
}

static void hold(struct transfer *transfer, const char *what)
{
    struct outcome outcome = {.kind = OUTCOME_HELD, .retry_after_ms = 1000};
    struct event_item *item = transfer->item;
    snprintf(outcome.error, sizeof(outcome.error), "%s", what);
    finish(transfer);
    sink_settle(transfer->sink, item, &outcome);
}

static enum status pump_webhook(struct sink *sink, struct db *db, struct err *err)
{
    (void)db;
    (void)err; /* its failures are the endpoint's, not the database's */
    for (struct event_item *item; (item = sink_next(sink)) != NULL;) {
        struct transfer *transfer = sink->webhook->transfers;
        while (transfer->item)
            transfer++;
        assert(transfer < sink->webhook->transfers + SINK_PARALLEL_MAX);
        transfer->item = item;
        transfer->retry_after_ms = -1;
        transfer->answer_bytes = 0;
        transfer->error[0] = '\0';
        if (transfer->easy == NULL)
            transfer->easy = curl_easy_init();
        if (transfer->easy == NULL || !make_transfer_headers(transfer) || !set_options(transfer))
            hold(transfer, "out of memory, or an option libcurl does not take");
        else if (curl_multi_add_handle(sink->multi, transfer->easy) != CURLM_OK)
            hold(transfer, "libcurl does not take the delivery");
    }
    return STATUS_OK;
}

/* ---- what came of it ---- */

static void judge(const struct transfer *transfer, CURLcode result, struct outcome *outcome)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    *outcome = (struct outcome){
        .kind = OUTCOME_FAILED, .status = (int)status, .retry_after_ms = transfer->retry_after_ms};
    if (status >= HTTP_OK && status < 300)
        outcome->kind = OUTCOME_DELIVERED;
    else if (status == HTTP_GONE)
        outcome->kind = OUTCOME_GONE;
    else if (status == HTTP_TOO_MANY)
        outcome->kind = OUTCOME_SLOW_DOWN;
    if (status >= HTTP_OK)
        snprintf(outcome->error, sizeof(outcome->error), "HTTP %ld%s", status,
                 status < 400 && status >= 300 ? " (redirects are not followed)" : "");
    else
        snprintf(outcome->error, sizeof(outcome->error), "%.150s",
                 transfer->error[0] ? transfer->error : curl_easy_strerror(result));
}

bool webhook_collect(CURLM *multi)
{
    bool any = false;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct transfer *transfer = NULL;
        struct outcome outcome;
        CURLcode result =
            message->data.result; /* the message does not outlive the handle's removal */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        judge(transfer, result, &outcome);
        curl_multi_remove_handle(multi, transfer->easy);
        struct event_item *item = transfer->item;
        finish(transfer);
        sink_settle(transfer->sink, item, &outcome);
        any = true;
    }
    return any;
}

const struct sink_driver sink_webhook = {.type = "webhook",
                                         .open = open_webhook,
                                         .pump = pump_webhook,
                                         .close = close_webhook,
                                         .has_body = true};
