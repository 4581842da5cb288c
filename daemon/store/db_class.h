/*
 * db_class.h - from what PostgreSQL says to what we do about it. Pure.
 */
#ifndef TRIBUTARY_STORE_DB_CLASS_H
#define TRIBUTARY_STORE_DB_CLASS_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

/* The retry class of a SQLSTATE; "" (the connection broke) is RETRY_RECONNECT. 23505 is RETRY_NONE: the caller
 * knows which of its keys is there already. */
enum retry_class db_class_of(const char *sqlstate);
/* The same for an error that ended the session (severity FATAL or PANIC): never a class that goes on with the
 * connection. */
enum retry_class db_class_of_fatal(const char *sqlstate);
/* A failed connect gives text only. When the text was made with PQERRORS_VERBOSE it holds the SQLSTATE, which is
 * written to sqlstate ("" when there is none: refused, not resolved, timed out). */
enum retry_class db_class_of_connect(const char *text, char sqlstate[6]);
/* Copies the server's message without what may be a customer's value (quoted input of class 22, and all after it). */
void db_class_safe_text(const char *sqlstate, const char *message, char *out, size_t size);

#endif
