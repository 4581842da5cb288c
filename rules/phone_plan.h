/*
 * phone_plan.h - numbering plans of the countries we meet most, for a fast answer without the library.
 *
 * A pattern says which national numbers are surely valid; it never says a number is invalid. A test
 * holds every pattern against libphonenumber on a large random sample.
 */
#ifndef TRIBUTARY_RULES_PHONE_PLAN_H
#define TRIBUTARY_RULES_PHONE_PLAN_H

#include "daemon/base/slice.h"

struct phone_plan {
    const char *country; /* ISO 3166 alpha-2; of the largest country for a shared code */
    const char *code;    /* country calling code */
    const char *trunk;   /* dialled before a national number; "" none */
    /* By the first digit, what may follow it (NULL: nothing): alternatives divided by |, in which a digit is
     * itself, x any digit, [0-35] one of a set. */
    const char *patterns[10];
};

extern const struct phone_plan phone_plans[];
extern const size_t phone_plan_count;

const struct phone_plan *phone_plan_of_country(const char *country);
/* The plan whose calling code the digits begin with. */
const struct phone_plan *phone_plan_of_digits(struct slice digits);
bool phone_plan_matches(const struct phone_plan *plan, struct slice national);

#endif
