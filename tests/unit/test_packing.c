/* test_packing.c - what is unpacked is what was packed, whatever the table has learnt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/resolve/packing.intern.h"

static uint64_t state_now = 1;

static uint32_t rng(uint32_t below)
{
    state_now = state_now * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state_now >> 33) % below;
}

/* Some text of the kind features hold: mailboxes, names, a few odd bytes. */
static size_t make_text(char text[128])
{
    static const char *const names[] = {"wang", "li xiao", "stevens", "samuel", "fournier", "\xe7\x9f\xb3"};
    static const char *const domains[] = {"gmail.com", "hotmail.com", "163.com", "moreau.example"};
    return (size_t)snprintf(text, 128, "%c%c%s.%s%u@%s%c%s", (char)rng(256), (char)(1 + rng(255)), names[rng(6)],
                            names[rng(6)], rng(100), domains[rng(4)], (char)(1 + rng(255)), names[rng(6)]);
}

static void learn_enough(struct packing *packing)
{
    char text[128];
    for (int i = 0; i < 20000 && packing->codes_of_two == NULL; i++)
        packing_learn(packing, slice_of(text, make_text(text)));
    assert_non_null(packing->codes_of_two);
}

static void assert_comes_back(const struct packing *packing, struct slice features)
{
    struct features_room packed_room, room;
    struct slice packed = packing_pack(packing, features, &packed_room);
    if (packed.len == 0)
        return; /* is kept as it is */
    assert_true(packed.len < features.len);
    assert_true(slice_eq(packing_unpack(packing, packed, &room), features));
}

static void test_features_come_back_as_they_were_and_are_shorter(void **state)
{
    (void)state;
    struct packing packing = {0};
    struct features_room room;
    size_t before = 0, after = 0;
    char text[128];
    learn_enough(&packing);
    for (int i = 0; i < 5000; i++) {
        struct slice features = slice_of(text, make_text(text));
        assert_comes_back(&packing, features);
        struct slice packed = packing_pack(&packing, features, &room);
        before += features.len;
        after += packed.len ? packed.len : features.len;
    }
    assert_true(after * 10 < before * 7);
    packing_free(&packing);
}

static void test_bytes_of_any_kind_come_back(void **state)
{
    (void)state;
    struct packing packing = {0};
    static char bytes[PACKING_MAX];
    learn_enough(&packing);
    for (int i = 0; i < 3000; i++) {
        size_t length = rng(i % 10 ? 60 : PACKING_MAX), alphabet = 1 + rng(i % 3 ? 5 : 256);
        for (size_t j = 0; j < length; j++)
            bytes[j] = (char)("gmail.com wang"[rng(14)] + (char)rng((uint32_t)alphabet));
        assert_comes_back(&packing, slice_of(bytes, length));
    }
    static const char whole[] = "samuel.stevens27@hotmail.com stevens";
    for (size_t cut = 0; cut < sizeof(whole); cut++) /* ends in the middle of what has a code */
        assert_comes_back(&packing, slice_of(whole, cut));
    memset(bytes, 'w', sizeof(bytes));
    assert_comes_back(&packing, slice_of(bytes, sizeof(bytes)));
    packing_free(&packing);
}

static void test_nothing_is_packed_before_enough_is_learnt_nor_what_is_too_long(void **state)
{
    (void)state;
    struct packing packing = {0};
    struct features_room room;
    static char longer[PACKING_MAX + 1];
    packing_learn(&packing, SLICE("samuel"));
    assert_int_equal(packing_pack(&packing, SLICE("samuel samuel samuel"), &room).len, 0);
    learn_enough(&packing);
    memset(longer, 'a', sizeof(longer));
    assert_int_equal(packing_pack(&packing, slice_of(longer, sizeof(longer)), &room).len, 0);
    assert_int_equal(packing_pack(&packing, SLICE_EMPTY, &room).len, 0);
    packing_free(&packing);
}

static void test_a_sample_of_one_byte_is_learnt_from_too(void **state)
{
    (void)state;
    struct packing packing = {0};
    static char same[4096];
    for (int i = 0; i < 200; i++)
        packing_learn(&packing, slice_of(same, sizeof(same)));
    assert_non_null(packing.codes_of_two);
    assert_comes_back(&packing, slice_of(same, 77));
    assert_comes_back(&packing, SLICE("something else"));
    packing_free(&packing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_come_back_as_they_were_and_are_shorter),
        cmocka_unit_test(test_bytes_of_any_kind_come_back),
        cmocka_unit_test(test_nothing_is_packed_before_enough_is_learnt_nor_what_is_too_long),
        cmocka_unit_test(test_a_sample_of_one_byte_is_learnt_from_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
