/*
 * op_find.c - `customer find`: which records say something.
 *
 * Two steps. What is exactly a phone, an e-mail, a messenger id or a member number is looked up where the resolver looks
 * for candidates, in its index: the text is cleaned as each source would clean it, and who shares a key of it is asked of
 * the database by id; record ids and external ids have indexes there. Unless somebody shares a key and is found so, every
 * record is read: names, parts of values, and values so common that their key is dead.
 */
#include "daemon/accept/source.h"
#include "daemon/console/ops_table.h"
#include "daemon/engine/generation.h"
#include "daemon/resolve/resolver.h"
#include "sql_queries.h"

#include <stdlib.h>

#define FOUND_MAX          100
#define FIND_TEXT_MAX      1000
#define PHONE_DIGITS_LEAST 5
#define CANDIDATES_MAX     400
#define PROBE_ARENA_MAX    ((size_t)16 << 20)

/* %text% with LIKE's own characters taken literally. */
static struct slice like_pattern(struct arena *arena, struct slice text)
{
    char *out = arena_alloc(arena, text.len * 2 + 3);
    size_t used = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    out[used++] = '%';
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' || text.ptr[i] == '_' || text.ptr[i] == '\\')
            out[used++] = '\\';
        out[used++] = text.ptr[i];
    }
    out[used++] = '%';
    return slice_of(out, used);
}

/* What looks like a phone number, by its digits alone: 0138 1234-5678 is in +8613812345678. Else the text itself. */
static struct slice searched(struct arena *arena, struct slice text)
{
    char *digits = arena_alloc(arena, text.len + 1);
    size_t count = 0;
    for (size_t i = 0; digits && i < text.len; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9') {
            if (count > 0 || text.ptr[i] != '0')
                digits[count++] = text.ptr[i];
        } else if (strchr(" +-().", text.ptr[i]) == NULL || text.ptr[i] == '\0') {
            return text;
        }
    }
    return count >= PHONE_DIGITS_LEAST ? slice_of(digits, count) : text;
}

/* As it stands between the quotes of a JSON string. */
static struct slice in_json(struct arena *arena, struct slice text)
{
    struct buf json = BUF_INIT(FIND_TEXT_MAX * 8);
    buf_put_json(&json, text);
    struct slice inside = json.len >= 2 && !buf_failed(&json)
                              ? arena_dup(arena, slice_of(json.data + 1, json.len - 2))
                              : text;
    buf_free(&json);
    return inside;
}

/* ---- who shares a key of it ---- */

struct probing {
    struct slice text;
    const struct sources *sources;
    int64_t ids[CANDIDATES_MAX];
    size_t count;
};

struct prober {
    const struct generation *generation;
    const struct graph *graph;
    struct cleaner *cleaner;
};

static void add_candidates(struct probing *probing, const struct graph *graph, const struct clean_record *clean,
                           const struct matcher *matcher, uint32_t space_key)
{
    uint64_t ids[FOUND_MAX];
    double weights[FOUND_MAX];
    struct buf features = BUF_INIT(FEATURES_MAX_BYTES);
    features_pack(matcher, clean, space_key, &features);
    size_t found = buf_failed(&features) ? 0 : graph_candidates(graph, buf_slice(&features), ids, weights, FOUND_MAX);
    for (size_t i = 0; i < found; i++) {
        size_t at = 0;
        while (at < probing->count && probing->ids[at] != (int64_t)ids[i])
            at++;
        if (at == probing->count && at < CANDIDATES_MAX)
            probing->ids[probing->count++] = (int64_t)ids[i];
    }
    buf_free(&features);
}

/* One source's reading of the text as the value of one field. */
static void probe_field(struct probing *probing, const struct prober *view, const struct source *source,
                        const char *field, struct arena *arena)
{
    struct slice names[] = {slice_str(field)};
    struct columns columns = {.id = slice_hash(names[0], 1), .count = 1, .names = names};
    struct raw_record raw = {.external_id = SLICE("?"), .part = SLICE("main"), .columns = &columns, .values = &probing->text};
    struct clean_record clean;
    struct err err;
    arena_reset(arena);
    if (ruleset_clean(view->cleaner, &source->rules, &raw, arena, &clean, &err) != STATUS_OK)
        return;
    for (int kind = KIND_PERSON; kind <= KIND_COMPANY; kind++) {
        clean.kind = (enum record_kind)kind;
        add_candidates(probing, view->graph, &clean, view->generation->matcher, source->space_key);
    }
}

/* On the resolver's thread. */
static void probe(struct resolver *resolver, void *data)
{
    static const char *const fields[] = {"phone", "email", "wechat_id", "member_no"};
    struct probing *probing = data;
    const struct generation *generation = resolver_generation(resolver);
    struct prober view = {generation, resolver_graph(resolver), cleaner_new(generation->ruleset)};
    struct arena *arena = arena_new(PROBE_ARENA_MAX);
    for (size_t i = 0; view.cleaner && arena && i < probing->sources->count; i++) {
        for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++)
            probe_field(probing, &view, &probing->sources->list[i], fields[j], arena);
    }
    cleaner_free(&view.cleaner);
    arena_free(&arena);
}

/* ---- asking the database ---- */

struct found {
    int64_t ids[FOUND_MAX];
    size_t count;
};

/* Adds the records a query names that are not there yet. */
static enum status look(struct db *db, const struct sql_query *query, const struct db_param *params, size_t count,
                        struct found *found, struct err *err)
{
    struct db_result *rows = NULL;
    if (db_query(db, query, params, count, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < db_rows(rows) && found->count < FOUND_MAX; i++) {
        int64_t id = db_int(rows, i, 0);
        size_t at = 0;
        while (at < found->count && found->ids[at] != id)
            at++;
        if (at == found->count)
            found->ids[found->count++] = id;
    }
    db_result_free(&rows);
    return STATUS_OK;
}

static enum status show(struct db *db, const struct found *found, json_t *list, struct err *err)
{
    struct db_result *rows = NULL;
    struct db_param ids = DB_P_INT8S(found->ids, found->count);
    if (found->count == 0)
        return STATUS_OK;
    if (db_query(db, &sql_customer_found, &ids, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct slice text = db_bytes(rows, i, 0);
        json_array_append_new(list, json_loadb(text.ptr, text.len, 0, NULL));
    }
    db_result_free(&rows);
    return STATUS_OK;
}

/* On a connection of its own: a search may read every record, and others are not to wait for it. */
static enum status find(struct engine *engine, struct slice text, struct arena *arena, json_t *list, struct err *err)
{
    struct slice wanted = searched(arena, text), pattern = like_pattern(arena, wanted);
    struct probing probing = {.text = text, .sources = engine_sources(engine)};
    struct err unasked; /* a resolver that has no time: then every record is read */
    (void)!resolver_ask(engine_resolver(engine), probe, &probing, &unasked);
    int64_t id = 0;
    if (!slice_to_int64(text, &id) || id < 0)
        id = 0;
    struct db_settings settings = engine_db_settings(engine, "tributary find");
    struct db *db = db_new(&settings, engine_stop_signal(engine));
    if (db == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a search");
    struct db_param exact[] = {DB_P_TEXT(text), DB_P_INT8(id), DB_P_INT8S(probing.ids, probing.count), DB_P_TEXT(pattern),
                               DB_P_INT4(FOUND_MAX)};
    struct db_param anywhere[] = {DB_P_TEXT(pattern), DB_P_INT4(FOUND_MAX),
                                  DB_P_TEXT(like_pattern(arena, in_json(arena, wanted)))};
    struct found found = {.count = 0};
    enum status status = db_open(db, err);
    if (status == STATUS_OK)
        status = look(db, &sql_customer_find_exact, exact, 5, &found, err);
    /* A number that is some record's id may be a piece of a phone, too; whole e-mails and phones are nothing else. */
    if (status == STATUS_OK && (found.count == 0 || probing.count == 0))
        status = look(db, &sql_customer_find, anywhere, 3, &found, err);
    if (status == STATUS_OK)
        status = show(db, &found, list, err);
    db_free(&db);
    return status;
}

enum status op_customer_find(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    const char *text = NULL;
    if (op_arg_text(args, "text", &text, err) != STATUS_OK)
        return STATUS_FAILED;
    if (strlen(text) > FIND_TEXT_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "text is longer than %d bytes", FIND_TEXT_MAX);
    struct arena *arena = arena_new((size_t)1 << 20);
    json_t *found = json_array();
    enum status status = arena && found ? find(engine, slice_str(text), arena, found, err)
                                        : err_set(err, RETRY_LATER, "base.memory", "out of memory for a search");
    if (status == STATUS_OK)
        *result = json_incref(found);
    json_decref(found);
    arena_free(&arena);
    return status;
}
