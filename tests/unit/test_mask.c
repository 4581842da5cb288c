/* test_mask.c - personal values masked for lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/console/mask.h"

static void assert_mask(void (*mask)(struct slice, struct buf *), const char *text, const char *wanted)
{
    struct buf out = BUF_INIT(4096);
    mask(slice_str(text), &out);
    buf_put_byte(&out, 0);
    assert_string_equal(out.data, wanted);
    buf_free(&out);
}

static void test_names(void **state)
{
    (void)state;
    assert_mask(mask_name, "张三", "张*");
    assert_mask(mask_name, "段正淳", "段**");
    assert_mask(mask_name, "John  Smith", "J*** S***");
    assert_mask(mask_name, "Élodie", "É***");
    assert_mask(mask_name, "", "");
    assert_mask(mask_name, "\xFF\xFE", "\xEF\xBF\xBD***");
}

static void test_contacts(void **state)
{
    (void)state;
    assert_mask(mask_contact, "david@gmail.com", "d****@gmail.com");
    assert_mask(mask_contact, "d@gmail.com", "d*@gmail.com");
    assert_mask(mask_contact, "13812341234", "138****1234");
    assert_mask(mask_contact, "+8613812341234", "+86138****1234");
    assert_mask(mask_contact, "138****1234", "138****1234");
    assert_mask(mask_contact, "110", "1***");
    assert_mask(mask_contact, "@x", "@***");
    assert_mask(mask_contact, "weixin_id", "w***");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_contacts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
