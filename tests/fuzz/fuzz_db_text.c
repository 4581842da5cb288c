/* fuzz_db_text.c - any text of a failed connect, and any message of a server, into classes and safe texts. */
#include "daemon/store/db_class.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char sqlstate[6] = "", out[64];
    enum retry_class retry = db_class_of_connect(text, sqlstate);
    if (strlen(sqlstate) != 0 && strlen(sqlstate) != 5)
        abort();
    if (retry == RETRY_NONE || retry == RETRY_NOW || retry == RETRY_REJECT_RECORD)
        abort(); /* nothing of the kind was asked of it */
    (void)db_class_of(text);
    db_class_safe_text("22P02", text, out, sizeof(out));
    if (strchr(out, '"') != NULL)
        abort();
    db_class_safe_text(sqlstate, text, out, 1 + size % sizeof(out));
    free(text);
    return 0;
}
