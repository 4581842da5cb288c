/* json_pages.c - see json_pages.h. */
#include "connectors/json_pages.h"

#include <stdio.h>

#define PAGES_MAX 1000000 /* of one sweep: beyond that the other side is going round in circles */

static void put_since(struct buf *url, const struct json_endpoint *endpoint, int64_t since_us)
{
    char text[64];
    int64_t at_us = since_us - endpoint->overlap_ms * 1000;
    if (endpoint->since == JSON_SINCE_NONE || since_us <= 0 || at_us <= 0)
        return;
    switch (endpoint->since) {
    case JSON_SINCE_UNIX:
        snprintf(text, sizeof(text), "%lld", (long long)(at_us / 1000000));
        break;
    case JSON_SINCE_UNIX_MS:
        snprintf(text, sizeof(text), "%lld", (long long)(at_us / 1000));
        break;
    default:
        clock_format_utc(at_us / 1000000 * 1000000, text, sizeof(text));
        text[19] = '\0'; /* whole seconds */
        if (endpoint->since == JSON_SINCE_ISO_Z)
            snprintf(text + 19, sizeof(text) - 19, "Z");
    }
    http_url_add(url, endpoint->since_param, slice_str(text));
}

static int64_t page_number(const struct json_endpoint *endpoint,
                           const struct json_progress *progress)
{
    int64_t value;
    return slice_to_int64(slice_str(progress->position), &value) ? value : endpoint->first;
}

const char *json_page_url(const struct json_endpoint *endpoint,
                          const struct json_progress *progress, const char *base,
                          struct arena *arena)
{
    if (endpoint->paging == JSON_PAGING_LINK && progress->position[0])
        return arena_str(arena, slice_str(progress->position));
    struct buf url = BUF_INIT(65536);
    struct slice root = slice_str(base);
    while (root.len > 0 && root.ptr[root.len - 1] == '/')
        root.len--;
    buf_put_slice(&url, root);
    if (endpoint->path.len > 0 && endpoint->path.ptr[0] != '/')
        buf_put_byte(&url, '/');
    buf_put_slice(&url, endpoint->path);
    for (size_t i = 0; i < endpoint->query_count; i++)
        http_url_add(&url, endpoint->query[i].name, endpoint->query[i].value);
    put_since(&url, endpoint, progress->since_us);
    char number[32];
    snprintf(number, sizeof(number), "%lld", (long long)page_number(endpoint, progress));
    if (endpoint->paging == JSON_PAGING_PAGE || endpoint->paging == JSON_PAGING_OFFSET)
        http_url_add(&url, endpoint->param, slice_str(number));
    if (endpoint->paging == JSON_PAGING_CURSOR && progress->position[0])
        http_url_add(&url, endpoint->param, slice_str(progress->position));
    const char *text = arena_str(arena, buf_slice(&url));
    if (buf_failed(&url))
        arena_fail(arena);
    buf_free(&url);
    return text;
}

static int64_t header_number(const struct http_response *response, const char *name)
{
    int64_t value;
    return name && slice_to_int64(http_header(response, name), &value) && value >= 0 ? value : -1;
}

static bool put_position(struct json_progress *next, struct slice position)
{
    if (position.len == 0 || position.len >= sizeof(next->position))
        return false;
    snprintf(next->position, sizeof(next->position), "%.*s", (int)position.len, position.ptr);
    return true;
}

static enum json_page_next go_to(struct json_progress *next, int64_t number,
                                 enum json_page_next how)
{
    snprintf(next->position, sizeof(next->position), "%lld", (long long)number);
    return how;
}

static enum json_page_next after_number(const struct json_endpoint *endpoint,
                                        const struct json_progress *progress,
                                        const struct http_response *response, size_t item_count,
                                        struct json_progress *next)
{
    bool by_page = endpoint->paging == JSON_PAGING_PAGE;
    int64_t now = page_number(endpoint, progress), items = (int64_t)item_count;
    int64_t total = header_number(response, endpoint->total_header);
    int64_t lost = progress->total >= 0 && total >= 0 ? progress->total - total : 0;
    next->total = total;
    if (lost > 0 && now > endpoint->first) {
        int64_t per_page = endpoint->size > 0 ? endpoint->size : (items > 0 ? items : 1);
        int64_t back = now - (by_page ? 1 + (lost - 1) / per_page : lost);
        return go_to(next, back > endpoint->first ? back : endpoint->first, JSON_PAGE_GOES_BACK);
    }
    int64_t pages = header_number(response, endpoint->pages_header);
    if (endpoint->has_pages && pages < 0) {
        struct slice text = json_path_first(&endpoint->pages, response->body);
        if (!slice_to_int64(text, &pages))
            pages = -1;
    }
    if (item_count == 0 || (endpoint->size > 0 && items < endpoint->size && pages < 0))
        return JSON_PAGE_LAST;
    if (by_page && pages >= 0 && now - endpoint->first + 1 >= pages)
        return JSON_PAGE_LAST;
    if (!by_page && total >= 0 && now + items >= total)
        return JSON_PAGE_LAST;
    return go_to(next, by_page ? now + 1 : now + items, JSON_PAGE_GOES_ON);
}

static enum json_page_next after_link(const struct json_endpoint *endpoint,
                                      const struct json_progress *progress, const char *url,
                                      const struct http_response *response, struct arena *arena,
                                      struct json_progress *next)
{
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    struct slice target =
        endpoint->has_next
            ? json_scan_plain(json_path_first(&endpoint->next, response->body), arena, &flaw)
            : http_link_next(response);
    if (target.len == 0)
        return JSON_PAGE_LAST;
    if (endpoint->paging == JSON_PAGING_LINK) {
        const char *resolved = http_resolve(url, target, arena);
        target = resolved ? slice_str(resolved) : SLICE_EMPTY;
    }
    if (target.len > 0 && slice_eq(target, slice_str(progress->position)))
        return JSON_PAGE_LAST;
    return put_position(next, target) ? JSON_PAGE_GOES_ON : JSON_PAGE_ASTRAY;
}

enum json_page_next json_page_after(const struct json_endpoint *endpoint,
                                    const struct json_progress *progress, const char *url,
                                    const struct http_response *response, size_t item_count,
                                    struct arena *arena, struct json_progress *next)
{
    *next = *progress;
    next->pages++;
    next->page_hash = slice_hash(response->body, 1);
    /* Some servers answer a page past the end with the last one again. */
    bool again = item_count > 0 && progress->pages > 0 && next->page_hash == progress->page_hash;
    if (again || next->pages >= PAGES_MAX)
        return JSON_PAGE_LAST;
    if (endpoint->has_more && !json_condition_holds(&endpoint->more, response->body, arena))
        return JSON_PAGE_LAST;
    switch (endpoint->paging) {
    case JSON_PAGING_PAGE:
    case JSON_PAGING_OFFSET:
        return after_number(endpoint, progress, response, item_count, next);
    case JSON_PAGING_CURSOR:
    case JSON_PAGING_LINK:
        return after_link(endpoint, progress, url, response, arena, next);
    case JSON_PAGING_NONE:
        break;
    }
    return JSON_PAGE_LAST;
}
