/*
 * config.h - one generation of the configuration: read, judged, immutable.
 *
 * A YAML file with includes, ${VAR} from the environment, secrets in files and presets of sources
 * becomes one tree of typed options (daemon/base/options.h) with defaults filled in. Everything
 * lives in the generation's arena; any thread may read it. Nothing here touches the network or the
 * database.
 *
 * ${VAR} and ${VAR:-default} are put into scalar values, never keys; $${ is a literal ${. A value
 * that becomes empty so counts as not given. `include` takes files and patterns relative to the
 * file it stands in; what they say must not be said twice. Relative paths of secrets, rules and
 * models are relative to the file they stand in, state_dir to the main file.
 */
#ifndef TRIBUTARY_CONFIG_CONFIG_H
#define TRIBUTARY_CONFIG_CONFIG_H

#include "connectors/connector.h"
#include "daemon/base/buf.h"
#include "daemon/base/options.h"
#include "rules/ruleset.h"

#define CONFIG_DEFAULT_PATH  "/etc/tributary/tributary.yaml"
#define CONFIG_PATH_VARIABLE "TRIBUTARY_CONFIG"
#define CONFIG_SOURCES_MAX   1000
#define CONFIG_SINKS_MAX     100
#define CONFIG_DEFAULT_SPACE "main"
#define CONFIG_API_SOURCE    "api" /* the source of /v1/records, there without a section of its own */
#define CONFIG_STEWARD_SOURCE                                                                      \
    "steward" /* the source of stewards' edits; no section may have its name */

struct config_source {
    const char *name;
    const struct options *options;     /* the common options and the connector's own */
    const struct pull_connector *pull; /* one of the two is set, */
    const struct push_connector *push; /* the other is NULL */
    struct source_rules rules;         /* what cleaning must know of it */
};

struct config {
    struct arena *arena;
    const char *path;           /* the main file */
    const char *dir;            /* its directory */
    const char *state_dir;      /* absolute */
    const struct options *root; /* see config_root_options for the keys */
    uint64_t hash;              /* of every value, secrets included */
    size_t source_count;        /* in the order written; disabled ones too (options: enabled) */
    const struct config_source *sources;
    size_t sink_count;
    const struct options *const *sinks;
    size_t pack_count; /* rules: read, in order */
    const struct pack_text *packs;
    const char *model_name; /* match.model, read */
    struct slice model;
};

/* Reads and judges. STATUS_OK: no problem. STATUS_FAILED: problems were added; *config is then only
 * good for naming the files in them. *config must be freed after the problems were shown, whatever
 * came back; it is NULL only when out of memory. */
MUST_CHECK enum status config_load(const char *path, struct config **config,
                                   struct problems *problems);
void config_free(struct config **config);

/* Compiles rules, model and survivorship and lets them go again, for their problems and those of
 * field names. For `tributary check`; config must have loaded well. */
void config_check_rules(const struct config *config, struct problems *problems);
/* Field names in map and in the sinks' fields that the rules do not have. */
struct ruleset;
void config_check_fields(const struct config *config, const struct ruleset *ruleset, struct problems *problems);

/* The file to read: `given` (--config) if not NULL, else $TRIBUTARY_CONFIG, else
 * CONFIG_DEFAULT_PATH. */
const char *config_find_path(const char *given);

const struct config_source *config_source_find(const struct config *config, const char *name);
/* The connection string, or "" when the private cluster is to be used. NUL-terminated. */
struct slice config_postgres_url(const struct config *config);

/* The effective configuration as YAML, secrets as ***. */
void config_print(const struct config *config, struct buf *out);
/* docs/configuration.md, and a JSON Schema for editors, from the declarations. */
void config_document(struct buf *out);
void config_schema(struct buf *out);

#endif
