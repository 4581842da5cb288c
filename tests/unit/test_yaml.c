/* test_yaml.c - YAML trees with positions and bounds; problems; the nearest word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/yaml.h"

struct fixture {
    struct arena *arena;
    struct problems problems;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->arena = arena_new((size_t)64 << 20);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_free(&fixture->arena);
    problems_free(&fixture->problems);
    free(fixture);
    return 0;
}

static struct yaml_node *parse(struct fixture *fixture, const char *text)
{
    return yaml_parse(fixture->arena, "t.yaml", slice_str(text), &fixture->problems);
}

static void assert_refused(struct fixture *fixture, const char *text, unsigned line,
                           unsigned column, const char *why)
{
    assert_null(parse(fixture, text));
    assert_true(fixture->problems.count > 0);
    const struct problem *problem = &fixture->problems.list[fixture->problems.count - 1];
    if (strstr(problem->text, why) == NULL)
        fail_msg("'%s' does not say '%s'", problem->text, why);
    assert_string_equal(problem->file, "t.yaml");
    assert_int_equal(problem->line, line);
    assert_int_equal(problem->column, column);
}

static void test_tree_keeps_kinds_quotes_and_positions(void **state)
{
    struct fixture *fixture = *state;
    struct yaml_node *root = parse(
        fixture,
        "\xEF\xBB\xBFname: \"5\"\nn: 5\nlist: [a, {b: c}]\nempty:\nnone: ~\nblock: |\n  x\n  y\n");
    assert_non_null(root);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 6);
    assert_true(yaml_get(root, "name")->quoted);
    assert_false(yaml_get(root, "n")->quoted);
    assert_true(slice_is(yaml_get(root, "name")->text, "5"));
    struct yaml_node *list = yaml_get(root, "list");
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->line, 3);
    assert_int_equal(list->column, 7);
    assert_int_equal(list->values[1]->values[0]->column, 15);
    assert_true(yaml_get(root, "empty")->is_null);
    assert_true(yaml_get(root, "none")->is_null);
    assert_int_equal(yaml_get(root, "none")->text.len, 0);
    assert_true(slice_is(yaml_get(root, "block")->text, "x\ny\n"));
    assert_true(slice_is(yaml_text(root, "n", SLICE("7")), "5"));
    assert_true(slice_is(yaml_text(root, "empty", SLICE("7")), "7"));
    assert_true(slice_is(yaml_text(NULL, "n", SLICE("7")), "7"));
    assert_null(yaml_get(list, "a"));
}

static void test_an_empty_document_is_null(void **state)
{
    struct yaml_node *root = parse(*state, "# nothing\n");
    assert_non_null(root);
    assert_true(root->is_null);
}

static void test_a_key_that_reads_null_keeps_its_text(void **state)
{
    struct yaml_node *root = parse(*state, "null: 1\n~: 2\n");
    assert_non_null(root);
    assert_non_null(yaml_get(root, "null"));
    assert_non_null(yaml_get(root, "~"));
}

static void test_what_yaml_allows_and_we_do_not(void **state)
{
    assert_refused(*state, "a: &x 1\nb: *x\n", 1, 4, "anchors");
    assert_refused(*state, "b: *x\n", 1, 4, "aliases");
    assert_refused(*state, "a: 1\nb: !ruby/object x\n", 2, 4, "tags");
    assert_refused(*state, "a: 1\n? [x]\n: 2\n", 2, 3, "key");
    assert_refused(*state, "a: 1\n---\nb: 2\n", 3, 1, "second document");
    assert_non_null(parse(*state, "a: !!str 5\n"));
}

static void test_syntax_errors_have_positions(void **state)
{
    assert_refused(*state, "a: 1\nb: [1, 2\nc: 3\n", 3, 2, "expected ',' or ']'");
    assert_refused(*state, "a: 1\n\tb: 2\n", 2, 1, "found a tab");
    assert_refused(*state, "a: \"open\n", 2, 1, "unexpected end of stream");
    assert_refused(*state, "a: 1\nb: \xC3(\n", 2, 4, "not UTF-8");
    assert_refused(*state, "a: \x01\n", 1, 4, "not text");
    assert_refused(*state, "a: \"\\0\"\n", 1, 4, "NUL");
}

static void test_every_duplicate_key_is_told(void **state)
{
    struct fixture *fixture = *state;
    assert_null(parse(fixture, "a: 1\nb: {c: 1, c: 2}\na: 3\n"));
    assert_int_equal(fixture->problems.count, 2);
    assert_int_equal(fixture->problems.list[0].line, 2);
    assert_int_equal(fixture->problems.list[0].column, 11);
    assert_int_equal(fixture->problems.list[1].line, 3);
    assert_non_null(strstr(fixture->problems.list[1].text, "first on line 1"));
}

static void test_depth_count_and_size_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = BUF_INIT((size_t)4 << 20);
    for (int i = 0; i < 32; i++)
        buf_put_byte(&text, '[');
    for (int i = 0; i < 32; i++)
        buf_put_byte(&text, ']');
    assert_non_null(yaml_parse(fixture->arena, "t.yaml", buf_slice(&text), &fixture->problems));
    buf_reset(&text);
    for (int i = 0; i < 33; i++)
        buf_put_byte(&text, '[');
    buf_put_byte(&text, 0);
    assert_refused(fixture, text.data, 1, 33, "32 deep");
    buf_reset(&text);
    for (int i = 0; i < 100001; i++)
        buf_put_str(&text, "- 1\n");
    buf_put_byte(&text, 0);
    assert_refused(fixture, text.data, 100000, 3, "100000");
    buf_reset(&text);
    while (text.len <= (1 << 20))
        buf_put_str(&text, "# a line of comment\n");
    buf_put_byte(&text, 0);
    assert_refused(fixture, text.data, 1, 1, "at most");
    buf_free(&text);
}

static void test_a_small_arena_is_a_problem_not_a_crash(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = BUF_INIT((size_t)1 << 20);
    for (int i = 0; i < 2000; i++)
        buf_printf(&text, "key%d: [value, {a: b}]\n", i);
    for (size_t bytes = 4096; bytes < 200000; bytes = bytes * 3 / 2) {
        struct arena *small = arena_new(bytes);
        assert_null(yaml_parse(small, "t.yaml", buf_slice(&text), &fixture->problems));
        arena_free(&small);
    }
    assert_true(fixture->problems.count > 0);
    buf_free(&text);
}

static void test_problems_stop_at_two_hundred(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 250; i++)
        problems_add(&fixture->problems, NULL, "problem %d\nof many", i);
    assert_int_equal(fixture->problems.count, 200);
    assert_int_equal(fixture->problems.dropped, 50);
    assert_string_equal(fixture->problems.list[1].text, "problem 1 of many");
}

static void test_a_cut_problem_ends_with_a_whole_character(void **state)
{
    struct fixture *fixture = *state;
    char text[1000];
    size_t used = 0;
    for (; used + 3 < sizeof(text); used += 3)
        memcpy(text + used, "\xE5\xBC\xA0", 3);
    text[used] = '\0';
    for (int shift = 0; shift < 3; shift++) {
        problems_add(&fixture->problems, NULL, "%.*s%s", shift, "ab", text);
        size_t length = strlen(fixture->problems.list[shift].text);
        assert_int_equal((length - (shift < 3 ? (size_t)shift : 2)) % 3, 0);
    }
}

static void test_nearest_word_is_near(void **state)
{
    (void)state;
    static const char *const words[] = {"path", "origins", "redirect", "trusted_proxies", "url"};
    assert_string_equal(nearest_word(SLICE("origin"), words, 5), "origins");
    assert_string_equal(nearest_word(SLICE("Redirect"), words, 5), "redirect");
    assert_string_equal(nearest_word(SLICE("trusted-proxys"), words, 5), "trusted_proxies");
    assert_string_equal(nearest_word(SLICE("ulr"), words, 5), "url");
    assert_null(nearest_word(SLICE("x"), words, 5));
    assert_null(nearest_word(SLICE("secret"), words, 5));
    assert_null(nearest_word(SLICE(""), words, 5));
    char longest[300];
    memset(longest, 'a', sizeof(longest));
    assert_null(nearest_word(slice_of(longest, sizeof(longest)), words, 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tree_keeps_kinds_quotes_and_positions),
        TEST(test_an_empty_document_is_null),
        TEST(test_a_key_that_reads_null_keeps_its_text),
        TEST(test_what_yaml_allows_and_we_do_not),
        TEST(test_syntax_errors_have_positions),
        TEST(test_every_duplicate_key_is_told),
        TEST(test_depth_count_and_size_are_bounded),
        TEST(test_a_small_arena_is_a_problem_not_a_crash),
        TEST(test_problems_stop_at_two_hundred),
        TEST(test_a_cut_problem_ends_with_a_whole_character),
        TEST(test_nearest_word_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
