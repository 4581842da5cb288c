/*
 * phone_plan.c - see phone_plan.h. Sources: the national numbering plans as the ITU publishes them (E.164 country pages),
 * the North American plan's list of area codes, and the Chinese plan of the MIIT (mobile 13x to 19x, 400, area codes).
 */
#include "rules/phone_plan.h"

const struct phone_plan phone_plans[] = {
    {"CN", "86", "0",
     {[1] = "[38]xxxxxxxxx|5[0-35-9]xxxxxxxx|9[0-35-9]xxxxxxxx|7[0-35-8]xxxxxxxx|"
             "6[25-7]xxxxxxxx|4[57]xxxxxxxx|0[2-79]xxxxxxx|08[1-9]xxxxxx",
      [2] = "[0-57-9][2-79]xxxxxxx|[0-57-9]8[1-9]xxxxxx",
      [3] = "11[2-7]xxxxxxx|118[1-9]xxxxxx|7[179][2-7]xxxxxxx|7[179]8[1-9]xxxxxx|"
             "1[2-9][2-7]xxxxxx|1[2-9]8[1-9]xxxxx|35[2-7]xxxxxx|358[1-9]xxxxx|49[2-7]xxxxxx|"
             "498[1-9]xxxxx|5x[2-7]xxxxxx|5x8[1-9]xxxxx|7[02-68][2-7]xxxxxx|"
             "7[02-68]8[1-9]xxxxx|9[1-68][2-7]xxxxxx|9[1-68]8[1-9]xxxxx",
      [4] = "00xxxxxxx|[15]1[2-7]xxxxxxx|[15]18[1-9]xxxxxx|3[1-35][2-7]xxxxxxx|"
             "3[1-35]8[1-9]xxxxxx|1[2-9][2-7]xxxxxx|1[2-9]8[1-9]xxxxx|2[179][2-7]xxxxxx|"
             "2[179]8[1-9]xxxxx|5[2-9][2-7]xxxxxx|5[2-9]8[1-9]xxxxx|6[47-9][2-7]xxxxxx|"
             "6[47-9]8[1-9]xxxxx|7x[2-7]xxxxxx|7x8[1-9]xxxxx|8[23][2-7]xxxxxx|"
             "8[23]8[1-9]xxxxx",
      [5] = "1x[2-7]xxxxxxx|1x8[1-9]xxxxxx|2[37][2-7]xxxxxxx|2[37]8[1-9]xxxxxx|"
             "3[12][2-7]xxxxxxx|3[12]8[1-9]xxxxxx|51[2-7]xxxxxxx|518[1-9]xxxxxx|"
             "7[13-79][2-7]xxxxxxx|7[13-79]8[1-9]xxxxxx|9[15][2-7]xxxxxxx|9[15]8[1-9]xxxxxx|"
             "3[03-9][2-7]xxxxxx|3[03-9]8[1-9]xxxxx|4[36][2-7]xxxxxx|4[36]8[1-9]xxxxx|"
             "5[02-9][2-7]xxxxxx|5[02-9]8[1-9]xxxxx|6[1-46][2-7]xxxxxx|6[1-46]8[1-9]xxxxx|"
             "7[028][2-7]xxxxxx|7[028]8[1-9]xxxxx|80[2-7]xxxxxx|808[1-9]xxxxx|"
             "9[2-46-9][2-7]xxxxxx|9[2-46-9]8[1-9]xxxxx",
      [6] = "3[1-5][2-7]xxxxxx|3[1-5]8[1-9]xxxxx|6[0238][2-7]xxxxxx|6[0238]8[1-9]xxxxx|"
             "9[12][2-7]xxxxxx|9[12]8[1-9]xxxxx",
      [7] = "[39]1[2-7]xxxxxxx|[39]18[1-9]xxxxxx|5[457][2-7]xxxxxxx|5[457]8[1-9]xxxxxx|"
             "6[09][2-7]xxxxxxx|6[09]8[1-9]xxxxxx|01[2-7]xxxxxx|018[1-9]xxxxx|1x[2-7]xxxxxx|"
             "1x8[1-9]xxxxx|7x[2-7]xxxxxx|7x8[1-9]xxxxx|2[248][2-7]xxxxxx|2[248]8[1-9]xxxxx|"
             "3[04-9][2-7]xxxxxx|3[04-9]8[1-9]xxxxx|4[3-6][2-7]xxxxxx|4[3-6]8[1-9]xxxxx|"
             "5[0-3689][2-7]xxxxxx|5[0-3689]8[1-9]xxxxx|6[2368][2-7]xxxxxx|"
             "6[2368]8[1-9]xxxxx|9[02-9][2-7]xxxxxx|9[02-9]8[1-9]xxxxx",
      [8] = "[57]1[2-7]xxxxxxx|[57]18[1-9]xxxxxx|98[2-7]xxxxxxx|988[1-9]xxxxxx|"
             "1[236-8][2-7]xxxxxx|1[236-8]8[1-9]xxxxx|2[5-7][2-7]xxxxxx|2[5-7]8[1-9]xxxxx|"
             "3x[2-7]xxxxxx|3x8[1-9]xxxxx|5[2-9][2-7]xxxxxx|5[2-9]8[1-9]xxxxx|"
             "7[02-9][2-7]xxxxxx|7[02-9]8[1-9]xxxxx|8[36-8][2-7]xxxxxx|8[36-8]8[1-9]xxxxx|"
             "9[1-7][2-7]xxxxxx|9[1-7]8[1-9]xxxxx",
      [9] = "0[1-3689][2-7]xxxxxx|0[1-3689]8[1-9]xxxxx|1[1-79][2-7]xxxxxx|"
             "1[1-79]8[1-9]xxxxx|3x[2-7]xxxxxx|3x8[1-9]xxxxx|7x[2-7]xxxxxx|7x8[1-9]xxxxx|"
             "4[13][2-7]xxxxxx|4[13]8[1-9]xxxxx|5[1-5][2-7]xxxxxx|5[1-5]8[1-9]xxxxx|"
             "9[0-8][2-7]xxxxxx|9[0-8]8[1-9]xxxxx",}},
    {"US", "1", "1",
     {[2] = "0[1-9][2-9]xxxxxx|1[02-9][2-9]xxxxxx|2[03-689][2-9]xxxxxx|3[1469][2-9]xxxxxx|"
             "4[089][2-9]xxxxxx|5[0-46][2-9]xxxxxx|6[02379][2-9]xxxxxx|7[0269][2-9]xxxxxx|"
             "8[139][2-9]xxxxxx",
      [3] = "0[1-9][2-9]xxxxxx|1[02-9][2-9]xxxxxx|2[01356][2-9]xxxxxx|"
             "3[0-24679][2-9]xxxxxx|4[1367][2-9]xxxxxx|5[12][2-9]xxxxxx|"
             "6[014578][2-9]xxxxxx|8[056][2-9]xxxxxx",
      [4] = "0[1-9][2-9]xxxxxx|1[02-9][2-9]xxxxxx|2[3-5][2-9]xxxxxx|3[0-24578][2-9]xxxxxx|"
             "4[023578][2-9]xxxxxx|5[08][2-9]xxxxxx|6[3489][2-9]xxxxxx|7[04589][2-9]xxxxxx|"
             "8[04][2-9]xxxxxx",
      [5] = "1[02-9][2-9]xxxxxx|0[1-46-9][2-9]xxxxxx|2[0][2-9]xxxxxx|3[01349][2-9]xxxxxx|"
             "4[018][2-9]xxxxxx|5[19][2-9]xxxxxx|6[1-37][2-9]xxxxxx|7[0-59][2-9]xxxxxx|"
             "8[0-1567][2-9]xxxxxx",
      [6] = "1[02-9][2-9]xxxxxx|0[1-9][2-9]xxxxxx|2[0368][2-9]xxxxxx|3[016][2-9]xxxxxx|"
             "4[167][2-9]xxxxxx|5[01679][2-9]xxxxxx|6[0-279][2-9]xxxxxx|7[28][2-9]xxxxxx|"
             "8[0-29][2-9]xxxxxx",
      [7] = "0[1-9][2-9]xxxxxx|1[2-9][2-9]xxxxxx|2[04-7][2-9]xxxxxx|3[1247][2-9]xxxxxx|"
             "4[037][2-9]xxxxxx|5[347][2-9]xxxxxx|6[0359][2-9]xxxxxx|7[0-589][2-9]xxxxxx|"
             "8[0-1567][2-9]xxxxxx",
      [8] = "1[02-9][2-9]xxxxxx|0[1-9][2-9]xxxxxx|2[058][2-9]xxxxxx|3[0-28][2-9]xxxxxx|"
             "4[03-57-8][2-9]xxxxxx|5[046-9][2-9]xxxxxx|6[02-57][2-9]xxxxxx|"
             "7[0238][2-9]xxxxxx|88[2-9]xxxxxx",
      [9] = "1[02-9][2-9]xxxxxx|0[1-9][2-9]xxxxxx|2[058][2-9]xxxxxx|3[014679][2-9]xxxxxx|"
             "4[01379][2-9]xxxxxx|5[12469][2-9]xxxxxx|7[0-389][2-9]xxxxxx|"
             "8[0459][2-9]xxxxxx",}},
    {"DE", "49", "0",
     {[1] = "7xxxxxxxx|5[1257]xxxxxxxx|6[023]xxxxxxx",}},
    {"GB", "44", "0",
     {[2] = "0[378]xxxxxxx",
      [7] = "[3-58]xxxxxxxx|7[1-8]xxxxxxx|9[02-9]xxxxxxx",}},
    {"FR", "33", "0",
     {[1] = "xxxxxxxx",
      [2] = "xxxxxxxx",
      [3] = "xxxxxxxx",
      [4] = "[1-9]xxxxxxx",
      [5] = "xxxxxxxx",
      [6] = "[0-24-8]xxxxxxx",
      [7] = "[3-9]xxxxxxx",
      [9] = "xxxxxxxx",}},
    {"ES", "34", "",
     {[6] = "xxxxxxxx",
      [7] = "[1-4]xxxxxxx",}},
    {"IT", "39", "",
     {[3] = "[2-9]xxxxxxxx",}},
    {"NL", "31", "0",
     {[6] = "[1-5]xxxxxxx",}},
    {"CH", "41", "0",
     {[7] = "[5-9]xxxxxxx",}},
    {"JP", "81", "0",
     {[7] = "0[1-9]xxxxxxx",
      [8] = "0[1-9]xxxxxxx",
      [9] = "0[1-9]xxxxxxx",}},
    {"KR", "82", "0",
     {[1] = "0[2-46-9]xxxxxxx",}},
    {"IN", "91", "0",
     {[6] = "xxxxxxxxx",
      [7] = "xxxxxxxxx",
      [8] = "xxxxxxxxx",
      [9] = "xxxxxxxxx",}},
    {"AU", "61", "0",
     {[4] = "[0-3]xxxxxxx|[57][0257]xxxxxx|9[027]xxxxxx",}},
    {"BR", "55", "0",
     {[1] = "[1-9]9[6-9]xxxxxxx",
      [2] = "19[6-9]xxxxxxx",
      [3] = "19[6-9]xxxxxxx",
      [5] = "19[6-9]xxxxxxx",
      [7] = "19[6-9]xxxxxxx",
      [9] = "19[6-9]xxxxxxx",}},
    {"RU", "7", "8",
     {[9] = "[0-68]xxxxxxxx",}},
    {"TW", "886", "0",
     {[9] = "xxxxxxxx",}},
    {"HK", "852", "",
     {[5] = "[1-59][1-46-9]xxxxx",
      [6] = "[13-59]xxxxxx|[268][0-57-9]xxxxx",
      [9] = "[467]xxxxxx|1[02-9]xxxxx|[2358][0-8]xxxxx",}},
    {"MO", "853", "",
     {[6] = "[235]xxxxxx|6[1-9]xxxxx",}},
    {"SG", "65", "",
     {[8] = "[1-8]xxxxxx",
      [9] = "[0-8]xxxxxx",}},
};

const size_t phone_plan_count = sizeof(phone_plans) / sizeof(phone_plans[0]);

const struct phone_plan *phone_plan_of_country(const char *country)
{
    if (strcmp(country, "CA") == 0)
        country = "US"; /* one plan */
    for (size_t i = 0; i < phone_plan_count; i++) {
        if (strcmp(phone_plans[i].country, country) == 0)
            return &phone_plans[i];
    }
    return NULL;
}

const struct phone_plan *phone_plan_of_digits(struct slice digits)
{
    for (size_t i = 0; i < phone_plan_count; i++) {
        const char *code = phone_plans[i].code; /* calling codes are prefix-free */
        if (slice_starts(digits, slice_str(code)))
            return &phone_plans[i];
    }
    return NULL;
}

/* Whether `digit` is of the set that begins after `[`; moves *at behind the `]`. */
static bool in_set(const char **at, char digit)
{
    bool found = false;
    const char *p = *at;
    for (; *p != ']'; p++) {
        if (p[1] == '-') {
            found |= digit >= p[0] && digit <= p[2];
            p += 2;
        } else {
            found |= digit == *p;
        }
    }
    *at = p + 1;
    return found;
}

bool phone_plan_matches(const struct phone_plan *plan, struct slice national)
{
    size_t first = national.len > 0 ? (size_t)(unsigned char)national.ptr[0] - '0' : 10;
    const char *at = first < 10 ? plan->patterns[first] : NULL;
    national = slice_sub(national, 1, national.len);
    while (at && *at) {
        size_t i = 0;
        bool fits = true;
        while (fits && *at && *at != '|') {
            char digit = i < national.len ? national.ptr[i] : 0;
            i++;
            if (*at == '[') {
                at++;
                fits = in_set(&at, digit);
            } else {
                fits = *at == 'x' ? digit >= '0' && digit <= '9' : *at == digit;
                at++;
            }
        }
        if (fits && i == national.len)
            return true;
        while (*at && *at != '|')
            at++;
        at += *at == '|';
    }
    return false;
}
