/* json_api.c - see json_api.h. */
#include "connectors/json_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/http_client.h"
#include "connectors/json_cursor.h"
#include "connectors/json_pages.h"
#include "daemon/base/log.h"

#define COMPILED_BYTES     ((size_t)16 << 20)
#define BATCH_BYTES        ((size_t)8 << 20)
#define DELIVERIES_MAX     (BATCH_BYTES / sizeof(struct delivery))
#define CUT_BYTES          ((size_t)64 << 10) /* kept of an item that is too large */
#define RETRY_AFTER_MAX_MS ((int64_t)3600 * 1000)
#define IDLE_MAX_MS        60000
#define SECRET_MAX_BYTES   65536
#define HEADERS_MAX        32

static const struct option json_api_options[] = {
    {.key = "url",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .help = "the beginning of every address asked; http or https"},
    {.key = "key", .type = OPTION_SECRET, .help = "for auth: a token, or user:password for basic"},
    {.key = "auth",
     .type = OPTION_ENUM,
     .choices = "none|basic|bearer|header",
     .default_text = "bearer",
     .help = "how the key is sent; nothing is sent without a key"},
    {.key = "auth_header",
     .type = OPTION_STRING,
     .default_text = "X-API-Key",
     .help = "the header that carries the key with auth: header"},
    {.key = "headers", .type = OPTION_TEXT_MAP, .help = "further headers of every request"},
    {.key = "parameters",
     .type = OPTION_TEXT_MAP,
     .help = "values for {names} in the endpoints' paths; a list asks once for each"},
    {.key = "timeout",
     .type = OPTION_DURATION,
     .default_text = "60s",
     .min = 100,
     .max = 3600000,
     .help = "how long one page may take"},
    {.key = "max_page",
     .type = OPTION_SIZE,
     .default_text = "32M",
     .min = 1024,
     .max = 268435456,
     .help = "bytes of one page"},
    {.key = "retry_first",
     .type = OPTION_DURATION,
     .default_text = "1s",
     .min = 1,
     .max = 3600000,
     .help = "wait after the first failure; it doubles with each"},
    {.key = "retry_last",
     .type = OPTION_DURATION,
     .default_text = "5m",
     .min = 1,
     .max = 86400000,
     .help = "the longest wait between attempts"},
    {.key = "endpoints",
     .type = OPTION_FREE,
     .help = "what is asked, and how items become records; a preset brings it "
             "(connectors/json_endpoint.h)"},
    {.key = NULL},
};

struct page {
    struct arena *arena;
    size_t endpoint;
    size_t item_count, given; /* items, and how many were delivered */
    struct slice *items;
    size_t number; /* in its sweep, from 1; for people */
    bool last;
    struct json_progress next; /* when all was given and durable */
};

struct pull_source {
    const struct source_context *context;
    struct arena *arena; /* endpoints, the secret, the cursor given */
    const struct json_endpoints *endpoints;
    struct json_progress *progress;
    struct http_client *client;
    struct buf secret;
    struct buf cursor; /* the last one given */
    struct page page;
    unsigned failures;
    uint64_t random;
    struct json_map_context times;
};

/* --- opening --- */

static const struct json_endpoints *compile(const struct options *options, struct arena *arena,
                                            struct problems *problems)
{
    const struct option_text *parameters;
    size_t count = options_text_map(options, "parameters", &parameters);
    return json_endpoints_new(options_node(options, "endpoints"), parameters, count, arena,
                              problems);
}

static void json_api_check(const struct options *options, struct problems *problems)
{
    const char *url = options_string(options, "url");
    if (url && !slice_starts(slice_str(url), SLICE("http://")) &&
        !slice_starts(slice_str(url), SLICE("https://")))
        problems_add(problems, options_where(options),
                     "url: '%s' does not begin with http:// or https://", url);
    if (options_node(options, "endpoints") == NULL) {
        problems_add(problems, options_where(options),
                     "endpoints are wanted; hint: use a preset such as woocommerce, or list them");
        return;
    }
    struct arena *arena = arena_new(COMPILED_BYTES);
    if (arena)
        (void)compile(options, arena, problems);
    arena_free(&arena);
}

static struct json_map_context times_of(const struct options *options)
{
    return (struct json_map_context){.country = options_string(options, "country"),
                                     .time_zone = options_string(options, "time_zone"),
                                     .day_first = options_bool(options, "day_first")};
}

static void json_api_close(struct pull_source **source)
{
    if (*source == NULL)
        return;
    http_client_free(&(*source)->client);
    arena_free(&(*source)->page.arena);
    arena_free(&(*source)->arena);
    buf_free(&(*source)->secret);
    buf_free(&(*source)->cursor);
    free((*source)->progress);
    free(*source);
    *source = NULL;
}

static enum status set_up(struct pull_source *source, struct slice cursor, struct err *err)
{
    const struct source_context *context = source->context;
    struct problems problems = {0};
    size_t max_page = (size_t)options_int(context->options, "max_page");
    source->arena = arena_new(COMPILED_BYTES);
    source->page.arena = arena_new(4 * max_page + COMPILED_BYTES);
    if (source->arena && source->page.arena)
        source->endpoints = compile(context->options, source->arena, &problems);
    if (problems.count > 0)
        (void)err_set(err, RETRY_REJECT_CONFIG, "json_api.config", "%s", problems.list[0].text);
    bool wrong = problems.count > 0;
    problems_free(&problems);
    if (wrong)
        return STATUS_FAILED;
    if (source->endpoints)
        source->progress = calloc(source->endpoints->count + 1, sizeof(*source->progress));
    if (source->progress == NULL)
        return err_set_errno(err, ENOMEM, "json_api.memory", "cannot open the source '%s'",
                             context->name);
    json_cursor_read(cursor, source->endpoints, source->progress);
    buf_put_slice(&source->cursor, cursor);
    buf_put_slice(&source->secret, options_secret(context->options, "key"));
    source->times = times_of(context->options);
    source->random =
        slice_hash(slice_str(context->name), (uint64_t)clock_wall_us(context->clock)) | 1;
    source->client = http_client_new(context->clock, context->stop, err);
    return source->client ? STATUS_OK : STATUS_FAILED;
}

static struct pull_source *json_api_open(const struct source_context *context, struct slice cursor,
                                         struct err *err)
{
    struct pull_source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        (void)err_set_errno(err, ENOMEM, "json_api.memory", "cannot open the source '%s'",
                            context->name);
        return NULL;
    }
    source->context = context;
    source->secret = BUF_INIT(SECRET_MAX_BYTES);
    source->cursor = BUF_INIT((size_t)16 << 20);
    if (set_up(source, cursor, err) != STATUS_OK)
        json_api_close(&source);
    return source;
}

/* --- asking --- */

/* The key's file again: tokens are renewed under a running daemon. True when it says something else
 * now. */
static bool read_secret_again(struct pull_source *source)
{
    const struct yaml_node *node = yaml_get(options_where(source->context->options), "key_file");
    if (node == NULL || node->text.len == 0)
        return false;
    char path[4096];
    const char *slash = node->file ? strrchr(node->file, '/') : NULL;
    if (node->text.ptr[0] == '/' || slash == NULL)
        snprintf(path, sizeof(path), "%.*s", (int)node->text.len, node->text.ptr);
    else
        snprintf(path, sizeof(path), "%.*s/%.*s", (int)(slash - node->file), node->file,
                 (int)node->text.len, node->text.ptr);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    char text[4096];
    ssize_t got = read(fd, text, sizeof(text));
    close(fd);
    while (got > 0 && (text[got - 1] == '\n' || text[got - 1] == '\r'))
        got--;
    struct slice fresh = slice_of(text, got > 0 ? (size_t)got : 0);
    if (fresh.len == 0 || memchr(fresh.ptr, 0, fresh.len) ||
        slice_eq(fresh, buf_slice(&source->secret)))
        return false;
    buf_reset(&source->secret);
    buf_put_slice(&source->secret, fresh);
    return true;
}

static bool is_safe_header(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] < 0x20)
            return false;
    }
    return true;
}

static size_t put_headers(struct pull_source *source, const struct json_progress *progress,
                          struct http_field *headers, struct arena *arena)
{
    const struct options *options = source->context->options;
    struct slice key = buf_slice(&source->secret);
    const char *auth = options_string(options, "auth");
    size_t count = 0;
    headers[count++] = (struct http_field){SLICE("Accept"), SLICE("application/json")};
    if (key.len > 0 && strcmp(auth, "basic") == 0)
        headers[count++] = (struct http_field){
            SLICE("Authorization"),
            arena_printf(arena, "Basic %s", arena_str(arena, http_basic(key, arena)))};
    if (key.len > 0 && strcmp(auth, "bearer") == 0)
        headers[count++] = (struct http_field){
            SLICE("Authorization"), arena_printf(arena, "Bearer %.*s", (int)key.len, key.ptr)};
    if (key.len > 0 && strcmp(auth, "header") == 0)
        headers[count++] =
            (struct http_field){slice_str(options_string(options, "auth_header")), key};
    if (progress->etag[0] && progress->position[0] == '\0')
        headers[count++] = (struct http_field){SLICE("If-None-Match"), slice_str(progress->etag)};
    const struct option_text *more;
    size_t more_count = options_text_map(options, "headers", &more);
    for (size_t i = 0; i < more_count && count < HEADERS_MAX && more[i].count > 0; i++)
        headers[count++] = (struct http_field){more[i].name, more[i].values[0]};
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_safe_header(headers[i].name) && is_safe_header(headers[i].value))
            headers[kept++] = headers[i];
    }
    return kept;
}

static int64_t back_off_ms(struct pull_source *source)
{
    const struct options *options = source->context->options;
    int64_t first = options_int(options, "retry_first"), last = options_int(options, "retry_last");
    int64_t wait_ms = first << (source->failures < 20 ? source->failures : 20);
    wait_ms = wait_ms > last ? last : wait_ms;
    source->failures += source->failures < 1000;
    source->random ^= source->random << 13;
    source->random ^= source->random >> 7;
    source->random ^= source->random << 17;
    return wait_ms / 2 + (int64_t)(source->random % (uint64_t)(wait_ms / 2 + 1));
}

static enum status fetch(struct pull_source *source, const char *url,
                         const struct json_progress *progress, struct http_response *response,
                         struct err *err)
{
    struct http_field headers[HEADERS_MAX + 1];
    struct http_request request = {
        .url = url,
        .headers = headers,
        .deadline_ms = options_int(source->context->options, "timeout"),
        .max_bytes = (size_t)options_int(source->context->options, "max_page"),
    };
    for (bool again = false;; again = true) {
        request.header_count = put_headers(source, progress, headers, source->page.arena);
        enum status status =
            http_client_send(source->client, &request, source->page.arena, response, err);
        if (status != STATUS_OK || response->status != 401 || again || !read_secret_again(source))
            return status;
        log_info("json_api.key", "%s: the key was refused; its file has another one now",
                 source->context->name);
    }
}

/* Ends the endpoint's sweep. */
static void end_sweep(struct pull_source *source, size_t endpoint, struct json_progress *progress)
{
    int64_t every_ms = source->endpoints->list[endpoint].every_ms;
    if (every_ms == 0)
        every_ms = options_int(source->context->options, "every");
    if (progress->high_us > progress->since_us)
        progress->since_us = progress->high_us;
    progress->high_us = 0;
    progress->total = -1;
    progress->pages = 0;
    progress->sweeping = false;
    progress->position[0] = '\0';
    progress->due_us = clock_monotonic_us(source->context->clock) + every_ms * 1000;
}

/* An answer that is no page. STATUS_EMPTY: wait *wait_ms; STATUS_OK: try the endpoint again from
 * its first page. */
static enum status judge_refusal(struct pull_source *source, size_t endpoint,
                                 const struct http_response *response, int64_t *wait_ms,
                                 struct err *err)
{
    const char *name = source->context->name;
    const char *key = arena_str(source->page.arena, source->endpoints->list[endpoint].key);
    struct json_progress *progress = &source->progress[endpoint];
    unsigned status = response->status;
    int64_t asked_ms = http_retry_after_ms(response, source->context->clock);
    *wait_ms = back_off_ms(source);
    if (asked_ms >= 0)
        *wait_ms = asked_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : asked_ms;
    if (status == 429) {
        log_info("json_api.throttled", "%s: %s: asked to wait; going on in %lld ms", name, key,
                 (long long)*wait_ms);
        return STATUS_EMPTY;
    }
    if (status == 408 || status == 425 || status >= 500)
        return err_set(err, RETRY_LATER, "json_api.server", "%s: the server answered %u", key,
                       status);
    if (status == 401 || status == 403)
        return err_set(err, RETRY_REJECT_CONFIG, "json_api.refused_key",
                       "%s: the server refused the key (%u); hint: renew the key in key_file", key,
                       status);
    if (progress->position[0]) { /* a page that is no more: a cursor has lives of its own */
        log_warn("json_api.position",
                 "%s: %s: the server no longer knows the page (%u); from the first page", name, key,
                 status);
        progress->position[0] = '\0';
        progress->total = -1;
        progress->pages = 0;
        return STATUS_OK;
    }
    return err_set(err, RETRY_REJECT_CONFIG, "json_api.refused",
                   "%s: the server answered %u; hint: look at url, path and query", key, status);
}

/* The items of a checked page into source->page. */
static enum status take_items(struct pull_source *source, const struct json_endpoint *endpoint,
                              struct slice document, struct err *err)
{
    struct page *page = &source->page;
    struct slice list = json_scan_value(document), key, item;
    if (endpoint->has_items)
        list = json_path_first(&endpoint->items, document);
    enum json_scan_kind kind = json_scan_kind(list);
    if (kind != JSON_SCAN_ARRAY && kind != JSON_SCAN_OBJECT)
        return err_set(err, RETRY_LATER, "json_api.no_items",
                       "%.*s: the answer has no list of items; hint: look at items",
                       SLICE_ARG(endpoint->key));
    size_t count = 0;
    struct json_scan_walk walk = json_scan_walk(list);
    while (kind == JSON_SCAN_ARRAY && json_scan_next(&walk, &key, &item))
        count++;
    page->items = ARENA_ARRAY(page->arena, struct slice, count + 1);
    if (page->items == NULL)
        return err_set_errno(err, ENOMEM, "json_api.memory", "cannot hold a page of %zu items",
                             count);
    walk = json_scan_walk(list);
    while (kind == JSON_SCAN_ARRAY && json_scan_next(&walk, &key, &item))
        page->items[page->item_count++] = item;
    if (kind == JSON_SCAN_OBJECT)
        page->items[page->item_count++] = list;
    return STATUS_OK;
}

static enum status take_page(struct pull_source *source, const struct json_endpoint *endpoint,
                             const char *url, struct http_response *response, struct err *err)
{
    struct page *page = &source->page;
    struct json_progress *progress = &source->progress[page->endpoint];
    size_t where;
    if (slice_starts(response->body, SLICE("\xEF\xBB\xBF")))
        response->body = slice_sub(response->body, 3, response->body.len);
    if (!json_scan_check(response->body, &where))
        return err_set(err, RETRY_LATER, "json_api.not_json",
                       "%.*s: the answer is not JSON (at byte %zu of %zu)",
                       SLICE_ARG(endpoint->key), where, response->body.len);
    enum status status = take_items(source, endpoint, response->body, err);
    if (status != STATUS_OK)
        return status;
    enum json_page_next next = json_page_after(endpoint, progress, url, response, page->item_count,
                                               page->arena, &page->next);
    if (next == JSON_PAGE_ASTRAY)
        return err_set(err, RETRY_NONE, "json_api.next_page",
                       "the answer names a next page that is not asked: it is on another host, or its name is over "
                       "%d bytes; hint: put the host of the next pages into url", JSON_POSITION_MAX - 1);
    if (next == JSON_PAGE_GOES_BACK)
        log_info("json_api.moved",
                 "%s: items went away while pages were read; going back to page %s",
                 source->context->name, page->next.position);
    page->last = next == JSON_PAGE_LAST;
    page->number = page->next.pages;
    page->next.sweeping = true;
    /* Whole lists that fit one page can be asked for by their tag next time. */
    struct slice etag = http_header(response, "ETag");
    page->next.etag[0] = '\0';
    if (page->last && progress->pages == 0 && endpoint->since == JSON_SINCE_NONE &&
        etag.len < JSON_ETAG_MAX)
        snprintf(page->next.etag, JSON_ETAG_MAX, "%.*s", (int)etag.len, etag.ptr);
    return STATUS_OK;
}

/* Fetches the endpoint's next page. STATUS_OK: source->page has it (or the sweep ended with nothing
 * new). */
static enum status get_page(struct pull_source *source, size_t index, int64_t *wait_ms,
                            struct err *err)
{
    const struct json_endpoint *endpoint = &source->endpoints->list[index];
    struct json_progress *progress = &source->progress[index];
    struct arena *arena = source->page.arena;
    arena_reset(arena);
    source->page = (struct page){.arena = arena, .endpoint = index};
    const char *url =
        json_page_url(endpoint, progress, options_string(source->context->options, "url"), arena);
    struct http_response response;
    enum status status = fetch(source, url, progress, &response, err);
    if (status == STATUS_OK && response.status == 304) {
        source->failures = 0;
        end_sweep(source, index, progress);
        return STATUS_OK;
    }
    if (status == STATUS_OK && (response.status < 200 || response.status > 299))
        return judge_refusal(source, index, &response, wait_ms, err);
    if (status == STATUS_OK)
        status = take_page(source, endpoint, url, &response, err);
    if (status == STATUS_OK) {
        source->failures = 0;
        return STATUS_OK;
    }
    source->page = (struct page){.arena = arena, .endpoint = index};
    *wait_ms = back_off_ms(source);
    if (status == STATUS_FAILED || status == STATUS_TIMEOUT)
        err_prefix(err, "%.*s", SLICE_ARG(endpoint->key));
    return status == STATUS_TIMEOUT ? STATUS_FAILED : status;
}

/* --- giving --- */

static void deliver(struct pull_source *source, const struct json_endpoint *endpoint, size_t item,
                    struct arena *arena, struct delivery *delivery)
{
    struct slice body = source->page.items[item];
    bool large = body.len > DELIVERY_BODY_MAX_BYTES;
    struct buf meta = BUF_INIT(4096);
    buf_put_str(&meta, "{\"endpoint\":");
    buf_put_json(&meta, endpoint->name);
    if (large)
        buf_printf(&meta, ",\"refusal\":\"json.too_large\",\"bytes\":%zu", body.len);
    buf_put_str(&meta, "}");
    *delivery = (struct delivery){
        .body = arena_dup(arena, slice_sub(body, 0, large ? CUT_BYTES : body.len)),
        .meta = arena_dup(arena, buf_slice(&meta)),
        .position = arena_printf(arena, "%.*s page %zu item %zu", SLICE_ARG(endpoint->key),
                                 source->page.number, item + 1),
        .refusal = large ? "json.too_large" : NULL,
    };
    buf_free(&meta);
    if (!large)
        json_map_apply(endpoint->map, &source->times, arena, delivery);
}

static void see_times(struct pull_source *source, const struct delivery *delivery, int64_t *high_us)
{
    int64_t now_us = clock_wall_us(source->context->clock);
    for (size_t i = 0; i < delivery->record_count; i++) {
        int64_t at_us = delivery->records[i].effective_us;
        if (at_us > *high_us)
            *high_us =
                at_us < now_us ? at_us : now_us; /* a clock ahead of ours must not skip anything */
    }
}

static enum status give_cursor(struct pull_source *source, struct arena *arena,
                               struct delivery_batch *batch, struct err *err)
{
    buf_reset(&source->cursor);
    json_cursor_write(source->endpoints, source->progress, &source->cursor);
    batch->cursor = arena_dup(arena, buf_slice(&source->cursor));
    batch->layout = SLICE("{}");
    if (buf_failed(&source->cursor) || arena_failed(arena))
        return err_set_errno(err, ENOMEM, "json_api.memory", "%s: no room for a batch",
                             source->context->name);
    return STATUS_OK;
}

static bool cursor_moved(struct pull_source *source)
{
    struct buf now = BUF_INIT((size_t)16 << 20);
    json_cursor_write(source->endpoints, source->progress, &now);
    bool moved = !slice_eq(buf_slice(&now), buf_slice(&source->cursor));
    buf_free(&now);
    return moved;
}

/* Up to `max` items of the page at hand. With the last of them the endpoint moves on. */
static enum status give_batch(struct pull_source *source, size_t max, struct arena *arena,
                              struct delivery_batch *batch, struct err *err)
{
    struct page *page = &source->page;
    const struct json_endpoint *endpoint = &source->endpoints->list[page->endpoint];
    struct json_progress *progress = &source->progress[page->endpoint];
    size_t left = page->item_count - page->given, cost = 0;
    max = max < DELIVERIES_MAX ? max : DELIVERIES_MAX;
    batch->deliveries = ARENA_ARRAY(arena, struct delivery, left < max ? left : max);
    while (batch->deliveries && page->given < page->item_count && batch->count < max &&
           cost < BATCH_BYTES) {
        struct delivery *delivery = &batch->deliveries[batch->count++];
        cost += 4 * page->items[page->given].len + sizeof(*delivery);
        deliver(source, endpoint, page->given++, arena, delivery);
        see_times(source, delivery, &page->next.high_us);
    }
    if (page->given == page->item_count) {
        *progress = page->next;
        if (page->last)
            end_sweep(source, page->endpoint, progress);
        page->item_count = page->given = 0;
    }
    return give_cursor(source, arena, batch, err);
}

/* The endpoint to ask now: one in mid-sweep, else the one due longest. SIZE_MAX: none before
 * *wait_ms. */
static size_t choose_endpoint(struct pull_source *source, int64_t *wait_ms)
{
    int64_t now_us = clock_monotonic_us(source->context->clock);
    size_t due = SIZE_MAX;
    for (size_t i = 0; i < source->endpoints->count; i++) {
        if (source->progress[i].sweeping)
            return i;
        if (due == SIZE_MAX || source->progress[i].due_us < source->progress[due].due_us)
            due = i;
    }
    if (due == SIZE_MAX || source->progress[due].due_us <= now_us)
        return due;
    *wait_ms = (source->progress[due].due_us - now_us) / 1000 + 1;
    *wait_ms = *wait_ms > IDLE_MAX_MS ? IDLE_MAX_MS : *wait_ms;
    return SIZE_MAX;
}

static enum status json_api_next(struct pull_source *source, size_t max, struct arena *arena,
                                 struct delivery_batch *batch, int64_t *wait_ms, struct err *err)
{
    *batch = (struct delivery_batch){0};
    *wait_ms = 0;
    for (;;) {
        if (stop_is_set(source->context->stop))
            return STATUS_STOPPED;
        if (source->page.given < source->page.item_count)
            return give_batch(source, max, arena, batch, err);
        size_t endpoint = choose_endpoint(source, wait_ms);
        if (endpoint == SIZE_MAX)
            return cursor_moved(source) ? give_cursor(source, arena, batch, err) : STATUS_EMPTY;
        enum status status = get_page(source, endpoint, wait_ms, err);
        if (status != STATUS_OK)
            return status;
        if (source->page.item_count == 0 && source->page.number > 0) { /* an empty page */
            source->progress[endpoint] = source->page.next;
            if (source->page.last)
                end_sweep(source, endpoint, &source->progress[endpoint]);
        }
    }
}

static enum status json_api_parse(const struct source_context *context, struct slice layout,
                                  struct slice meta, struct slice body, struct arena *arena,
                                  struct delivery *delivery, struct err *err)
{
    (void)layout;
    size_t where;
    *delivery = (struct delivery){.body = body, .meta = meta};
    if (!json_scan_check(meta, &where))
        return err_set(err, RETRY_NONE, "json_api.meta", "cannot read the meta data of a delivery");
    if (json_scan_member(meta, SLICE("refusal")).len > 0) {
        delivery->refusal = "json.too_large";
        return STATUS_OK;
    }
    if (!json_scan_check(body, &where))
        return err_set(err, RETRY_NONE, "json_api.body", "stored bytes are not JSON (at byte %zu)",
                       where);
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    struct slice name = json_scan_string(json_scan_member(meta, SLICE("endpoint")), arena, &flaw);
    const struct json_map *map =
        json_endpoint_map(options_node(context->options, "endpoints"), name, arena);
    if (map == NULL)
        return err_set(err, RETRY_REJECT_CONFIG, "json_api.endpoint",
                       "no endpoint '%.*s' in the configuration any more", SLICE_ARG(name));
    struct json_map_context times = times_of(context->options);
    json_map_apply(map, &times, arena, delivery);
    return arena_failed(arena)
               ? err_set_errno(err, ENOMEM, "json_api.memory", "cannot parse an item")
               : STATUS_OK;
}

const struct pull_connector json_api_connector = {
    .type = "json_api",
    .options = json_api_options,
    .check = json_api_check,
    .open = json_api_open,
    .next = json_api_next,
    .parse = json_api_parse,
    .close = json_api_close,
};
