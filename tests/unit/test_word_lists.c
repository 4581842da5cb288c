/* Word lists that are searched by halves: every word of them is found, so they are in order. */
#include "rules/han.h"
#include "rules/han_table.h"
#include "rules/name_words.h"
#include "rules/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* after the C headers it needs */
#include <cmocka.h>

static const char *const missing[] = {
    "#n/a", "'null", "(none)", "(null)", "*", "-", "--", "---", ".", "..", "...", "/", "?",
    "?\?", "?\??", "\\", "_", "desconocido", "empty", "inconnu", "k. a.", "k.a.", "keine",
    "keine angabe", "missing", "n.a", "n.a.", "n/a", "na", "nan", "nil", "ninguno", "no data",
    "none", "not applicable", "not available", "not provided", "not specified", "null", "tbd",
    "undefined", "unknown", "–", "—", "——", "不详", "保密", "无", "无数据",
    "暂无", "未填", "未填写", "未提供", "未知", "没有", "空", "－",
};

static const char *const nobody[] = {
    "aa", "aaa", "aaaa", "abc", "abcd", "admin", "administrator", "anon", "anonym", "anonyme",
    "anonymous", "apple user", "asd", "asdasd", "asdf", "asdf asdf", "bar", "client", "cliente",
    "customer", "deleted user", "demo", "demo user", "dummy", "example", "facebook user",
    "first last", "first name", "first name last name", "firstname lastname", "foo", "foo bar",
    "foobar", "full name", "gast", "guest", "guest user", "invitado", "kunde", "last name",
    "mr", "mrs", "ms", "n/a n/a", "na na", "name", "new customer", "new user", "no name",
    "nobody", "noname", "none none", "null null", "private", "prueba", "qq用户", "qwe",
    "qwerty", "sample", "sir or madam", "sir/madam", "test", "test account", "test customer",
    "test name", "test test", "test user", "tester", "testing", "testuser", "unbekannt",
    "undefined undefined", "unknown", "unknown unknown", "user", "username", "visitor",
    "wechat user", "x", "xx", "xxx", "xxxx", "your name", "不知道", "会员", "佚名",
    "先生", "匿名", "匿名用户", "名字", "女士", "姓名", "客户", "客服",
    "小姐", "已注销", "微信昵称", "微信用户", "手机用户", "抖音用户",
    "收件人", "收货人", "新会员", "新客户", "新用户", "无名", "无名氏",
    "无姓名", "昵称", "本人", "某人", "某某", "某某某", "注销用户", "测试",
    "测试人员", "测试员", "测试姓名", "测试数据", "测试用户", "淘宝用户",
    "游客", "用户", "用户已注销", "管理员", "老师", "联系人", "访客",
    "路人", "路人甲", "顾客",
};

static void test_every_word_for_no_value_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        if (!text_is_missing(slice_str(missing[i])))
            fail_msg("%s is not found", missing[i]);
    }
    assert_true(text_is_missing(SLICE(" N/A ")));
    assert_true(text_is_missing(SLICE("NULL")));
    assert_false(text_is_missing(SLICE("nul")));
    assert_false(text_is_missing(SLICE("nullx")));
    assert_false(text_is_missing(SLICE("a text of more than twenty bytes")));
}

static void test_every_word_for_nobody_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        if (!name_is_nobody(slice_str(nobody[i])))
            fail_msg("%s is not found", nobody[i]);
    }
    assert_true(name_is_nobody(SLICE("test 3")));
    assert_false(name_is_nobody(SLICE("testa")));
    assert_false(name_is_nobody(SLICE("王芳")));
}

/* pinyin_is_syllable passes over what ends otherwise. "m", "ng" and the like are sounds, not syllables of names. */
static void test_syllables_end_with_a_vowel_or_n_g_r(void **state)
{
    (void)state;
    for (size_t i = 1; i <= han_syllable_count; i++) {
        char text[HAN_SYLLABLE_BYTES + 1] = "";
        memcpy(text, han_syllable_names[i], HAN_SYLLABLE_BYTES);
        if (pinyin_is_syllable(slice_str(text)) != (strpbrk(text, "aeiouv") != NULL))
            fail_msg("%s", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_word_for_no_value_is_found),
        cmocka_unit_test(test_every_word_for_nobody_is_found),
        cmocka_unit_test(test_syllables_end_with_a_vowel_or_n_g_r),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
