/* load_dirs.c - see load_dirs.h. */
#include "daemon/config/load_dirs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool lies_in(const char *path, const char *dir)
{
    char resolved[PATH_MAX];
    if (dir == NULL || realpath(dir, resolved) == NULL)
        return false;
    size_t length = strlen(resolved);
    return strncmp(path, resolved, length) == 0 && (path[length] == '/' || length == 1);
}

bool config_may_load(const struct config *config, const char *path)
{
    char own[PATH_MAX];
    const struct slice *dirs;
    if (path[0] != '/' || strstr(path, "/../"))
        return false;
    int length = snprintf(own, sizeof(own), "%s/" LOAD_DIR_NAME, config->state_dir);
    bool found = length < (int)sizeof(own) && lies_in(path, own);
    for (size_t i = 0; i < config->source_count && !found; i++) {
        const struct config_source *source = &config->sources[i];
        if (source->pull && strcmp(source->pull->type, "csv") == 0)
            found = lies_in(path, options_string(source->options, "drop"));
    }
    size_t count = options_strings(config->root, "load_dirs", &dirs);
    for (size_t i = 0; i < count && !found; i++) {
        char dir[PATH_MAX];
        found = snprintf(dir, sizeof(dir), SLICE_FMT, SLICE_ARG(dirs[i])) < (int)sizeof(dir) && lies_in(path, dir);
    }
    return found;
}

void load_copy_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
    (void)rmdir(folder);
}

enum status load_dir_prepare(const struct config *config, struct err *err)
{
    char path[PATH_MAX], folder[PATH_MAX + NAME_MAX + 2];
    struct dirent *entry;
    if (snprintf(path, sizeof(path), "%s/" LOAD_DIR_NAME, config->state_dir) >= (int)sizeof(path))
        return err_set(err, RETRY_REJECT_CONFIG, "config.load_dir", "state_dir has too long a name");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "config.load_dir", "cannot make the directory %s", path);
    DIR *dir = opendir(path);
    while (dir && (entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, LOAD_COPY_PREFIX, strlen(LOAD_COPY_PREFIX)) != 0)
            continue;
        snprintf(folder, sizeof(folder), "%s/%s", path, entry->d_name);
        load_copy_remove(folder);
    }
    if (dir)
        closedir(dir);
    return STATUS_OK;
}
