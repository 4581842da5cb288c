/*
 * op_decide.c - what stewards decide: merge, split, reviews, and taking it back.
 *
 * Decisions are rows by natural keys. What one command decides, all pairs of a split, is one group, taken back as one; its rows and
 * what follows from them are committed in one transaction before the answer: a failure or a crash leaves all of it or nothing.
 */
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

#include <math.h>
#include <stdlib.h>

#define DECISIONS_MAX 250000 /* the pairs of the largest customer (limits.customer_records), split in two halves */
#define JUDGED_MAX    10000  /* of the pairs of one command */
#define LISTED_MAX    1000   /* ids of decisions in an answer */
#define LIST_MAX      1000
#define NAME_MAX_BYTES 200 /* of an owner or a team */

struct decided_pair {
    const char *kind; /* "always", "never" */
    uint64_t a, b;    /* record ids */
};

struct party {
    uint64_t record_id;
    char *source, *external_id, *part, *kind, *space;
};

struct deciding {
    const char *actor;
    size_t count;
    const struct decided_pair *pairs;
    struct party *parties; /* of the records in the pairs, each once, by id */
    size_t party_count;
    double *weights;       /* of the first JUDGED_MAX pairs; NAN: they share nothing, so were never judged */
    struct steward_decision *list; /* one a pair */
    struct steward_decisions decisions;
    enum status status;
    struct err *err;
};

static void free_deciding(struct deciding *d)
{
    for (size_t i = 0; d->parties && i < d->party_count; i++) {
        char *const texts[] = {d->parties[i].source, d->parties[i].external_id, d->parties[i].part,
                               d->parties[i].kind, d->parties[i].space};
        for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
            free(texts[j]);
    }
    free(d->parties);
    free(d->weights);
    free(d->list);
}

/* ---- who is decided about ---- */

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int compare_parties(const void *a, const void *b)
{
    const struct party *x = a, *y = b;
    return x->record_id < y->record_id ? -1 : x->record_id > y->record_id;
}

static const struct party *party_of(const struct deciding *d, uint64_t record_id)
{
    struct party wanted = {.record_id = record_id};
    return bsearch(&wanted, d->parties, d->party_count, sizeof(wanted), compare_parties);
}

static bool copy_party(const struct db_result *rows, size_t row, struct party *party)
{
    char **const texts[] = {&party->source, &party->external_id, &party->part, &party->kind, &party->space};
    bool copied = true;
    party->record_id = (uint64_t)db_int(rows, row, 0);
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct slice text = db_bytes(rows, row, i + 1);
        *texts[i] = strndup(text.ptr, text.len);
        copied &= *texts[i] != NULL;
    }
    return copied;
}

static enum status read_parties(struct engine *engine, struct deciding *d, struct err *err)
{
    int64_t *ids = calloc(d->count * 2, sizeof(*ids));
    size_t count = 0, kept = 0;
    struct db_result *rows = NULL;
    if (ids == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a decision");
    for (size_t i = 0; i < d->count; i++) {
        ids[count++] = (int64_t)d->pairs[i].a;
        ids[count++] = (int64_t)d->pairs[i].b;
    }
    qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    }
    struct db_param param = DB_P_INT8S(ids, kept);
    enum status status = engine_query(engine, &sql_record_keys, &param, 1, &rows, err);
    d->parties = status == STATUS_OK ? calloc(kept, sizeof(*d->parties)) : NULL;
    if (status == STATUS_OK && d->parties == NULL)
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory for a decision");
    for (size_t i = 0; status == STATUS_OK && i < db_rows(rows); i++) {
        if (!copy_party(rows, i, &d->parties[d->party_count++]))
            status = err_set(err, RETRY_LATER, "base.memory", "out of memory for a decision");
    }
    if (status == STATUS_OK && d->party_count > 1)
        qsort(d->parties, d->party_count, sizeof(*d->parties), compare_parties);
    for (size_t i = 0; status == STATUS_OK && i < kept; i++) {
        if (party_of(d, (uint64_t)ids[i]) == NULL)
            status = err_set(err, RETRY_NONE, "op.not_found", "there is no record %lld", (long long)ids[i]);
    }
    db_result_free(&rows);
    free(ids);
    return status;
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

/* ---- their rows ---- */

/* On the resolver's thread: what the machine says of the pairs, kept with the decisions for `tributary quality`. */
static void judge_pairs(struct resolver *resolver, void *data)
{
    struct deciding *d = data;
    struct match_result result;
    struct shared_key shared[MATCH_KEYS_MAX];
    size_t shared_count;
    bool live;
    for (size_t i = 0; i < d->count && i < JUDGED_MAX; i++) {
        bool judged = graph_judge(resolver_graph(resolver), d->pairs[i].a, d->pairs[i].b, &result, &live,
                                  shared, &shared_count);
        d->weights[i] = judged && live ? result.weight : (double)NAN;
    }
}

static struct natural_key key_of(const struct party *party)
{
    return natural_key_of(slice_str(party->source), slice_str(party->external_id),
                          slice_str(party->part));
}

static enum status number_decisions(struct engine *engine, struct deciding *d, struct err *err)
{
    struct db_param param = DB_P_INT4((int64_t)d->count);
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_decision_numbers, &param, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < d->count; i++) {
        const struct decided_pair *pair = &d->pairs[i];
        d->list[i] = (struct steward_decision){.decision_id = (uint64_t)db_int(rows, i, 0),
                                               .always = strcmp(pair->kind, "always") == 0, .a = pair->a, .b = pair->b,
                                               .key_a = key_of(party_of(d, pair->a)), .key_b = key_of(party_of(d, pair->b)),
                                               .weight = i < JUDGED_MAX ? d->weights[i] : (double)NAN};
    }
    db_result_free(&rows);
    return STATUS_OK;
}

/* ---- what follows ---- */

/* On the resolver's thread. */
static void decide(struct resolver *resolver, void *data)
{
    struct deciding *d = data;
    d->status = resolver_decide(resolver, &d->decisions, d->err);
}

static enum status run_deciding(struct engine *engine, struct deciding *d, struct err *err)
{
    struct err told = {0}, refused = {0};
    d->err = &told;
    enum status status = resolver_ask(engine_resolver(engine), decide, d, &refused);
    *err = status == STATUS_OK ? told : refused;
    return status == STATUS_OK ? d->status : status;
}

/* *decided is {"decisions": [ids], "group": the id by which all are taken back, "count": n}. */
static enum status op_decide(struct engine *engine, const struct decided_pair *pairs, size_t count,
                             const char *origin, const json_t *args, json_t **decided, struct err *err)
{
    if (count == 0 || count > DECISIONS_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "1 to %d decisions at a time, not %zu",
                       DECISIONS_MAX, count);
    struct deciding d = {.actor = op_optional_text(args, "actor", ""), .count = count, .pairs = pairs,
                         .weights = calloc(count < JUDGED_MAX ? count : JUDGED_MAX, sizeof(double)),
                         .list = calloc(count, sizeof(struct steward_decision))};
    d.decisions = (struct steward_decisions){.actor = d.actor, .note = op_optional_text(args, "note", ""),
                                             .origin = origin, .count = count, .list = d.list};
    enum status status = d.weights && d.list ? read_parties(engine, &d, err)
                                            : err_set(err, RETRY_LATER, "base.memory", "out of memory");
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = check_pair(&pairs[i], party_of(&d, pairs[i].a), party_of(&d, pairs[i].b), err);
    if (status == STATUS_OK)
        status = resolver_ask(engine_resolver(engine), judge_pairs, &d, err);
    if (status == STATUS_OK)
        status = number_decisions(engine, &d, err);
    if (status == STATUS_OK)
        status = run_deciding(engine, &d, err);
    if (status == STATUS_OK) {
        json_t *ids = json_array();
        for (size_t i = 0; i < count && i < LISTED_MAX; i++)
            json_array_append_new(ids, json_integer((json_int_t)d.list[i].decision_id));
        *decided = json_pack("{s:o,s:I,s:I}", "decisions", ids, "group", (json_int_t)d.list[0].decision_id, "count",
                             (json_int_t)count);
    }
    free_deciding(&d);
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

struct whereabouts {
    const uint64_t *records;
    size_t count;
    json_t *customers;
};

static void read_whereabouts(struct resolver *resolver, void *data)
{
    struct whereabouts *w = data;
    for (size_t i = 0; i < w->count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "%llu", (unsigned long long)w->records[i]);
        json_object_set_new(w->customers, name,
                            json_integer((json_int_t)graph_customer(resolver_graph(resolver), w->records[i])));
    }
}

/* Adds which customer each record is in now. */
static void put_customers(struct engine *engine, const uint64_t *records, size_t count, json_t *result)
{
    struct whereabouts w = {records, count, json_object()};
    struct err err;
    (void)!resolver_ask(engine_resolver(engine), read_whereabouts, &w, &err); /* decided it is; where they are is news */
    json_object_set_new(result, "customers", w.customers);
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
    enum status status = STATUS_OK;
    if (pairs == NULL)
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory for a split");
    else if (out != json_array_size(records) || out == 0 || out == m.count)
        status = err_set(err, RETRY_REJECT_CONFIG, "op.argument",
                         "records must name some, not all, of the %zu records of customer %llu; hint: "
                         "tributary customer show %llu", m.count, (unsigned long long)m.id,
                         (unsigned long long)m.id);
    for (size_t i = 0; status == STATUS_OK && i < m.count; i++) {
        for (size_t j = 0; j < m.count && listed(records, m.list[i]); j++) {
            if (!listed(records, m.list[j]))
                pairs[pairs_count++] = (struct decided_pair){"never", m.list[i], m.list[j]};
        }
    }
    if (status == STATUS_OK)
        status = op_decide(engine, pairs, pairs_count, "split", args, result, err);
    if (status == STATUS_OK)
        put_customers(engine, m.list, m.count, *result);
    free(pairs);
    free(m.list);
    return status;
}

/* ---- who looks after a customer ---- */

struct assigning {
    const struct steward_assignment *assignment;
    enum status status;
    struct err *err;
};

static void assign(struct resolver *resolver, void *data)
{
    struct assigning *a = data;
    a->status = resolver_assign(resolver, a->assignment, a->err);
}

enum status op_customer_assign(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    struct members m = {0};
    const char *owner = op_optional_text(args, "owner", ""), *team = op_optional_text(args, "team", "");
    if (op_arg_id(args, "id", &m.id, err) != STATUS_OK)
        return STATUS_FAILED;
    if (strlen(owner) > NAME_MAX_BYTES || strlen(team) > NAME_MAX_BYTES)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "owner and team have at most %d bytes", NAME_MAX_BYTES);
    if (resolver_ask(engine_resolver(engine), read_members, &m, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = STATUS_OK;
    if (m.count == 0)
        status = err_set(err, RETRY_NONE, "op.not_found", "there is no such customer");
    struct steward_assignment assignment = {.actor = op_optional_text(args, "actor", ""), .owner = owner, .team = team,
                                            .count = m.count, .records = m.list};
    struct assigning assigning = {&assignment, STATUS_FAILED, err};
    if (status == STATUS_OK)
        status = resolver_ask(engine_resolver(engine), assign, &assigning, err);
    if (status == STATUS_OK)
        status = assigning.status;
    if (status == STATUS_OK)
        *result = json_pack("{s:I,s:s,s:s,s:I}", "customer_id", (json_int_t)m.id, "owner", owner, "team", team,
                            "records", (json_int_t)m.count);
    free(m.list);
    return status;
}

enum status op_customer_merge(struct engine *engine, const json_t *args, json_t **result,
                              struct err *err)
{
    struct decided_pair pair = {.kind = "always"};
    if (op_arg_id(args, "a", &pair.a, err) != STATUS_OK ||
        op_arg_id(args, "b", &pair.b, err) != STATUS_OK)
        return STATUS_FAILED;
    if (pair.a == pair.b)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "a and b are the same");
    if (op_decide(engine, &pair, 1, "merge", args, result, err) != STATUS_OK)
        return STATUS_FAILED;
    uint64_t both[] = {pair.a, pair.b};
    put_customers(engine, both, 2, *result);
    return STATUS_OK;
}

enum status op_decision_list(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    struct db_param params[] = {DB_P_INT4(op_optional_int(args, "limit", LIST_MAX)),
                                DB_P_BOOL(json_is_true(json_object_get(args, "pairs")))};
    return op_rows(engine, &sql_decision_list, params, 2, result, err);
}

enum status op_decision_undo(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    uint64_t id = 0;
    if (op_arg_id(args, "id", &id, err) != STATUS_OK)
        return STATUS_FAILED;
    struct deciding d = {.actor = op_optional_text(args, "actor", "")};
    struct db_param params[] = {DB_P_INT8((int64_t)id), DB_P_BOOL(json_is_true(json_object_get(args, "alone")))};
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_decision_standing, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    size_t count = db_rows(rows);
    int64_t *undo = calloc(count + 1, sizeof(*undo));
    for (size_t i = 0; undo && i < count; i++)
        undo[i] = db_int(rows, i, 0);
    db_result_free(&rows);
    enum status status = STATUS_OK;
    if (undo == NULL)
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory");
    else if (count == 0)
        status = err_set(err, RETRY_NONE, "op.not_found",
                         "there is no decision %llu that stands; hint: tributary decision list",
                         (unsigned long long)id);
    d.decisions = (struct steward_decisions){.actor = d.actor, .retracted = undo, .retracted_count = count};
    if (status == STATUS_OK)
        status = run_deciding(engine, &d, err);
    if (status == STATUS_OK)
        *result = json_pack("{s:I,s:I}", "retracted", (json_int_t)id, "pairs", (json_int_t)count);
    free(undo);
    return status;
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
    if (op_decide(engine, &pair, 1, "review", args, result, err) != STATUS_OK)
        return STATUS_FAILED;
    uint64_t both[] = {pair.a, pair.b};
    put_customers(engine, both, 2, *result);
    return STATUS_OK;
}
