/*
 * json_api.h - any paged JSON API, read again and again (a pull connector); presets are YAML over
 * it.
 *
 * What is asked and how it maps: json_endpoint.h, json_map.h. A page is given in batches; the
 * cursor moves to the next page only with a page's last batch, so a crash repeats at most one page.
 * 429 and 503 wait as Retry-After says, other failures back off with jitter; 401 reads the key's
 * file once more, then complains. The whole of an item is kept as its body.
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_API_H
#define TRIBUTARY_CONNECTORS_JSON_API_H

#include "connectors/connector.h"

extern const struct pull_connector json_api_connector;

#endif
