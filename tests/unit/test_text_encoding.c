/* test_text_encoding.c - guessing an encoding and decoding without loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/text_encoding.h"

static void guess_is(struct slice sample, enum text_encoding encoding, size_t bom_bytes)
{
    struct text_guess guess = text_encoding_guess(sample);
    assert_string_equal(text_encoding_name(guess.encoding), text_encoding_name(encoding));
    assert_int_equal(guess.bom_bytes, bom_bytes);
}

static void test_marks_decide_first(void **state)
{
    (void)state;
    guess_is(SLICE("\xEF\xBB\xBFname"), TEXT_UTF8, 3);
    guess_is(SLICE("\xFF\xFEn\0"), TEXT_UTF16LE, 2);
    guess_is(SLICE("\xFE\xFF\0n"), TEXT_UTF16BE, 2);
    guess_is(SLICE(""), TEXT_UTF8, 0);
}

static void test_utf16_without_a_mark_is_seen(void **state)
{
    (void)state;
    guess_is(SLICE("n\0a\0m\0e\0,\0\x20\x5F\n\0"), TEXT_UTF16LE, 0);
    guess_is(SLICE("\0n\0a\0m\0e\0,\x5F\x20\0\n"), TEXT_UTF16BE, 0);
    guess_is(SLICE("A\0B,13800138000\r\n"), TEXT_UTF8, 0);
}

static void test_lines_vote(void **state)
{
    (void)state;
    guess_is(SLICE("姓名\n张三\n李四\n"), TEXT_UTF8, 0);
    guess_is(SLICE("\xD0\xD5\xC3\xFB\n\xD5\xC5\xC8\xFD\n"), TEXT_GB18030, 0);
    /* One damaged line among good ones does not turn the file into another encoding. */
    guess_is(SLICE("姓名\n张三\n\xD5\xC5\xC8\xFD\n李四\n"), TEXT_UTF8, 0);
    guess_is(SLICE("name\nJos\xE9, x\nRen\xE9, y\n"), TEXT_WINDOWS_1252, 0);
    assert_true(text_encoding_guess(SLICE("name,phone\n")).ascii_only);
    /* Cut in mid-character at the end of the sample. */
    guess_is(SLICE("张三\xE6\x9D"), TEXT_UTF8, 0);
}

static void decodes(enum text_encoding encoding, struct slice raw, const char *utf8, unsigned flags)
{
    struct err err;
    struct buf out = BUF_INIT(1 << 20);
    unsigned found = 0;
    struct text_decoder *decoder = text_decoder_new(encoding, &err);
    assert_non_null(decoder);
    text_decode(decoder, raw, &out, &found);
    if (!slice_is(buf_slice(&out), utf8))
        fail_msg("%s: '%.*s' for '%s'", text_encoding_name(encoding), (int)out.len, out.data, utf8);
    assert_int_equal(found & (TEXT_IS_BAD | TEXT_HAS_NUL), flags);
    text_decoder_free(&decoder);
    assert_null(decoder);
    buf_free(&out);
}

static void test_decoding(void **state)
{
    (void)state;
    decodes(TEXT_GB18030, SLICE("a\xD5\xC5\xC8\xFD,\x95\x32\x82\x36"), "a张三,𠀀", 0);
    decodes(TEXT_GB18030, SLICE("\xA2\xE3\x80z"), "€\xEF\xBF\xBDz", TEXT_IS_BAD);
    decodes(TEXT_GB18030, SLICE("\xD5\xC5\xC8"), "张\xEF\xBF\xBD", TEXT_IS_BAD);
    decodes(TEXT_GB18030, SLICE("\xD5,b"), "\xEF\xBF\xBD,b", TEXT_IS_BAD);
    decodes(TEXT_UTF16LE, SLICE("\x20\x5F\x42\xD8\xB7\xDF"), "张𠮷", 0);
    decodes(TEXT_UTF16LE, SLICE("\x42\xD8x\0"), "\xEF\xBF\xBDx", TEXT_IS_BAD);
    decodes(TEXT_UTF16BE, SLICE("\xDF\xB7\0x"), "\xEF\xBF\xBDx", TEXT_IS_BAD);
    decodes(TEXT_UTF16BE, SLICE("\x5F\x20\x5F"), "张\xEF\xBF\xBD", TEXT_IS_BAD);
    decodes(TEXT_WINDOWS_1252, SLICE("Jos\xE9 \x80"), "José €", 0);
    decodes(TEXT_BIG5, SLICE("\xB1\x69\xA4\x54"), "張三", 0);
    decodes(TEXT_SHIFT_JIS, SLICE("\x8E\x52\x93\x63"), "山田", 0);
}

/* Every two-byte and a sweep of four-byte sequences agree with the library used without our table.
 */
static void test_every_pair_of_gb18030_decodes_to_one_character_or_is_bad(void **state)
{
    (void)state;
    struct err err;
    struct buf out = BUF_INIT(1 << 20);
    struct text_decoder *decoder = text_decoder_new(TEXT_GB18030, &err);
    size_t good = 0;
    for (int lead = 0x81; lead <= 0xFE; lead++) {
        for (int trail = 0x40; trail <= 0xFE; trail++) {
            char raw[2] = {(char)lead, (char)trail};
            unsigned flags = 0;
            buf_reset(&out);
            text_decode(decoder, slice_of(raw, 2), &out, &flags);
            assert_true(out.len >= 2 && out.len <= 4);
            good += !(flags & TEXT_IS_BAD);
            assert_true(trail != 0x7F || (flags & TEXT_IS_BAD));
        }
    }
    assert_int_equal(good, 126 * 190);
    text_decoder_free(&decoder);
    buf_free(&out);
}

static void test_utf8_check_leaves_only_a_cut_sequence(void **state)
{
    (void)state;
    unsigned flags = 0;
    assert_int_equal(text_utf8_check(SLICE("0123456789abcdef0123456789"), &flags), 26);
    assert_int_equal(flags, 0);
    assert_int_equal(text_utf8_check(SLICE("张\xE5\xBC"), &flags), 3);
    assert_int_equal(flags, TEXT_NOT_ASCII);
    assert_int_equal(text_utf8_check(SLICE("\xED\xA0"), &flags), 2);
    assert_true(flags & TEXT_IS_BAD);
    flags = 0;
    assert_int_equal(text_utf8_check(SLICE("\xF0\x9F\x98"), &flags), 0);
    assert_int_equal(text_utf8_check(SLICE("0123456789abcdefg\0h"), &flags), 19);
    assert_true(flags & TEXT_HAS_NUL);
}

static void test_names(void **state)
{
    (void)state;
    enum text_encoding encoding;
    assert_true(text_encoding_parse(SLICE("GBK"), &encoding));
    assert_int_equal(encoding, TEXT_GB18030);
    assert_true(text_encoding_parse(SLICE("UTF-16LE"), &encoding));
    assert_int_equal(encoding, TEXT_UTF16LE);
    assert_false(text_encoding_parse(SLICE("latin"), &encoding));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks_decide_first),
        cmocka_unit_test(test_utf16_without_a_mark_is_seen),
        cmocka_unit_test(test_lines_vote),
        cmocka_unit_test(test_decoding),
        cmocka_unit_test(test_every_pair_of_gb18030_decodes_to_one_character_or_is_bad),
        cmocka_unit_test(test_utf8_check_leaves_only_a_cut_sequence),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
