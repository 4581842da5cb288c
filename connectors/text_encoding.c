/* text_encoding.c - see text_encoding.h. The only file of ours that knows UTF-16. */
#include "connectors/text_encoding.h"

#include <stdlib.h>
#include <unicode/ucnv.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "daemon/base/utf8.h"

static const struct {
    const char *name;
    const char *converter; /* ICU's name; NULL: ours */
} encodings[TEXT_ENCODING_COUNT] = {
    [TEXT_UTF8] = {"utf-8", NULL},
    [TEXT_UTF16LE] = {"utf-16le", NULL},
    [TEXT_UTF16BE] = {"utf-16be", NULL},
    [TEXT_GB18030] = {"gb18030", "gb18030"},
    [TEXT_BIG5] = {"big5", "windows-950"},
    [TEXT_SHIFT_JIS] = {"shift_jis", "windows-932"},
    [TEXT_WINDOWS_1252] = {"windows-1252", "windows-1252"},
};

const char *text_encoding_name(enum text_encoding encoding)
{
    return encodings[encoding].name;
}

bool text_encoding_parse(struct slice name, enum text_encoding *encoding)
{
    if (slice_eq_nocase(name, SLICE("gbk")) || slice_eq_nocase(name, SLICE("gb2312"))) {
        *encoding = TEXT_GB18030;
        return true;
    }
    for (int i = 0; i < TEXT_ENCODING_COUNT; i++) {
        if (slice_eq_nocase(name, slice_str(encodings[i].name))) {
            *encoding = (enum text_encoding)i;
            return true;
        }
    }
    return false;
}

size_t text_unit_bytes(enum text_encoding encoding)
{
    return encoding == TEXT_UTF16LE || encoding == TEXT_UTF16BE ? 2 : 1;
}

/* Bytes from `p` that are ASCII and not NUL, at most `len`. */
static size_t plain_run(const char *p, size_t len)
{
    size_t i = 0;
#if defined(__SSE2__)
    const __m128i zero = _mm_setzero_si128();
    for (; i + 16 <= len; i += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        /* Signed greater than zero is exactly 0x01 .. 0x7F. */
        unsigned plain = (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(block, zero));
        if (plain != 0xFFFF)
            return i + (size_t)__builtin_ctz(~plain);
    }
#endif
    while (i < len && p[i] > 0 && (unsigned char)p[i] < 0x80)
        i++;
    return i;
}

/* The bytes at the end of the input may be the beginning of a longer sequence. */
static bool may_be_cut(struct slice rest)
{
    if (rest.len >= 4)
        return false;
    char padded[4] = {0};
    static const char *const tails[] = {"\x80\x80\x80", "\xBF\xBF\xBF"};
    for (size_t t = 0; t < 2; t++) {
        memcpy(padded, rest.ptr, rest.len);
        memcpy(padded + rest.len, tails[t], 4 - rest.len < 3 ? 4 - rest.len : 3);
        if (utf8_valid_width(slice_of(padded, 4)) > rest.len)
            return true;
    }
    return false;
}

size_t text_utf8_check(struct slice s, unsigned *flags)
{
    size_t i = 0;
    while (i < s.len) {
        i += plain_run(s.ptr + i, s.len - i);
        if (i >= s.len)
            break;
        if (s.ptr[i] == '\0') {
            *flags |= TEXT_HAS_NUL;
            i++;
            continue;
        }
        *flags |= TEXT_NOT_ASCII;
        /* Runs of other scripts are runs: stay here until ASCII comes back. */
        while (i < s.len && (unsigned char)s.ptr[i] >= 0x80) {
            struct slice rest = slice_of(s.ptr + i, s.len - i);
            size_t width = utf8_valid_width(rest);
            if (width == 0 && may_be_cut(rest))
                return i;
            if (width == 0)
                *flags |= TEXT_IS_BAD;
            i += width ? width : 1;
        }
    }
    return i;
}

/* Strict GB18030 shape: one byte, lead + (40..7E, 80..FE), or lead digit lead digit. */
static bool looks_gb18030(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    for (size_t i = 0; i < s.len;) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        if (p[i] == 0x80 || p[i] == 0xFF || i + 1 >= s.len)
            return false;
        unsigned char second = p[i + 1];
        if (second >= 0x30 && second <= 0x39) {
            if (i + 3 >= s.len || p[i + 2] < 0x81 || p[i + 2] == 0xFF || p[i + 3] < 0x30 ||
                p[i + 3] > 0x39)
                return false;
            i += 4;
        } else if (second >= 0x40 && second != 0x7F && second != 0xFF) {
            i += 2;
        } else {
            return false;
        }
    }
    return true;
}

struct votes {
    size_t utf8, gb18030, neither;
};

static void vote(struct slice line, struct votes *votes)
{
    unsigned flags = 0;
    bool whole = text_utf8_check(line, &flags) == line.len;
    if (!(flags & TEXT_NOT_ASCII))
        return;
    if (whole && !(flags & TEXT_IS_BAD))
        votes->utf8++;
    else if (looks_gb18030(line))
        votes->gb18030++;
    else
        votes->neither++;
}

/* UTF-16 without a mark: mostly ASCII, so most high bytes are zero and no low byte is. */
static bool guess_utf16(struct slice sample, enum text_encoding *encoding)
{
    size_t pairs = sample.len / 2, even = 0, odd = 0;
    for (size_t i = 0; i < pairs; i++) {
        even += sample.ptr[2 * i] == '\0';
        odd += sample.ptr[2 * i + 1] == '\0';
    }
    if (pairs < 4)
        return false;
    *encoding = odd > even ? TEXT_UTF16LE : TEXT_UTF16BE;
    return (odd > pairs / 3 && even == 0) || (even > pairs / 3 && odd == 0);
}

static bool guess_by_mark(struct slice sample, struct text_guess *guess)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum text_encoding encoding;
    } marks[] = {
        {"\xEF\xBB\xBF", 3, TEXT_UTF8},
        {"\xFF\xFE", 2, TEXT_UTF16LE},
        {"\xFE\xFF", 2, TEXT_UTF16BE},
        {"\x84\x31\x95\x33", 4, TEXT_GB18030},
    };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (slice_starts(sample, slice_of(marks[i].bytes, marks[i].len))) {
            guess->encoding = marks[i].encoding;
            guess->bom_bytes = marks[i].len;
            return true;
        }
    }
    return false;
}

struct text_guess text_encoding_guess(struct slice sample)
{
    struct text_guess guess = {.encoding = TEXT_UTF8};
    if (guess_by_mark(sample, &guess))
        return guess;
    size_t window = sample.len < 65536 ? sample.len : 65536;
    if (guess_utf16(slice_sub(sample, 0, window), &guess.encoding))
        return guess;
    struct votes votes = {0};
    for (size_t at = 0; at < sample.len;) {
        size_t end = at;
        const char *feed = memchr(sample.ptr + at, '\n', sample.len - at);
        end = feed ? (size_t)(feed - sample.ptr) : sample.len;
        /* The last line may be cut in mid-character: it votes only when it is the only one that
         * could. */
        size_t cast = votes.utf8 + votes.gb18030 + votes.neither;
        if (feed != NULL || cast == 0) {
            struct slice line = slice_sub(sample, at, end);
            for (int cut = 0; feed == NULL && cut < 3 && line.len > 3; cut++) {
                unsigned flags = 0;
                size_t checked = text_utf8_check(line, &flags);
                if (checked == line.len || (flags & TEXT_IS_BAD))
                    break;
                line.len = checked;
            }
            vote(line, &votes);
        }
        at = end + 1;
    }
    guess.ascii_only = votes.utf8 + votes.gb18030 + votes.neither == 0;
    guess.encoding = TEXT_UTF8;
    if (votes.gb18030 + votes.neither > 0 && votes.utf8 <= votes.gb18030 + votes.neither)
        guess.encoding = votes.gb18030 >= votes.neither ? TEXT_GB18030 : TEXT_WINDOWS_1252;
    return guess;
}

/* A table of the two-byte characters turns GB18030 from 40 to some hundreds of MB/s. */
#define LEADS  126 /* 0x81 .. 0xFE */
#define TRAILS 191 /* 0x40 .. 0xFE */

struct text_decoder {
    enum text_encoding encoding;
    UConverter *converter;
    uint16_t *pairs; /* GB18030: LEADS * TRAILS code points, 0 where there is none */
};

static void put_code_point(struct buf *utf8, uint32_t code_point)
{
    char bytes[4];
    size_t width = utf8_encode(code_point, bytes);
    buf_put(utf8, width ? bytes : "\xEF\xBF\xBD", width ? width : 3);
}

static void put_bad(struct buf *utf8, unsigned *flags)
{
    *flags |= TEXT_IS_BAD;
    buf_put(utf8, "\xEF\xBF\xBD", 3);
}

static uint16_t pair_code_point(UConverter *converter, char lead, char trail)
{
    char bytes[2] = {lead, trail};
    UChar out[4];
    UErrorCode code = U_ZERO_ERROR;
    UChar *target = out;
    const char *source = bytes;
    ucnv_reset(converter);
    ucnv_toUnicode(converter, &target, out + 4, &source, bytes + 2, NULL, true, &code);
    bool one = U_SUCCESS(code) && target == out + 1 && (out[0] & 0xF800) != 0xD800;
    return one ? out[0] : 0;
}

struct text_decoder *text_decoder_new(enum text_encoding encoding, struct err *err)
{
    struct text_decoder *decoder = calloc(1, sizeof(*decoder));
    if (decoder == NULL) {
        (void)err_set_errno(err, 12, "text.memory", "cannot allocate a decoder");
        return NULL;
    }
    decoder->encoding = encoding;
    if (encodings[encoding].converter == NULL)
        return decoder;
    UErrorCode code = U_ZERO_ERROR;
    decoder->converter = ucnv_open(encodings[encoding].converter, &code);
    if (U_SUCCESS(code))
        ucnv_setToUCallBack(decoder->converter, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &code);
    if (U_FAILURE(code)) {
        (void)err_set(err, RETRY_NONE, "text.converter", "cannot open the decoder of '%s': %s",
                      encodings[encoding].name, u_errorName(code));
        text_decoder_free(&decoder);
        return NULL;
    }
    if (encoding == TEXT_GB18030) {
        decoder->pairs = calloc(LEADS * TRAILS, sizeof(*decoder->pairs));
        for (int i = 0; decoder->pairs && i < LEADS * TRAILS; i++)
            decoder->pairs[i] = pair_code_point(decoder->converter, (char)(0x81 + i / TRAILS),
                                                (char)(0x40 + i % TRAILS));
    }
    return decoder;
}

void text_decoder_free(struct text_decoder **decoder)
{
    if (*decoder == NULL)
        return;
    if ((*decoder)->converter)
        ucnv_close((*decoder)->converter);
    free((*decoder)->pairs);
    free(*decoder);
    *decoder = NULL;
}

static void decode_utf16(bool little, struct slice raw, struct buf *utf8, unsigned *flags)
{
    const unsigned char *p = (const unsigned char *)raw.ptr;
    uint32_t high = 0;
    for (size_t i = 0; i + 1 < raw.len; i += 2) {
        uint32_t unit =
            little ? (uint32_t)(p[i] | p[i + 1] << 8) : (uint32_t)(p[i] << 8 | p[i + 1]);
        bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
        if (high && is_low) {
            put_code_point(utf8, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
            high = 0;
            continue;
        }
        if (high || is_low)
            put_bad(utf8, flags);
        high = unit >= 0xD800 && unit <= 0xDBFF ? unit : 0;
        if (unit == 0)
            *flags |= TEXT_HAS_NUL;
        if (unit >= 0x80)
            *flags |= TEXT_NOT_ASCII;
        if (!high && !is_low)
            put_code_point(utf8, unit);
    }
    if (high || raw.len % 2)
        put_bad(utf8, flags);
}

/* The general way: pieces through ICU's UTF-16; a piece ICU refuses is one U+FFFD. */
static void decode_by_library(UConverter *converter, struct slice raw, struct buf *utf8,
                              unsigned *flags)
{
    const char *source = raw.ptr, *end = raw.ptr + raw.len;
    uint32_t high = 0; /* a pair may straddle two pieces */
    ucnv_reset(converter);
    for (;;) {
        UChar units[512];
        UChar *target = units;
        UErrorCode code = U_ZERO_ERROR;
        ucnv_toUnicode(converter, &target, units + 512, &source, end, NULL, true, &code);
        for (const UChar *unit = units; unit < target; unit++) {
            if ((*unit & 0xFC00) == 0xD800)
                high = *unit;
            else if ((*unit & 0xFC00) == 0xDC00)
                put_code_point(utf8, 0x10000 + ((high - 0xD800) << 10) + (*unit - 0xDC00));
            else
                put_code_point(utf8, *unit);
        }
        if (code == U_BUFFER_OVERFLOW_ERROR)
            continue;
        if (U_SUCCESS(code))
            return;
        put_bad(utf8, flags);
        ucnv_reset(converter);
        if (source >= end)
            return;
    }
}

/* Plain runs are copied, known pairs looked up; the rest (four bytes, damage) goes to the library
 * one character at a time. */
static void decode_gb18030(struct text_decoder *decoder, struct slice raw, struct buf *utf8,
                           unsigned *flags)
{
    const unsigned char *p = (const unsigned char *)raw.ptr;
    for (size_t i = 0; i < raw.len;) {
        size_t plain = plain_run(raw.ptr + i, raw.len - i);
        buf_put(utf8, raw.ptr + i, plain);
        i += plain;
        while (i < raw.len && (p[i] >= 0x80 || p[i] == 0)) {
            if (p[i] == 0) {
                *flags |= TEXT_HAS_NUL;
                buf_put(utf8, "", 1);
                i++;
                continue;
            }
            *flags |= TEXT_NOT_ASCII;
            bool two = i + 1 < raw.len && p[i] != 0x80 && p[i] != 0xFF && p[i + 1] >= 0x40 &&
                       p[i + 1] != 0xFF;
            uint16_t known = two ? decoder->pairs[(p[i] - 0x81) * TRAILS + (p[i + 1] - 0x40)] : 0;
            bool four = i + 3 < raw.len && p[i + 1] >= 0x30 && p[i + 1] <= 0x39 &&
                        p[i + 2] >= 0x81 && p[i + 2] != 0xFF && p[i + 3] >= 0x30 &&
                        p[i + 3] <= 0x39;
            if (known) {
                put_code_point(utf8, known);
                i += 2;
            } else if (four || two) {
                decode_by_library(decoder->converter, slice_of(raw.ptr + i, four ? 4 : 2), utf8,
                                  flags);
                i += four ? 4 : 2;
            } else {
                put_bad(utf8, flags);
                i++;
            }
        }
    }
}

void text_decode(struct text_decoder *decoder, struct slice raw, struct buf *utf8, unsigned *flags)
{
    switch (decoder->encoding) {
    case TEXT_UTF8:
        if (text_utf8_check(raw, flags) != raw.len)
            *flags |= TEXT_IS_BAD;
        buf_put_slice(utf8, raw);
        return;
    case TEXT_UTF16LE:
    case TEXT_UTF16BE:
        decode_utf16(decoder->encoding == TEXT_UTF16LE, raw, utf8, flags);
        return;
    case TEXT_GB18030:
        if (decoder->pairs) {
            decode_gb18030(decoder, raw, utf8, flags);
            return;
        }
        break;
    default:
        break;
    }
    if (memchr(raw.ptr, 0, raw.len))
        *flags |= TEXT_HAS_NUL;
    if (plain_run(raw.ptr, raw.len) < raw.len)
        *flags |= TEXT_NOT_ASCII;
    decode_by_library(decoder->converter, raw, utf8, flags);
}
