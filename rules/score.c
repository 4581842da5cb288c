/*
 * score.c - judging two records: levels to weights, shared values weakened by their degree,
 * evidence that travels together counted once, and ceilings.
 */
#include "rules/own_field.h"

#include <math.h>

/* How far below the link weight a pair under a ceiling always stays. */
#define CEILING_MARGIN_BITS 0.1

/* What a name and an address say less together when the name is not the same altogether. */
#define NEAR_NAME_BITS 1.0F

struct scorer {
    const struct matcher *matcher;
    const struct shared_key *shared;
    size_t shared_count;
    struct match_result *result;
    double ceiling;
    uint8_t ceiling_by; /* comparison that set it */
    bool lifted;
    bool name_is_near; /* the names agree, but not wholly: of those at one address another is often another */
    float name, phone, address, company; /* weights, to see what travels together */
};

/* The degree band of a value both records hold. Without a list nothing is known of degrees; with
 * one, a key that is not in it is dead. */
static uint8_t band_of(const struct scorer *s, uint64_t key)
{
    if (key == 0 || s->shared == NULL)
        return 0;
    for (size_t i = 0; i < s->shared_count; i++)
        if (s->shared[i].hash == key)
            return s->shared[i].band > DEGREE_DEAD ? DEGREE_DEAD : s->shared[i].band;
    return DEGREE_DEAD;
}

static void put(struct scorer *s, uint8_t comparison, uint8_t level, uint8_t band, float weight)
{
    struct match_result *result = s->result;

    if (result->count >= COMPARISONS_MAX)
        return;
    result->comparisons[result->count++] =
        (struct comparison_result){comparison, level, band, weight};
    result->weight += (double)weight;
}

/* Turns a comparison's outcome into evidence; returns its weight. */
static float count(struct scorer *s, uint8_t comparison, const struct comparison_model *model,
                   const struct compared *compared)
{
    const struct level_model *level = &model->levels[compared->level];
    float weight = level->weight + compared->rarity_bits;
    uint8_t band = compared->level == 0 ? 0 : band_of(s, compared->key);

    if (band == DEGREE_DEAD)
        return 0;
    if (weight > 0)
        weight = weight > model->band_loss[band] ? weight - model->band_loss[band] : 0;
    if ((double)level->ceiling < s->ceiling) {
        s->ceiling = (double)level->ceiling;
        s->ceiling_by = comparison;
    }
    s->lifted |= level->lifts;
    put(s, comparison, compared->level, band, weight);
    return weight;
}

static float count_fixed(struct scorer *s, enum comparison_id id, const struct compared *compared)
{
    return count(s, (uint8_t)id, &s->matcher->comparisons[id], compared);
}

/* A number either is the same or is not. */
static void count_number(struct scorer *s, enum comparison_id id, uint64_t a, uint64_t b,
                         const struct features_view *view,
                         uint64_t (*key)(const struct features_view *view))
{
    struct compared compared = {a == b ? EQUAL_SAME : EQUAL_ELSE, 0, 0};

    if (a == 0 || b == 0)
        return;
    if (a == b && key)
        compared.key = key(view);
    (void)count_fixed(s, id, &compared);
}

static void count_suffix(struct scorer *s, uint8_t a, uint8_t b)
{
    struct compared compared = {EQUAL_ELSE, 0, 0};

    if (a == 0 || b == 0)
        return;
    if (a == b)
        compared.level = EQUAL_SAME;
    else if ((a == 'J' && b == '2') || (a == '2' && b == 'J'))
        compared.level = EQUAL_SIMILAR;
    (void)count_fixed(s, CMP_SUFFIX, &compared);
}

static void score_person(struct scorer *s, const struct features_view *a,
                         const struct features_view *b)
{
    const struct comparison_model *models = s->matcher->comparisons;
    struct compared compared;

    if (compare_name(s->matcher, a, b, &compared))
        s->name = count_fixed(s, CMP_NAME, &compared);
    s->name_is_near = s->name > 0 && compared.level >= NAME_NICKNAME;
    count_suffix(s, a->suffix, b->suffix);
    if (compare_birth(a->birth, b->birth, &compared))
        (void)count_fixed(s, CMP_BIRTH, &compared);
    count_number(s, CMP_GENDER, a->gender, b->gender, a, NULL);
    if (compare_phone(a, b, &models[CMP_PHONE], &compared))
        s->phone = count_fixed(s, CMP_PHONE, &compared);
    if (compare_email(a, b, &models[CMP_EMAIL], &compared))
        (void)count_fixed(s, CMP_EMAIL, &compared);
    if (compare_email_name(s->matcher, a, b, &compared))
        (void)count_fixed(s, CMP_EMAIL_NAME, &compared);
    count_number(s, CMP_WECHAT_ID, a->wechat_id, b->wechat_id, a, key_of_wechat_id);
    count_number(s, CMP_WECHAT_OPENID, a->wechat_openid, b->wechat_openid, a, key_of_wechat_openid);
    count_number(s, CMP_NATIONAL_ID, a->identity, b->identity, a, NULL);
    count_number(s, CMP_MEMBER, a->member, b->member, a, key_of_member);
    if (compare_company(a, b, &compared))
        s->company = count_fixed(s, CMP_COMPANY, &compared);
    if (compare_address(a, b, &compared))
        s->address = count_fixed(s, CMP_ADDRESS, &compared);
}

static void score_company(struct scorer *s, const struct features_view *a,
                          const struct features_view *b)
{
    const struct comparison_model *models = s->matcher->comparisons;
    struct compared compared;

    if (compare_company(a, b, &compared))
        (void)count_fixed(s, CMP_COMPANY_NAME, &compared);
    count_number(s, CMP_CREDIT_CODE, a->identity, b->identity, a, NULL);
    if (compare_phone(a, b, &models[CMP_COMPANY_PHONE], &compared))
        s->phone = count_fixed(s, CMP_COMPANY_PHONE, &compared);
    if (compare_email(a, b, &models[CMP_COMPANY_EMAIL], &compared))
        (void)count_fixed(s, CMP_COMPANY_EMAIL, &compared);
    if (compare_website(a, b, &compared))
        (void)count_fixed(s, CMP_COMPANY_SITE, &compared);
    if (compare_address(a, b, &compared))
        s->address = count_fixed(s, CMP_COMPANY_ADDRESS, &compared);
}

/* The field of the model that a packed value belongs to; NULL when the model has none such. */
static const struct custom_field *field_of(const struct matcher *matcher,
                                           const struct feature_custom *custom)
{
    for (size_t c = 0; c < matcher->custom_count; c++)
        if (matcher->custom_fields[c].name_hash == custom->name_hash)
            return (uint8_t)matcher->custom_fields[c].type == custom->type ? &matcher->custom_fields[c]
                                                                           : NULL;
    return NULL;
}

/* Of fields with several values the two that agree best. */
static void score_field(struct scorer *s, const struct custom_field *field,
                        const struct features_view *a, const struct features_view *b)
{
    struct compared best = {0}, compared;
    float most = -INFINITY;

    for (size_t i = 0; i < a->custom_count; i++)
        for (size_t k = 0; a->customs[i].name_hash == field->name_hash && k < b->custom_count; k++) {
            if (b->customs[k].name_hash != field->name_hash || b->customs[k].type != a->customs[i].type ||
                !compare_own(s->matcher, field, a->customs[i].payload, b->customs[k].payload, &compared))
                continue;
            if (compared.level == OWN_ELSE && (own_field_stands_elsewhere(&a->customs[i], b) ||
                                               own_field_stands_elsewhere(&b->customs[k], a)))
                compared = (struct compared){.level = OWN_ELSEWHERE};
            float weight = field->model->levels[compared.level].weight + compared.rarity_bits;
            if (weight <= most)
                continue;
            most = weight;
            best = compared;
            best.key = compared.level == OWN_SAME ? key_of_custom(a, &a->customs[i]) : 0;
        }
    if (most > -INFINITY)
        (void)count(s, (uint8_t)(CMP_FIXED_COUNT + (field - s->matcher->custom_fields)), field->model,
                    &best);
}

static void score_customs(struct scorer *s, const struct features_view *a,
                          const struct features_view *b)
{
    for (size_t i = 0; b->custom_count && i < a->custom_count; i++) {
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = a->customs[k].name_hash != a->customs[i].name_hash;
        const struct custom_field *field = first ? field_of(s->matcher, &a->customs[i]) : NULL;
        if (field)
            score_field(s, field, a, b);
    }
}

/* Colleagues share the company, its address and its telephone: of what agrees beside the company the company says little
 * more. */
static float company_weight_beside(const struct scorer *s)
{
    float other = s->phone > s->address ? s->phone : s->address;

    return s->company < other ? s->company : other;
}

/* Who shares a phone shares the address more often than not. */
static void count_together_once(struct scorer *s)
{
    float lesser = s->phone < s->address ? s->phone : s->address;
    size_t n = matcher_comparison_count(s->matcher);
    /* Where it was learned it has been counted. */
    if (s->matcher->both_agree && s->matcher->both_agree[CMP_PHONE * n + CMP_ADDRESS] > 0)
        lesser = 0;
    float household = s->name + s->address - s->matcher->name_and_address_max +
                      (s->name_is_near ? NEAR_NAME_BITS : 0);

    if (lesser > 0)
        put(s, CMP_TOGETHER, 1, 0, -lesser * (1 - s->matcher->together_factor));
    else if (s->name > 0 && s->address > 0 && household > 0)
        put(s, CMP_TOGETHER, 2, 0, -household);
    else if (!(s->name > 0) && company_weight_beside(s) > 0)
        put(s, CMP_TOGETHER, 3, 0, -company_weight_beside(s) * (1 - s->matcher->together_factor));
}

/* City and province: of what two comparisons say together the second time does not count. Each is held against the
 * one before it that it repeats most. */
static void count_fields_once(struct scorer *s)
{
    const struct matcher *matcher = s->matcher;
    const struct comparison_result *results = s->result->comparisons;
    size_t n = matcher_comparison_count(matcher), count = s->result->count;
    float total = 0;

    for (size_t k = 1; k < count; k++) {
        float weight = results[k].weight, most = 0;
        for (size_t i = 0; i < k; i++) {
            float other = results[i].weight;
            if (!(weight * other > 0))
                continue;
            float bits =
                (weight > 0 ? matcher->both_agree : matcher->both_differ)[results[i].comparison * n + results[k].comparison];
            float least = fabsf(weight) < fabsf(other) ? fabsf(weight) : fabsf(other);
            bits = bits < least ? bits : least;
            most = bits > most ? bits : most;
        }
        total += weight > 0 ? -most : most;
    }
    if (total < 0 || total > 0)
        put(s, CMP_TOGETHER, 4, 0, total);
}

static void hold_under_ceiling(struct scorer *s)
{
    double over = s->result->weight - s->ceiling;

    if (s->lifted || !(over > 0))
        return;
    double held = s->ceiling + over * (double)s->matcher->ceiling_excess;
    double most = s->matcher->link_weight - CEILING_MARGIN_BITS;
    if (held > most)
        held = most > s->ceiling ? most : s->ceiling;
    put(s, CMP_CEILING, s->ceiling_by, 0, (float)(held - s->result->weight));
}

void match_score(const struct matcher *matcher, struct slice features_a, struct slice features_b,
                 const struct shared_key *shared, size_t shared_count, struct match_result *result)
{
    struct features_view views[2];
    struct scorer scorer = {.matcher = matcher,
                            .shared = shared,
                            .shared_count = shared_count,
                            .result = result,
                            .ceiling = (double)INFINITY};
    /* One order for both directions: the result is the same to the last bit. */
    bool exchange = slice_cmp(features_a, features_b) > 0;
    bool ok = features_read(exchange ? features_b : features_a, &views[0]);

    ok = features_read(exchange ? features_a : features_b, &views[1]) && ok;
    result->count = 0;
    result->weight = matcher->prior_weight;
    if (!ok || views[0].kind != views[1].kind || views[0].space != views[1].space)
        return;
    if (views[0].kind == KIND_COMPANY)
        score_company(&scorer, &views[0], &views[1]);
    else
        score_person(&scorer, &views[0], &views[1]);
    score_customs(&scorer, &views[0], &views[1]);
    if (matcher->both_agree)
        count_fields_once(&scorer);
    count_together_once(&scorer);
    hold_under_ceiling(&scorer);
}
