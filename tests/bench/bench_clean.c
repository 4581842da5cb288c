/*
 * bench_clean.c - nanoseconds a value for each type, and for the libraries asked directly.
 *
 * Prints one line each: what, values, ns a value. No pass or fail: the numbers are for docs and for noticing a change.
 */
#include <stdio.h>
#include <time.h>

#include "rules/address.h"
#include "rules/clean.h"
#include "rules/company.h"
#include "rules/han.h"
#include "rules/name.h"
#include "rules/phone_shim.h"
#include "rules/text.h"

#define ROUNDS 40000

static double now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

struct sample {
    const char *label;
    enum field_type type;
    const char *country;
    const char *values[6];
};

static const struct sample samples[] = {
    {"phone, Chinese mobile", FIELD_PHONE, "CN", {"13812345678", "139 1234 5678", "+86 186 1234 5678", "=\"15012345678\""}},
    {"phone, Chinese landline", FIELD_PHONE, "CN", {"021-61234567", "0755-81234567", "0571-61234567转8", "010 61234567"}},
    {"phone, American", FIELD_PHONE, "US", {"(415) 555-2671", "212-555-0187", "+1 650 253 0000", "3125550143"}},
    {"phone, international", FIELD_PHONE, "CN", {"+447400123456", "+4915112345678", "+33612345678", "+85291234567"}},
    {"phone, by the library", FIELD_PHONE, "DE", {"030 901820", "089 2180 0", "+49 40 428280"}},
    {"name, Chinese", FIELD_PERSON_NAME, "CN", {"张三", "欧阳娜娜", "王小明", "李建国"}},
    {"name, Western", FIELD_PERSON_NAME, "US", {"John Smith", "Mary Ann Jones", "SMITH, ROBERT", "anna weber"}},
    {"name, accents", FIELD_PERSON_NAME, "DE", {"Hans-Peter Müller", "José García", "Søren Kierkegård"}},
    {"name, pinyin", FIELD_PERSON_NAME, "CN", {"Zhang Wei", "Wang Xiaoming", "LI Na"}},
    {"email", FIELD_EMAIL, "", {"john.doe@gmail.com", "li.wei@corp.cn", "INFO@Example.com", "12345@qq.com"}},
    {"address, Chinese", FIELD_ADDRESS, "CN", {"上海市浦东新区世纪大道88号5幢301室", "浙江省杭州市西湖区文三路100号"}},
    {"address, Western", FIELD_ADDRESS, "US", {"123 Main Street, Apt 4, Springfield, IL 62701", "1 Infinite Loop"}},
    {"company", FIELD_COMPANY, "CN", {"上海华信科技有限公司", "Acme, Inc.", "Müller & Söhne GmbH"}},
    {"date", FIELD_DATE, "CN", {"1990-03-05", "1990年3月5日", "March 3rd, 1990", "32937"}},
    {"timestamp", FIELD_TIMESTAMP, "CN", {"2026-03-01T10:00:00Z", "2026-03-01 10:00:00", "Mar 22, 2025 19:13:27"}},
    {"id number", FIELD_ID_NUMBER, "CN", {"11010519491231002X", "91110000600037341L"}},
    {"money", FIELD_MONEY, "CN", {"¥1,234.50", "12.50 EUR", "99"}},
    {"text", FIELD_TEXT, "CN", {"I would like to know more about your product.", "我想了解一下产品的价格，谢谢"}},
};

static void bench_sample(const struct sample *sample, struct arena *arena)
{
    struct clean_context context = {sample->country, "Asia/Shanghai", false};
    size_t count = 0, total = 0;
    while (count < 6 && sample->values[count])
        count++;
    int rounds = strstr(sample->label, "library") ? ROUNDS / 20 : ROUNDS;
    double start = now_ns();
    for (int i = 0; i < rounds; i++) {
        for (size_t v = 0; v < count; v++) {
            struct cleaned out;
            arena_reset(arena);
            clean_value_typed(sample->type, &context, slice_str(sample->values[v]), arena, &out);
            total += out.value.len;
        }
    }
    double ns = (now_ns() - start) / ((double)rounds * (double)count);
    printf("%-28s %9.0f ns  (%zu bytes out)\n", sample->label, ns, total);
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
        bench_sample(&samples[i], arena);
    struct phone_parsed parsed;
    double start = now_ns();
    for (int i = 0; i < 2000; i++)
        (void)phone_library_parse("13812345678", 11, "CN", &parsed);
    printf("%-28s %9.0f ns\n", "libphonenumber alone", (now_ns() - start) / 2000);
    start = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(arena);
        (void)text_ascii(SLICE("欧阳娜娜"), arena);
    }
    printf("%-28s %9.0f ns\n", "pinyin of four characters", (now_ns() - start) / ROUNDS);
    arena_free(&arena);
    return 0;
}
