/* tables.c - the declarations of config_tables.h, and how a section's type picks its further table.
 */
#include "daemon/config/config_tables.h"
#include "connectors/connector.h"

#define DAY_MS     ((int64_t)86400000)
#define FOR_EVER   ((int64_t)36500 * DAY_MS)
#define NO_MAXIMUM INT64_MAX

static const struct option postgres_options[] = {
    {.key = "url",
     .type = OPTION_SECRET,
     .flags = OPTION_RESTART,
     .help = "connection URL or keywords; left out, a private PostgreSQL is created and run under "
             "state_dir"},
    {.key = "connect_timeout",
     .type = OPTION_DURATION,
     .default_text = "5s",
     .min = 100,
     .max = 600000,
     .flags = OPTION_RESTART,
     .help = "how long one attempt to connect may take"},
    {.key = "statement_timeout",
     .type = OPTION_DURATION,
     .default_text = "30s",
     .min = 1000,
     .max = DAY_MS,
     .flags = OPTION_RESTART,
     .help = "how long one statement may take"},
    {.key = NULL},
};

static const struct option http_options[] = {
    {.key = "public",
     .type = OPTION_STRING,
     .default_text = "0.0.0.0:8080",
     .flags = OPTION_RESTART,
     .help = "address and port of forms and webhooks; off for none"},
    {.key = "private",
     .type = OPTION_STRING,
     .default_text = "127.0.0.1:8081",
     .flags = OPTION_RESTART,
     .help = "address and port of status page, API and metrics; off for none"},
    {.key = "token",
     .type = OPTION_SECRET,
     .flags = OPTION_RESTART,
     .help = "what the private side asks for; left out, one is made at first start and kept in "
             "state_dir/token"},
    {.key = "trusted_proxies",
     .type = OPTION_STRINGS,
     .default_text = "[]",
     .max = 100,
     .help = "addresses or networks whose X-Forwarded-For is believed"},
    {.key = "public_base_url",
     .type = OPTION_STRING,
     .help =
         "what the world calls the public side; needed behind a proxy by senders that sign URLs"},
    {.key = "max_body",
     .type = OPTION_SIZE,
     .default_text = "1M",
     .min = 1024,
     .max = 1048576,
     .flags = OPTION_RESTART,
     .help = "largest request body"},
    {.key = "requests_per_second", .type = OPTION_FLOAT, .default_text = "50", .flags = OPTION_RESTART,
     .help = "requests one address may make to the public side, on average; beyond it is answered 429; 0: no limit"},
    {.key = "max_connections",
     .type = OPTION_INT,
     .default_text = "1024",
     .min = 8,
     .max = 65536,
     .flags = OPTION_RESTART,
     .help = "connections open at once, each side"},
    {.key = "header_timeout",
     .type = OPTION_DURATION,
     .default_text = "10s",
     .min = 100,
     .max = 600000,
     .flags = OPTION_RESTART,
     .help = "how long a client may take to send its headers"},
    {.key = "body_timeout",
     .type = OPTION_DURATION,
     .default_text = "30s",
     .min = 100,
     .max = 600000,
     .flags = OPTION_RESTART,
     .help = "how long a client may take to send its body"},
    {.key = NULL},
};

static const struct option match_options[] = {
    {.key = "link",
     .type = OPTION_FLOAT,
     .default_text = "0.95",
     .help = "probability at or above which two records are linked; over review, under 1"},
    {.key = "review",
     .type = OPTION_FLOAT,
     .default_text = "0.70",
     .help = "probability at or above which a person decides; over 0"},
    {.key = "model",
     .type = OPTION_STRING,
     .default_text = "people",
     .help = "the model: a shipped name, or the path of a file that tributary train wrote"},
    {.key = NULL},
};

static const struct option limit_options[] = {
    {.key = "memory",
     .type = OPTION_SIZE,
     .default_text = "256M",
     .min = 67108864,
     .max = NO_MAXIMUM,
     .flags = OPTION_RESTART,
     .help = "memory besides the candidate index"},
    {.key = "records",
     .type = OPTION_INT,
     .default_text = "50000000",
     .min = 1000,
     .max = 1000000000,
     .flags = OPTION_RESTART,
     .help = "records in the candidate index; beyond, records with new keys are not accepted: posts are answered 503, other "
             "sources wait, and readiness says so"},
    {.key = "component_records",
     .type = OPTION_INT,
     .default_text = "2000",
     .min = 10,
     .max = 1000000,
     .flags = OPTION_RESTART,
     .help = "connected records above which the link threshold rises"},
    {.key = "customer_records",
     .type = OPTION_INT,
     .default_text = "1000",
     .min = 2,
     .max = 1000000,
     .flags = OPTION_RESTART,
     .help = "records one customer may have"},
    {.key = "batch_records",
     .type = OPTION_INT,
     .default_text = "500",
     .min = 1,
     .max = 100000,
     .help = "records accepted or resolved in one transaction"},
    {.key = "queue_batches",
     .type = OPTION_INT,
     .default_text = "64",
     .min = 1,
     .max = 100000,
     .flags = OPTION_RESTART,
     .help = "accepted batches waiting in memory; when full, acceptance slows"},
    {.key = "clean_threads",
     .type = OPTION_INT,
     .default_text = "0",
     .min = 0,
     .max = 256,
     .flags = OPTION_RESTART,
     .help = "threads that clean records; 0: one a processor"},
    {.key = "spool",
     .type = OPTION_SIZE,
     .default_text = "1G",
     .min = 1048576,
     .max = NO_MAXIMUM,
     .flags = OPTION_RESTART,
     .help = "disk the spool may use while PostgreSQL is away; when full, posts get 503"},
    {.key = "events",
     .type = OPTION_INT,
     .default_text = "5000000",
     .min = 1000,
     .max = 1000000000,
     .help = "events kept for a sink that lags, is paused or disabled; see when_full of the sink"},
    {.key = NULL},
};

static const struct option retention_options[] = {
    {.key = "history",
     .type = OPTION_DURATION,
     .default_text = "0",
     .max = FOR_EVER,
     .help = "how long changes of customers are kept; 0: for ever"},
    {.key = "activities",
     .type = OPTION_DURATION,
     .default_text = "0",
     .max = FOR_EVER,
     .help = "how long activities are kept; 0: for ever"},
    {.key = "events",
     .type = OPTION_DURATION,
     .default_text = "30d",
     .min = 60000,
     .max = FOR_EVER,
     .help = "how long delivered events are kept for replay"},
    {.key = "rejects",
     .type = OPTION_DURATION,
     .default_text = "180d",
     .min = 60000,
     .max = FOR_EVER,
     .help = "how long rejects and their raw bytes are kept"},
    {.key = NULL},
};

static const struct option log_options[] = {
    {.key = "level",
     .type = OPTION_ENUM,
     .choices = "debug|info|warn|error",
     .default_text = "info",
     .help = "the least level that is logged"},
    {.key = "format",
     .type = OPTION_ENUM,
     .choices = "auto|text|json",
     .default_text = "auto",
     .help = "auto: text on a terminal, else one JSON object a line"},
    {.key = NULL},
};

static const struct option space_options[] = {
    {.key = "label", .type = OPTION_STRING, .help = "its name for people"},
    {.key = NULL},
};

const struct option config_source_options[] = {
    {.key = "type", .type = OPTION_STRING, .help = "the connector; a preset brings it"},
    {.key = "preset",
     .type = OPTION_STRING,
     .help = "a shipped preset, or the path of one: defaults that the keys beside it override"},
    {.key = "enabled",
     .type = OPTION_BOOL,
     .default_text = "true",
     .help = "false: nothing is taken in; what it said stays"},
    {.key = "space",
     .type = OPTION_STRING,
     .default_text = "main",
     .help = "the brand or tenant; records of different spaces never meet"},
    {.key = "kind",
     .type = OPTION_ENUM,
     .choices = "person|company",
     .default_text = "person",
     .help = "what its records are when they do not say"},
    {.key = "country",
     .type = OPTION_STRING,
     .default_text = "",
     .help = "two-letter country for numbers and dates that name none"},
    {.key = "time_zone",
     .type = OPTION_STRING,
     .default_text = "UTC",
     .help = "IANA time zone for times that name none"},
    {.key = "day_first",
     .type = OPTION_BOOL,
     .default_text = "false",
     .help = "03/04/2026 is the third of April"},
    {.key = "verified",
     .type = OPTION_BOOL,
     .default_text = "false",
     .help = "its e-mails and phones were verified by it; such values beat unverified ones"},
    {.key = "employers",
     .type = OPTION_BOOL,
     .default_text = "false",
     .help = "a company that a person's record names becomes a record too, and golden.works_for says who works where"},
    {.key = "lawful_basis",
     .type = OPTION_ENUM,
     .choices =
         "consent|contract|legal_obligation|vital_interests|public_task|legitimate_interests",
     .help = "on what ground its data is held; shown with each of its records in golden.record_customer"},
    {.key = "leads",
     .type = OPTION_BOOL,
     .default_text = "true",
     .help = "a customer's first record here is a lead; false for a back-fill or bought data"},
    {.key = "lead_again_after",
     .type = OPTION_DURATION,
     .default_text = "0",
     .max = FOR_EVER,
     .help = "a known customer silent this long who comes back is a lead again; 0: never"},
    {.key = "every",
     .type = OPTION_DURATION,
     .default_text = "5m",
     .min = 1000,
     .max = 31 * DAY_MS,
     .help = "how often a pull source is asked"},
    {.key = "silent_after",
     .type = OPTION_DURATION,
     .default_text = "0",
     .max = FOR_EVER,
     .help = "nothing received for this long is told as source.silent; 0: never"},
    {.key = "map",
     .type = OPTION_TEXT_MAP,
     .help = "field to column or columns (the first with a value wins), beside the names known "
             "unasked"},
    {.key = "id",
     .type = OPTION_STRINGS,
     .default_text = "[]",
     .max = 8,
     .help = "columns that together are the record's external id"},
    {.key = "time",
     .type = OPTION_STRING,
     .help = "column of the effective time; left out, the time of acceptance"},
    {.key = "retention",
     .type = OPTION_DURATION,
     .default_text = "90d",
     .min = 60000,
     .max = FOR_EVER,
     .help = "how long its raw bytes and finished files are kept"},
    {.key = NULL},
};

const struct option config_sink_options[] = {
    {.key = "type",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .help = "webhook, file or notify"},
    {.key = "enabled",
     .type = OPTION_BOOL,
     .default_text = "true",
     .help = "false: nothing is delivered and the cursor stays"},
    {.key = "events",
     .type = OPTION_STRINGS,
     .default_text = "[\"*\"]",
     .min = 1,
     .max = 64,
     .help = "events delivered, such as lead.created or lead.*; \"*\": all"},
    {.key = "sources",
     .type = OPTION_STRINGS,
     .default_text = "[]",
     .max = 1000,
     .help = "only events these sources caused, and what becomes of customers with records of theirs; none given: all"},
    {.key = "spaces",
     .type = OPTION_STRINGS,
     .default_text = "[]",
     .max = 1000,
     .help = "only events of these spaces; none given: all"},
    {.key = "kinds",
     .type = OPTION_STRINGS,
     .default_text = "[]",
     .max = 2,
     .help = "only events of these kinds of customers, person or company, and those of no customer; none given: all"},
    {.key = "fields",
     .type = OPTION_STRINGS,
     .default_text = "[\"*\"]",
     .min = 1,
     .max = 256,
     .help = "fields of the customer that are sent; \"*\": all"},
    {.key = "test_records",
     .type = OPTION_BOOL,
     .default_text = "false",
     .help = "whether events of test records are delivered too"},
    {.key = "start",
     .type = OPTION_ENUM,
     .choices = "end|beginning",
     .default_text = "end",
     .help = "where a sink not seen before begins: at the end of the event log, or with the oldest "
             "event kept"},
    {.key = "when_full",
     .type = OPTION_ENUM,
     .choices = "disable|slow",
     .default_text = "disable",
     .help = "at limits.events undelivered: disable this sink loudly, or slow acceptance"},
    {.key = NULL},
};

static const struct option webhook_options[] = {
    {.key = "url",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .help = "where events are posted; http or https"},
    {.key = "secret",
     .type = OPTION_SECRET,
     .help = "signs every delivery (Standard Webhooks: whsec_ and base64, or plain text)"},
    {.key = "headers", .type = OPTION_TEXT_MAP, .help = "further headers, such as Authorization"},
    {.key = "format",
     .type = OPTION_ENUM,
     .choices = "cloudevents",
     .default_text = "cloudevents",
     .help = "CloudEvents 1.0, structured JSON"},
    {.key = "timeout",
     .type = OPTION_DURATION,
     .default_text = "20s",
     .min = 100,
     .max = 600000,
     .help = "how long one delivery may take"},
    {.key = "max_attempts",
     .type = OPTION_INT,
     .default_text = "10",
     .min = 1,
     .max = 100,
     .help = "attempts before an event is a dead letter; waits grow from 5 seconds to 24 hours"},
    {.key = "retry",
     .type = OPTION_STRINGS,
     .default_text = "[]",
     .max = 32,
     .help = "waits between attempts, such as [5s, 5m, 2h]; none given: 5s, 5m, 30m, 2h, 5h, 10h, "
             "14h, 20h, 24h"},
    {.key = "parallel",
     .type = OPTION_INT,
     .default_text = "8",
     .min = 1,
     .max = 64,
     .help = "deliveries under way at once, each of another customer; 1: strictly one by one"},
    {.key = "ca_file",
     .type = OPTION_STRING,
     .help = "certificates the endpoint is judged by, in PEM; left out, those of the system"},
    {.key = NULL},
};

static const struct option file_options[] = {
    {.key = "path",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .help = "the file, appended to; it may be rotated"},
    {.key = "format",
     .type = OPTION_ENUM,
     .choices = "cloudevents",
     .default_text = "cloudevents",
     .help = "one CloudEvents 1.0 JSON object a line"},
    {.key = NULL},
};

static const struct option notify_options[] = {
    {.key = "channel",
     .type = OPTION_STRING,
     .default_text = "tributary_event",
     .help = "the channel of NOTIFY; the payload is the highest seq only"},
    {.key = NULL},
};

const struct sink_type sink_types[] = {
    {"webhook", "signed POST of each event", webhook_options},
    {"file", "JSON lines appended to a file", file_options},
    {"notify", "PostgreSQL NOTIFY for those who LISTEN", notify_options},
    {NULL, NULL, NULL},
};

const char *const event_names[] = {
    "lead.created",   "lead.returned",   "lead.merged",   "customer.updated", "customer.merged",
    "customer.split", "customer.removed", "record.rejected", "review.opened", "source.silent", NULL,
};

static const struct option *connector_options(struct slice type)
{
    for (size_t i = 0; pull_connectors[i]; i++) {
        if (slice_is(type, pull_connectors[i]->type))
            return pull_connectors[i]->options;
    }
    for (size_t i = 0; push_connectors[i]; i++) {
        if (slice_is(type, push_connectors[i]->type))
            return push_connectors[i]->options;
    }
    return NULL;
}

static void refuse_type(const struct yaml_node *section, const char *const *known, size_t count,
                        struct problems *problems)
{
    const struct yaml_node *node = yaml_get(section, "type");
    const char *near = nearest_word(node->text, known, count);
    if (near) {
        problems_add(problems, node, "unknown type '" SLICE_FMT "'; hint: did you mean '%s'?",
                     SLICE_ARG(yaml_shown(node)), near);
        return;
    }
    char list[256] = "";
    for (size_t i = 0; i < count; i++) {
        strncat(list, i ? ", " : "", sizeof(list) - strlen(list) - 1);
        strncat(list, known[i], sizeof(list) - strlen(list) - 1);
    }
    problems_add(problems, node, "unknown type '" SLICE_FMT "'; hint: one of %s",
                 SLICE_ARG(yaml_shown(node)), list);
}

static const struct option *pick_source(const struct yaml_node *section, struct problems *problems)
{
    struct slice type = yaml_text(section, "type", SLICE_EMPTY);
    const struct option *options = connector_options(type);
    if (options)
        return options;
    if (type.len == 0) {
        if (yaml_text(section, "preset", SLICE_EMPTY).len ==
            0) /* an unknown preset was told already */
            problems_add(problems, section, "a source needs a type or a preset; hint: type: form");
        return NULL;
    }
    const char *known[64];
    size_t count = 0;
    for (size_t i = 0; pull_connectors[i] && count < 64; i++)
        known[count++] = pull_connectors[i]->type;
    for (size_t i = 0; push_connectors[i] && count < 64; i++)
        known[count++] = push_connectors[i]->type;
    refuse_type(section, known, count, problems);
    return NULL;
}

static const struct option *pick_sink(const struct yaml_node *section, struct problems *problems)
{
    struct slice type = yaml_text(section, "type", SLICE_EMPTY);
    const char *known[16];
    size_t count = 0;
    for (; sink_types[count].type; count++) {
        if (slice_is(type, sink_types[count].type))
            return sink_types[count].options;
        known[count] = sink_types[count].type;
    }
    if (type.len > 0) /* a missing one is told as a required key */
        refuse_type(section, known, count, problems);
    return NULL;
}

const struct option config_root_options[] = {
    {.key = "include",
     .type = OPTION_STRINGS,
     .default_text = "[]",
     .max = 256,
     .help = "further files or patterns such as conf.d/*.yaml, relative to this file"},
    {.key = "state_dir",
     .type = OPTION_STRING,
     .default_text = "/var/lib/tributary",
     .flags = OPTION_RESTART,
     .help = "where spool, private PostgreSQL, token and sources keep their state"},
    {.key = "load_dirs",
     .type = OPTION_STRINGS,
     .default_text = "[]",
     .max = 64,
     .help = "folders whose files may be loaded through the private API by their path, besides state_dir/load and the drop "
             "folders"},
    {.key = "postgres",
     .type = OPTION_SECTION,
     .children = postgres_options,
     .help = "the database"},
    {.key = "http", .type = OPTION_SECTION, .children = http_options, .help = "the two listeners"},
    {.key = "spaces",
     .type = OPTION_SECTIONS,
     .children = space_options,
     .help = "brands or tenants, name to section; none given: any name a source uses"},
    {.key = "sources",
     .type = OPTION_SECTIONS,
     .children = config_source_options,
     .variant = pick_source,
     .help = "where records come from, name to section"},
    {.key = "rules",
     .type = OPTION_STRINGS,
     .default_text = "[people]",
     .min = 1,
     .max = 64,
     .help = "rule packs in order: shipped names, or paths of files"},
    {.key = "fields",
     .type = OPTION_FREE,
     .help = "your own fields: name to type, label, aliases, sensitivity, multiple"},
    {.key = "match",
     .type = OPTION_SECTION,
     .children = match_options,
     .help = "when records are one customer"},
    {.key = "golden",
     .type = OPTION_FREE,
     .help = "survivorship: field to a list of verified, source, recent, frequent, complete, first; "
             "source_rank: sources, best first"},
    {.key = "sinks",
     .type = OPTION_SECTIONS,
     .children = config_sink_options,
     .variant = pick_sink,
     .help = "who is told what, name to section"},
    {.key = "limits",
     .type = OPTION_SECTION,
     .children = limit_options,
     .help = "what may grow how far"},
    {.key = "retention",
     .type = OPTION_SECTION,
     .children = retention_options,
     .help = "what is kept how long"},
    {.key = "log",
     .type = OPTION_SECTION,
     .children = log_options,
     .help = "what is said on standard error"},
    {.key = NULL},
};
