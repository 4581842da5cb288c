/*
 * match_setup.h - the shipped matcher as the fixture of a whole group of tests.
 */
#ifndef TESTS_MATCH_SETUP_H
#define TESTS_MATCH_SETUP_H

#include "tests/unit/match_fixture.h"

static struct matcher *matcher;

static int set_up(void **state)
{
    (void)state;
    matcher = fixture_matcher();
    return matcher ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    matcher_free(&matcher);
    return 0;
}

#endif
