/* preview_put.c - what a preview found, told. */
#include "daemon/resolve/preview.intern.h"
#include "sql_queries.h"

#include <stdlib.h>

#define JUDGED_MAX  60  /* records of a sampled group whose pairs are judged */
#define LISTED_MAX  100 /* records of a sampled group that are listed */
#define NAMED_MAX   20000
#define JSON_MAX    ((size_t)64 << 20)

/* The strongest pair of records of two parts, as the other generation judges it. */
static json_t *strongest(struct preview *p, const struct preview_record *group, size_t count, bool by_before)
{
    struct match_result best = {0}, result;
    uint64_t a = 0, b = 0;
    struct shared_key shared[MATCH_KEYS_MAX];
    size_t shared_count;
    bool live;
    if (count > JUDGED_MAX)
        count = JUDGED_MAX;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            bool apart = by_before ? group[i].before != group[j].before : group[i].now != group[j].now;
            if (!apart || !graph_judge(p->graph, group[i].record_id, group[j].record_id, &result, &live,
                                       shared, &shared_count))
                continue;
            if (a == 0 || result.weight > best.weight) {
                best = result;
                a = group[i].record_id;
                b = group[j].record_id;
            }
        }
    }
    return a ? json_pack("{s:I,s:I,s:f,s:f}", "a", (json_int_t)a, "b", (json_int_t)b, "weight", best.weight,
                         "probability", weight_to_probability(best.weight))
             : json_null();
}

/* {"customer": [records], ...} of the parts of a group. */
static json_t *parts_of(const struct preview_record *group, size_t count, bool by_before)
{
    json_t *parts = json_object();
    for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
        char name[24];
        snprintf(name, sizeof(name), "%llu",
                 (unsigned long long)(by_before ? group[i].before : group[i].now));
        json_t *list = json_object_get(parts, name);
        if (list == NULL) {
            json_object_set_new(parts, name, json_array());
            list = json_object_get(parts, name);
        }
        json_array_append_new(list, json_integer((json_int_t)group[i].record_id));
    }
    return parts;
}

static void add_sample(struct preview *p, json_t *list, const struct preview_record *group, size_t count,
                       bool merge)
{
    uint64_t customer = merge ? group[0].now : group[0].before;
    json_array_append_new(list, json_pack("{s:I,s:I,s:o,s:o}", "customer", (json_int_t)customer, "records",
                                          (json_int_t)count, merge ? "from" : "into",
                                          parts_of(group, count, merge), "strongest",
                                          strongest(p, group, count, merge)));
}

void preview_sample_merge(struct preview *p, const struct preview_record *group, size_t count)
{
    add_sample(p, p->merged, group, count, true);
}

void preview_sample_split(struct preview *p, const struct preview_record *group, size_t count)
{
    add_sample(p, p->split, group, count, false);
}

void preview_sample_review(struct preview *p, json_t *list, const struct preview_review *review)
{
    (void)p;
    json_array_append_new(list, json_pack("{s:I,s:I,s:s,s:f}", "a", (json_int_t)review->a, "b",
                                          (json_int_t)review->b, "reason",
                                          review_reason_name((enum review_reason)review->reason),
                                          "probability", weight_to_probability(review->weight)));
}

/* ---- names ---- */

struct bag {
    int64_t ids[NAMED_MAX];
    size_t count;
};

static void collect(struct bag *bag, const json_t *list)
{
    static const char *const keys[] = {"from", "into"};
    size_t i, k;
    const char *name;
    json_t *sample, *records, *record;
    json_array_foreach(list, i, sample) {
        for (size_t key = 0; key < 2; key++) {
            json_object_foreach(json_object_get(sample, keys[key]), name, records) {
                json_array_foreach(records, k, record) {
                    if (bag->count < NAMED_MAX)
                        bag->ids[bag->count++] = json_integer_value(record);
                }
            }
        }
        json_t *const ends[] = {json_object_get(sample, "a"), json_object_get(sample, "b")};
        for (size_t end = 0; end < 2; end++) {
            if (ends[end] && bag->count < NAMED_MAX)
                bag->ids[bag->count++] = json_integer_value(ends[end]);
        }
    }
}

/* Kept beside the samples: {"record": [name, source, external_id]}. */
enum status preview_name_samples(struct preview *p, struct err *err)
{
    struct bag *bag = calloc(1, sizeof(*bag));
    struct db_result *rows = NULL;
    if (bag == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a preview");
    collect(bag, p->merged);
    collect(bag, p->split);
    collect(bag, p->opened);
    collect(bag, p->closed);
    struct db_param ids = DB_P_INT8S(bag->ids, bag->count);
    enum status status = db_query(p->settings->db, &sql_record_labels, &ids, 1, &rows, err);
    p->names = json_object();
    for (size_t i = 0; status == STATUS_OK && i < db_rows(rows); i++) {
        char id[24];
        struct slice texts[] = {db_bytes(rows, i, 1), db_bytes(rows, i, 2), db_bytes(rows, i, 3)};
        snprintf(id, sizeof(id), "%lld", (long long)db_int(rows, i, 0));
        json_object_set_new(p->names, id, json_pack("[s%,s%,s%]", texts[0].ptr, texts[0].len, texts[1].ptr,
                                                    texts[1].len, texts[2].ptr, texts[2].len));
    }
    db_result_free(&rows);
    free(bag);
    return status;
}

/* ---- all of it ---- */

static void put_value(struct buf *out, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    buf_printf(out, "%s:", name);
    buf_put_str(out, text ? text : "null");
    free(text);
}

void preview_put(const struct preview *p, struct buf *out)
{
    const struct preview_settings *settings = p->settings;
    struct buf difference = BUF_INIT(JSON_MAX);
    generation_difference(settings->in_force, settings->generation, &difference);
    buf_printf(out, "{\"generation\":%d,\"from\":%d,\"difference\":%.*s", settings->generation->generation_id,
               settings->in_force->generation_id, (int)difference.len, difference.data ? difference.data : "{}");
    buf_free(&difference);
    reread_put_counts(&p->reread.counts, settings->generation->recleans, out);
    buf_printf(out, ",\"customers\":{\"before\":%llu,\"after\":%llu},\"records_moved\":%llu,\"merges\":%llu,\"splits\":%llu",
               (unsigned long long)p->customers_before, (unsigned long long)p->customers_now,
               (unsigned long long)p->moved, (unsigned long long)p->merges, (unsigned long long)p->splits);
    buf_printf(out, ",\"leads\":{\"merged\":%llu,\"split\":%llu,\"made\":%llu}", (unsigned long long)p->leads_merged,
               (unsigned long long)p->leads_split, (unsigned long long)p->leads_made);
    buf_printf(out, ",\"reviews\":{\"before\":%zu,\"after\":%zu,\"opened\":%llu,\"closed\":%llu}",
               p->reviews_before.count, p->reviews_now.count, (unsigned long long)p->reviews_opened,
               (unsigned long long)p->reviews_closed);
    buf_printf(out, ",\"golden\":{\"compared\":%llu,\"changed\":%llu,", (unsigned long long)p->golden_compared,
               (unsigned long long)p->golden_changed);
    put_value(out, "\"fields\"", p->fields);
    buf_put_str(out, "},\"samples\":{");
    put_value(out, "\"merges\"", p->merged);
    put_value(out, ",\"splits\"", p->split);
    put_value(out, ",\"reviews_opened\"", p->opened);
    put_value(out, ",\"reviews_closed\"", p->closed);
    put_value(out, ",\"golden\"", p->changed);
    put_value(out, ",\"names\"", p->names);
    buf_put_str(out, "}}");
}
