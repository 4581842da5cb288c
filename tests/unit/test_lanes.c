/* test_lanes.c - the lanes' bounds: what finds no room waits, or is left behind by its number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/accept/lanes.h"

#define LIVE_MAX 4

static struct lanes *new_lanes(void)
{
    struct err err;
    struct lanes *lanes = lanes_new(NULL, 2, LIVE_MAX, 0, &err); /* nobody cleans */
    assert_non_null(lanes);
    return lanes;
}

static void offer(struct lanes *lanes, uint64_t batch_id)
{
    struct batch *batch = batch_new();
    assert_non_null(batch);
    batch->batch_id = batch_id;
    batch->live = true;
    lanes_offer(lanes, &batch);
    assert_null(batch);
}

static size_t live_depth(struct lanes *lanes)
{
    size_t live, bulk;
    lanes_depth(lanes, &live, &bulk);
    assert_int_equal(bulk, 0);
    return live;
}

static void test_an_offer_without_room_is_left_behind_by_its_number(void **state)
{
    (void)state;
    struct lanes *lanes = new_lanes();
    uint64_t ids[8];
    for (uint64_t id = 1; id <= LIVE_MAX + 3; id++)
        offer(lanes, id);
    assert_int_equal(live_depth(lanes), LIVE_MAX);
    assert_int_equal(lanes_left(lanes), 3);
    assert_int_equal(lanes_take_left(lanes, ids, 2), 2);
    assert_int_equal(ids[0], LIVE_MAX + 1);
    assert_int_equal(ids[1], LIVE_MAX + 2);
    assert_int_equal(lanes_take_left(lanes, ids, 8), 1);
    assert_int_equal(ids[0], LIVE_MAX + 3);
    assert_int_equal(lanes_take_left(lanes, ids, 8), 0);
    lanes_close(lanes);
    lanes_free(&lanes);
}

static void test_what_may_be_left_behind_is_bounded_and_room_comes_back(void **state)
{
    (void)state;
    struct lanes *lanes = new_lanes();
    uint64_t ids[100], next = 1;
    for (unsigned round = 0; round < 3; round++) { /* the ring goes round */
        while (lanes_has_room(lanes)) {
            offer(lanes, next++);
            assert_true(lanes_left(lanes) <= LANES_LEFT_MAX);
        }
        assert_int_equal(live_depth(lanes), LIVE_MAX);
        assert_int_equal(lanes_left(lanes), LANES_LEFT_MAX);
        offer(lanes, next++); /* made durable by somebody who did not ask: not lost either */
        assert_int_equal(lanes_left(lanes), LANES_LEFT_MAX + 1);
        uint64_t expected = next - LANES_LEFT_MAX - 1;
        while (lanes_left(lanes) > LANES_LEFT_MAX / 2) {
            size_t count = lanes_take_left(lanes, ids, 100);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(ids[i], expected++);
        }
        assert_true(lanes_has_room(lanes));
    }
    lanes_close(lanes);
    lanes_free(&lanes);
}

static void put(struct lanes *lanes, uint64_t batch_id, bool live, bool clean)
{
    struct batch *batch = batch_new();
    assert_non_null(batch);
    batch->batch_id = batch_id;
    batch->live = live;
    batch->cleaning = clean ? CLEANING_DONE : CLEANING_WAITS;
    assert_true(lanes_put(lanes, &batch));
}

static uint64_t taken(struct batch *batch)
{
    uint64_t id = batch ? batch->batch_id : 0;
    if (batch)
        batch_free(&batch);
    return id;
}

static void test_bulk_is_taken_beside_nothing_live(void **state)
{
    (void)state;
    struct lanes *lanes = new_lanes();
    put(lanes, 1, false, true);
    put(lanes, 2, false, false);
    put(lanes, 3, true, false);
    assert_int_equal(taken(lanes_take_bulk(lanes)), 0); /* also while what is live is not clean */
    assert_int_equal(taken(lanes_take(lanes, 0, false)), 1);
    lanes_close(lanes);
    lanes_free(&lanes);
    lanes = new_lanes();
    put(lanes, 1, false, true);
    put(lanes, 2, false, false);
    assert_int_equal(taken(lanes_take_bulk(lanes)), 1);
    assert_int_equal(taken(lanes_take_bulk(lanes)), 0); /* the next is not clean */
    lanes_close(lanes);
    lanes_free(&lanes);
}

static void test_after_the_end_an_offer_is_freed(void **state)
{
    (void)state;
    struct lanes *lanes = new_lanes();
    lanes_close(lanes);
    offer(lanes, 1);
    assert_int_equal(live_depth(lanes) + lanes_left(lanes), 0);
    lanes_free(&lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_offer_without_room_is_left_behind_by_its_number),
        cmocka_unit_test(test_what_may_be_left_behind_is_bounded_and_room_comes_back),
        cmocka_unit_test(test_bulk_is_taken_beside_nothing_live),
        cmocka_unit_test(test_after_the_end_an_offer_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
