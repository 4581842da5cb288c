/* test_json_map.c - YAML mappings of JSON documents: parts, activities, consents, refusals,
 * mistakes in the YAML. */
#include "tests/unit/connector_fixture.h"

#include "connectors/json_map.h"
#include "daemon/base/asset.h"
#include "connectors/json_endpoint.h"

static const struct json_map_context context = {"CN", "Asia/Shanghai", false};

static struct delivery map_with(struct arena *arena, const char *yaml, const char *body)
{
    struct problems problems = {0};
    const struct yaml_node *node = yaml_parse(arena, "map.yaml", slice_str(yaml), &problems);
    const struct json_map *map = json_map_new(node, arena, &problems);
    if (map == NULL)
        fail_msg("%s", problems.count ? problems.list[0].text : "no memory");
    problems_free(&problems);
    struct delivery delivery = {.body = slice_str(body)};
    json_map_apply(map, &context, arena, &delivery);
    return delivery;
}

static struct slice column(const struct raw_record *record, const char *name)
{
    for (size_t i = 0; i < record->columns->count; i++) {
        if (slice_is(record->columns->names[i], name))
            return record->values[i];
    }
    return SLICE("(absent)");
}

static void test_one_document_gives_several_parts(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4 << 20);
    struct delivery delivery =
        map_with(arena,
                 "- {part: buyer, id: 'o/{id}', time: at, columns: {name: [nick, buyer.name], "
                 "phone: 'buyer.phones[*]'}}\n"
                 "- {part: consignee, id: 'o/{id}', time: at, time_zone: UTC, when: to, deleted: "
                 "state=gone, columns: {name: to.name}}\n"
                 "- {part: payer, id: 'o/{id}', when: payer, columns: {name: payer}}\n",
                 "{\"id\": 7, \"at\": \"2026-03-01T10:00:00\", \"nick\": \"\", \"state\": \"gone\","
                 " \"buyer\": {\"name\": \"\\u5f20\\u4e09\", \"phones\": [\"138\", null, "
                 "\"139\"]}, \"to\": {\"name\": \"B\"}}");
    assert_null(delivery.refusal);
    assert_int_equal(delivery.record_count, 2);
    const struct raw_record *buyer = &delivery.records[0], *to = &delivery.records[1];
    assert_true(slice_is(buyer->part, "buyer") && slice_is(buyer->external_id, "o/7"));
    assert_true(slice_is(column(buyer, "name"), "张三"));
    assert_true(slice_is(column(buyer, "phone"), "138, 139"));
    assert_true(buyer->effective_us == INT64_C(1772330400000000)); /* in Shanghai */
    assert_true(to->effective_us == INT64_C(1772359200000000));    /* in UTC */
    assert_int_equal(buyer->op, RECORD_UPSERT);
    assert_int_equal(to->op, RECORD_DELETE);
    arena_free(&arena);
}

static void test_activities_and_consents(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4 << 20);
    struct delivery delivery = map_with(
        arena,
        "- id: id\n"
        "  columns: {name: name}\n"
        "  test: is_test\n"
        "  activities:\n"
        "    - {type: order, key: 'o/{id}', at: at, data: {total: total, lines: lines, none: "
        "none}}\n"
        "    - {type: refund, key: 'r/{id}', when: refunded}\n"
        "    - {type: call, key: 'c/{call}'}\n"
        "  consents:\n"
        "    - {purpose: marketing, granted: news, text: wording, version: 'v{v}', at: at}\n"
        "    - {purpose: profiling, granted: profiling=yes}\n"
        "    - {purpose: calls, granted: calls}\n",
        "{\"id\": \"a\", \"name\": \"n\", \"at\": \"2026-03-01T10:00:00Z\", \"total\": 29.350, "
        "\"lines\": [{\"x\": 1}],"
        " \"none\": null, \"refunded\": false, \"news\": false, \"wording\": \"Yes, "
        "\\\"please\\\"\", \"v\": 3, \"profiling\": \"yes\","
        " \"is_test\": true}");
    assert_null(delivery.refusal);
    const struct raw_record *record = &delivery.records[0];
    assert_true(record->is_test);
    assert_int_equal(record->activity_count, 1);
    assert_true(slice_is(record->activities[0].data, "{\"total\":29.350,\"lines\":[{\"x\": 1}]}"));
    assert_true(record->activities[0].at_us == INT64_C(1772359200000000));
    assert_int_equal(record->consent_count, 2); /* what was not asked is neither */
    assert_false(record->consents[0].granted);
    assert_true(slice_is(record->consents[0].text, "Yes, \"please\""));
    assert_true(slice_is(record->consents[0].version, "v3"));
    assert_true(record->consents[1].granted);
    arena_free(&arena);
}

static void test_questions_become_columns(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4 << 20);
    struct delivery delivery = map_with(
        arena,
        "- {id: id, columns: {name: name}, pairs: {list: 'answers[*]', name: q, value: a}}\n",
        "{\"id\": 1, \"name\": \"n\", \"answers\": [{\"q\": \"Size?\", \"a\": \"XL\"}, {\"q\": "
        "\"\", \"a\": \"x\"},"
        " {\"q\": \"Food\", \"a\": [\"fish\", \"rice\"]}, {\"q\": \"Empty\"}]}");
    assert_int_equal(delivery.records[0].columns->count, 3);
    assert_true(slice_is(column(&delivery.records[0], "Size?"), "XL"));
    assert_true(slice_is(column(&delivery.records[0], "Food"), "fish, rice"));
    arena_free(&arena);
}

static void refused(const char *body, const char *code)
{
    struct arena *arena = arena_new(8 << 20);
    struct delivery delivery = map_with(arena,
                                        "- {id: id, when: id!=skip, columns: {name: name}, "
                                        "activities: [{type: t, key: 'k/{id}', data: {d: d}}]}\n",
                                        body);
    assert_int_equal(delivery.record_count, 0);
    assert_string_equal(delivery.refusal, code);
    arena_free(&arena);
}

static void test_documents_that_cannot_be_kept_are_refused_by_name(void **state)
{
    (void)state;
    refused("[1]", "json.not_an_object");
    refused("{\"name\": \"x\"}", "json.no_id");
    refused("{\"id\": \"\", \"name\": \"x\"}", "json.no_id");
    refused("{\"id\": 1, \"name\": \"a\\u0000\"}", "json.nul");
    refused("{\"id\": \"a\\u0000\", \"name\": \"a\"}", "json.nul");
    refused("{\"id\": 1, \"name\": \"\\ud800\"}", "json.bad_string");
    refused("{\"id\": 1, \"d\": {\"deep\": [\"\\u0000\"]}}", "json.nul");
    refused("{\"id\": \"skip\"}", "json.no_record");
}

static void mistake(const char *yaml, unsigned line, const char *says)
{
    struct arena *arena = arena_new(4 << 20);
    struct problems problems = {0};
    const struct yaml_node *node = yaml_parse(arena, "map.yaml", slice_str(yaml), &problems);
    assert_null(json_map_new(node, arena, &problems));
    assert_true(problems.count > 0);
    if (problems.list[0].line != line || strstr(problems.list[0].text, says) == NULL)
        fail_msg("%u: %s", problems.list[0].line, problems.list[0].text);
    problems_free(&problems);
    arena_free(&arena);
}

static void test_mistakes_are_told_where_they_stand(void **state)
{
    (void)state;
    mistake("- id: id\n  colums: {name: name}\n", 2, "did you mean columns");
    mistake("- id: id\n  columns: {name: a..b}\n", 2, "not a path");
    mistake("- columns: {name: name}\n", 1, "id: a path or a template");
    mistake("- id: id\n  columns: {name: name}\n  when: '='\n", 3, "not a condition");
    mistake("- id: id\n  columns: {name: name}\n  activities:\n    - {key: id}\n", 4,
            "needs a type");
    mistake("name: x\n", 1, "a list of 1 to 16");
}

static void test_the_presets_that_ship_compile(void **state)
{
    (void)state;
    static const char *const names[] = {"connectors/presets/woocommerce.yaml",
                                        "connectors/presets/eventbrite.yaml"};
    struct slice event = SLICE("9");
    struct option_text parameter = {SLICE("event"), 1, &event};
    for (size_t i = 0; i < 2; i++) {
        struct arena *arena = arena_new(16 << 20);
        struct problems problems = {0};
        bool found;
        const struct yaml_node *preset =
            yaml_parse(arena, names[i], asset_find(names[i], &found), &problems);
        assert_true(found);
        const struct json_endpoints *endpoints =
            json_endpoints_new(yaml_get(preset, "endpoints"), &parameter, 1, arena, &problems);
        if (endpoints == NULL)
            fail_msg("%s:%u: %s", names[i], problems.list[0].line, problems.list[0].text);
        assert_int_equal(endpoints->count, i == 0 ? 2 : 1);
        problems_free(&problems);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_document_gives_several_parts),
        cmocka_unit_test(test_activities_and_consents),
        cmocka_unit_test(test_questions_become_columns),
        cmocka_unit_test(test_documents_that_cannot_be_kept_are_refused_by_name),
        cmocka_unit_test(test_mistakes_are_told_where_they_stand),
        cmocka_unit_test(test_the_presets_that_ship_compile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
