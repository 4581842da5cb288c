/* test_explain.c - how explanations are shown: as text, as an SVG waterfall, and the way between two records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/explain_text.h"
#include "daemon/cli/text_columns.h"
#include "daemon/console/explain_path.h"
#include "daemon/console/explain_svg.h"

static const char linked[] =
    "{\"asked\":{\"a\":1,\"b\":2},\"pairs_examined\":1,\"same_customer\":true,\"shares_live_key\":true,"
    "\"verdict\":\"linked\",\"why\":[\"they match by themselves\"],\"prior\":-17.0,\"weight\":15.4,"
    "\"probability\":0.99998,\"link\":{\"weight\":4.25,\"probability\":0.95},"
    "\"review_threshold\":{\"weight\":1.22,\"probability\":0.7},\"generation\":3,"
    "\"a\":{\"record_id\":1,\"customer_id\":1,\"source\":\"shop\",\"external_id\":\"A<1>\",\"part\":\"main\","
    "\"values\":[{\"field\":\"full_name\",\"value\":\"张三\"},{\"field\":\"phone\",\"value\":\"+8613812345678\"},"
    "{\"field\":\"phone\",\"value\":\"+8613900000001\"}]},"
    "\"b\":{\"record_id\":2,\"customer_id\":1,\"source\":\"form\",\"external_id\":\"B\\u001b[31m\",\"part\":\"main\","
    "\"values\":[{\"field\":\"full_name\",\"value\":\"Zhang San\"},{\"field\":\"email\",\"value\":\"z@firm.cn\"}]},"
    "\"comparisons\":["
    "{\"name\":\"name\",\"level\":\"romanised\",\"weight\":10.45,\"sum\":-6.55,\"probability\":0.0105,"
    "\"a\":\"张三\",\"b\":\"Zhang San\"},"
    "{\"name\":\"ph<one\",\"level\":\"else\",\"weight\":-1.5,\"sum\":-8.05,\"probability\":0.0004,"
    "\"a\":\"1\",\"b\":null}],"
    "\"shared_keys\":[{\"key\":\"phone\",\"degree\":80,\"band\":7,\"live\":false}],"
    "\"path\":[{\"from\":1,\"to\":7,\"reason\":\"score\",\"weight\":9.5,"
    "\"evidence\":[[\"email\",\"same\",22.5]]},{\"from\":7,\"to\":2,\"reason\":\"decision\",\"decision_id\":4}]}";

static char *text_of_json(const char *json)
{
    struct buf out = BUF_INIT((size_t)1 << 20);
    json_error_t error;
    json_t *explanation = json_loads(json, 0, &error);
    assert_non_null(explanation);
    explain_text(explanation, &out);
    buf_put_byte(&out, '\0');
    json_decref(explanation);
    assert_false(buf_failed(&out));
    return out.data;
}

static void test_text_tells_all_of_it(void **state)
{
    (void)state;
    char *text = text_of_json(linked);
    const char *const wanted[] = {
        "One customer: 1.\n  - they match by themselves\n",
        "full_name    张三            Zhang San\n", /* columns are aligned, wide characters count two */
        "phone        +8613900000001  -\n",
        "email        -               z@firm.cn\n",
        "name      romanised  +10.4   -6.5        1.1 %  张三  Zhang San\n",
        "ph<one    differs     -1.5   -8.1      < 0.1 %  1\n",
        "15.4 bits: > 99.9 %. Linked from 4.2 bits (95 %), asked about from 1.2 (70 %); generation 3.\n",
        "Shared keys: phone (of 80 names: no evidence).\n",
        "  1 - 7  9.5 bits: email same +22.5\n  7 - 2  decision 4\n",
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (strstr(text, wanted[i]) == NULL)
            fail_msg("not in the text: %s\n%s", wanted[i], text);
    }
    assert_null(strchr(text, '\x1b')); /* data does not play with the terminal */
    free(text);
}

static void test_text_of_nothing_is_no_crash(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "{}", "[]", "{\"comparisons\":[1,null,{}],\"why\":[2],\"path\":[{}],\"a\":[],\"shared_keys\":[7]}",
        "{\"a\":{\"values\":[{\"field\":\"x\"}]},\"b\":{\"values\":[{\"value\":\"y\"}]},\"weight\":\"text\"}"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        free(text_of_json(odd[i]));
}

static void check_svg(const char *json)
{
    struct buf out = BUF_INIT((size_t)1 << 20);
    json_t *explanation = json_loads(json, 0, NULL);
    explain_svg(explanation, &out);
    assert_false(buf_failed(&out));
    XML_Parser parser = XML_ParserCreate("UTF-8");
    assert_int_equal(XML_Parse(parser, out.data, (int)out.len, 1), XML_STATUS_OK);
    XML_ParserFree(parser);
    json_decref(explanation);
    buf_free(&out);
}

static void test_svg_is_well_formed_and_holds_no_values(void **state)
{
    struct buf out = BUF_INIT((size_t)1 << 20);
    (void)state;
    check_svg(linked);
    check_svg("{}");
    check_svg("{\"weight\":1e308,\"prior\":-1e308,\"comparisons\":[{\"weight\":1e308},{\"weight\":1e308}]}");
    json_t *explanation = json_loads(linked, 0, NULL);
    explain_svg(explanation, &out);
    buf_put_byte(&out, '\0');
    assert_null(strstr(out.data, "Zhang"));
    assert_null(strstr(out.data, "13812345678"));
    assert_non_null(strstr(out.data, "romanised"));
    json_decref(explanation);
    buf_free(&out);
}

static void test_path_is_found_through_others(void **state)
{
    (void)state;
    json_t *links = json_loads("[{\"a\":1,\"b\":5},{\"a\":2,\"b\":5},{\"a\":2,\"b\":9},{\"a\":3,\"b\":4}]", 0, NULL);
    json_t *path = explain_path_in(links, 9, 1);
    static const int64_t from[] = {9, 2, 5}, to[] = {2, 5, 1};
    assert_int_equal(json_array_size(path), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(json_integer_value(json_object_get(json_array_get(path, i), "from")), from[i]);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(path, i), "to")), to[i]);
    }
    json_decref(path);
    path = explain_path_in(links, 1, 3);
    assert_int_equal(json_array_size(path), 0);
    json_decref(path);
    path = explain_path_in(links, 1, 1);
    assert_int_equal(json_array_size(path), 0);
    json_decref(path);
    json_decref(links);
}

static void test_columns_cut_what_is_too_long(void **state)
{
    struct text_columns columns = TEXT_COLUMNS(2, 1);
    struct buf out = BUF_INIT(4096);
    char wide[300];
    (void)state;
    memset(wide, 'x', sizeof(wide));
    text_columns_cell(&columns, SLICE("1"));
    text_columns_cell(&columns, slice_of(wide, sizeof(wide)));
    text_columns_cell(&columns, SLICE("100"));
    text_columns_cell(&columns, SLICE("a\tb\xC2\x9B""c"));
    text_columns_put(&columns, "", &out);
    buf_put_byte(&out, '\0');
    assert_non_null(strstr(out.data, "x…\n100  a b c\n"));
    assert_int_equal(strncmp(out.data, "  1  xxx", 8), 0);
    assert_int_equal(text_width(SLICE("张三ab")), 6);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_tells_all_of_it),
        cmocka_unit_test(test_text_of_nothing_is_no_crash),
        cmocka_unit_test(test_svg_is_well_formed_and_holds_no_values),
        cmocka_unit_test(test_path_is_found_through_others),
        cmocka_unit_test(test_columns_cut_what_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
