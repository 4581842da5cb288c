/* check.c - see check.h. */
#include "daemon/config/check.h"
#include "daemon/config/config_tables.h"
#include "daemon/events/retry.h"
#include "daemon/events/standard_webhooks.h"
#include "daemon/events/webhook.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unicode/ucal.h>

#define NAME_MAX_BYTES 63

/* Where a key of a section stands, else the section. */
static const struct yaml_node *where_of(const struct options *options, const char *key)
{
    const struct yaml_node *node = yaml_get(options_where(options), key);
    return node ? node : options_where(options);
}

/* The place of entry `index` of a list that may be one scalar. */
static const struct yaml_node *item_of(const struct options *options, const char *key, size_t index)
{
    const struct yaml_node *node = where_of(options, key);
    return node && node->kind == YAML_LIST && index < node->count ? node->values[index] : node;
}

static void suggest(struct problems *problems, const struct yaml_node *where, const char *what,
                    struct slice word, const char *const *known, size_t count)
{
    const char *near = nearest_word(word, known, count);
    if (where && where->kind == YAML_SCALAR && where->written.len > 0)
        word = where->written;
    if (near)
        problems_add(problems, where, "unknown %s '" SLICE_FMT "'; hint: did you mean '%s'?", what,
                     SLICE_ARG(word), near);
    else
        problems_add(problems, where, "unknown %s '" SLICE_FMT "'", what, SLICE_ARG(word));
}

static bool is_listed(struct slice word, const char *const *known, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_is(word, known[i]))
            return true;
    }
    return false;
}

/* ---- names ---- */

/* Names become directories, metric labels and columns of views. */
static void check_name(const char *what, const struct options *section, const char *name,
                       struct problems *problems)
{
    size_t length = strlen(name);
    bool good = length > 0 && length <= NAME_MAX_BYTES &&
                ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9'));
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-');
    }
    if (!good)
        problems_add(problems, options_where(section),
                     "%s '%s': a name is 1 to 63 of a-z, 0-9, _ and -, a letter or digit first",
                     what, name);
}

/* ---- addresses ---- */

static bool is_address(struct slice text)
{
    ptrdiff_t colon = -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':')
            colon = (ptrdiff_t)i;
    }
    int64_t port;
    if (colon < 0 || !slice_to_int64(slice_sub(text, (size_t)colon + 1, text.len), &port) ||
        port < 0 || port > 65535)
        return false;
    struct slice host = slice_sub(text, 0, (size_t)colon);
    bool bracketed = slice_starts(host, SLICE("[")) && slice_ends(host, SLICE("]"));
    return bracketed || slice_find_byte(host, ':') < 0;
}

static bool is_network(struct slice text)
{
    char address[64];
    unsigned char bytes[16];
    ptrdiff_t slash = slice_find_byte(text, '/');
    struct slice host = slash < 0 ? text : slice_sub(text, 0, (size_t)slash);
    if (host.len >= sizeof(address))
        return false;
    memcpy(address, host.ptr, host.len);
    address[host.len] = '\0';
    int64_t most = inet_pton(AF_INET, address, bytes) == 1    ? 32
                   : inet_pton(AF_INET6, address, bytes) == 1 ? 128
                                                              : -1;
    int64_t bits = 0;
    return most > 0 &&
           (slash < 0 || (slice_to_int64(slice_sub(text, (size_t)slash + 1, text.len), &bits) &&
                          bits >= 0 && bits <= most));
}

static void check_http(const struct options *http, struct problems *problems)
{
    static const char *const keys[] = {"public", "private"};
    for (size_t i = 0; i < 2; i++) {
        struct slice address = slice_str(options_string(http, keys[i]));
        if (!slice_is(address, "off") && !is_address(address))
            problems_add(problems, where_of(http, keys[i]),
                         "http.%s: '" SLICE_FMT
                         "' is not address:port; hint: 127.0.0.1:8080 or off",
                         keys[i], SLICE_ARG(address));
    }
    const char *public = options_string(http, "public"), *private = options_string(http, "private");
    size_t length = strlen(public);
    bool any_port = length > 2 && strcmp(public + length - 2, ":0") == 0;
    if (strcmp(public, private) == 0 && strcmp(public, "off") != 0 && !any_port)
        problems_add(problems, where_of(http, "private"),
                     "http.private is the same address as http.public");
    const char *base = options_string(http, "public_base_url");
    if (base && strncmp(base, "http://", 7) != 0 && strncmp(base, "https://", 8) != 0)
        problems_add(problems, where_of(http, "public_base_url"),
                     "http.public_base_url must start with http:// or https://");
    const struct slice *proxies;
    size_t count = options_strings(http, "trusted_proxies", &proxies);
    for (size_t i = 0; i < count; i++) {
        if (!is_network(proxies[i]))
            problems_add(problems, item_of(http, "trusted_proxies", i),
                         "http.trusted_proxies: '" SLICE_FMT
                         "' is not an address or network; hint: 10.0.0.0/8",
                         SLICE_ARG(proxies[i]));
    }
}

/* ---- sources ---- */

static bool is_time_zone(const char *name)
{
    UChar id[128], canonical[128];
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof(id) / sizeof(id[0]))
        return false;
    for (size_t i = 0; i <= length; i++) {
        if ((unsigned char)name[i] >= 0x80)
            return false;
        id[i] = (UChar)name[i];
    }
    UErrorCode error = U_ZERO_ERROR;
    ucal_getCanonicalTimeZoneID(id, (int32_t)length, canonical, 128, NULL, &error);
    return U_SUCCESS(error);
}

static void check_place(const struct options *options, struct problems *problems)
{
    const char *country = options_string(options, "country");
    bool two_capitals = strlen(country) == 2 && country[0] >= 'A' && country[0] <= 'Z' &&
                        country[1] >= 'A' && country[1] <= 'Z';
    if (country[0] != '\0' && !two_capitals)
        problems_add(problems, where_of(options, "country"),
                     "country: '%s' is not a country code; hint: two capital letters such as CN",
                     country);
    const char *zone = options_string(options, "time_zone");
    if (!is_time_zone(zone))
        problems_add(problems, where_of(options, "time_zone"),
                     "time_zone: '%s' is not known; hint: a name such as Asia/Shanghai", zone);
}

static size_t list_spaces(const struct config *config, const char *known[CONFIG_SOURCES_MAX])
{
    const struct options *const *spaces;
    size_t count = options_sections(config->root, "spaces", &spaces);
    for (size_t i = 0; i < count && i < CONFIG_SOURCES_MAX; i++)
        known[i] = options_name(spaces[i]);
    return count < CONFIG_SOURCES_MAX ? count : CONFIG_SOURCES_MAX;
}

static void check_space(const struct config *config, const struct options *options,
                        struct problems *problems)
{
    const char *known[CONFIG_SOURCES_MAX];
    size_t count = list_spaces(config, known);
    const char *space = options_string(options, "space");
    if (count > 0 && !is_listed(slice_str(space), known, count))
        suggest(problems, where_of(options, "space"), "space", slice_str(space), known, count);
}

static struct slice without_trailing_slash(struct slice path)
{
    return path.len > 1 && path.ptr[path.len - 1] == '/' ? slice_sub(path, 0, path.len - 1) : path;
}

/* Two push sources cannot serve one path. */
static void check_path(const struct config *config, size_t index, struct problems *problems)
{
    const struct config_source *source = &config->sources[index];
    struct slice path =
        without_trailing_slash(yaml_text(options_where(source->options), "path", SLICE_EMPTY));
    for (size_t i = 0; path.len > 0 && i < index; i++) {
        const struct config_source *other = &config->sources[i];
        if (other->push &&
            slice_eq(path, without_trailing_slash(
                               yaml_text(options_where(other->options), "path", SLICE_EMPTY)))) {
            problems_add(problems, where_of(source->options, "path"),
                         "path '" SLICE_FMT "' is served by source '%s' already", SLICE_ARG(path),
                         other->name);
            return;
        }
    }
}

static struct slice drop_of(const struct config_source *source)
{
    return source->pull ? without_trailing_slash(yaml_text(options_where(source->options), "drop", SLICE_EMPTY))
                        : SLICE_EMPTY;
}

/* Whether a folder lies in another one, itself not. */
static bool is_inside(struct slice inner, struct slice outer)
{
    return outer.len > 0 && inner.len > outer.len + 1 && slice_starts(inner, outer) &&
           (inner.ptr[outer.len] == '/' || slice_is(outer, "/"));
}

/* Two sources that watch one folder take each other's files, and both what a crash left in work/; of one folder in
 * another the outer keeps its files in work/ and done/, which the inner may be. */
static void check_drop(const struct config *config, size_t index, struct problems *problems)
{
    const struct config_source *source = &config->sources[index];
    struct slice drop = drop_of(source);
    for (size_t i = 0; drop.len > 0 && i < index; i++) {
        const struct config_source *other = &config->sources[i];
        struct slice its = drop_of(other);
        if (slice_eq(drop, its)) {
            problems_add(problems, where_of(source->options, "drop"),
                         "drop '" SLICE_FMT "' is watched by source '%s' already", SLICE_ARG(drop), other->name);
            return;
        }
        if (is_inside(drop, its) || is_inside(its, drop)) {
            problems_add(problems, where_of(source->options, "drop"),
                         "drop '" SLICE_FMT "' lies %s '" SLICE_FMT "', which source '%s' watches; hint: put the "
                         "folders beside each other", SLICE_ARG(drop), is_inside(drop, its) ? "in" : "around",
                         SLICE_ARG(its), other->name);
            return;
        }
    }
}

static void check_sources(const struct config *config, struct problems *problems)
{
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->sources[i];
        check_name("source", source->options, source->name, problems);
        if (strcmp(source->name, CONFIG_STEWARD_SOURCE) == 0)
            problems_add(problems, options_where(source->options),
                         "source '%s': the name is kept for the stewards' own edits", source->name);
        check_name("space", source->options, options_string(source->options, "space"), problems);
        check_space(config, source->options, problems);
        check_place(source->options, problems);
        if (source->push)
            check_path(config, i, problems);
        if (source->pull)
            check_drop(config, i, problems);
        if (source->pull && source->pull->check)
            source->pull->check(source->options, problems);
        if (source->push && source->push->check)
            source->push->check(source->options, problems);
    }
}

/* ---- sinks, golden, match ---- */

static bool is_event(struct slice name)
{
    if (slice_is(name, "*"))
        return true;
    bool is_family = slice_ends(name, SLICE(".*"));
    for (size_t i = 0; event_names[i]; i++) {
        struct slice event = slice_str(event_names[i]);
        if (slice_eq(event, name) ||
            (is_family && slice_starts(event, slice_sub(name, 0, name.len - 1))))
            return true;
    }
    return false;
}

static void check_webhook(const struct options *sink, struct problems *problems)
{
    struct slice url = yaml_text(options_where(sink), "url", SLICE("https://"));
    if (!slice_starts(url, SLICE("http://")) && !slice_starts(url, SLICE("https://")))
        problems_add(problems, where_of(sink, "url"), "url must start with http:// or https://");
    struct webhook_keys keys;
    struct retry_schedule schedule;
    struct err err;
    if (webhook_keys_parse(options_secret(sink, "secret"), &keys, &err) != STATUS_OK)
        problems_add(problems, where_of(sink, "secret"), "%s", err.text);
    webhook_keys_wipe(&keys);
    const struct slice *waits;
    size_t count = options_strings(sink, "retry", &waits);
    if (retry_schedule_parse(waits, count, &schedule, &err) != STATUS_OK)
        problems_add(problems, where_of(sink, "retry"), "%s", err.text);
    const struct option_text *headers;
    count = options_text_map(sink, "headers", &headers);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < headers[i].count; k++) {
            char line[WEBHOOK_HEADER_MAX];
            if (webhook_header(headers[i].name, headers[i].values[k], line, sizeof(line), &err) !=
                STATUS_OK)
                problems_add(problems, where_of(sink, "headers"), "%s", err.text);
        }
    }
}

static void check_sink(const struct config *config, const struct options *sink,
                       const char *const *sources, size_t source_count, struct problems *problems)
{
    static const char *const kinds[] = {"person", "company"};
    const struct slice *list;
    size_t event_count = 0;
    check_name("sink", sink, options_name(sink), problems);
    while (event_names[event_count])
        event_count++;
    size_t count = options_strings(sink, "events", &list);
    for (size_t i = 0; i < count; i++) {
        if (!is_event(list[i]))
            suggest(problems, item_of(sink, "events", i), "event", list[i], event_names,
                    event_count);
    }
    count = options_strings(sink, "sources", &list);
    for (size_t i = 0; i < count; i++) {
        if (!is_listed(list[i], sources, source_count))
            suggest(problems, item_of(sink, "sources", i), "source", list[i], sources,
                    source_count);
    }
    const char *spaces[CONFIG_SOURCES_MAX];
    size_t space_count = list_spaces(config, spaces);
    count = options_strings(sink, "spaces", &list);
    for (size_t i = 0; i < count && space_count > 0; i++) {
        if (!is_listed(list[i], spaces, space_count))
            suggest(problems, item_of(sink, "spaces", i), "space", list[i], spaces, space_count);
    }
    count = options_strings(sink, "kinds", &list);
    for (size_t i = 0; i < count; i++) {
        if (!is_listed(list[i], kinds, 2))
            suggest(problems, item_of(sink, "kinds", i), "kind", list[i], kinds, 2);
    }
    const char *type = options_string(sink, "type");
    if (type && strcmp(type, "webhook") == 0)
        check_webhook(sink, problems);
    struct slice path = yaml_text(options_where(sink), "path", SLICE("/"));
    if (path.len > 0 && path.ptr[0] != '/')
        problems_add(problems, where_of(sink, "path"), "path must be absolute");
}

static void check_source_rank(const struct config *config, const char *const *sources,
                              size_t source_count, struct problems *problems)
{
    const struct yaml_node *golden = options_node(config->root, "golden");
    if (golden && golden->kind != YAML_MAP)
        problems_add(problems, golden, "golden: expected a section");
    const struct yaml_node *rank = yaml_get(golden, "source_rank");
    if (rank && rank->kind == YAML_MAP)
        problems_add(problems, rank, "golden.source_rank: expected a list of sources, best first");
    for (size_t i = 0; rank && rank->kind == YAML_LIST && i < rank->count; i++) {
        const struct yaml_node *item = rank->values[i];
        if (item->kind != YAML_SCALAR || !is_listed(item->text, sources, source_count))
            suggest(problems, item, "source", item->text, sources, source_count);
        for (size_t j = 0; j < i && item->text.len > 0; j++) {
            if (slice_eq(item->text, rank->values[j]->text))
                problems_add(problems, item,
                             "golden.source_rank: '" SLICE_FMT "' stands there twice",
                             SLICE_ARG(item->text));
        }
    }
}

static void check_match(const struct options *match, struct problems *problems)
{
    double link = options_float(match, "link"), review = options_float(match, "review");
    if (!(link > 0 && link < 1))
        problems_add(problems, where_of(match, "link"), "match.link must be over 0 and under 1");
    if (!(review > 0 && review < 1))
        problems_add(problems, where_of(match, "review"),
                     "match.review must be over 0 and under 1");
    else if (review > link)
        problems_add(problems, where_of(match, "review"), "match.review is above match.link");
}

static void check_load_dirs(const struct options *root, struct problems *problems)
{
    const struct slice *dirs;
    size_t count = options_strings(root, "load_dirs", &dirs);
    for (size_t i = 0; i < count; i++) {
        if (!slice_starts(dirs[i], SLICE("/")))
            problems_add(problems, where_of(root, "load_dirs"),
                         "load_dirs: '" SLICE_FMT "' does not begin with a /; hint: give the whole path",
                         SLICE_ARG(dirs[i]));
    }
}

void config_check(const struct config *config, struct problems *problems)
{
    const char *sources[CONFIG_SOURCES_MAX + 2];
    for (size_t i = 0; i < config->source_count; i++)
        sources[i] = config->sources[i].name;
    sources[config->source_count] = CONFIG_STEWARD_SOURCE;
    sources[config->source_count + 1] = CONFIG_API_SOURCE;
    size_t known = config->source_count + 2;
    check_http(options_section(config->root, "http"), problems);
    check_match(options_section(config->root, "match"), problems);
    check_load_dirs(config->root, problems);
    check_sources(config, problems);
    check_source_rank(config, sources, known, problems);
    for (size_t i = 0; i < config->sink_count; i++)
        check_sink(config, config->sinks[i], sources, known, problems);
    const struct options *const *spaces;
    size_t space_count = options_sections(config->root, "spaces", &spaces);
    for (size_t i = 0; i < space_count; i++)
        check_name("space", spaces[i], options_name(spaces[i]), problems);
}
