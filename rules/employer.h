/*
 * employer.h - the company that a person's record names, as a clean record of its own.
 *
 * A pure function of the clean person: taken over are the company's name, registration, line of business and
 * website. A work e-mail's domain stands in for a website that is not said (VALUE_DERIVED); the place, never the
 * street, for a region that the company's name does not tell. What identifies the person (name, phones, mailboxes,
 * addresses) stays with the person: a switchboard or a colleague's mailbox is no evidence here.
 */
#ifndef TRIBUTARY_RULES_EMPLOYER_H
#define TRIBUTARY_RULES_EMPLOYER_H

#include "rules/ruleset.h"

/* False when the record names no company: no usable company name nor registration, a company that is only the
 * person's own name, or a record that is no clean person's. Values are borrowed from the person's or lie in the
 * arena; when it is full the arena says so. */
bool employer_of(const struct ruleset *ruleset, const struct clean_record *person, struct arena *arena,
                 struct clean_record *employer);

#endif
