/*
 * text_encoding.h - which encoding a file is written in, and turning it into UTF-8.
 *
 * Detection: a byte order mark; zero bytes in every other place (UTF-16 without a mark); strict
 * UTF-8; else GB18030 (a superset of GBK and GB2312) and, when the bytes are not that either,
 * windows-1252. Lines vote, so that one damaged line does not turn a whole file into another
 * encoding. Decoding never fails and never loses a line: what cannot be read becomes U+FFFD and is
 * reported by a flag.
 */
#ifndef TRIBUTARY_CONNECTORS_TEXT_ENCODING_H
#define TRIBUTARY_CONNECTORS_TEXT_ENCODING_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

enum text_encoding {
    TEXT_UTF8,
    TEXT_UTF16LE,
    TEXT_UTF16BE,
    TEXT_GB18030,
    TEXT_BIG5,      /* by configuration only */
    TEXT_SHIFT_JIS, /* by configuration only */
    TEXT_WINDOWS_1252,
    TEXT_ENCODING_COUNT,
};

const char *text_encoding_name(enum text_encoding encoding); /* "utf-8", "gb18030" ... */
bool text_encoding_parse(struct slice name, enum text_encoding *encoding);
/* Bytes of one unit: 2 for UTF-16, else 1. A line feed is one unit in all of them, and its byte is
 * never part of another character. */
size_t text_unit_bytes(enum text_encoding encoding);

struct text_guess {
    enum text_encoding encoding;
    size_t bom_bytes; /* to skip */
    bool ascii_only;  /* nothing in the sample decided; UTF-8 was assumed */
};
/* `sample` is the beginning of the input; a character cut at its end does no harm. */
struct text_guess text_encoding_guess(struct slice sample);

enum text_flag { TEXT_HAS_NUL = 1, TEXT_IS_BAD = 2, TEXT_NOT_ASCII = 4 };

/* Looks at UTF-8 quickly and adds to *flags what was found. Returns how many bytes were looked at:
 * all, but for a sequence that is cut (not wrong) at the very end. */
size_t text_utf8_check(struct slice s, unsigned *flags);

struct text_decoder; /* one thread at a time */

/* NULL with err filled when the library cannot open the encoding or memory is out. */
struct text_decoder *text_decoder_new(enum text_encoding encoding, struct err *err);
void text_decoder_free(struct text_decoder **decoder);
/* Appends `raw` (whole characters: a line, a row) to `utf8` and adds to *flags. */
void text_decode(struct text_decoder *decoder, struct slice raw, struct buf *utf8, unsigned *flags);

#endif
