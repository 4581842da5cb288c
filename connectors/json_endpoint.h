/*
 * json_endpoint.h - what a source of type json_api asks: its endpoints, compiled from YAML.
 *
 *     endpoints:
 *       - name: orders
 *         path: /wp-json/wc/v3/orders          # after `url`; {event} takes a value of `parameters`
 *         query: {per_page: 100, order: asc}
 *         items: orders                        # path of the list in the answer; left out: the
 * answer is the list every: 1h                            # instead of the source's paging: {type:
 * page, param: page, first: 1, pages_header: X-WP-TotalPages, total_header: X-WP-Total} since:
 * {param: modified_after, format: iso, overlap: 10m} records: ...                         #
 * json_map.h
 *
 * Paging: `none`; `page` (a number from `first`; ends at the last page the headers or `pages` path
 * name, at an empty page, or at one shorter than `size`); `offset` (likewise, counting items);
 * `cursor` (path `next` gives what goes into `param`; ends when `more` does not hold or there is
 * nothing); `link` (the Link header, or path `next`, names the next page, on the same host). Since:
 * `iso` 2026-03-01T10:00:00 in UTC, `iso_z` the same with Z, `unix`, `unix_ms`.
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_ENDPOINT_H
#define TRIBUTARY_CONNECTORS_JSON_ENDPOINT_H

#include "connectors/json_map.h"
#include "connectors/json_path.h"

#define JSON_ENDPOINTS_MAX 1000 /* parameters multiplied out */

enum json_paging {
    JSON_PAGING_NONE,
    JSON_PAGING_PAGE,
    JSON_PAGING_OFFSET,
    JSON_PAGING_CURSOR,
    JSON_PAGING_LINK
};
enum json_since {
    JSON_SINCE_NONE,
    JSON_SINCE_ISO,
    JSON_SINCE_ISO_Z,
    JSON_SINCE_UNIX,
    JSON_SINCE_UNIX_MS
};

struct json_query {
    struct slice name, value;
};

struct json_endpoint {
    struct slice key;  /* name, or name/value when a parameter was put in; what cursors call it */
    struct slice name; /* what deliveries' meta calls it */
    struct slice path;
    size_t query_count;
    const struct json_query *query;
    bool has_items, has_next, has_more, has_pages;
    struct json_path items, next, pages;
    struct json_condition more;
    enum json_paging paging;
    struct slice param;
    int64_t first, size;
    const char *pages_header, *total_header; /* NULL: none */
    enum json_since since;
    struct slice since_param;
    int64_t overlap_ms;
    int64_t every_ms; /* 0: the source's */
    const struct json_map *map;
};

struct json_endpoints {
    size_t count;
    struct json_endpoint *list;
};

/* `parameters`: the text map of that name, for {name} in paths. NULL when problems were added or
 * memory ran out. */
const struct json_endpoints *json_endpoints_new(const struct yaml_node *list,
                                                const struct option_text *parameters,
                                                size_t parameter_count, struct arena *arena,
                                                struct problems *problems);
/* The mapping of the endpoint of that name alone, or NULL. */
const struct json_map *json_endpoint_map(const struct yaml_node *list, struct slice name,
                                         struct arena *arena);

#endif
