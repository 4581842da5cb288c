/*
 * op_explain.c - why two records are one customer, or why not.
 *
 * The pair is judged anew on the resolver's thread, as it stands; what stewards said, open reviews and the links in between are
 * read from the database. Given a customer, its record that goes best with the other side is taken. The shape of the
 * answer is docs/explain.md.
 */
#include "daemon/console/explain_path.h"
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PAIRS_MAX   50000 /* judged to find the best one of two customers */
#define VALUES_SHOWN 4    /* of one side of a comparison */

struct side {
    uint64_t asked, record, customer;
    uint64_t *members; /* the records it may stand for */
    size_t count;
};

struct asking {
    struct side a, b;
    bool known, shares_live_key;
    size_t pairs;
    struct match_result result;
    struct shared_key shared[MATCH_KEYS_MAX];
    uint32_t degrees[MATCH_KEYS_MAX];
    size_t shared_count;
    bool other_identity;
    int32_t generation_id;
    const struct matcher *matcher;
};

/* ---- on the resolver's thread ---- */

/* A customer's id stands for all its records when the other side is elsewhere. */
static void find_members(const struct graph *graph, struct side *side, bool whole)
{
    size_t count = whole && side->customer == side->asked ? graph_member_count(graph, side->customer) : 1;
    side->members = calloc(count + 1, sizeof(*side->members));
    if (side->members == NULL)
        return;
    side->count = count > 1 ? graph_members(graph, side->customer, side->members, count) : 1;
    if (count == 1)
        side->members[0] = side->asked;
}

static void judge_best(struct asking *asking, const struct graph *graph)
{
    bool best_shares = false;
    double best_weight = -INFINITY;
    for (size_t i = 0; i < asking->a.count; i++) {
        for (size_t j = 0; j < asking->b.count && asking->pairs < PAIRS_MAX; j++) {
            struct shared_key shared[MATCH_KEYS_MAX];
            struct match_result result;
            size_t shared_count = 0;
            bool shares = false;
            asking->pairs++;
            if (!graph_judge(graph, asking->a.members[i], asking->b.members[j], &result, &shares, shared,
                             &shared_count))
                continue;
            if (asking->known && (shares < best_shares ||
                                  (shares == best_shares && result.weight <= best_weight)))
                continue;
            asking->known = true;
            best_shares = asking->shares_live_key = shares;
            best_weight = result.weight;
            asking->a.record = asking->a.members[i];
            asking->b.record = asking->b.members[j];
            asking->result = result;
            memcpy(asking->shared, shared, sizeof(shared));
            asking->shared_count = shared_count;
        }
    }
}

static void judge(struct resolver *resolver, void *data)
{
    struct asking *asking = data;
    const struct graph *graph = resolver_graph(resolver);
    const struct generation *generation = resolver_generation(resolver);
    asking->matcher = generation->matcher;
    asking->generation_id = generation->generation_id;
    asking->a.customer = graph_customer(graph, asking->a.asked);
    asking->b.customer = graph_customer(graph, asking->b.asked);
    bool apart = asking->a.customer != asking->b.customer;
    find_members(graph, &asking->a, apart);
    find_members(graph, &asking->b, apart);
    judge_best(asking, graph);
    if (!asking->known)
        return;
    for (size_t i = 0; i < asking->shared_count; i++)
        asking->degrees[i] = graph_degree(graph, asking->shared[i].hash);
    uint64_t a = features_identity(graph_features(graph, asking->a.record));
    uint64_t b = features_identity(graph_features(graph, asking->b.record));
    asking->other_identity = a && b && a != b &&
                             features_kind(graph_features(graph, asking->a.record)) == KIND_PERSON;
}

/* ---- what is compared ---- */

/* The fields a comparison looks at; a comparison of a user's field has the field's name. */
static const struct {
    const char *comparison;
    const char *fields[5];
} compared_fields[] = {
    {"name", {"full_name", "given_name", "family_name"}},
    {"suffix", {"name_suffix"}},
    {"email_name", {"email", "full_name"}},
    {"company_name", {"company"}},
    {"company_phone", {"phone"}},
    {"company_email", {"email"}},
    {"company_site", {"website"}},
    {"address", {"address", "street", "district", "city", "postal_code"}},
    {"company_address", {"address", "street", "district", "city", "postal_code"}},
};

static bool append_field(const json_t *record, const char *field, struct buf *out, size_t *shown)
{
    size_t i, before = *shown;
    json_t *value;
    json_array_foreach(json_object_get(record, "values"), i, value) {
        const char *name = json_string_value(json_object_get(value, "field"));
        if (name == NULL || strcmp(name, field) != 0 || *shown == VALUES_SHOWN)
            continue;
        if ((*shown)++)
            buf_put_str(out, ", ");
        buf_put_str(out, json_string_value(json_object_get(value, "value")));
    }
    return *shown > before;
}

static json_t *compared_values(const json_t *record, const char *comparison)
{
    struct buf out = BUF_INIT((size_t)1 << 20);
    size_t shown = 0;
    const char *alone[] = {comparison, NULL};
    const char *const *fields = alone;
    size_t field_max = 1;
    for (size_t i = 0; i < sizeof(compared_fields) / sizeof(compared_fields[0]); i++) {
        if (strcmp(compared_fields[i].comparison, comparison) == 0) {
            fields = compared_fields[i].fields;
            field_max = 5;
        }
    }
    bool is_name = fields[0] && strcmp(fields[0], "full_name") == 0;
    for (size_t i = 0; i < field_max && fields[i]; i++) {
        if (append_field(record, fields[i], &out, &shown) && is_name)
            break; /* the parts say nothing more than the whole */
    }
    json_t *text = shown && !buf_failed(&out) ? json_stringn(out.data, out.len) : json_null();
    buf_free(&out);
    return text;
}

static json_t *comparisons_json(const struct asking *asking, const json_t *a, const json_t *b)
{
    json_t *list = json_array();
    double sum = matcher_prior_weight(asking->matcher);
    for (size_t i = 0; i < asking->result.count; i++) {
        const struct comparison_result *c = &asking->result.comparisons[i];
        const char *name = matcher_comparison_name(asking->matcher, c->comparison);
        sum += (double)c->weight;
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:f,s:i,s:f,s:f,s:o,s:o}", "name", name, "level",
                            matcher_level_name(asking->matcher, c->comparison, c->level), "weight",
                            (double)c->weight, "band", (int)c->band, "sum", sum, "probability",
                            weight_to_probability(sum), "a", compared_values(a, name), "b",
                            compared_values(b, name)));
    }
    return list;
}

static json_t *shared_json(const struct asking *asking)
{
    json_t *list = json_array();
    for (size_t i = 0; i < asking->shared_count; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:I,s:i,s:b}", "key",
                            matcher_key_name(asking->matcher, asking->shared[i].kind), "degree",
                            (json_int_t)asking->degrees[i], "band", (int)asking->shared[i].band, "live",
                            asking->shared[i].band != DEGREE_DEAD));
    return list;
}

/* ---- in words ---- */

static void say(json_t *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(json_t *words, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length >= 0)
        json_array_append_new(words, json_string(text));
    free(length >= 0 ? text : NULL);
}

static void say_decisions(json_t *words, const json_t *decisions)
{
    size_t i;
    json_t *decision;
    json_array_foreach(decisions, i, decision) {
        const char *kind = json_string_value(json_object_get(decision, "kind"));
        say(words, "%s decided on %.10s that %lld and %lld are %s (decision %lld)",
            json_string_value(json_object_get(decision, "actor")),
            json_string_value(json_object_get(decision, "at")),
            (long long)json_integer_value(json_object_get(decision, "a")),
            (long long)json_integer_value(json_object_get(decision, "b")),
            kind && strcmp(kind, "always") == 0 ? "always one customer" : "never one customer",
            (long long)json_integer_value(json_object_get(decision, "decision_id")));
    }
}

static void say_review(json_t *words, const json_t *review)
{
    const char *reason = json_string_value(json_object_get(review, "reason"));
    const json_t *bridge = json_object_get(review, "bridge");
    long long id = (long long)json_integer_value(json_object_get(review, "review_id"));
    if (reason == NULL)
        return;
    if (strcmp(reason, "doubtful") == 0)
        say(words, "a person is asked: review %lld is open", id);
    else if (strcmp(reason, "size") == 0)
        say(words, "they match, but one customer would become too large (review %lld)", id);
    else
        say(words, "they match, but %s between records %lld and %lld forbids it (review %lld)",
            strcmp(reason, "never") == 0 ? "a decision" : "different national ids",
            (long long)json_integer_value(json_array_get(bridge, 0)),
            (long long)json_integer_value(json_array_get(bridge, 1)), id);
}

static void say_keys(const struct asking *asking, json_t *words)
{
    for (size_t i = 0; i < asking->shared_count; i++) {
        if (asking->shared[i].band == DEGREE_DEAD)
            say(words, "the %s they share belongs to %u different names: it is no evidence",
                matcher_key_name(asking->matcher, asking->shared[i].kind), asking->degrees[i]);
    }
    if (!asking->shares_live_key)
        say(words, "they share no live key (phone, e-mail, name with birth date ...), so they are never compared; "
                   "below is what a comparison would say");
}

static void say_evidence(const struct asking *asking, json_t *words)
{
    const struct match_result *result = &asking->result;
    size_t agreeing = 0;
    for (size_t i = 0; i < result->count; i++) {
        const struct comparison_result *c = &result->comparisons[i];
        agreeing += c->weight > 0;
        if (c->weight < -0.5f)
            say(words, "%s %s: %+.1f bits", matcher_comparison_name(asking->matcher, c->comparison),
                c->level == 0 ? "disagrees"
                              : matcher_level_name(asking->matcher, c->comparison, c->level),
                (double)c->weight);
    }
    if (agreeing == 0)
        say(words, "nothing that both say agrees");
}

static json_t *why(const struct asking *asking, bool same_customer, const json_t *decisions,
                   const json_t *review, const json_t *path)
{
    json_t *words = json_array();
    double link = matcher_link_weight(asking->matcher);
    bool enough = asking->result.weight >= link;
    say_decisions(words, decisions);
    if (same_customer && asking->shares_live_key && enough)
        say(words, "they match by themselves: %.1f bits, %.1f are needed", asking->result.weight, link);
    else if (same_customer)
        say(words, "by themselves they would be apart: %.1f bits, %.1f are needed%s", asking->result.weight, link,
            asking->shares_live_key ? "" : ", and they share no live key");
    if (same_customer && json_array_size(path) > 1)
        say(words, "they are in one customer through %zu other record%s", json_array_size(path) - 1,
            json_array_size(path) > 2 ? "s" : "");
    if (same_customer)
        return words;
    say_review(words, review);
    if (asking->other_identity)
        say(words, "they have different valid national ids: never one customer without a decision");
    say_keys(asking, words);
    say_evidence(asking, words);
    if (!enough)
        say(words, "%.1f bits are missing for a link: %.1f of %.1f", link - asking->result.weight,
            asking->result.weight, link);
    else if (asking->shares_live_key && json_array_size(decisions) > 0)
        say(words, "without that they would match: %.1f bits, %.1f are needed", asking->result.weight, link);
    else if (asking->shares_live_key && !json_is_object(review))
        say(words, "they match by themselves, but other records of their customers keep them apart");
    return words;
}

/* ---- put together ---- */

static enum status two_records(struct engine *engine, const struct asking *asking, json_t **a, json_t **b,
                               struct err *err)
{
    int64_t ids[2] = {(int64_t)asking->a.record, (int64_t)asking->b.record};
    struct db_param param = DB_P_INT8S(ids, 2);
    json_t *rows = NULL;
    size_t i;
    json_t *row;
    if (op_rows(engine, &sql_explain_record, &param, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *a = *b = NULL;
    json_array_foreach(rows, i, row) {
        json_int_t id = json_integer_value(json_object_get(row, "record_id"));
        if (id == ids[0])
            *a = json_incref(row);
        else
            *b = json_incref(row);
    }
    json_decref(rows);
    if (*a && *b)
        return STATUS_OK;
    json_decref(*a);
    json_decref(*b);
    return err_set(err, RETRY_LATER, "op.not_committed", "one of the records is being written this moment");
}

static enum status read_decisions(struct engine *engine, const struct asking *asking, json_t **decisions,
                                  struct err *err)
{
    struct db_param params[] = {DB_P_INT8S((const int64_t *)asking->a.members, asking->a.count),
                                DB_P_INT8S((const int64_t *)asking->b.members, asking->b.count)};
    return op_rows(engine, &sql_explain_decision, params, 2, decisions, err);
}

static enum status read_review(struct engine *engine, const struct asking *asking, json_t **review,
                               struct err *err)
{
    struct db_param params[] = {DB_P_INT8((int64_t)asking->a.record), DB_P_INT8((int64_t)asking->b.record)};
    json_t *rows = NULL;
    if (op_rows(engine, &sql_explain_review, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *review = json_array_size(rows) ? json_incref(json_array_get(rows, 0)) : json_null();
    json_decref(rows);
    return STATUS_OK;
}

static json_t *threshold(double weight)
{
    return json_pack("{s:f,s:f}", "weight", weight, "probability", weight_to_probability(weight));
}

static json_t *assemble(const struct asking *asking, json_t *a, json_t *b, json_t *decisions,
                        json_t *review, json_t *path)
{
    bool same_customer = asking->a.customer && asking->a.customer == asking->b.customer;
    double weight = asking->result.weight;
    json_t *words = why(asking, same_customer, decisions, review, path);
    return json_pack(
        "{s:{s:I,s:I},s:I,s:o,s:o,s:b,s:b,s:o,s:f,s:o,s:f,s:f,s:o,s:o,s:I,s:s,s:o,s:o,s:o,s:o}", "asked", "a",
        (json_int_t)asking->a.asked, "b", (json_int_t)asking->b.asked, "pairs_examined",
        (json_int_t)asking->pairs, "a", a, "b", b, "same_customer", same_customer, "shares_live_key",
        asking->shares_live_key, "shared_keys", shared_json(asking), "prior",
        matcher_prior_weight(asking->matcher), "comparisons", comparisons_json(asking, a, b), "weight",
        weight, "probability", weight_to_probability(weight), "link",
        threshold(matcher_link_weight(asking->matcher)), "review_threshold",
        threshold(matcher_review_weight(asking->matcher)), "generation",
        (json_int_t)asking->generation_id, "verdict",
        same_customer ? "linked" : json_is_object(review) ? "review" : "apart", "why", words, "decisions",
        decisions, "review", review, "path", path);
}

static enum status explain_pair(struct engine *engine, const struct asking *asking, json_t **result,
                                struct err *err)
{
    json_t *a = NULL, *b = NULL, *decisions = NULL, *review = NULL, *path = NULL;
    if (two_records(engine, asking, &a, &b, err) != STATUS_OK)
        return STATUS_FAILED;
    bool same_customer = asking->a.customer == asking->b.customer;
    enum status status = read_decisions(engine, asking, &decisions, err);
    if (status == STATUS_OK)
        status = read_review(engine, asking, &review, err);
    if (status == STATUS_OK && same_customer)
        status = explain_path(engine, asking->a.customer, asking->a.record, asking->b.record, &path, err);
    if (status == STATUS_OK) {
        *result = assemble(asking, a, b, decisions, review, path ? path : json_array());
        return *result ? STATUS_OK : err_set(err, RETRY_LATER, "base.memory", "out of memory to explain");
    }
    json_decref(a);
    json_decref(b);
    json_decref(decisions);
    json_decref(review);
    return status;
}

enum status op_explain(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    struct asking asking = {0};
    if (op_arg_id(args, "a", &asking.a.asked, err) != STATUS_OK ||
        op_arg_id(args, "b", &asking.b.asked, err) != STATUS_OK)
        return STATUS_FAILED;
    if (asking.a.asked == asking.b.asked)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "a and b are the same record");
    enum status status = STATUS_FAILED;
    if (!resolver_call(engine_resolver(engine), judge, &asking))
        (void)err_set(err, RETRY_LATER, "engine.stopping", "the daemon is stopping");
    else if (!asking.known)
        (void)err_set(err, RETRY_NONE, "op.not_found",
                      "there is no living record %llu; hint: tributary customer find TEXT",
                      (unsigned long long)(asking.a.customer ? asking.b.asked : asking.a.asked));
    else
        status = explain_pair(engine, &asking, result, err);
    free(asking.a.members);
    free(asking.b.members);
    return status;
}
