/* mask.c - see mask.h. */
#include "daemon/console/mask.h"

#include "daemon/base/utf8.h"

#define STARS_MAX 8

static void put_stars(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count && i < STARS_MAX; i++)
        buf_put_byte(out, '*');
}

/* The first character as it stands; U+FFFD where it is malformed. */
static size_t put_first(struct slice text, struct buf *out)
{
    struct slice rest = text;
    uint32_t code_point;
    char bytes[4];
    if (!utf8_next(&rest, &code_point))
        return 0;
    buf_put(out, bytes, utf8_encode(code_point, bytes));
    return text.len - rest.len;
}

static bool is_cjk(struct slice text)
{
    uint32_t code_point;
    return utf8_next(&text, &code_point) && code_point >= 0x2E80 &&
           (code_point < 0xFB00 || code_point >= 0x20000);
}

void mask_name(struct slice name, struct buf *out)
{
    name = slice_trim(name);
    if (is_cjk(name)) {
        size_t first = put_first(name, out);
        put_stars(out, utf8_length(slice_sub(name, first, name.len)));
        return;
    }
    bool between = false;
    while (name.len > 0) {
        ptrdiff_t space = slice_find_byte(name, ' ');
        struct slice word = slice_sub(name, 0, space < 0 ? name.len : (size_t)space);
        name = slice_sub(name, word.len + 1, name.len);
        if (word.len == 0)
            continue;
        if (between)
            buf_put_byte(out, ' ');
        put_first(word, out);
        put_stars(out, 3); /* not as many as there are letters: a short name would be guessed */
        between = true;
    }
}

void mask_email(struct slice email, struct buf *out)
{
    ptrdiff_t at = slice_find_byte(email, '@');
    if (at < 1) {
        put_first(email, out);
        put_stars(out, 3);
        return;
    }
    size_t first = put_first(email, out);
    put_stars(out, utf8_length(slice_sub(email, first, (size_t)at)) ? 4 : 1);
    struct slice host = slice_sub(email, (size_t)at, email.len);
    if (utf8_valid(host))
        buf_put_slice(out, host);
    else
        buf_put_str(out, "@***");
}

void mask_phone(struct slice phone, struct buf *out)
{
    size_t digits = 0, seen = 0;
    for (size_t i = 0; i < phone.len; i++)
        digits += phone.ptr[i] >= '0' && phone.ptr[i] <= '9';
    /* Four digits in the middle before the last four; of a short number all but the last two. */
    size_t tail = digits >= 10 ? 4 : 2, hidden = digits >= 10 ? 4 : digits > tail ? digits - tail : digits;
    for (size_t i = 0; i < phone.len; i++) {
        char c = phone.ptr[i];
        if (c < '0' || c > '9') {
            if (c == '+' || c == ' ' || c == '-' || c == '*')
                buf_put_byte(out, (uint8_t)c);
            continue;
        }
        bool hide = seen + tail + hidden >= digits && seen + tail < digits;
        buf_put_byte(out, hide ? '*' : (uint8_t)c);
        seen++;
    }
}

void mask_contact(struct slice contact, struct buf *out)
{
    size_t digits = 0;
    contact = slice_trim(contact);
    for (size_t i = 0; i < contact.len; i++)
        digits += contact.ptr[i] >= '0' && contact.ptr[i] <= '9';
    if (contact.len == 0)
        return;
    if (slice_find_byte(contact, '@') >= 0) {
        mask_email(contact, out);
    } else if (digits >= 5 && slice_find_byte(contact, '*') >= 0) {
        buf_put_slice(out, contact); /* came masked */
    } else if (digits >= 5) {
        mask_phone(contact, out);
    } else {
        put_first(contact, out);
        put_stars(out, 3);
    }
}
