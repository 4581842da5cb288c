/*
 * phone_plan.c - see phone_plan.h. Sources: the national numbering plans as the ITU publishes them (E.164 country pages),
 * the North American plan's list of area codes, and the Chinese plan of the MIIT (mobile 13x to 19x, 400, area codes).
 */
#include "rules/phone_plan.h"

const struct phone_plan phone_plans[] = {
    {"CN", "86", "0",
     "1[38]xxxxxxxxx|15[0-35-9]xxxxxxxx|19[0-35-9]xxxxxxxx|17[0-35-8]xxxxxxxx|16[25-7]xxxxxxxx|14[57]xxxxxxxx|"
     "400xxxxxxx|10[2-79]xxxxxxx|108[1-9]xxxxxx|2[0-57-9][2-79]xxxxxxx|2[0-57-9]8[1-9]xxxxxx|"
     "311[2-7]xxxxxxx|37[179][2-7]xxxxxxx|4[15]1[2-7]xxxxxxx|43[1-35][2-7]xxxxxxx|51x[2-7]xxxxxxx|52[37][2-7]xxxxxxx|"
     "53[12][2-7]xxxxxxx|551[2-7]xxxxxxx|57[13-79][2-7]xxxxxxx|59[15][2-7]xxxxxxx|7[39]1[2-7]xxxxxxx|75[457][2-7]xxxxxxx|"
     "76[09][2-7]xxxxxxx|8[57]1[2-7]xxxxxxx|898[2-7]xxxxxxx|"
     "[34]1[2-9][2-7]xxxxxx|335[2-7]xxxxxx|349[2-7]xxxxxx|35x[2-7]xxxxxx|37[02-68][2-7]xxxxxx|39[1-68][2-7]xxxxxx|"
     "42[179][2-7]xxxxxx|45[2-9][2-7]xxxxxx|46[47-9][2-7]xxxxxx|47x[2-7]xxxxxx|48[23][2-7]xxxxxx|53[03-9][2-7]xxxxxx|"
     "54[36][2-7]xxxxxx|55[02-9][2-7]xxxxxx|56[1-46][2-7]xxxxxx|57[028][2-7]xxxxxx|580[2-7]xxxxxx|59[2-46-9][2-7]xxxxxx|"
     "63[1-5][2-7]xxxxxx|66[0238][2-7]xxxxxx|69[12][2-7]xxxxxx|701[2-7]xxxxxx|71x[2-7]xxxxxx|77x[2-7]xxxxxx|72[248][2-7]xxxxxx|"
     "73[04-9][2-7]xxxxxx|74[3-6][2-7]xxxxxx|75[0-3689][2-7]xxxxxx|76[2368][2-7]xxxxxx|79[02-9][2-7]xxxxxx|81[236-8][2-7]xxxxxx|"
     "82[5-7][2-7]xxxxxx|83x[2-7]xxxxxx|85[2-9][2-7]xxxxxx|87[02-9][2-7]xxxxxx|88[36-8][2-7]xxxxxx|89[1-7][2-7]xxxxxx|"
     "90[1-3689][2-7]xxxxxx|91[1-79][2-7]xxxxxx|93x[2-7]xxxxxx|97x[2-7]xxxxxx|94[13][2-7]xxxxxx|95[1-5][2-7]xxxxxx|99[0-8][2-7]xxxxxx"},
    {"US", "1", "1",
     "[2-47]0[1-9][2-9]xxxxxx|[2-689]1[02-9][2-9]xxxxxx|22[03-689][2-9]xxxxxx|23[1469][2-9]xxxxxx|24[089][2-9]xxxxxx|"
     "25[0-46][2-9]xxxxxx|26[02379][2-9]xxxxxx|27[0269][2-9]xxxxxx|28[139][2-9]xxxxxx|32[01356][2-9]xxxxxx|33[0-24679][2-9]xxxxxx|"
     "34[1367][2-9]xxxxxx|35[12][2-9]xxxxxx|36[014578][2-9]xxxxxx|38[056][2-9]xxxxxx|42[3-5][2-9]xxxxxx|43[0-24578][2-9]xxxxxx|"
     "44[023578][2-9]xxxxxx|45[08][2-9]xxxxxx|46[3489][2-9]xxxxxx|47[04589][2-9]xxxxxx|48[04][2-9]xxxxxx|50[1-46-9][2-9]xxxxxx|"
     "52[0][2-9]xxxxxx|53[01349][2-9]xxxxxx|54[018][2-9]xxxxxx|55[19][2-9]xxxxxx|56[1-37][2-9]xxxxxx|57[0-59][2-9]xxxxxx|"
     "58[0-1567][2-9]xxxxxx|[689]0[1-9][2-9]xxxxxx|62[0368][2-9]xxxxxx|63[016][2-9]xxxxxx|64[167][2-9]xxxxxx|65[01679][2-9]xxxxxx|"
     "66[0-279][2-9]xxxxxx|67[28][2-9]xxxxxx|68[0-29][2-9]xxxxxx|71[2-9][2-9]xxxxxx|72[04-7][2-9]xxxxxx|73[1247][2-9]xxxxxx|"
     "74[037][2-9]xxxxxx|75[347][2-9]xxxxxx|76[0359][2-9]xxxxxx|77[0-589][2-9]xxxxxx|78[0-1567][2-9]xxxxxx|82[058][2-9]xxxxxx|"
     "83[0-28][2-9]xxxxxx|84[03-57-8][2-9]xxxxxx|85[046-9][2-9]xxxxxx|86[02-57][2-9]xxxxxx|87[0238][2-9]xxxxxx|888[2-9]xxxxxx|"
     "92[058][2-9]xxxxxx|93[014679][2-9]xxxxxx|94[01379][2-9]xxxxxx|95[12469][2-9]xxxxxx|97[0-389][2-9]xxxxxx|98[0459][2-9]xxxxxx"},
    {"DE", "49", "0", "17xxxxxxxx|15[1257]xxxxxxxx|16[023]xxxxxxx"},
    {"GB", "44", "0", "7[3-58]xxxxxxxx|77[1-8]xxxxxxx|79[02-9]xxxxxxx|20[378]xxxxxxx"},
    {"FR", "33", "0", "6[0-24-8]xxxxxxx|7[3-9]xxxxxxx|[1-35]xxxxxxxx|4[1-9]xxxxxxx|9xxxxxxxx"},
    {"ES", "34", "", "6xxxxxxxx|7[1-4]xxxxxxx"},
    {"IT", "39", "", "3[2-9]xxxxxxxx"},
    {"NL", "31", "0", "6[1-5]xxxxxxx"},
    {"CH", "41", "0", "7[5-9]xxxxxxx"},
    {"JP", "81", "0", "[789]0[1-9]xxxxxxx"},
    {"KR", "82", "0", "10[2-46-9]xxxxxxx"},
    {"IN", "91", "0", "[6-9]xxxxxxxxx"},
    {"AU", "61", "0", "4[0-3]xxxxxxx|4[57][0257]xxxxxx|49[027]xxxxxx"},
    {"BR", "55", "0", "1[1-9]9[6-9]xxxxxxx|[23579]19[6-9]xxxxxxx"},
    {"RU", "7", "8", "9[0-68]xxxxxxxx"},
    {"TW", "886", "0", "9xxxxxxxx"},
    {"HK", "852", "", "5[1-59][1-46-9]xxxxx|6[13-59]xxxxxx|6[268][0-57-9]xxxxx|9[467]xxxxxx|9[2358][0-8]xxxxx"},
    {"MO", "853", "", "6[235]xxxxxx|66[1-9]xxxxx"},
    {"SG", "65", "", "8[1-8]xxxxxx|9[0-8]xxxxxx"},
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
    const char *at = plan->patterns;
    while (*at) {
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
