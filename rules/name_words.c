/* name_words.c - see name_words.h. */
#include "rules/name_words.h"

#include "daemon/base/utf8.h"
#include "rules/text.h"

struct text {
    const char *ptr;
    uint8_t len;
};
#define TEXT(literal) {"" literal, sizeof(literal) - 1}

struct han_title {
    struct text text;
    enum name_gender gender;
};

/* The longest that fits is taken. */
static const struct han_title han_titles[] = {
    {TEXT("先生"), NAME_GENDER_MALE}, {TEXT("女士"), NAME_GENDER_FEMALE}, {TEXT("小姐"), NAME_GENDER_FEMALE},
    {TEXT("太太"), NAME_GENDER_FEMALE}, {TEXT("夫人"), NAME_GENDER_FEMALE}, {TEXT("阿姨"), NAME_GENDER_FEMALE},
    {TEXT("副总经理"), 0}, {TEXT("总经理"), 0}, {TEXT("项目经理"), 0}, {TEXT("产品经理"), 0}, {TEXT("销售经理"), 0}, {TEXT("客户经理"), 0}, {TEXT("大堂经理"), 0},
    {TEXT("区域经理"), 0}, {TEXT("市场经理"), 0}, {TEXT("部门经理"), 0}, {TEXT("副经理"), 0}, {TEXT("经理"), 0}, {TEXT("副总裁"), 0}, {TEXT("总裁"), 0}, {TEXT("副董事长"), 0}, {TEXT("董事长"), 0},
    {TEXT("董事"), 0}, {TEXT("副总监"), 0}, {TEXT("技术总监"), 0}, {TEXT("销售总监"), 0}, {TEXT("市场总监"), 0}, {TEXT("总监"), 0}, {TEXT("副主任"), 0}, {TEXT("主任"), 0}, {TEXT("主管"), 0},
    {TEXT("副教授"), 0}, {TEXT("教授"), 0}, {TEXT("老师"), 0}, {TEXT("博士"), 0}, {TEXT("院士"), 0}, {TEXT("医生"), 0}, {TEXT("医师"), 0}, {TEXT("大夫"), 0}, {TEXT("护士"), 0}, {TEXT("律师"), 0},
    {TEXT("会计"), 0}, {TEXT("工程师"), 0}, {TEXT("设计师"), 0}, {TEXT("师傅"), 0}, {TEXT("老板娘"), NAME_GENDER_FEMALE}, {TEXT("老板"), 0}, {TEXT("同学"), 0}, {TEXT("同志"), 0}, {TEXT("局长"), 0},
    {TEXT("副局长"), 0}, {TEXT("处长"), 0}, {TEXT("科长"), 0}, {TEXT("部长"), 0}, {TEXT("院长"), 0}, {TEXT("校长"), 0}, {TEXT("会长"), 0}, {TEXT("秘书长"), 0}, {TEXT("秘书"), 0}, {TEXT("助理"), 0}, {TEXT("客服"), 0},
    {TEXT("店长"), 0}, {TEXT("队长"), 0}, {TEXT("站长"), 0}, {TEXT("厂长"), 0}, {TEXT("所长"), 0}, {TEXT("行长"), 0}, {TEXT("市长"), 0}, {TEXT("区长"), 0}, {TEXT("县长"), 0}, {TEXT("书记"), 0}, {TEXT("顾问"), 0},
    {TEXT("专员"), 0}, {TEXT("代表"), 0}, {TEXT("负责人"), 0}, {TEXT("联系人"), 0}, {TEXT("采购"), 0}, {TEXT("销售"), 0}, {TEXT("财务"), 0}, {TEXT("本人"), 0},
};

/* One character, read as a title only after a bare surname. */
static const struct han_title weak_titles[] = {
    {TEXT("总"), 0}, {TEXT("工"), 0}, {TEXT("董"), 0}, {TEXT("哥"), NAME_GENDER_MALE}, {TEXT("姐"), NAME_GENDER_FEMALE}, {TEXT("姨"), NAME_GENDER_FEMALE},
    {TEXT("叔"), NAME_GENDER_MALE}, {TEXT("导"), 0}, {TEXT("局"), 0}, {TEXT("处"), 0}, {TEXT("科"), 0}, {TEXT("队"), 0}, 
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool ends_with(struct slice s, const struct text *end)
{
    return s.len >= end->len && s.ptr[s.len - 1] == end->ptr[end->len - 1] &&
           memcmp(s.ptr + s.len - end->len, end->ptr, end->len) == 0;
}

size_t name_han_title(struct slice name, enum name_gender *gender, bool *weak)
{
    *weak = false;
    *gender = NAME_GENDER_NONE;
    size_t best = 0;
    for (size_t i = 0; i < COUNT(han_titles); i++) {
        if (han_titles[i].text.len > best && ends_with(name, &han_titles[i].text)) {
            best = han_titles[i].text.len;
            *gender = han_titles[i].gender;
        }
    }
    for (size_t i = 0; best == 0 && i < COUNT(weak_titles); i++) {
        if (ends_with(name, &weak_titles[i].text)) {
            best = weak_titles[i].text.len;
            *gender = weak_titles[i].gender;
            *weak = true;
        }
    }
    return best;
}

static bool in_list(struct slice word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = list[i]; /* most differ in their first bytes: no call is worth it */
        size_t at = 0;
        while (at < word.len && text[at] != '\0' && text[at] == word.ptr[at])
            at++;
        if (at == word.len && text[at] == '\0')
            return true;
    }
    return false;
}

bool name_latin_title(struct slice word, bool point, enum name_gender *gender)
{
    static const char *const men[] = {"mr", "mister", "herr", "herrn", "hr", "monsieur", "sir", "señor", "senor", "sig", "signor", "dhr", "pan"};
    static const char *const women[] = {"mrs", "ms", "miss", "mme", "mlle", "madame", "madam", "mademoiselle", "frau", "fr", "fräulein", "lady", "dame",
                                        "sra", "srta", "dra", "señora", "senora", "señorita", "sig.ra", "signora", "mevr", "pani"};
    static const char *const others[] = {"dr", "dott", "drs", "prof", "professor", "rev", "hon", "capt", "col", "lt", "sgt", "gen", "maj", "ing", "ir", "mag",
                                         "dipl-ing", "dipl.-ing", "dipl", "dr.-ing", "dr-ing", "med", "rer", "nat", "phil", "jur", "h.c", "mx", "eng", "arch", "doktor", "doctor", "pd"};
    /* Also given names, surnames or initials: titles only with a point. */
    static const char *const pointed[] = {"m", "sr", "st", "d", "don", "fr", "ing", "col", "gen", "maj", "med", "nat", "rer", "phil", "hon", "mag", "pan", "arch", "ir", "eng", "pd", "jur", "sig"};
    if (!point && in_list(word, pointed, COUNT(pointed)))
        return false;
    *gender = NAME_GENDER_NONE;
    if (word.len > 12)
        return false;
    if (in_list(word, men, COUNT(men)))
        *gender = NAME_GENDER_MALE;
    else if (in_list(word, women, COUNT(women)))
        *gender = NAME_GENDER_FEMALE;
    else if (slice_is(word, "m"))
        *gender = NAME_GENDER_MALE;
    else
        return in_list(word, others, COUNT(others)) || (point && slice_is(word, "sr"));
    return true;
}

bool name_latin_suffix(struct slice word)
{
    static const char *const suffixes[] = {"jr", "jnr", "jun", "junior", "sr", "snr", "sen", "senior", "ii", "iii", "iv", "phd", "md", "mba", "esq", "cpa", "dds", "dvm", "rn",
                                           "msc", "bsc", "obe", "mbe", "cbe", "frs", "psyd", "edd", "llm", "llb", "mph", "pe", "cfa", "pmp", "2nd", "3rd"};
    return in_list(word, suffixes, COUNT(suffixes));
}

bool name_is_particle(struct slice word)
{
    static const char *const particles[] = {"van", "von", "de", "der", "den", "del", "della", "delle", "dello", "di", "da", "dos", "das", "do", "du", "la", "le", "los", "las", "ter", "ten",
                                            "te", "zu", "zur", "zum", "af", "av", "bin", "ibn", "bint", "al", "el", "abu", "vom", "y", "e", "'t", "op", "in", "het", "san", "santa", "st"};
    return in_list(word, particles, COUNT(particles));
}

bool name_is_nobody(struct slice folded)
{
    /* In the order of slice_cmp: test_word_lists.c looks for each. */
    static const struct slice words[] = {
        SLICE("aa"), SLICE("aaa"), SLICE("aaaa"), SLICE("abc"), SLICE("abcd"), SLICE("admin"), SLICE("administrator"),
        SLICE("anon"), SLICE("anonym"), SLICE("anonyme"), SLICE("anonymous"), SLICE("apple user"), SLICE("asd"),
        SLICE("asdasd"), SLICE("asdf"), SLICE("asdf asdf"), SLICE("bar"), SLICE("client"), SLICE("cliente"),
        SLICE("customer"), SLICE("deleted user"), SLICE("demo"), SLICE("demo user"), SLICE("dummy"), SLICE("example"),
        SLICE("facebook user"), SLICE("first last"), SLICE("first name"), SLICE("first name last name"),
        SLICE("firstname lastname"), SLICE("foo"), SLICE("foo bar"), SLICE("foobar"), SLICE("full name"),
        SLICE("gast"), SLICE("guest"), SLICE("guest user"), SLICE("invitado"), SLICE("kunde"), SLICE("last name"),
        SLICE("mr"), SLICE("mrs"), SLICE("ms"), SLICE("n/a n/a"), SLICE("na na"), SLICE("name"),
        SLICE("new customer"), SLICE("new user"), SLICE("no name"), SLICE("nobody"), SLICE("noname"),
        SLICE("none none"), SLICE("null null"), SLICE("private"), SLICE("prueba"), SLICE("qq用户"), SLICE("qwe"),
        SLICE("qwerty"), SLICE("sample"), SLICE("sir or madam"), SLICE("sir/madam"), SLICE("test"),
        SLICE("test account"), SLICE("test customer"), SLICE("test name"), SLICE("test test"), SLICE("test user"),
        SLICE("tester"), SLICE("testing"), SLICE("testuser"), SLICE("unbekannt"), SLICE("undefined undefined"),
        SLICE("unknown"), SLICE("unknown unknown"), SLICE("user"), SLICE("username"), SLICE("visitor"),
        SLICE("wechat user"), SLICE("x"), SLICE("xx"), SLICE("xxx"), SLICE("xxxx"), SLICE("your name"),
        SLICE("不知道"), SLICE("会员"), SLICE("佚名"), SLICE("先生"), SLICE("匿名"), SLICE("匿名用户"),
        SLICE("名字"), SLICE("女士"), SLICE("姓名"), SLICE("客户"), SLICE("客服"), SLICE("小姐"),
        SLICE("已注销"), SLICE("微信昵称"), SLICE("微信用户"), SLICE("手机用户"),
        SLICE("抖音用户"), SLICE("收件人"), SLICE("收货人"), SLICE("新会员"), SLICE("新客户"),
        SLICE("新用户"), SLICE("无名"), SLICE("无名氏"), SLICE("无姓名"), SLICE("昵称"), SLICE("本人"),
        SLICE("某人"), SLICE("某某"), SLICE("某某某"), SLICE("注销用户"), SLICE("测试"),
        SLICE("测试人员"), SLICE("测试员"), SLICE("测试姓名"), SLICE("测试数据"),
        SLICE("测试用户"), SLICE("淘宝用户"), SLICE("游客"), SLICE("用户"), SLICE("用户已注销"),
        SLICE("管理员"), SLICE("老师"), SLICE("联系人"), SLICE("访客"), SLICE("路人"), SLICE("路人甲"),
        SLICE("顾客"),
    };
    /* "微信用户_8812", "test 3": the number does not make it a name. */
    while (folded.len > 0) {
        char c = folded.ptr[folded.len - 1];
        if ((c < '0' || c > '9') && c != '_' && c != '-' && c != ' ' && c != '#' && c != '.' && c != '!')
            break;
        folded.len--;
    }
    if (folded.len == 0)
        return true;
    if (folded.len > 32)
        return false;
    return slice_in_sorted(folded, words, COUNT(words));
}
