/*
 * files.h - the configuration's files as one YAML tree. For daemon/config only.
 */
#ifndef TRIBUTARY_CONFIG_FILES_H
#define TRIBUTARY_CONFIG_FILES_H

#include "daemon/base/yaml.h"

/* The main file with its includes merged and ${VAR} put in. NULL when there is nothing to go on
 * with; problems were added then, and may have been added otherwise too. */
struct yaml_node *config_read_files(struct arena *arena, const char *path,
                                    struct problems *problems);
/* Puts the presets' keys under those of each source. */
void config_merge_presets(struct arena *arena, struct yaml_node *root, struct problems *problems);

/* A whole file, NUL-terminated; at most 1 MiB. False when a problem was added at `where`. */
bool config_read_text(struct arena *arena, const char *path, const struct yaml_node *where,
                      struct slice *text, struct problems *problems);
/* `path` as it is when absolute, else beside the file `where` stands in. */
const char *config_resolve_path(struct arena *arena, const struct yaml_node *where,
                                struct slice path);
/* A shipped asset PREFIX NAME .yaml, or a file when the name has a '/' or ends in .yaml. *label is
 * for messages. False when a problem was added. */
bool config_read_named(struct arena *arena, const char *prefix, const char *what,
                       const struct yaml_node *where, struct slice name, const char **label,
                       struct slice *text, struct problems *problems);

#endif
