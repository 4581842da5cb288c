/*
 * op_explain.c - why two records are one customer, or why not.
 *
 * The pair is judged anew on the resolver's thread, as it stands; what stewards said, open reviews and the links in between are
 * read from the database. Given a customer, its record that goes best with the other side is taken. The shape of the
 * answer is docs/explain.md.
 */
#include "daemon/console/explain_path.h"
#include "daemon/console/ops_table.h"
#include "rules/missing.h"
#include "sql_queries.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PAIRS_MAX   50000 /* judged to find the best one of two customers */
#define VALUES_SHOWN 4    /* of one side of a comparison */
#define ENOUGH_SHOWN 5    /* missing evidence named as enough */

struct side {
    uint64_t asked, record, customer;
    uint64_t *members; /* the records it may stand for */
    size_t count;
    enum record_kind kind; /* of the record */
    struct match_key keys[MATCH_KEYS_MAX];
    size_t key_count;
};

struct asking {
    struct side a, b;
    bool known, shares_live_key;
    size_t pairs;
    struct match_result result;
    struct shared_key shared[MATCH_KEYS_MAX];
    uint32_t degrees[MATCH_KEYS_MAX], holders[MATCH_KEYS_MAX];
    size_t shared_count;
    struct missing_evidence missing[COMPARISONS_MAX];
    size_t missing_count;
    bool other_identity;
    bool works_for; /* one of the two customers for the other */
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

static void read_side(const struct graph *graph, const struct matcher *matcher, struct side *side)
{
    struct slice features = graph_features(graph, side->record);
    side->kind = features_kind(features);
    side->key_count = features_keys(matcher, features, side->keys);
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
    for (size_t i = 0; i < asking->shared_count; i++) {
        asking->degrees[i] = graph_degree(graph, asking->shared[i].hash);
        asking->holders[i] = graph_holders(graph, asking->shared[i].hash);
    }
    read_side(graph, asking->matcher, &asking->a);
    read_side(graph, asking->matcher, &asking->b);
    struct slice of_a = graph_features(graph, asking->a.record), of_b = graph_features(graph, asking->b.record);
    asking->missing_count = match_missing(asking->matcher, of_a, of_b, asking->missing, COMPARISONS_MAX);
    uint64_t a = features_identity(of_a), b = features_identity(of_b);
    asking->other_identity = a && b && a != b && asking->a.kind == KIND_PERSON && asking->b.kind == KIND_PERSON;
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
    {"company_site", {"website", "email"}},
    {"address", {"address_line", "district", "city", "province", "postal_code"}},
    {"company_address", {"address_line", "district", "city", "province", "postal_code"}},
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
    for (size_t i = 0; i < asking->shared_count; i++) {
        const struct shared_key *key = &asking->shared[i];
        json_t *degree = key_class_of(key->hash) == KEY_CLASS_VALUE ? json_integer(asking->degrees[i]) : json_null();
        json_array_append_new(
            list, json_pack("{s:s,s:o,s:i,s:b,s:I,s:I}", "key", matcher_key_name(asking->matcher, key->kind), "degree",
                            degree, "band", (int)key->band, "live", key->band != DEGREE_DEAD, "records",
                            (json_int_t)asking->holders[i], "records_max", (json_int_t)key_records_max(key->hash)));
    }
    return list;
}

/* The kinds of keys one side holds, each once. */
static json_t *keys_json(const struct matcher *matcher, const struct side *side)
{
    json_t *list = json_array();
    for (size_t i = 0; i < side->key_count; i++) {
        bool told = false;
        for (size_t before = 0; before < i && !told; before++)
            told = side->keys[before].kind == side->keys[i].kind;
        if (!told)
            json_array_append_new(list, json_string(matcher_key_name(matcher, side->keys[i].kind)));
    }
    return list;
}

static json_t *missing_json(const struct asking *asking)
{
    json_t *list = json_array();
    for (size_t i = 0; i < asking->missing_count; i++) {
        const struct missing_evidence *m = &asking->missing[i];
        json_array_append_new(
            list, json_pack("{s:s,s:b,s:b,s:o}", "name", matcher_comparison_name(asking->matcher, m->comparison),
                            "a", m->in_a, "b", m->in_b, "weight",
                            m->weight > 0 ? json_real((double)m->weight) : json_null()));
    }
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
    else if (strcmp(reason, "name") == 0)
        say(words, "they match, but one says no name and fits two customers with different names, records %lld and %lld"
            " (review %lld)", (long long)json_integer_value(json_array_get(bridge, 0)),
            (long long)json_integer_value(json_array_get(bridge, 1)), id);
    else
        say(words, "they match, but %s between records %lld and %lld forbids it (review %lld)",
            strcmp(reason, "never") == 0 ? "a decision" : "different national ids",
            (long long)json_integer_value(json_array_get(bridge, 0)),
            (long long)json_integer_value(json_array_get(bridge, 1)), id);
}

/* What no evidence could overcome. */
static bool say_barrier(const struct asking *asking, json_t *words, const json_t *a, const json_t *b)
{
    bool a_is_company = asking->a.kind == KIND_COMPANY;
    const char *spaces[] = {json_string_value(json_object_get(a, "space")),
                            json_string_value(json_object_get(b, "space"))};
    if (asking->a.kind != asking->b.kind) {
        say(words, "%llu is a %s and %llu a %s: they are never compared and never one customer",
            (unsigned long long)asking->a.record, a_is_company ? "company" : "person",
            (unsigned long long)asking->b.record, a_is_company ? "person" : "company");
        if (asking->works_for)
            say(words, "customer %llu works for customer %llu",
                (unsigned long long)(a_is_company ? asking->b.customer : asking->a.customer),
                (unsigned long long)(a_is_company ? asking->a.customer : asking->b.customer));
        return true;
    }
    if (spaces[0] && spaces[1] && strcmp(spaces[0], spaces[1]) != 0) {
        say(words, "%llu is of space %s and %llu of space %s: records of different spaces never meet",
            (unsigned long long)asking->a.record, spaces[0], (unsigned long long)asking->b.record, spaces[1]);
        return true;
    }
    return false;
}

static bool is_held_back(const struct asking *asking)
{
    for (size_t i = 0; i < asking->result.count; i++) {
        const struct comparison_result *c = &asking->result.comparisons[i];
        if (strcmp(matcher_comparison_name(asking->matcher, c->comparison), "ceiling") == 0)
            return true;
    }
    return asking->other_identity;
}

/* What would be enough, were it there and the same on both sides: first what one side has. */
static void say_missing(const struct asking *asking, json_t *words)
{
    double gap = matcher_link_weight(asking->matcher) - asking->result.weight;
    struct buf names = BUF_INIT(4096);
    size_t count = 0;
    if (is_held_back(asking))
        return;
    for (size_t i = 0; i < 2 * asking->missing_count && count < ENOUGH_SHOWN; i++) {
        const struct missing_evidence *m = &asking->missing[i % asking->missing_count];
        bool in_one = m->in_a || m->in_b;
        if ((double)m->weight < gap || in_one != (i < asking->missing_count))
            continue;
        buf_printf(&names, "%s%s", count++ ? ", " : "", matcher_comparison_name(asking->matcher, m->comparison));
        if (in_one)
            buf_printf(&names, " (%llu has none)",
                       (unsigned long long)(m->in_a ? asking->b.record : asking->a.record));
        else
            buf_put_str(&names, " (neither has one)");
    }
    if (count > 0 && !buf_failed(&names))
        say(words, "one of these, the same on both sides, would be enough: " SLICE_FMT, SLICE_ARG(buf_slice(&names)));
    buf_free(&names);
}

static void say_keys(const struct asking *asking, json_t *words)
{
    for (size_t i = 0; i < asking->shared_count; i++) {
        uint64_t hash = asking->shared[i].hash;
        const char *name = matcher_key_name(asking->matcher, asking->shared[i].kind);
        if (asking->shared[i].band != DEGREE_DEAD)
            continue;
        if (asking->holders[i] <= key_records_max(hash))
            say(words, "the %s they share belongs to %u different names: it is no evidence", name, asking->degrees[i]);
        else
            say(words, "the %s they share stands in %u records, more than the %u that such a key may bring together%s",
                name, asking->holders[i], key_records_max(hash),
                key_class_of(hash) == KEY_CLASS_VALUE ? ": it is no evidence" : "");
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
        const char *name = matcher_comparison_name(asking->matcher, c->comparison);
        const char *level = matcher_level_name(asking->matcher, c->comparison, c->level);
        agreeing += c->weight > 0;
        if (c->weight >= -0.5f)
            continue;
        if (strcmp(name, "ceiling") == 0)
            say(words, "%s as it is sets a limit to all the rest: %+.1f bits", level, (double)c->weight);
        else if (strcmp(name, "together") != 0)
            say(words, "%s %s: %+.1f bits", name, c->level == 0 ? "disagrees" : level, (double)c->weight);
    }
    if (agreeing == 0)
        say(words, "nothing that both say agrees");
}

static json_t *why(const struct asking *asking, bool same_customer, const json_t *a, const json_t *b,
                   const json_t *decisions, const json_t *review, const json_t *path)
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
    if (same_customer || say_barrier(asking, words, a, b))
        return words;
    say_review(words, review);
    if (asking->other_identity)
        say(words, "they have different valid national ids: never one customer without a decision");
    say_keys(asking, words);
    say_evidence(asking, words);
    if (!enough)
        say(words, "%.1f bits are missing for a link: %.1f of %.1f", link - asking->result.weight,
            asking->result.weight, link);
    if (!enough)
        say_missing(asking, words);
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
    json_t *words = why(asking, same_customer, a, b, decisions, review, path);
    return json_pack(
        "{s:{s:I,s:I},s:I,s:o,s:o,s:b,s:b,s:{s:o,s:o},s:o,s:o,s:f,s:o,s:f,s:f,s:o,s:o,s:I,s:s,s:o,s:o,s:o,s:o}",
        "asked", "a",
        (json_int_t)asking->a.asked, "b", (json_int_t)asking->b.asked, "pairs_examined",
        (json_int_t)asking->pairs, "a", a, "b", b, "same_customer", same_customer, "shares_live_key",
        asking->shares_live_key, "keys", "a", keys_json(asking->matcher, &asking->a), "b",
        keys_json(asking->matcher, &asking->b), "shared_keys", shared_json(asking), "missing", missing_json(asking),
        "prior",
        matcher_prior_weight(asking->matcher), "comparisons", comparisons_json(asking, a, b), "weight",
        weight, "probability", weight_to_probability(weight), "link",
        threshold(matcher_link_weight(asking->matcher)), "review_threshold",
        threshold(matcher_review_weight(asking->matcher)), "generation",
        (json_int_t)asking->generation_id, "verdict",
        same_customer ? "linked" : json_is_object(review) ? "review" : "apart", "why", words, "decisions",
        decisions, "review", review, "path", path);
}

static enum status read_works_for(struct engine *engine, struct asking *asking, struct err *err)
{
    struct db_param params[] = {DB_P_INT8((int64_t)asking->a.customer), DB_P_INT8((int64_t)asking->b.customer)};
    struct db_result *rows = NULL;
    if (asking->a.kind == asking->b.kind)
        return STATUS_OK;
    if (engine_query(engine, &sql_explain_works_for, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    asking->works_for = db_rows(rows) > 0;
    db_result_free(&rows);
    return STATUS_OK;
}

static enum status explain_pair(struct engine *engine, struct asking *asking, json_t **result,
                                struct err *err)
{
    json_t *a = NULL, *b = NULL, *decisions = NULL, *review = NULL, *path = NULL;
    if (two_records(engine, asking, &a, &b, err) != STATUS_OK)
        return STATUS_FAILED;
    bool same_customer = asking->a.customer == asking->b.customer;
    enum status status = read_decisions(engine, asking, &decisions, err);
    if (status == STATUS_OK)
        status = read_review(engine, asking, &review, err);
    if (status == STATUS_OK)
        status = read_works_for(engine, asking, err);
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
    if (resolver_ask(engine_resolver(engine), judge, &asking, err) != STATUS_OK)
        status = STATUS_FAILED;
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
