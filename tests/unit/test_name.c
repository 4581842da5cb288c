/* test_name.c - parts of person names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/han.h"
#include "rules/name.h"
#include "rules/text.h"

struct name_case {
    const char *input, *display, *family, *given, *family_folded, *given_folded;
    const char *title, *suffix, *note;
};

static const struct name_case cases[] = {
    /* Chinese */
    {"张三", "张三", "张", "三", "zhang", "san", "", "", ""},
    {" 张　三 ", "张三", "张", "三", "zhang", "san", "", "", ""},
    {"张三(经理)", "张三", "张", "三", "zhang", "san", "", "", "经理"},
    {"张三（VIP客户）", "张三", "张", "三", "zhang", "san", "", "", "VIP客户"},
    {"李先生", "李先生", "李", "", "li", "", "先生", "", ""},
    {"王总", "王总", "王", "", "wang", "", "总", "", ""},
    {"老王", "老王", "王", "", "wang", "", "老", "", ""},
    {"王小明先生", "王小明", "王", "小明", "wang", "xiao ming", "先生", "", ""},
    {"欧阳娜娜", "欧阳娜娜", "欧阳", "娜娜", "ouyang", "na na", "", "", ""},
    {"歐陽娜娜", "歐陽娜娜", "歐陽", "娜娜", "ouyang", "na na", "", "", ""},
    {"欧阳女士", "欧阳女士", "欧阳", "", "ouyang", "", "女士", "", ""},
    {"单小红", "单小红", "单", "小红", "shan", "xiao hong", "", "", ""},
    {"曾志伟", "曾志伟", "曾", "志伟", "zeng", "zhi wei", "", "", ""},
    {"万俟雪", "万俟雪", "万俟", "雪", "moqi", "xue", "", "", ""},
    {"尉迟恭", "尉迟恭", "尉迟", "恭", "yuchi", "gong", "", "", ""},
    {"陳大文", "陳大文", "陳", "大文", "chen", "da wen", "", "", ""},
    {"李建国总经理", "李建国", "李", "建国", "li", "jian guo", "总经理", "", ""},
    {"陈静 (财务)", "陈静", "陈", "静", "chen", "jing", "", "", "财务"},
    {"张三😀", "张三", "张", "三", "zhang", "san", "", "", ""},
    {"买买提·艾力", "买买提·艾力", "艾力", "买买提", "aili", "mai mai ti", "", "", ""},
    {"张三 Sam", "张三", "张", "三", "zhang", "san", "", "", "Sam"},
    {"David 王", "David 王", "王", "David", "wang", "david", "", "", ""},
    /* pinyin */
    {"Zhang San", "Zhang San", "Zhang", "San", "zhang", "san", "", "", ""},
    {"San Zhang", "San Zhang", "Zhang", "San", "zhang", "san", "", "", ""},
    {"ZHANG San", "Zhang San", "Zhang", "San", "zhang", "san", "", "", ""},
    {"ZHANG SAN", "Zhang San", "Zhang", "San", "zhang", "san", "", "", ""},
    {"zhangsan", "Zhangsan", "Zhang", "San", "zhang", "san", "", "", ""},
    {"Xiaoming Wang", "Xiaoming Wang", "Wang", "Xiaoming", "wang", "xiao ming", "", "", ""},
    {"Wang Xiao Ming", "Wang Xiao Ming", "Wang", "Xiao Ming", "wang", "xiao ming", "", "", ""},
    {"Ouyang Nana", "Ouyang Nana", "Ouyang", "Nana", "ouyang", "na na", "", "", ""},
    {"Li, Wei", "Wei Li", "Li", "Wei", "li", "wei", "", "", ""},
    {"Wei Zhang", "Wei Zhang", "Zhang", "Wei", "zhang", "wei", "", "", ""},
    {"Zhang Wei", "Zhang Wei", "Zhang", "Wei", "zhang", "wei", "", "", ""},
    /* Western */
    {"Dr. Hans-Peter Müller-Lüdenscheidt jun.", "Hans-Peter Müller-Lüdenscheidt", "Müller-Lüdenscheidt", "Hans-Peter",
     "muller ludenscheidt", "hans peter", "Dr.", "jun.", ""},
    {"O'Brien, Mary", "Mary O'Brien", "O'Brien", "Mary", "obrien", "mary", "", "", ""},
    {"van der Berg", "van der Berg", "van der Berg", "", "van der berg", "", "", "", ""},
    {"Ludwig van Beethoven", "Ludwig van Beethoven", "van Beethoven", "Ludwig", "van beethoven", "ludwig", "", "", ""},
    {"GARCÍA MÁRQUEZ Gabriel", "Gabriel García Márquez", "García Márquez", "Gabriel", "garcia marquez", "gabriel", "", "", ""},
    {"JOHN SMITH", "John Smith", "Smith", "John", "smith", "john", "", "", ""},
    {"john mcdonald", "John McDonald", "McDonald", "John", "mcdonald", "john", "", "", ""},
    {"Mr Smith", "Mr Smith", "Smith", "", "smith", "", "Mr", "", ""},
    {"Prof. Dr. Anna Schmidt", "Anna Schmidt", "Schmidt", "Anna", "schmidt", "anna", "Prof. Dr.", "", ""},
    {"Mme Claire Dupont", "Claire Dupont", "Dupont", "Claire", "dupont", "claire", "Mme", "", ""},
    {"John Smith, Jr.", "John Smith", "Smith", "John", "smith", "john", "", "Jr.", ""},
    {"Henry Ford III", "Henry Ford", "Ford", "Henry", "ford", "henry", "", "III", ""},
    {"Smith, John", "John Smith", "Smith", "John", "smith", "john", "", "", ""},
    {"Mary Ann Jones PhD", "Mary Ann Jones", "Jones", "Mary Ann", "jones", "mary ann", "", "PhD", ""},
    {"William \"Bill\" Gates", "William Gates", "Gates", "William", "gates", "william", "", "", "Bill"},
    {"Søren Kierkegård", "Søren Kierkegård", "Kierkegård", "Søren", "kierkegard", "soren", "", "", ""},
    {"Herr Weiß", "Herr Weiß", "Weiß", "", "weiss", "", "Herr", "", ""},
    {"Dr.Müller", "Dr. Müller", "Müller", "", "muller", "", "Dr.", "", ""},
    {"Jack Ma", "Jack Ma", "Ma", "Jack", "ma", "jack", "", "", ""},
    {"Madonna", "Madonna", "", "Madonna", "", "madonna", "", "", ""},
    {"Иванов Иван Иванович", "Иван Иванович Иванов", "Иванов", "Иван Иванович", "ivanov", "ivan ivanovich", "", "", ""},
    {"山田 太郎", "山田太郎", "山田", "太郎", "shantian", "tai lang", "", "", ""},
    {"김철수", "김철수", "김", "철수", "gim", "cheolsu", "", "", ""},
};

static void check(const char *what, const char *input, struct slice got, const char *want)
{
    if (!slice_is(got, want)) {
        print_error("%s of '%s': got '" SLICE_FMT "', want '%s'\n", what, input, SLICE_ARG(got), want);
        fail();
    }
}

static void test_names_are_taken_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct name_case *c = &cases[i];
        struct name_parts parts;
        arena_reset(arena);
        name_parse(slice_str(c->input), arena, &parts);
        check("display", c->input, parts.display, c->display);
        check("family", c->input, parts.family, c->family);
        check("given", c->input, parts.given, c->given);
        check("family_folded", c->input, parts.family_folded, c->family_folded);
        check("given_folded", c->input, parts.given_folded, c->given_folded);
        check("title", c->input, parts.title, c->title);
        check("suffix", c->input, parts.suffix, c->suffix);
        check("note", c->input, parts.note, c->note);
        assert_int_equal(parts.flags, 0);
        struct name_parts again;
        name_parse(parts.display, arena, &again);
        check("display parsed again", c->input, again.display, c->display);
    }
    arena_free(&arena);
}

static void test_names_of_nobody_and_masked_names(void **state)
{
    (void)state;
    static const char *const nobody[] = {"微信用户", "昵称", "test", "Test Test", "n/a", "N/A", "-", "先生", "匿名用户", "微信用户_8812", "测试123",
                                         "unknown", "12345", "???", "null", "😀😀", "用户8888", "first last", "ＴＥＳＴ"};
    static const char *const masked[] = {"张**", "张*三", "张某某", "张某", "J*** S***", "张XX", "张○○", "王＊＊"};
    struct arena *arena = arena_new(1 << 20);
    struct name_parts parts;
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        name_parse(slice_str(nobody[i]), arena, &parts);
        if (!(parts.flags & VALUE_NOBODY))
            fail_msg("'%s' should name nobody", nobody[i]);
    }
    for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++) {
        name_parse(slice_str(masked[i]), arena, &parts);
        if (!(parts.flags & VALUE_MASKED))
            fail_msg("'%s' should be masked", masked[i]);
    }
    arena_free(&arena);
}

static void test_split_names_meet_whole_names(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct name_parts parts;
    name_parse_split(SLICE("张"), SLICE("小明"), arena, &parts);
    check("display", "张|小明", parts.display, "张小明");
    check("given_folded", "张|小明", parts.given_folded, "xiao ming");
    name_parse_split(SLICE("Zhang"), SLICE("Xiaoming"), arena, &parts);
    check("given_folded", "Zhang|Xiaoming", parts.given_folded, "xiao ming");
    assert_int_equal(parts.script, NAME_SCRIPT_PINYIN);
    name_parse_split(SLICE("SMITH"), SLICE("Dr. JOHN"), arena, &parts);
    check("display", "SMITH|Dr. JOHN", parts.display, "John Smith");
    check("title", "SMITH|Dr. JOHN", parts.title, "Dr.");
    name_parse_split(SLICE("张"), SLICE("张三"), arena, &parts);
    check("display", "张|张三", parts.display, "张三");
    name_parse_split(SLICE(""), SLICE("张三"), arena, &parts);
    check("family", "|张三", parts.family, "张");
    name_parse_split(SLICE("Smith"), SLICE(""), arena, &parts);
    check("family", "Smith|", parts.family, "Smith");
    name_parse_split(SLICE("van der Berg"), SLICE("Anna"), arena, &parts);
    check("family_folded", "van der Berg|Anna", parts.family_folded, "van der berg");
    name_parse_split(SLICE("Test"), SLICE("Test"), arena, &parts);
    assert_true(parts.flags & VALUE_NOBODY);
    arena_free(&arena);
}

static void test_gender_comes_from_titles(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct name_parts parts;
    name_parse(SLICE("李先生"), arena, &parts);
    assert_int_equal(parts.gender, NAME_GENDER_MALE);
    name_parse(SLICE("Frau Dr. Weber"), arena, &parts);
    assert_int_equal(parts.gender, NAME_GENDER_FEMALE);
    name_parse(SLICE("张三"), arena, &parts);
    assert_int_equal(parts.gender, NAME_GENDER_NONE);
    arena_free(&arena);
}

static void test_nicknames_and_sounds(void **state)
{
    (void)state;
    assert_true(name_same_nickname(SLICE("bill"), SLICE("william")));
    assert_true(name_same_nickname(SLICE("peggy"), SLICE("margaret")));
    assert_false(name_same_nickname(SLICE("bill"), SLICE("robert")));
    assert_string_equal(name_phonetic(SLICE("mueller")).code, name_phonetic(SLICE("muller")).code);
    assert_string_equal(name_phonetic(SLICE("meyer")).code, name_phonetic(SLICE("maier")).code);
    assert_string_equal(name_phonetic(SLICE("schmidt")).code, name_phonetic(SLICE("schmitt")).code);
    assert_string_equal(name_phonetic(SLICE("philips")).code, name_phonetic(SLICE("phillips")).code);
    assert_string_equal(name_phonetic(SLICE("stephen")).code, name_phonetic(SLICE("steven")).code);
    assert_string_equal(name_phonetic(SLICE("catherine")).code, name_phonetic(SLICE("katharine")).code);
    assert_string_not_equal(name_phonetic(SLICE("smith")).code, name_phonetic(SLICE("jones")).code);
    assert_string_equal(name_phonetic(SLICE("")).code, "");
}

static void test_pinyin_and_readings(void **state)
{
    (void)state;
    struct slice syllables[8];
    assert_string_equal(han_pinyin(0x5F20), "zhang");
    assert_string_equal(han_pinyin(0x5415), "lv");
    assert_string_equal(han_pinyin('a'), "");
    assert_int_equal(han_initial(0x5F20), 'z');
    assert_int_equal(han_simplified(0x9673), 0x9648); /* 陳 陈 */
    assert_int_equal(han_simplified(0x5F20), 0x5F20);
    assert_int_equal(pinyin_split(SLICE("xiaoming"), syllables, 8), 2);
    assert_int_equal(pinyin_split(SLICE("xi'an"), syllables, 8), 2);
    assert_int_equal(pinyin_split(SLICE("xian"), syllables, 8), 1);
    assert_int_equal(pinyin_split(SLICE("smith"), syllables, 8), 0);
    assert_int_equal(pinyin_split(SLICE("fangan"), syllables, 8), 2);
    assert_true(slice_is(syllables[0], "fan"));
    struct han_reading readings[HAN_READINGS_MAX];
    assert_int_equal(han_surname_readings(SLICE("单"), readings), 2);
    assert_string_equal(readings[0].text, "shan");
    assert_string_equal(readings[1].text, "dan");
    assert_true(han_is_compound_surname(SLICE("司马")));
    assert_int_equal(han_family_width(SLICE("司马光")), 6);
    assert_int_equal(han_family_width(SLICE("王小明")), 3);
    assert_true(han_homophone_hash(SLICE("张三")) == han_homophone_hash(SLICE("章叁")));
    assert_true(han_homophone_hash(SLICE("陳")) == han_homophone_hash(SLICE("陈")));
    assert_true(han_homophone_hash(SLICE("张三")) != han_homophone_hash(SLICE("李四")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_taken_apart),
        cmocka_unit_test(test_names_of_nobody_and_masked_names),
        cmocka_unit_test(test_split_names_meet_whole_names),
        cmocka_unit_test(test_gender_comes_from_titles),
        cmocka_unit_test(test_nicknames_and_sounds),
        cmocka_unit_test(test_pinyin_and_readings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
