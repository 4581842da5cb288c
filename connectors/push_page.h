/*
 * push_page.h - what somebody who posts hears when it is not the answer they hoped for: a script JSON, a person a small page.
 *
 * The page needs nothing but itself, is in Chinese where that is asked for before English, and reads well on a telephone.
 */
#ifndef TRIBUTARY_CONNECTORS_PUSH_PAGE_H
#define TRIBUTARY_CONNECTORS_PUSH_PAGE_H

#include "connectors/push_util.h"

/* A script asks: it sends or accepts JSON, or says that it is one. */
bool push_wants_json(const struct push_request *request);
/* `asked` is what the form says of its language; empty: the browser's Accept-Language. */
bool push_wants_chinese(const struct push_request *request, struct slice asked);

/* A page of its own; `title` is text, `text_html` goes in as it is. */
void push_reply_page(struct push_reply *reply, unsigned status, struct arena *arena, bool chinese, const char *title,
                     struct slice text_html);

/* What a refusal means to a person, and what can be done about it ("" nothing). */
const char *push_refusal_sentence(unsigned status, bool chinese);
const char *push_refusal_advice(unsigned status, bool chinese);

/* Fills status, body and (503) Retry-After: {"ok":false,"errors":[{"code":...}]}, or the page for a browser that shows one. */
void push_reply_code(struct push_reply *reply, const struct push_request *request, unsigned status, const char *code,
                     struct arena *arena);

#endif
