/* test_config_doc.c - docs/configuration.md is what the declarations say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/config/config.h"

#define DOCUMENT_MAX_BYTES ((size_t)4 << 20)

/* Run from the top of the checkout, as `make unit` does. */
static void test_the_committed_reference_is_current(void **state)
{
    (void)state;
    struct buf expected = BUF_INIT(DOCUMENT_MAX_BYTES), committed = BUF_INIT(DOCUMENT_MAX_BYTES);
    config_document(&expected);
    assert_false(buf_failed(&expected));
    FILE *file = fopen("docs/configuration.md", "r");
    if (file == NULL)
        fail_msg("docs/configuration.md is not there; hint: run from the top of the checkout, make "
                 "docs");
    for (int c; (c = getc(file)) != EOF;)
        buf_put_byte(&committed, (uint8_t)c);
    fclose(file);
    if (!slice_eq(buf_slice(&expected), buf_slice(&committed)))
        fail_msg("docs/configuration.md is not current; hint: make docs");
    buf_free(&expected);
    buf_free(&committed);
}

static void test_every_option_has_a_sentence(void **state)
{
    (void)state;
    struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);
    config_document(&text);
    buf_put_byte(&text, 0);
    assert_null(strstr(text.data, " |  |\n")); /* an empty last cell */
    assert_non_null(strstr(text.data, "`postgres.url` or `postgres.url_file`"));
    assert_non_null(strstr(text.data, "`spaces.NAME.label`"));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_committed_reference_is_current),
        cmocka_unit_test(test_every_option_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
