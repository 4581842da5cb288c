/* files.c - reading, including, merging. See files.h. */
#include "daemon/config/files.h"
#include "daemon/base/asset.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/expand.h"

#define FILE_MAX_BYTES    ((size_t)1 << 20)
#define INCLUDE_DEPTH_MAX 8
#define INCLUDE_FILES_MAX 256
#define SHIPPED_MAX       256

struct reading {
    struct arena *arena;
    struct problems *problems;
    size_t file_count;
    dev_t devices[INCLUDE_FILES_MAX];
    ino_t inodes[INCLUDE_FILES_MAX];
};

const char *config_resolve_path(struct arena *arena, const struct yaml_node *where,
                                struct slice path)
{
    const char *slash = where && where->file ? strrchr(where->file, '/') : NULL;
    if (slash == NULL || slice_starts(path, SLICE("/")))
        return arena_str(arena, path);
    return arena_printf(arena, "%.*s/" SLICE_FMT, (int)(slash - where->file), where->file,
                        SLICE_ARG(path))
        .ptr;
}

static int read_up_to(int fd, struct arena *arena, struct slice *text)
{
    char *data = malloc(FILE_MAX_BYTES + 1);
    if (data == NULL)
        return ENOMEM;
    size_t length = 0;
    int failure = 0;
    while (failure == 0 && length <= FILE_MAX_BYTES) {
        ssize_t got = read(fd, data + length, FILE_MAX_BYTES + 1 - length);
        if (got == 0)
            break;
        if (got > 0)
            length += (size_t)got;
        else if (errno != EINTR)
            failure = errno;
    }
    if (length > FILE_MAX_BYTES)
        failure = EFBIG;
    if (failure == 0)
        *text = arena_dup(arena, slice_of(data, length));
    free(data);
    return failure;
}

/* Opens a regular file; an errno, EINVAL when it is something else. */
static int open_regular(const char *path, int *fd, struct stat *about)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0)
        return errno;
    int failure = fstat(*fd, about) != 0 ? errno : S_ISREG(about->st_mode) ? 0 : EINVAL;
    if (failure != 0)
        close(*fd);
    return failure;
}

static bool read_file(struct arena *arena, const char *path, const struct yaml_node *where,
                      struct slice *text, struct stat *about, struct problems *problems)
{
    int fd = -1;
    int failure = open_regular(path, &fd, about);
    if (failure == 0) {
        failure = read_up_to(fd, arena, text);
        close(fd);
    }
    if (failure == 0)
        return true;
    char reason[128];
    bool from_variable = where && where->written.len > 0;
    problems_add(problems, where, "cannot read '" SLICE_FMT "': %s",
                 SLICE_ARG(from_variable ? where->written : slice_str(path)),
                 failure == EINVAL  ? "not a regular file"
                 : failure == EFBIG ? "larger than 1M"
                                    : strerror_r(failure, reason, sizeof(reason)));
    return false;
}

bool config_read_text(struct arena *arena, const char *path, const struct yaml_node *where,
                      struct slice *text, struct problems *problems)
{
    struct stat about;
    return read_file(arena, path, where, text, &about, problems);
}

/* ---- what ships ---- */

static const char *nearest_shipped(struct arena *arena, const char *prefix, struct slice name)
{
    const char *names[SHIPPED_MAX];
    size_t count = 0;
    for (const struct asset *asset = assets; asset->name && count < SHIPPED_MAX; asset++) {
        struct slice rest = slice_str(asset->name);
        if (!slice_starts(rest, slice_str(prefix)) || !slice_ends(rest, SLICE(".yaml")))
            continue;
        names[count++] = arena_str(arena, slice_sub(rest, strlen(prefix), rest.len - 5));
    }
    return nearest_word(name, names, count);
}

bool config_read_named(struct arena *arena, const char *prefix, const char *what,
                       const struct yaml_node *where, struct slice name, const char **label,
                       struct slice *text, struct problems *problems)
{
    if (slice_find_byte(name, '/') >= 0 || slice_ends(name, SLICE(".yaml"))) {
        *label = config_resolve_path(arena, where, name);
        return config_read_text(arena, *label, where, text, problems);
    }
    bool found = false;
    *label = arena_printf(arena, "%s" SLICE_FMT ".yaml", prefix, SLICE_ARG(name)).ptr;
    *text = asset_find(*label, &found);
    if (found)
        return true;
    const char *near = nearest_shipped(arena, prefix, name);
    struct slice shown = where && where->written.len > 0 ? where->written : name;
    if (near)
        problems_add(problems, where, "unknown %s '" SLICE_FMT "'; hint: did you mean '%s'?", what,
                     SLICE_ARG(shown), near);
    else
        problems_add(problems, where,
                     "unknown %s '" SLICE_FMT "'; hint: a path needs a '/' or ends in .yaml", what,
                     SLICE_ARG(shown));
    return false;
}

/* ---- merging ---- */

/* Room for `extra` more entries. */
static bool reserve_entries(struct arena *arena, struct yaml_node *map, size_t extra)
{
    struct yaml_node **keys = ARENA_ARRAY(arena, struct yaml_node *, map->count + extra);
    struct yaml_node **values = ARENA_ARRAY(arena, struct yaml_node *, map->count + extra);
    if (keys == NULL || values == NULL)
        return false;
    for (size_t i = 0; i < map->count; i++) {
        keys[i] = map->keys[i];
        values[i] = map->values[i];
    }
    map->keys = keys;
    map->values = values;
    return true;
}

static void add_entry(struct yaml_node *map, struct yaml_node *key, struct yaml_node *value)
{
    map->keys[map->count] = key;
    map->values[map->count++] = value;
}

/* Adds what `other` says to `map`. Sections unite down to `depth`; nothing may be said twice. */
static void merge_maps(struct reading *reading, struct yaml_node *map,
                       const struct yaml_node *other, unsigned depth)
{
    if (!reserve_entries(reading->arena, map, other->count))
        return;
    for (size_t i = 0; i < other->count; i++) {
        struct yaml_node *key = other->keys[i], *value = other->values[i];
        const char *name = arena_str(reading->arena, key->text);
        if (depth == 0 && strcmp(name, "include") == 0)
            continue;
        struct yaml_node *known = yaml_get(map, name);
        if (known == NULL)
            add_entry(map, key, value);
        else if (depth == 0 && known->kind == YAML_MAP && value->kind == YAML_MAP)
            merge_maps(reading, known, value, 1);
        else
            problems_add(reading->problems, key, "'%s' is also given at %s:%u; hint: keep one",
                         name, known->file, known->line);
    }
}

/* ---- includes ---- */

static struct yaml_node *read_one(struct reading *reading, const char *path,
                                  const struct yaml_node *where, unsigned depth);

static void include_file(struct reading *reading, struct yaml_node *root, const char *path,
                         const struct yaml_node *where, unsigned depth)
{
    struct yaml_node *other = read_one(reading, path, where, depth);
    if (other && other->kind == YAML_MAP)
        merge_maps(reading, root, other, 0);
    else if (other && !other->is_null)
        problems_add(reading->problems, other, "expected keys and values");
}

/* A directory that is not there holds no files; one that cannot be read is a problem. */
static int on_glob_error(const char *path, int number)
{
    (void)path;
    return number != ENOENT && number != ENOTDIR;
}

static void include_pattern(struct reading *reading, struct yaml_node *root,
                            const struct yaml_node *item, unsigned depth)
{
    if (item->kind != YAML_SCALAR || item->text.len == 0) {
        problems_add(reading->problems, item, "include: expected the path of a file");
        return;
    }
    const char *pattern = config_resolve_path(reading->arena, item, item->text);
    if (strpbrk(pattern, "*?[") == NULL) {
        include_file(reading, root, pattern, item, depth);
        return;
    }
    glob_t found = {0};
    int result = glob(pattern, 0, on_glob_error, &found);
    if (result != 0 && result != GLOB_NOMATCH)
        problems_add(reading->problems, item, "include: cannot look for '%s'", pattern);
    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++)
        include_file(reading, root, arena_str(reading->arena, slice_str(found.gl_pathv[i])), item,
                     depth);
    globfree(&found);
}

/* What a file includes is added to it, `where` being the include that named it. */
static struct yaml_node *read_one(struct reading *reading, const char *path,
                                  const struct yaml_node *where, unsigned depth)
{
    if (depth > INCLUDE_DEPTH_MAX || reading->file_count == INCLUDE_FILES_MAX) {
        problems_add(reading->problems, where, "include: %s",
                     depth > INCLUDE_DEPTH_MAX ? "nested more than 8 deep" : "more than 256 files");
        return NULL;
    }
    struct slice text = SLICE_EMPTY;
    struct stat about;
    if (!read_file(reading->arena, path, where, &text, &about, reading->problems))
        return NULL;
    for (size_t i = 0; i < reading->file_count; i++) {
        if (reading->devices[i] == about.st_dev && reading->inodes[i] == about.st_ino) {
            problems_add(reading->problems, where, "include: '%s' is read already", path);
            return NULL;
        }
    }
    reading->devices[reading->file_count] = about.st_dev;
    reading->inodes[reading->file_count++] = about.st_ino;
    struct yaml_node *root = yaml_parse(reading->arena, path, text, reading->problems);
    if (root == NULL)
        return NULL;
    config_expand(reading->arena, root, reading->problems);
    const struct yaml_node *include = yaml_get(root, "include");
    if (include == NULL || (include->kind == YAML_SCALAR && include->is_null))
        return root;
    if (include->kind == YAML_MAP)
        problems_add(reading->problems, include, "include: expected a path or a list of paths");
    else if (include->kind == YAML_SCALAR)
        include_pattern(reading, root, include, depth + 1);
    else
        for (size_t i = 0; i < include->count; i++)
            include_pattern(reading, root, include->values[i], depth + 1);
    return root;
}

struct yaml_node *config_read_files(struct arena *arena, const char *path,
                                    struct problems *problems)
{
    struct reading *reading = ARENA_NEW(arena, struct reading);
    if (reading == NULL)
        return NULL;
    reading->arena = arena;
    reading->problems = problems;
    struct yaml_node where = {.file = path, .line = 1, .column = 1};
    return read_one(reading, path, &where, 0);
}

/* ---- presets ---- */

static void merge_preset(struct arena *arena, struct yaml_node *section,
                         const struct yaml_node *preset, struct problems *problems)
{
    if (!reserve_entries(arena, section, preset->count))
        return;
    for (size_t i = 0; i < preset->count; i++) {
        const char *key = arena_str(arena, preset->keys[i]->text);
        struct yaml_node *own = yaml_get(section, key);
        if (own == NULL) {
            add_entry(section, preset->keys[i], preset->values[i]);
        } else if (strcmp(key, "type") == 0 && !slice_eq(own->text, preset->values[i]->text)) {
            problems_add(problems, own,
                         "the preset is of type '" SLICE_FMT "'; hint: leave type out",
                         SLICE_ARG(preset->values[i]->text));
        } else if (strcmp(key, "map") == 0 && own->kind == YAML_MAP &&
                   preset->values[i]->kind == YAML_MAP) {
            merge_preset(arena, own, preset->values[i], problems);
        }
    }
}

static void apply_preset(struct arena *arena, struct yaml_node *section, struct problems *problems)
{
    const struct yaml_node *name = yaml_get(section, "preset");
    if (name == NULL || name->kind != YAML_SCALAR || name->text.len == 0)
        return;
    const char *label;
    struct slice text;
    if (!config_read_named(arena, "connectors/presets/", "preset", name, name->text, &label, &text,
                           problems))
        return;
    struct yaml_node *preset = yaml_parse(arena, label, text, problems);
    if (preset && preset->kind == YAML_MAP)
        merge_preset(arena, section, preset, problems);
    else if (preset)
        problems_add(problems, preset, "a preset must be keys and values");
}

void config_merge_presets(struct arena *arena, struct yaml_node *root, struct problems *problems)
{
    const struct yaml_node *sources = yaml_get(root, "sources");
    for (size_t i = 0; sources && sources->kind == YAML_MAP && i < sources->count; i++) {
        if (sources->values[i]->kind == YAML_MAP)
            apply_preset(arena, sources->values[i], problems);
    }
}
