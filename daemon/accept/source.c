/* source.c - see source.h. */
#include "daemon/accept/source.h"
#include "sql_queries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define RECORDS_TYPE "records"
#define RETIRED_MAX     1000 /* sources in the database that are not configured any more */

static uint16_t field_of_column(const struct source_context *context, struct slice column)
{
    const struct source *source = context->field_of_column_data;
    const struct generation *generation = source->generation;
    for (size_t i = 0; i < source->rules.map_count; i++) {
        const struct source_map *map = &source->rules.map[i];
        for (size_t j = 0; j < map->column_count; j++) {
            if (!slice_eq_nocase(map->columns[j], column))
                continue;
            char name[FIELD_NAME_MAX + 1];
            snprintf(name, sizeof(name), SLICE_FMT, SLICE_ARG(map->field));
            const struct field *field = schema_find(generation->schema, name);
            return field ? field->id : FIELD_NONE;
        }
    }
    const struct field *field = ruleset_alias(generation->ruleset, column);
    return field ? field->id : FIELD_NONE;
}

static enum status make_dir(const char *path, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "accept.state_dir", "cannot make the directory %s", path);
    return STATUS_OK;
}

struct building {
    const struct config *config;
    const struct generation *generation;
    const struct clock *clock;
    const struct stop *stop;
    struct sources *sources;
};

static enum status add_source(const struct building *b, const struct config_source *configured,
                              struct err *err)
{
    struct source *source = &b->sources->list[b->sources->count];
    struct arena *arena = b->sources->arena;
    const struct options *options = configured->options;
    *source = (struct source){.name = configured->name, .options = options, .pull = configured->pull,
                              .push = configured->push, .rules = configured->rules, .enabled = true,
                              .leads = true, .space = CONFIG_DEFAULT_SPACE,
                              .generation = b->generation};
    source->type = source->pull ? source->pull->type : source->push->type;
    if (strcmp(configured->name, CONFIG_API_SOURCE) != 0 || options_where(options) != NULL) {
        source->enabled = options_bool(options, "enabled");
        source->leads = options_bool(options, "leads");
        source->verified = options_bool(options, "verified");
        source->employers = options_bool(options, "employers");
        source->space = options_string(options, "space");
        source->lead_again_after_ms = options_int(options, "lead_again_after");
        source->silent_after_ms = options_int(options, "silent_after");
        source->retention_ms = options_int(options, "retention");
        source->lawful_basis = options_string(options, "lawful_basis");
    }
    source->space_key = space_key_of(slice_str(source->space));
    source->rank = survivorship_source_rank(b->generation->survivorship, source->name);
    const char *dir = arena_printf(arena, "%s/sources/%s", b->config->state_dir, source->name).ptr;
    if (make_dir(dir, err) != STATUS_OK)
        return STATUS_FAILED;
    source->context = (struct source_context){
        .name = source->name, .options = options, .clock = b->clock, .stop = b->stop,
        .state_dir = dir, .schema = b->generation->schema, .field_of_column = field_of_column,
        .field_of_column_data = source};
    pthread_mutex_init(&source->lock, NULL);
    b->sources->count++;
    if (source->push) {
        source->push_source = source->push->open(&source->context, err);
        if (source->push_source == NULL)
            return STATUS_FAILED;
    }
    return STATUS_OK;
}

static enum status add_api_source(const struct building *b, struct err *err)
{
    const struct push_connector *records = push_connector_find(RECORDS_TYPE);
    if (records == NULL || sources_by_name(b->sources, CONFIG_API_SOURCE))
        return STATUS_OK;
    struct problems problems = {0};
    const struct options *options =
        options_build(b->sources->arena, records->options, NULL, b->config->dir, &problems);
    problems_free(&problems);
    if (options == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for the sources");
    struct config_source api = {.name = CONFIG_API_SOURCE, .options = options, .push = records,
                                .rules = {.name = CONFIG_API_SOURCE, .country = "", .time_zone = "UTC",
                                          .kind = KIND_PERSON}};
    return add_source(b, &api, err);
}

enum status sources_new(const struct config *config, const struct generation *generation,
                        const struct clock *clock, const struct stop *stop,
                        struct sources **sources, struct err *err)
{
    struct sources *made = calloc(1, sizeof(*made));
    *sources = made;
    if (made) {
        made->arena = arena_new((size_t)16 << 20);
        made->capacity = config->source_count + 1 + RETIRED_MAX;
        made->list = calloc(made->capacity, sizeof(*made->list));
    }
    if (made == NULL || made->arena == NULL || made->list == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for the sources");
    struct building b = {config, generation, clock, stop, made};
    const char *dir = arena_printf(made->arena, "%s/sources", config->state_dir).ptr;
    if (make_dir(dir, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < config->source_count; i++) {
        if (add_source(&b, &config->sources[i], err) != STATUS_OK) {
            err_prefix(err, "source %s", config->sources[i].name);
            return STATUS_FAILED;
        }
    }
    made->generation = generation;
    return add_api_source(&b, err);
}

void sources_free(struct sources **sources)
{
    struct sources *mine = *sources;
    if (mine == NULL)
        return;
    for (size_t i = 0; i < mine->count; i++) {
        struct source *source = &mine->list[i];
        if (source->push_source)
            source->push->close(&source->push_source);
        pthread_mutex_destroy(&source->lock);
        free(source->cursor);
    }
    free(mine->list);
    arena_free(&mine->arena);
    free(mine);
    *sources = NULL;
}

void sources_use(struct sources *sources, const struct generation *generation)
{
    sources->generation = generation;
    for (size_t i = 0; i < sources->count; i++) {
        struct source *source = &sources->list[i];
        source->generation = generation;
        source->rank = survivorship_source_rank(generation->survivorship, source->name);
    }
}

static enum status pin_one(struct source *source, struct db *db, struct err *err)
{
    struct db_param params[] = {DB_P_TEXT(slice_str(source->name)), DB_P_TEXT(slice_str(source->type)),
                                DB_P_TEXT(slice_str(source->space))};
    struct db_result *result = NULL;
    if (db_query(db, &sql_source_pin, params, 3, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    source->source_id = (int32_t)db_int(result, 0, 0);
    struct slice cursor = db_bytes(result, 0, 1);
    free(source->cursor);
    source->cursor = strndup(cursor.ptr, cursor.len);
    source->paused = db_int(result, 0, 2) != 0;
    source->employers_stored = db_int(result, 0, 3) != 0;
    db_result_free(&result);
    if (source->cursor == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a cursor");
    struct db_param id = DB_P_INT4(source->source_id);
    struct db_param basis[] = {
        id, DB_P_TEXT(slice_str(source->lawful_basis ? source->lawful_basis : ""))};
    if (db_run(db, &sql_source_basis_set, basis, 2, NULL, err) != STATUS_OK)
        return STATUS_FAILED;
    return db_run(db, &sql_source_ledger, &id, 1, NULL, err);
}

static enum status adopt_retired(struct sources *sources, int32_t source_id, struct slice name,
                                 struct slice type, struct slice space, struct err *err)
{
    if (sources_by_id(sources, source_id))
        return STATUS_OK;
    if (sources->count == sources->capacity)
        return err_set(err, RETRY_REJECT_CONFIG, "accept.sources_max",
                       "the database knows more than %d sources that are not configured", RETIRED_MAX);
    struct source *source = &sources->list[sources->count++];
    *source = (struct source){.source_id = source_id, .name = arena_str(sources->arena, name),
                              .type = arena_str(sources->arena, type),
                              .space = arena_str(sources->arena, space), .space_key = space_key_of(space),
                              .generation = sources->generation};
    source->rules = (struct source_rules){.name = source->name, .country = "", .time_zone = "UTC",
                                          .kind = KIND_PERSON};
    source->rank = survivorship_source_rank(sources->generation->survivorship, source->name);
    pthread_mutex_init(&source->lock, NULL);
    return STATUS_OK;
}

/* Records of two spaces must never meet, so their names must not have one key. */
static enum status check_spaces(const struct sources *sources, struct err *err)
{
    for (size_t i = 0; i < sources->count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct source *a = &sources->list[j], *b = &sources->list[i];
            if (a->space_key == b->space_key && strcmp(a->space, b->space) != 0)
                return err_set(err, RETRY_REJECT_CONFIG, "accept.spaces",
                               "the spaces '%s' and '%s' cannot be told apart; hint: rename one of them", a->space,
                               b->space);
        }
    }
    return STATUS_OK;
}

enum status sources_pin(struct sources *sources, struct db *db, struct err *err)
{
    for (size_t i = 0; i < sources->count; i++) {
        if ((sources->list[i].push || sources->list[i].pull) &&
            pin_one(&sources->list[i], db, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    struct db_result *result = NULL;
    if (db_query(db, &sql_source_all, NULL, 0, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < db_rows(result) && status == STATUS_OK; i++)
        status = adopt_retired(sources, (int32_t)db_int(result, i, 0), db_bytes(result, i, 1),
                               db_bytes(result, i, 2), db_bytes(result, i, 3), err);
    db_result_free(&result);
    return status == STATUS_OK ? check_spaces(sources, err) : status;
}

struct source *sources_by_id(struct sources *sources, int32_t source_id)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->list[i].source_id == source_id)
            return &sources->list[i];
    }
    return NULL;
}

struct source *sources_by_name(struct sources *sources, const char *name)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->list[i].name, name) == 0)
            return &sources->list[i];
    }
    return NULL;
}

void source_went_well(struct source *source, int64_t now_us, uint64_t accepted)
{
    pthread_mutex_lock(&source->lock);
    source->health.last_ok_us = now_us;
    source->health.last_error[0] = '\0';
    source->health.accepted += accepted;
    pthread_mutex_unlock(&source->lock);
}

void source_went_wrong(struct source *source, int64_t now_us, const struct err *err)
{
    pthread_mutex_lock(&source->lock);
    source->health.last_error_us = now_us;
    snprintf(source->health.last_error, sizeof(source->health.last_error), "%.255s", err->text);
    pthread_mutex_unlock(&source->lock);
}
