/*
 * test_prepare.c - what the cleaning pool makes of a record beside cleaning it: the very bytes that whoever has only the
 * stored record makes of it, with whatever generation is in force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/accept/lanes.h"
#include "daemon/accept/prepare.h"
#include "daemon/base/asset.h"
#include "rules/parsed.h"
#include "rules/record_json.h"

#define COLUMN_COUNT 8
#define SPACE_KEY    7

static const struct slice column_names[COLUMN_COUNT] = {
    {"full_name", 9}, {"company", 7}, {"address", 7}, {"country", 7}, {"city", 4}, {"mobile", 6}, {"email", 5}, {"ward", 4}};
static const struct columns columns = {1, COLUMN_COUNT, column_names};

static const char *const companies[] = {
    "上海华信科技有限公司", "华信科技（上海）有限公司", "上海华信科技有限公司北京分公司", "Müller & Söhne GmbH (Wien)", "n/a", "self-employed",
    "The  Acme Holdings, Inc.", "=\"Acme Ltd\"", "ＡＢＣ　株式会社", "S.A. Dupont", "'Quoted' Co", "", "个体"};
static const char *const addresses[] = {
    "上海市浦东新区张江路88号3号楼501室 邮编 201203", "201203 上海市 浦东新区 张江路88号", "南京东路100号", "中国广东省深圳市南山区科技园路1号",
    "221B Baker Street, London NW1 6XE", "221B Baker Street, London, NW1 6XE", "500 Main St, Springfield, CA 94107-1234",
    "500 Main St, Springfield, CA", "10115 Berlin", "Hauptstraße 5, 10115 Berlin, Germany", "Keizersgracht 1, 1015 CJ Amsterdam",
    "12 Main Street, Apt 4, CA", "-- , ;", "=\"12 High Road\"", "$$abcdef$$", "上海市浦东新区**路**号", "  ，北京市，朝阳区，建国路１号  ",
    "ＮＯ．１２　Ｈｉｇｈ　Ｓｔｒｅｅｔ，Ｌｏｎｄｏｎ", "..:/| 5 rue de l'Église, 75001 Paris |", "1 King St, Toronto, ON M5H 1A1", ""};
static const char *const countries[] = {"", "GB", "US", "CA", "NL", "DE", "CN"};

struct making {
    struct ruleset *ruleset;
    struct generation generation;
    struct cleaner *cleaner;
};

static struct making first, second; /* the second has a field more */
static struct preparing preparing;

static void make(struct making *making, const char *fields)
{
    struct problems problems = {0};
    bool found;
    struct slice model = asset_find("rules/models/people.yaml", &found);
    struct pack_text pack = {"people", asset_find("rules/packs/people.yaml", &found)};
    struct arena *arena = arena_new(1 << 20);
    const struct yaml_node *own = fields[0] ? yaml_parse(arena, "own.yaml", slice_str(fields), &problems) : NULL;
    struct match_settings settings = {0.95, 0.70};
    making->ruleset = ruleset_new(&pack, 1, own, &problems);
    arena_free(&arena);
    assert_non_null(making->ruleset);
    making->generation = (struct generation){.ruleset = making->ruleset, .schema = ruleset_schema(making->ruleset)};
    making->generation.matcher = matcher_new(making->generation.schema, "people.yaml", model, &settings, &problems);
    making->cleaner = cleaner_new(making->ruleset);
    assert_non_null(making->generation.matcher);
    assert_non_null(making->cleaner);
    problems_free(&problems);
}

static void unmake(struct making *making)
{
    matcher_free(&making->generation.matcher);
    cleaner_free(&making->cleaner);
    ruleset_free(&making->ruleset);
}

static int set_up(void **state)
{
    (void)state;
    make(&first, "");
    make(&second, "ward: {type: phone}\n");
    preparing_init(&preparing);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    preparing_free(&preparing);
    unmake(&first);
    unmake(&second);
    return 0;
}

/* A batch with a record for each address in each country, the companies in turn. */
static struct batch *new_batch(struct source *source)
{
    static struct raw_record raws[sizeof(addresses) / sizeof(addresses[0]) * sizeof(countries) / sizeof(countries[0])];
    static struct slice values[sizeof(raws) / sizeof(raws[0])][COLUMN_COUNT];
    const size_t address_count = sizeof(addresses) / sizeof(addresses[0]), count = sizeof(raws) / sizeof(raws[0]);
    struct batch *batch = batch_new();
    assert_non_null(batch);
    batch->arrivals = ARENA_ARRAY(batch->arena, struct arrival, count);
    batch->arrival_count = count;
    for (size_t i = 0; i < count; i++) {
        const char *const record[COLUMN_COUNT] = {
            i % 3 ? "Dr. Jane O'Neil" : "张伟(经理)", companies[i % (sizeof(companies) / sizeof(companies[0]))],
            addresses[i % address_count], countries[i / address_count], i % 5 ? "" : "深圳", "13917173952",
            "jane.oneil@example.org", "+442079460000"};
        for (size_t k = 0; k < COLUMN_COUNT; k++)
            values[i][k] = slice_str(record[k]);
        raws[i] = (struct raw_record){.external_id = SLICE("1"), .part = SLICE("main"), .columns = &columns,
                                      .values = values[i]};
        batch->arrivals[i] = (struct arrival){.source = source, .raw = &raws[i]};
    }
    return batch;
}

static struct source *new_source(void)
{
    static struct source source;
    source = (struct source){.space_key = SPACE_KEY, .rules = {.name = "s", .country = "", .time_zone = "",
                                                               .kind = KIND_PERSON}};
    return &source;
}

/* Holds what is prepared against what a reader of the stored JSON makes. */
static void check_arrival(const struct making *making, const struct arrival *arrival)
{
    const struct generation *generation = &making->generation;
    struct arena *arena = arena_new((size_t)4 << 20);
    struct clean_record again = {0};
    struct buf features = BUF_INIT(FEATURES_MAX_BYTES * 2), json = BUF_INIT(RECORD_JSON_MAX_BYTES);
    struct match_key keys[MATCH_KEYS_MAX];
    const struct prepared *prepared = &arrival->prepared;
    assert_true(prepared->done);
    assert_true(clean_record_from_json(generation->schema, prepared->json, arena, &again));
    clean_record_to_json(generation->schema, &again, &json);
    assert_true(slice_eq(prepared->json, buf_slice(&json)));
    features_pack(generation->matcher, &again, SPACE_KEY, &features);
    assert_true(slice_eq(prepared->keyed.features, buf_slice(&features)));
    size_t count = features_keys(generation->matcher, buf_slice(&features), keys);
    assert_int_equal(prepared->keyed.key_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(prepared->keyed.keys[i].hash == keys[i].hash);
        assert_int_equal(prepared->keyed.keys[i].kind, keys[i].kind);
    }
    assert_true(prepared->keyed.name_key == features_name_key(buf_slice(&features)));
    buf_free(&features);
    buf_free(&json);
    arena_free(&arena);
}

static void test_what_is_prepared_is_what_the_stored_record_gives(void **state)
{
    (void)state;
    struct batch *batch = new_batch(new_source());
    size_t kept = 0;
    batch_clean(batch, first.cleaner, &preparing, &first.generation);
    for (size_t i = 0; i < batch->arrival_count; i++) {
        check_arrival(&first, &batch->arrivals[i]);
        for (size_t k = 0; k < batch->arrivals[i].clean.value_count; k++)
            kept += batch->arrivals[i].clean.values[k].parsed != NULL;
    }
    assert_true(kept > batch->arrival_count); /* else nothing was shown: most of the companies and addresses */
    batch_free(&batch);
}

static void test_another_generation_prepares_again(void **state)
{
    (void)state;
    struct batch *batch = new_batch(new_source()), *fresh = new_batch(new_source());
    batch_clean(batch, first.cleaner, &preparing, &first.generation);
    struct slice before = batch->arrivals[0].prepared.keyed.features;
    batch_clean(batch, second.cleaner, &preparing, &second.generation);
    batch_clean(fresh, second.cleaner, &preparing, &second.generation);
    assert_ptr_equal(batch->cleaned_by, &second.generation);
    assert_false(slice_eq(before, batch->arrivals[0].prepared.keyed.features));
    for (size_t i = 0; i < batch->arrival_count; i++) {
        check_arrival(&second, &batch->arrivals[i]);
        assert_true(slice_eq(batch->arrivals[i].prepared.json, fresh->arrivals[i].prepared.json));
        assert_true(slice_eq(batch->arrivals[i].prepared.keyed.features, fresh->arrivals[i].prepared.keyed.features));
    }
    batch_free(&batch);
    batch_free(&fresh);
}

/* A company is one record for all who name it: it has nothing of the person it came with. */
static void test_an_employer_has_nothing_prepared_of_its_person(void **state)
{
    (void)state;
    struct source *source = new_source();
    source->employers = true;
    struct batch *batch = new_batch(source);
    size_t named = 0;
    for (unsigned round = 0; round < 2; round++) {
        batch_clean(batch, first.cleaner, &preparing, &first.generation);
        for (size_t i = 0; i < batch->arrival_count; i++) {
            assert_non_null(batch->arrivals[i].employer);
            assert_false(batch->arrivals[i].employer->prepared.done);
            named += batch->arrivals[i].employer->raw->op != RECORD_DELETE;
        }
    }
    assert_true(named > 0);
    batch_free(&batch);
}

static void test_a_deletion_and_a_refused_record_are_not_prepared(void **state)
{
    (void)state;
    struct batch *batch = new_batch(new_source());
    struct raw_record gone = *batch->arrivals[0].raw, empty = *batch->arrivals[1].raw;
    static const struct slice nothing[COLUMN_COUNT] = {{NULL, 0}};
    gone.op = RECORD_DELETE;
    empty.values = nothing;
    batch->arrivals[0].raw = &gone;
    batch->arrivals[1].raw = &empty;
    batch_clean(batch, first.cleaner, &preparing, &first.generation);
    assert_false(batch->arrivals[0].prepared.done);
    assert_int_not_equal(batch->arrivals[1].clean.outcome, CLEAN_OK);
    assert_false(batch->arrivals[1].prepared.done);
    assert_true(batch->arrivals[2].prepared.done);
    batch_free(&batch);
}

/* More than a row takes is said to be so, with the memory around it in order: whoever asked goes on with the next record. */
static void test_what_is_beyond_all_bounds_is_not_prepared(void **state)
{
    (void)state;
    const size_t count = 300, bytes = 65536;
    struct arena *arena = arena_new((size_t)64 << 20);
    char *text = arena_alloc(arena, bytes);
    struct clean_value *values = ARENA_ARRAY(arena, struct clean_value, count);
    assert_non_null(text);
    assert_non_null(values);
    memset(text, 'a', bytes);
    for (size_t i = 0; i < count; i++)
        values[i].value = slice_of(text, bytes - i);
    struct clean_record clean = {.kind = KIND_PERSON, .values = values, .value_count = count};
    struct prepared prepared;
    assert_false(prepare_record(&preparing, &first.generation, &clean, SPACE_KEY, arena, &prepared));
    assert_false(arena_failed(arena));
    clean.value_count = 20;
    assert_true(prepare_record(&preparing, &first.generation, &clean, SPACE_KEY, arena, &prepared));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_prepared_is_what_the_stored_record_gives),
        cmocka_unit_test(test_another_generation_prepares_again),
        cmocka_unit_test(test_an_employer_has_nothing_prepared_of_its_person),
        cmocka_unit_test(test_a_deletion_and_a_refused_record_are_not_prepared),
        cmocka_unit_test(test_what_is_beyond_all_bounds_is_not_prepared),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
