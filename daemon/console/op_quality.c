/* op_quality.c - how good the machine's judgements are, by what stewards decided. See quality.h. */
#include "daemon/console/ops_table.h"
#include "daemon/console/quality.h"
#include "sql_queries.h"

#include <math.h>
#include <stdlib.h>

#define DECISIONS_MAX 1000000 /* the newest are looked at */
#define JUDGED_AT_A_TIME 1000 /* the resolver has other things to do */
#define WANTED        0.95

struct decided {
    uint64_t group, a, b;
    double weight;  /* as it was; then as it is, when both records live. NAN: they share nothing */
    bool same, by_review;
};

struct judging {
    struct decided *list;
    size_t count;
};

/* On the resolver's thread. */
static void judge(struct resolver *resolver, void *data)
{
    const struct judging *judging = data;
    struct match_result result;
    struct shared_key shared[MATCH_KEYS_MAX];
    size_t shared_count;
    bool live;
    for (size_t i = 0; i < judging->count; i++) {
        struct decided *d = &judging->list[i];
        if (d->a && d->b &&
            graph_judge(resolver_graph(resolver), d->a, d->b, &result, &live, shared, &shared_count))
            d->weight = live ? result.weight : (double)NAN;
    }
}

static enum status read_decided(struct db *db, struct decided **list, size_t *count, struct err *err)
{
    struct db_param limit = DB_P_INT4(DECISIONS_MAX);
    struct db_result *rows = NULL;
    if (db_query(db, &sql_quality_decisions, &limit, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *count = db_rows(rows);
    *list = calloc(*count + 1, sizeof(**list));
    for (size_t i = 0; *list && i < *count; i++)
        (*list)[i] = (struct decided){
            .group = (uint64_t)db_int(rows, i, 0), .same = db_int(rows, i, 1) != 0,
            .by_review = slice_is(db_bytes(rows, i, 2), "review"),
            .weight = db_is_null(rows, i, 3) ? (double)NAN : db_real(rows, i, 3),
            .a = (uint64_t)db_int(rows, i, 4), .b = (uint64_t)db_int(rows, i, 5)};
    db_result_free(&rows);
    return *list ? STATUS_OK : err_set(err, RETRY_LATER, "base.memory", "out of memory for decisions");
}

static int by_group(const void *x, const void *y)
{
    const struct decided *a = x, *b = y;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    double wa = isnan(a->weight) ? -INFINITY : a->weight, wb = isnan(b->weight) ? -INFINITY : b->weight;
    return wa > wb ? -1 : wa < wb;
}

/* Of what was decided together only the strongest pair: that is the mistake that was found; the others say it again. */
static void count_decided(struct quality *quality, struct decided *list, size_t count)
{
    if (count > 1)
        qsort(list, count, sizeof(*list), by_group);
    for (size_t i = 0; i < count; i++) {
        const struct decided *d = &list[i];
        if (i > 0 && d->group == list[i - 1].group)
            continue;
        if (isnan(d->weight))
            *(d->same ? &quality->unjudged_same : &quality->unjudged_different) += 1;
        else
            quality_add(quality, weight_to_probability(d->weight), d->same, d->by_review);
    }
}

static double weight_of(double probability)
{
    return log2(probability / (1 - probability));
}

static enum status count_pairs(struct db *db, struct quality *quality, struct err *err)
{
    struct arena *arena = arena_new(65536);
    struct slice bounds[QUALITY_BANDS_MAX];
    struct db_result *rows = NULL;
    enum status status = STATUS_OK;
    size_t count = quality->band_count - 1;
    for (size_t i = 0; arena && i < count; i++)
        bounds[i] = arena_printf(arena, "%.17g", weight_of(quality->bands[i + 1].low));
    if (arena == NULL || arena_failed(arena))
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory for decisions");
    struct db_param param = DB_P_TEXTS(bounds, count);
    if (status == STATUS_OK)
        status = db_query(db, &sql_quality_pairs, &param, 1, &rows, err);
    for (size_t i = 0; status == STATUS_OK && i < db_rows(rows); i++) {
        int64_t band = db_int(rows, i, 0);
        if (band >= 0 && (size_t)band < quality->band_count)
            quality_add_pairs(quality, quality->bands[band].low, (uint64_t)db_int(rows, i, 1));
    }
    db_result_free(&rows);
    arena_free(&arena);
    return status;
}

/* ---- the answer ---- */

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *share_json(const struct quality_share *share)
{
    return json_pack("{s:o,s:f,s:f}", "value", number(share->value), "low", share->low, "high", share->high);
}

static json_t *bands_json(const struct quality *quality)
{
    json_t *list = json_array();
    for (size_t i = 0; i < quality->band_count; i++) {
        const struct quality_band *b = &quality->bands[i];
        json_array_append_new(
            list, json_pack("{s:f,s:f,s:s,s:I,s:I,s:I,s:I,s:I,s:o}", "from", b->low, "to", b->high, "machine",
                            b->links ? "links" : b->asks ? "asks" : "leaves", "pairs", (json_int_t)b->pairs, "same",
                            (json_int_t)b->same, "different", (json_int_t)b->different, "merged_by_hand",
                            (json_int_t)b->merged, "split_by_hand", (json_int_t)b->split, "right",
                            share_json(&b->right)));
    }
    return list;
}

static json_t *thresholds_json(const struct quality *quality)
{
    json_t *list = json_array();
    for (size_t i = 0; i < quality->at_count; i++) {
        const struct quality_at *at = &quality->at[i];
        json_array_append_new(list, json_pack("{s:f,s:o,s:o,s:I}", "link", at->link, "precision",
                                              share_json(&at->precision), "recall", share_json(&at->recall),
                                              "decided", (json_int_t)at->decided));
    }
    return list;
}

static json_t *quality_json(const struct quality *quality, int32_t generation_id, size_t decisions)
{
    json_t *answer = json_pack("{s:i,s:f,s:f,s:f,s:I,s:I,s:I,s:I}", "generation", generation_id, "link", quality->link,
                               "review", quality->review, "wanted", quality->wanted, "decided_pairs",
                               (json_int_t)decisions, "decided_reviews", (json_int_t)quality->decided_reviews,
                               "unjudged_same", (json_int_t)quality->unjudged_same, "unjudged_different",
                               (json_int_t)quality->unjudged_different);
    json_object_set_new(answer, "bands", bands_json(quality));
    json_object_set_new(answer, "precision", share_json(&quality->precision));
    json_object_set_new(answer, "recall", share_json(&quality->recall));
    json_object_set_new(answer, "thresholds", thresholds_json(quality));
    json_object_set_new(answer, "suggested", json_pack("{s:o,s:o,s:i}", "link", number(quality->suggested_link),
                                                       "review", number(quality->suggested_review), "least_decided",
                                                       QUALITY_DECIDED_MIN));
    return answer;
}

static enum status measure(struct engine *engine, struct db *db, struct quality *quality, size_t *decisions,
                           struct err *err)
{
    struct decided *list = NULL;
    size_t count = 0;
    enum status status = read_decided(db, &list, &count, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i += JUDGED_AT_A_TIME) {
        struct judging judging = {list + i, count - i < JUDGED_AT_A_TIME ? count - i : JUDGED_AT_A_TIME};
        status = resolver_ask(engine_resolver(engine), judge, &judging, err);
    }
    if (status == STATUS_OK) {
        count_decided(quality, list, count);
        status = count_pairs(db, quality, err);
    }
    *decisions = count;
    free(list);
    return status;
}

enum status op_quality(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    const struct generation *generation = engine_generation(engine);
    const json_t *given = json_object_get(args, "wanted");
    double wanted = given ? json_is_string(given) ? strtod(json_string_value(given), NULL) : json_number_value(given)
                          : WANTED;
    if (!(wanted > 0 && wanted < 1))
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "wanted must be above 0 and below 1");
    struct quality quality;
    quality_init(&quality, weight_to_probability(matcher_link_weight(generation->matcher)),
                 weight_to_probability(matcher_review_weight(generation->matcher)), wanted);
    struct db_settings settings = engine_db_settings(engine, "tributary quality");
    struct db *db = db_new(&settings, engine_stop_signal(engine));
    size_t decisions = 0;
    if (db == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a connection");
    enum status status = db_open(db, err);
    if (status == STATUS_OK)
        status = measure(engine, db, &quality, &decisions, err);
    db_free(&db);
    if (status != STATUS_OK)
        return status;
    quality_finish(&quality);
    *result = quality_json(&quality, generation->generation_id, decisions);
    return STATUS_OK;
}
