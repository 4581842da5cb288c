/*
 * op_decide.c - what stewards decide: merge, split, reviews, and taking it back.
 *
 * A decision is first a row (durable, by natural keys), then known to the graph, which settles; what follows
 * is committed before the answer. A crash in between loses nothing: decisions are read at start.
 */
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

#include <stdlib.h>

#define DECISIONS_MAX 1000
#define LIST_MAX      1000

struct party {
    char *source, *external_id, *part, *kind, *space;
};

struct deciding {
    const char *actor;
    size_t count;
    const struct decided_pair *pairs;
    struct party *parties; /* two a pair */
    int64_t *ids;
    uint64_t undo;         /* a decision to take back instead */
    enum status status;
    struct err *err;
};

static void free_parties(struct party *parties, size_t count)
{
    for (size_t i = 0; parties && i < count; i++) {
        free(parties[i].source);
        free(parties[i].external_id);
        free(parties[i].part);
        free(parties[i].kind);
        free(parties[i].space);
    }
    free(parties);
}

static enum status read_party(struct engine *engine, uint64_t record_id, struct party *party,
                              struct err *err)
{
    int64_t id = (int64_t)record_id;
    struct db_param param = DB_P_INT8S(&id, 1);
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_record_keys, &param, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = STATUS_OK;
    if (db_rows(rows) == 0) {
        status = err_set(err, RETRY_NONE, "op.not_found", "there is no record %llu",
                         (unsigned long long)record_id);
    } else {
        char **const texts[] = {&party->source, &party->external_id, &party->part, &party->kind, &party->space};
        bool copied = true;
        for (unsigned i = 0; i < 5; i++) {
            struct slice text = db_bytes(rows, 0, i + 1);
            *texts[i] = strndup(text.ptr, text.len);
            copied &= *texts[i] != NULL;
        }
        if (!copied)
            status = err_set(err, RETRY_LATER, "base.memory", "out of memory for a decision");
    }
    db_result_free(&rows);
    return status;
}

static enum status put_decision(struct engine *engine, const struct decided_pair *pair,
                                const struct party *a, const struct party *b, const char *actor,
                                const char *note, int64_t *id, struct err *err)
{
    struct db_param params[] = {
        DB_P_TEXT(slice_str(pair->kind)),      DB_P_TEXT(slice_str(a->source)),
        DB_P_TEXT(slice_str(a->external_id)),  DB_P_TEXT(slice_str(a->part)),
        DB_P_TEXT(slice_str(b->source)),       DB_P_TEXT(slice_str(b->external_id)),
        DB_P_TEXT(slice_str(b->part)),         DB_P_TEXT(slice_str(actor)),
        DB_P_TEXT(slice_str(note))};
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_decision_put, params, 9, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *id = db_int(rows, 0, 0);
    db_result_free(&rows);
    return STATUS_OK;
}

/* What nothing can make one customer of. */
static enum status check_pair(const struct decided_pair *pair, const struct party *a, const struct party *b,
                              struct err *err)
{
    if (strcmp(pair->kind, "always") != 0)
        return STATUS_OK;
    if (strcmp(a->kind, b->kind) != 0)
        return err_set(err, RETRY_REJECT_CONFIG, "op.kinds",
                       "%llu is a %s and %llu is a %s: they are never one customer; hint: golden.works_for says who "
                       "works for which company", (unsigned long long)pair->a, a->kind, (unsigned long long)pair->b,
                       b->kind);
    if (strcmp(a->space, b->space) != 0)
        return err_set(err, RETRY_REJECT_CONFIG, "op.spaces",
                       "%llu is of space %s and %llu of space %s: records of different spaces never meet",
                       (unsigned long long)pair->a, a->space, (unsigned long long)pair->b, b->space);
    return STATUS_OK;
}

static struct natural_key key_of(const struct party *party)
{
    return natural_key_of(slice_str(party->source), slice_str(party->external_id),
                          slice_str(party->part));
}

/* On the resolver's thread. */
static void decide(struct resolver *resolver, void *data)
{
    struct deciding *d = data;
    struct graph *graph = resolver_graph(resolver);
    d->status = resolver_can_apply(resolver, d->err);
    if (d->status == STATUS_OK && d->undo)
        graph_undecide(graph, d->undo);
    for (size_t i = 0; i < d->count && d->status == STATUS_OK; i++)
        d->status = graph_decide(graph, (uint64_t)d->ids[i],
                                 strcmp(d->pairs[i].kind, "always") == 0 ? DECISION_ALWAYS
                                                                         : DECISION_NEVER,
                                 key_of(&d->parties[2 * i]), key_of(&d->parties[2 * i + 1]), d->err);
    if (d->status == STATUS_OK)
        d->status = resolver_apply(resolver, d->actor, d->err);
}

static enum status run_deciding(struct engine *engine, struct deciding *d, struct err *err)
{
    d->err = err;
    struct err refused = {0};
    if (resolver_ask(engine_resolver(engine), decide, d, &refused) == STATUS_OK)
        return d->status;
    *err = refused;
    return STATUS_FAILED;
}

enum status op_decide(struct engine *engine, const struct decided_pair *pairs, size_t count,
                      const char *actor, const char *note, json_t **decision_ids, struct err *err)
{
    if (count == 0 || count > DECISIONS_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "1 to %d decisions at a time, not %zu",
                       DECISIONS_MAX, count);
    struct deciding d = {.actor = actor, .count = count, .pairs = pairs,
                         .parties = calloc(count * 2, sizeof(struct party)),
                         .ids = calloc(count, sizeof(int64_t))};
    enum status status = d.parties && d.ids
                             ? STATUS_OK
                             : err_set(err, RETRY_LATER, "base.memory", "out of memory");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = read_party(engine, pairs[i].a, &d.parties[2 * i], err);
        if (status == STATUS_OK)
            status = read_party(engine, pairs[i].b, &d.parties[2 * i + 1], err);
        if (status == STATUS_OK)
            status = check_pair(&pairs[i], &d.parties[2 * i], &d.parties[2 * i + 1], err);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = put_decision(engine, &pairs[i], &d.parties[2 * i], &d.parties[2 * i + 1], actor,
                              note, &d.ids[i], err);
    if (status == STATUS_OK)
        status = run_deciding(engine, &d, err);
    if (status == STATUS_OK) {
        *decision_ids = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(*decision_ids, json_integer(d.ids[i]));
    }
    free_parties(d.parties, count * 2);
    free(d.ids);
    return status;
}

/* ---- customers ---- */

struct members {
    uint64_t id;       /* in: a record or customer; out: its customer */
    uint64_t *list;
    size_t count;
};

static void read_members(struct resolver *resolver, void *data)
{
    struct members *m = data;
    struct graph *graph = resolver_graph(resolver);
    m->id = graph_customer(graph, m->id);
    m->count = m->id ? graph_member_count(graph, m->id) : 0;
    m->list = calloc(m->count + 1, sizeof(*m->list));
    m->count = m->list ? graph_members(graph, m->id, m->list, m->count) : 0;
}

static json_t *customers_after(struct engine *engine, const uint64_t *records, size_t count)
{
    json_t *now = json_object();
    for (size_t i = 0; i < count; i++) {
        struct members m = {.id = records[i]};
        char name[24];
        struct err err;
        if (resolver_ask(engine_resolver(engine), read_members, &m, &err) != STATUS_OK)
            break;
        snprintf(name, sizeof(name), "%llu", (unsigned long long)records[i]);
        json_object_set_new(now, name, json_integer((json_int_t)m.id));
        free(m.list);
    }
    return now;
}

static bool listed(const json_t *records, uint64_t id)
{
    size_t i;
    json_t *value;
    json_array_foreach(records, i, value) {
        if ((uint64_t)json_integer_value(value) == id)
            return true;
    }
    return false;
}

enum status op_customer_split(struct engine *engine, const json_t *args, json_t **result,
                              struct err *err)
{
    struct members m = {0};
    const json_t *records = json_object_get(args, "records");
    if (op_arg_id(args, "id", &m.id, err) != STATUS_OK)
        return STATUS_FAILED;
    if (resolver_ask(engine_resolver(engine), read_members, &m, err) != STATUS_OK)
        return STATUS_FAILED;
    if (m.count == 0) {
        free(m.list);
        return err_set(err, RETRY_NONE, "op.not_found", "there is no such customer");
    }
    size_t out = 0, pairs_count = 0;
    for (size_t i = 0; i < m.count; i++)
        out += listed(records, m.list[i]);
    struct decided_pair *pairs = calloc(out * (m.count - out) + 1, sizeof(*pairs));
    uint64_t *gone = calloc(out + 1, sizeof(*gone));
    enum status status = STATUS_OK;
    if (out != json_array_size(records) || out == 0 || out == m.count)
        status = err_set(err, RETRY_REJECT_CONFIG, "op.argument",
                         "records must name some, not all, of the %zu records of customer %llu; hint: "
                         "tributary customer show %llu", m.count, (unsigned long long)m.id,
                         (unsigned long long)m.id);
    for (size_t i = 0, at = 0; pairs && gone && status == STATUS_OK && i < m.count; i++) {
        if (!listed(records, m.list[i]))
            continue;
        gone[at++] = m.list[i];
        for (size_t j = 0; j < m.count; j++) {
            if (!listed(records, m.list[j]))
                pairs[pairs_count++] = (struct decided_pair){"never", m.list[i], m.list[j]};
        }
    }
    json_t *decisions = NULL;
    if (status == STATUS_OK)
        status = op_decide(engine, pairs, pairs_count, op_optional_text(args, "actor", ""),
                           op_optional_text(args, "note", ""), &decisions, err);
    if (status == STATUS_OK)
        *result = json_pack("{s:o,s:o}", "decisions", decisions, "customers",
                            customers_after(engine, m.list, m.count));
    free(pairs);
    free(gone);
    free(m.list);
    return status;
}

enum status op_customer_merge(struct engine *engine, const json_t *args, json_t **result,
                              struct err *err)
{
    struct decided_pair pair = {.kind = "always"};
    json_t *decisions = NULL;
    if (op_arg_id(args, "a", &pair.a, err) != STATUS_OK ||
        op_arg_id(args, "b", &pair.b, err) != STATUS_OK)
        return STATUS_FAILED;
    if (pair.a == pair.b)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "a and b are the same");
    if (op_decide(engine, &pair, 1, op_optional_text(args, "actor", ""),
                  op_optional_text(args, "note", ""), &decisions, err) != STATUS_OK)
        return STATUS_FAILED;
    uint64_t both[] = {pair.a, pair.b};
    *result = json_pack("{s:o,s:o}", "decisions", decisions, "customers",
                        customers_after(engine, both, 2));
    return STATUS_OK;
}

enum status op_decision_list(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    struct db_param limit = DB_P_INT4(op_optional_int(args, "limit", LIST_MAX));
    return op_rows(engine, &sql_decision_list, &limit, 1, result, err);
}

enum status op_decision_undo(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    struct deciding d = {.actor = op_optional_text(args, "actor", "")};
    if (op_arg_id(args, "id", &d.undo, err) != STATUS_OK)
        return STATUS_FAILED;
    struct db_param params[] = {DB_P_INT8((int64_t)d.undo), DB_P_TEXT(slice_str(d.actor))};
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_decision_retract, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    bool found = db_rows(rows) > 0;
    db_result_free(&rows);
    if (!found)
        return err_set(err, RETRY_NONE, "op.not_found",
                       "there is no decision %llu that stands; hint: tributary decision list",
                       (unsigned long long)d.undo);
    if (run_deciding(engine, &d, err) != STATUS_OK)
        return STATUS_FAILED;
    *result = json_pack("{s:I}", "retracted", (json_int_t)d.undo);
    return STATUS_OK;
}

/* ---- reviews ---- */

enum status op_review_list(struct engine *engine, const json_t *args, json_t **result,
                           struct err *err)
{
    struct db_param limit = DB_P_INT4(op_optional_int(args, "limit", 100));
    if (op_rows(engine, &sql_review_list, &limit, 1, result, err) != STATUS_OK)
        return STATUS_FAILED;
    size_t i;
    json_t *row;
    json_array_foreach(*result, i, row) {
        double weight = json_number_value(json_object_get(row, "weight"));
        json_object_set_new(row, "probability", json_real(weight_to_probability(weight)));
    }
    return STATUS_OK;
}

enum status op_review_decide(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    uint64_t id = 0;
    const char *decision = NULL;
    if (op_arg_id(args, "id", &id, err) != STATUS_OK ||
        op_arg_text(args, "decision", &decision, err) != STATUS_OK)
        return STATUS_FAILED;
    bool same = strcmp(decision, "same") == 0;
    if (!same && strcmp(decision, "different") != 0)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument",
                       "decision is same or different, not %s", decision);
    struct db_param param = DB_P_INT8((int64_t)id);
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_review_pair, &param, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    if (db_rows(rows) == 0) {
        db_result_free(&rows);
        return err_set(err, RETRY_NONE, "op.not_found",
                       "there is no open review %llu; hint: tributary review list",
                       (unsigned long long)id);
    }
    struct decided_pair pair = {same ? "always" : "never", (uint64_t)db_int(rows, 0, 0),
                                (uint64_t)db_int(rows, 0, 1)};
    db_result_free(&rows);
    json_t *decisions = NULL;
    if (op_decide(engine, &pair, 1, op_optional_text(args, "actor", ""),
                  op_optional_text(args, "note", ""), &decisions, err) != STATUS_OK)
        return STATUS_FAILED;
    uint64_t both[] = {pair.a, pair.b};
    *result = json_pack("{s:o,s:o}", "decisions", decisions, "customers",
                        customers_after(engine, both, 2));
    return STATUS_OK;
}
