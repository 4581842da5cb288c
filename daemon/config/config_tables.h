/*
 * config_tables.h - the declarations of all options that are not a connector's. For daemon/config
 * only.
 */
#ifndef TRIBUTARY_CONFIG_CONFIG_TABLES_H
#define TRIBUTARY_CONFIG_CONFIG_TABLES_H

#include "daemon/base/options.h"

extern const struct option config_root_options[];
extern const struct option config_source_options[]; /* common to all sources */
extern const struct option config_sink_options[];   /* common to all sinks */

struct sink_type {
    const char *type;
    const char *help;
    const struct option *options;
};
extern const struct sink_type sink_types[]; /* ended by a NULL type */

/* The names an `events:` list may hold, besides "*" and "lead.*". Ended by NULL. */
extern const char *const event_names[];

#endif
