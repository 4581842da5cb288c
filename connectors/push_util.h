/*
 * push_util.h - small helpers for push connectors: headers, queries, replies.
 */
#ifndef TRIBUTARY_CONNECTORS_PUSH_UTIL_H
#define TRIBUTARY_CONNECTORS_PUSH_UTIL_H

#include "connectors/connector.h"
#include "daemon/base/buf.h"

/* The first header of that name (without case), trimmed; empty when there is none. */
struct slice push_header(const struct push_request *request, const char *name);
/* Adds a header; a name or value with a control character is left out (header injection). False when left out
 * or when the reply has no room. */
bool push_reply_header(struct push_reply *reply, struct slice name, struct slice value);

/* %XX and, with plus_is_space, '+'. A lone '%' stands for itself. */
struct slice percent_decode(struct arena *arena, struct slice text, bool plus_is_space);
/* Appends the text so that it may stand as one value in a query. */
void percent_encode(struct buf *out, struct slice text);
/* Takes the next name and value (raw, not decoded) off a query or urlencoded body. False at the end; a piece
 * without '=' is a name with an empty value; empty pieces are skipped. */
bool query_next(struct slice *rest, struct slice *name, struct slice *value);
/* A parameter of a raw query, decoded; empty when absent. */
struct slice query_param(struct arena *arena, struct slice query, const char *name);

/* The text with & < > " ' as HTML entities. */
void put_html(struct buf *out, struct slice text);

/* status, application/json and a copy of the buffer. An out-of-memory reply becomes an empty 503. */
void push_reply_json(struct push_reply *reply, unsigned status, struct arena *arena, const struct buf *json);
void push_reply_html(struct push_reply *reply, unsigned status, struct arena *arena, const struct buf *html);

#endif
