/*
 * json_pages.h - from one page of an answer to the next: pure arithmetic over json_endpoint and
 * json_progress.
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_PAGES_H
#define TRIBUTARY_CONNECTORS_JSON_PAGES_H

#include "connectors/http_client.h"
#include "connectors/json_cursor.h"

/* The URL of the page `progress` stands at. */
const char *json_page_url(const struct json_endpoint *endpoint,
                          const struct json_progress *progress, const char *base,
                          struct arena *arena);

/* A sweep is over, or goes on at progress->position; ASTRAY: there is a next page, and it cannot be asked (another
 * host, or a position longer than we keep). */
enum json_page_next { JSON_PAGE_LAST, JSON_PAGE_GOES_ON, JSON_PAGE_GOES_BACK, JSON_PAGE_ASTRAY };

/* Decides after a page of item_count items from `url`; writes *next (position, total). When the
 * total has shrunk while pages were read, items have moved to pages already read: GOES_BACK far
 * enough to see them. */
enum json_page_next json_page_after(const struct json_endpoint *endpoint,
                                    const struct json_progress *progress, const char *url,
                                    const struct http_response *response, size_t item_count,
                                    struct arena *arena, struct json_progress *next);

#endif
