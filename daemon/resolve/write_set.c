/* write_set.c - see write_set.h. Column orders are those of the COPY statements in writer.c. */
#include "daemon/resolve/write_set.h"
#include "daemon/base/safe_text.h"
#include "daemon/store/db.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define ROWS_MAX_BYTES ((size_t)512 << 20)

static void rows_init(struct rows *rows)
{
    rows->buf = BUF_INIT(ROWS_MAX_BYTES);
}

static struct rows *all_rows(struct write_set *set, size_t i)
{
    struct rows *const rows[] = {&set->records,  &set->links,  &set->customers,
                                 &set->activities, &set->consents, &set->history,
                                 &set->events,   &set->rejects,  &set->reviews,
                                 &set->employments};
    return i < sizeof(rows) / sizeof(rows[0]) ? rows[i] : NULL;
}

struct write_set *write_set_new(uint64_t number, int64_t now_us)
{
    struct write_set *set = calloc(1, sizeof(*set));
    if (set == NULL)
        return NULL;
    set->arena = arena_new(ROWS_MAX_BYTES);
    if (set->arena == NULL) {
        free(set);
        return NULL;
    }
    set->number = number;
    set->now_us = now_us;
    set->scratch = BUF_INIT(65536);
    for (size_t i = 0; all_rows(set, i); i++)
        rows_init(all_rows(set, i));
    return set;
}

void write_set_free(struct write_set **set)
{
    struct write_set *mine = *set;
    if (mine == NULL)
        return;
    for (size_t i = 0; all_rows(mine, i); i++)
        buf_free(&all_rows(mine, i)->buf);
    struct id_list *const lists[] = {
        &mine->batches,         &mine->update_ids,    &mine->update_flags,  &mine->update_effective_us,
        &mine->update_hashes,   &mine->update_seqs,   &mine->update_kinds,  &mine->move_ids,
        &mine->move_customers,  &mine->gone_ids,      &mine->gone_heirs,    &mine->lead_ids,
        &mine->reread_ids,      &mine->reread_kinds,  &mine->gone_link_a,   &mine->gone_link_b,
        &mine->stale_customers, &mine->stale_details, &mine->gone_review_a, &mine->gone_review_b,
        &mine->ledger_sources,  &mine->stale_employments, &mine->retimed_ids, &mine->retimed_us,
        &mine->decision_ids,    &mine->decision_a,    &mine->decision_b,    &mine->retracted_ids,
        &mine->assigned_ids};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        free(lists[i]->ids);
    for (size_t i = 0; i < LEDGER_OUTCOMES; i++)
        free(mine->ledger[i].ids);
    free(mine->decision_kinds.texts);
    free(mine->decision_weights.texts);
    free(mine->update_cleans.texts);
    free(mine->update_features.texts);
    free(mine->reread_cleans.texts);
    free(mine->reread_features.texts);
    buf_free(&mine->scratch);
    arena_free(&mine->arena);
    free(mine);
    *set = NULL;
}

bool write_set_failed(const struct write_set *set)
{
    bool failed = set->out_of_memory || arena_failed(set->arena);
    for (size_t i = 0; all_rows((struct write_set *)(uintptr_t)set, i); i++)
        failed |= buf_failed(&all_rows((struct write_set *)(uintptr_t)set, i)->buf);
    return failed;
}

/* Room for one more element; false (and the set has failed) when there is none. */
static bool grow(struct write_set *set, void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL) {
        set->out_of_memory = true;
        return false;
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

void id_list_add(struct write_set *set, struct id_list *list, int64_t id)
{
    void *items = list->ids;
    if (grow(set, &items, list->count, &list->capacity, sizeof(int64_t))) {
        list->ids = items;
        list->ids[list->count++] = id;
    }
}

void text_list_add(struct write_set *set, struct text_list *list, struct slice text)
{
    void *items = list->texts;
    if (grow(set, &items, list->count, &list->capacity, sizeof(struct slice))) {
        list->texts = items;
        list->texts[list->count++] = arena_dup(set->arena, text);
    }
}

void write_set_count(struct write_set *set, int32_t source_id, enum ledger_outcome outcome)
{
    size_t at = 0;
    while (at < set->ledger_sources.count && set->ledger_sources.ids[at] != source_id)
        at++;
    if (at == set->ledger_sources.count) {
        id_list_add(set, &set->ledger_sources, source_id);
        for (size_t i = 0; i < LEDGER_OUTCOMES; i++)
            id_list_add(set, &set->ledger[i], 0);
    }
    if (!set->out_of_memory)
        set->ledger[outcome].ids[at]++;
    set->arrival_count++;
}

static void put_optional_id(struct buf *rows, uint64_t id)
{
    if (id)
        copy_int8(rows, (int64_t)id);
    else
        copy_null(rows);
}

/* Activities and consents carry the source's times: only those a timestamp can hold. */
static int64_t time_or(int64_t time_us, int64_t otherwise_us)
{
    const int64_t first_us = -62135596800 * 1000000, last_us = 253402300799 * 1000000;
    return time_us == 0 || time_us < first_us || time_us > last_us ? otherwise_us : time_us;
}

static void put_optional_time(struct buf *rows, int64_t time_us)
{
    if (time_us)
        copy_timestamp(rows, time_us);
    else
        copy_null(rows);
}

void write_record(struct write_set *set, const struct record_row *row)
{
    struct buf *rows = &set->records.buf;
    copy_row(rows, 17);
    copy_int8(rows, row->record_id);
    copy_int4(rows, row->source_id);
    copy_int2(rows, row->kind);
    copy_int2(rows, row->flags);
    copy_int4(rows, 1);
    put_optional_id(rows, (uint64_t)row->customer_id);
    copy_timestamp(rows, row->effective_us);
    copy_int8(rows, (int64_t)row->hash);
    copy_int8(rows, (int64_t)row->accept_seq);
    copy_timestamp(rows, set->now_us);
    copy_timestamp(rows, set->now_us);
    put_optional_time(rows, row->lead_us);
    copy_text(rows, row->space);
    copy_text(rows, row->external_id);
    copy_text(rows, row->part);
    copy_text(rows, row->clean_json);
    copy_bytea(rows, row->features);
    set->records.count++;
}

static struct slice to_hex(struct arena *arena, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *out = arena_alloc(arena, bytes.len * 2 + 1);
    if (out == NULL)
        return SLICE_EMPTY;
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[(unsigned char)bytes.ptr[i] >> 4];
        out[2 * i + 1] = digits[(unsigned char)bytes.ptr[i] & 15];
    }
    return slice_of(out, bytes.len * 2);
}

void write_record_update(struct write_set *set, const struct record_row *row)
{
    id_list_add(set, &set->update_ids, row->record_id);
    id_list_add(set, &set->update_flags, row->flags);
    id_list_add(set, &set->update_effective_us, row->effective_us);
    id_list_add(set, &set->update_hashes, (int64_t)row->hash);
    id_list_add(set, &set->update_seqs, (int64_t)row->accept_seq);
    id_list_add(set, &set->update_kinds, row->kind);
    text_list_add(set, &set->update_cleans, row->clean_json);
    text_list_add(set, &set->update_features, to_hex(set->arena, row->features));
}

void write_reread(struct write_set *set, uint64_t record_id, enum record_kind kind, struct slice clean_json,
                  struct slice features)
{
    id_list_add(set, &set->reread_ids, (int64_t)record_id);
    id_list_add(set, &set->reread_kinds, kind);
    text_list_add(set, &set->reread_cleans, clean_json);
    text_list_add(set, &set->reread_features, to_hex(set->arena, features));
}

void write_heir(struct write_set *set, uint64_t deleted_id, uint64_t heir_id)
{
    id_list_add(set, &set->gone_ids, (int64_t)deleted_id);
    id_list_add(set, &set->gone_heirs, (int64_t)heir_id);
}

void write_move(struct write_set *set, uint64_t record_id, uint64_t customer_id)
{
    id_list_add(set, &set->move_ids, (int64_t)record_id);
    id_list_add(set, &set->move_customers, (int64_t)customer_id);
}

/* As %.2f would, many times faster: evidence is written for every link. Weights are far below the bound. */
static void put_hundredths(struct buf *out, float weight)
{
    long long hundredths = llround((double)weight * 100);
    if (hundredths < 0)
        buf_put_byte(out, '-');
    uint64_t size = (uint64_t)(hundredths < 0 ? -hundredths : hundredths);
    buf_put_decimal(out, size / 100);
    buf_put_byte(out, '.');
    buf_put_byte(out, (uint8_t)('0' + size % 100 / 10));
    buf_put_byte(out, (uint8_t)('0' + size % 10));
}

void evidence_to_json(const struct matcher *matcher, const struct match_result *result,
                      struct buf *out)
{
    buf_put_byte(out, '[');
    for (size_t i = 0; i < result->count; i++) {
        const struct comparison_result *c = &result->comparisons[i];
        buf_put_str(out, i ? ",[" : "[");
        buf_put_json(out, slice_str(matcher_comparison_name(matcher, c->comparison)));
        buf_put_byte(out, ',');
        buf_put_json(out, slice_str(matcher_level_name(matcher, c->comparison, c->level)));
        buf_put_byte(out, ',');
        put_hundredths(out, c->weight);
        buf_put_byte(out, ']');
    }
    buf_put_byte(out, ']');
}

void write_link(struct write_set *set, const struct graph_link *link, int32_t generation_id,
                const struct matcher *matcher)
{
    struct buf *evidence = &set->scratch;
    buf_reset(evidence);
    bool scored = link->reason == LINK_SCORE;
    if (scored)
        evidence_to_json(matcher, &link->result, evidence);
    else
        buf_put_str(evidence, "[]");
    struct buf *rows = &set->links.buf;
    copy_row(rows, 8);
    copy_int8(rows, (int64_t)link->a);
    copy_int8(rows, (int64_t)link->b);
    copy_int2(rows, (int16_t)link->reason);
    if (scored)
        copy_float4(rows, (float)link->result.weight);
    else
        copy_null(rows);
    put_optional_id(rows, link->decision);
    copy_int4(rows, generation_id);
    copy_timestamp(rows, set->now_us);
    copy_text(rows, buf_slice(evidence));
    set->links.count++;
    set->out_of_memory |= buf_failed(evidence);
}

void write_gone_link(struct write_set *set, uint64_t a, uint64_t b)
{
    id_list_add(set, &set->gone_link_a, (int64_t)a);
    id_list_add(set, &set->gone_link_b, (int64_t)b);
}

void write_review(struct write_set *set, const struct graph_review *review)
{
    struct buf *rows = &set->reviews.buf;
    copy_row(rows, 7);
    copy_int8(rows, (int64_t)review->a);
    copy_int8(rows, (int64_t)review->b);
    copy_int2(rows, (int16_t)review->reason);
    copy_float4(rows, (float)review->weight);
    put_optional_id(rows, review->bridge_a);
    put_optional_id(rows, review->bridge_b);
    copy_timestamp(rows, set->now_us);
    set->reviews.count++;
}

void write_employment(struct write_set *set, uint64_t person, uint64_t employer)
{
    id_list_add(set, &set->stale_employments, (int64_t)person);
    if (employer == 0)
        return;
    copy_row(&set->employments.buf, 2);
    copy_int8(&set->employments.buf, (int64_t)person);
    copy_int8(&set->employments.buf, (int64_t)employer);
    set->employments.count++;
}

void write_retimed(struct write_set *set, uint64_t record_id, int64_t effective_us)
{
    id_list_add(set, &set->retimed_ids, (int64_t)record_id);
    id_list_add(set, &set->retimed_us, effective_us);
}

void write_gone_review(struct write_set *set, uint64_t a, uint64_t b)
{
    id_list_add(set, &set->gone_review_a, (int64_t)a);
    id_list_add(set, &set->gone_review_b, (int64_t)b);
}

/* A JSON object PostgreSQL will take (jansson refuses \u0000), else an empty one. */
static struct slice object_or_empty(struct slice json)
{
    json_error_t error;
    json_t *value = json.len ? json_loadb(json.ptr, json.len, 0, &error) : NULL;
    bool is_object = json_is_object(value);
    json_decref(value);
    return is_object ? json : SLICE("{}");
}

static void write_activity(struct write_set *set, uint64_t record_id, const struct arrival *arrival,
                           const struct activity *activity)
{
    struct buf *rows = &set->activities.buf;
    copy_row(rows, 6);
    copy_timestamp(rows, time_or(activity->at_us, arrival->effective_us));
    copy_int8(rows, (int64_t)record_id);
    copy_int4(rows, arrival->source->source_id);
    copy_text(rows, safe_text(set->arena, activity->type));
    copy_text(rows, safe_text(set->arena, activity->key));
    copy_json(rows, object_or_empty(activity->data));
    set->activities.count++;
}

static void write_consent(struct write_set *set, uint64_t record_id, const struct arrival *arrival,
                          const struct consent *consent)
{
    struct buf *rows = &set->consents.buf;
    copy_row(rows, 9);
    copy_int8(rows, (int64_t)record_id);
    copy_text(rows, safe_text(set->arena, consent->purpose));
    copy_bool(rows, consent->granted);
    copy_timestamp(rows, time_or(consent->at_us, arrival->effective_us));
    copy_text(rows, safe_text(set->arena, consent->method));
    copy_text(rows, safe_text(set->arena, consent->version));
    copy_text(rows, safe_text(set->arena, consent->text));
    copy_text(rows, safe_text(set->arena, consent->ip));
    copy_text(rows, safe_text(set->arena, consent->user_agent));
    set->consents.count++;
}

void write_details(struct write_set *set, uint64_t record_id, bool replace,
                   const struct arrival *arrival)
{
    if (replace)
        id_list_add(set, &set->stale_details, (int64_t)record_id);
    for (size_t i = 0; i < arrival->raw->activity_count; i++)
        write_activity(set, record_id, arrival, &arrival->raw->activities[i]);
    for (size_t i = 0; i < arrival->raw->consent_count; i++)
        write_consent(set, record_id, arrival, &arrival->raw->consents[i]);
}

uint64_t write_event(struct write_set *set, const char *type, uint64_t customer_id,
                     int32_t source_id, struct slice data)
{
    return write_event_of(set, type, customer_id, source_id, NULL, 0, data);
}

uint64_t write_event_of(struct write_set *set, const char *type, uint64_t customer_id,
                        int32_t source_id, const int32_t *sources, size_t source_count,
                        struct slice data)
{
    bool is_its_own = source_count == 1 && sources[0] == source_id;
    uint64_t seq = ++set->last_event_seq;
    struct buf *rows = &set->events.buf;
    copy_row(rows, 7);
    copy_int8(rows, (int64_t)seq);
    copy_timestamp(rows, set->now_us);
    put_optional_id(rows, customer_id);
    if (source_id)
        copy_int4(rows, source_id);
    else
        copy_null(rows);
    copy_text(rows, slice_str(type));
    if (source_count && !is_its_own)
        copy_int4_array(rows, sources, source_count);
    else
        copy_null(rows);
    copy_text(rows, data);
    set->events.count++;
    return seq;
}

void write_history(struct write_set *set, uint64_t customer_id, int32_t version, const char *what,
                   struct slice actor, uint64_t event_seq, struct slice changes)
{
    struct buf *rows = &set->history.buf;
    copy_row(rows, 7);
    copy_timestamp(rows, set->now_us);
    copy_int8(rows, (int64_t)customer_id);
    copy_int4(rows, version);
    copy_text(rows, slice_str(what));
    copy_text(rows, actor);
    put_optional_id(rows, event_seq);
    if (changes.len)
        copy_text(rows, changes);
    else
        copy_null(rows);
    set->history.count++;
}

/* What tells it again: a record's version, or the bytes no record could be made of. */
static void put_known(struct buf *rows, const struct arrival *arrival)
{
    if (arrival->raw) {
        copy_int8(rows, (int64_t)arrival->hash);
        copy_timestamp(rows, arrival->effective_us);
        copy_null(rows);
        return;
    }
    copy_null(rows);
    copy_null(rows);
    if (arrival->refused.low)
        copy_uuid(rows, arrival->refused.high, arrival->refused.low);
    else
        copy_null(rows);
}

void write_reject(struct write_set *set, const struct arrival *arrival, bool quarantined,
                  const char *code, const char *field, struct slice param, struct slice identifiers)
{
    struct buf *rows = &set->rejects.buf;
    copy_row(rows, 18);
    copy_int4(rows, arrival->source->source_id);
    copy_int8(rows, (int64_t)arrival->accept_seq);
    copy_int2(rows, (int16_t)arrival->record_no);
    copy_timestamp(rows, set->now_us);
    copy_bool(rows, quarantined);
    copy_text(rows, slice_str(code));
    copy_text(rows, slice_str(field));
    copy_text(rows, param);
    copy_text(rows, arrival->delivery->position);
    copy_text(rows, arrival->raw ? arrival->raw->external_id : SLICE_EMPTY);
    copy_text(rows, arrival->raw ? arrival->raw->part : SLICE_EMPTY);
    if (arrival->layout_id)
        copy_int4(rows, arrival->layout_id);
    else
        copy_null(rows);
    copy_text(rows, arrival->delivery->meta);
    copy_bytea(rows, arrival->delivery->body);
    copy_bytea(rows, identifiers);
    put_known(rows, arrival);
    set->rejects.count++;
}
