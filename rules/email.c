/* email.c - e-mail addresses: syntax, provider rules, typing errors, mailboxes of nobody and of many. */
#include "daemon/base/utf8.h"
#include "rules/clean_intern.h"
#include "rules/domain.h"
#include "rules/text.h"

#define LOCAL_MAX_BYTES   64
#define ADDRESS_MAX_BYTES 254
#define COUNT(array)      (sizeof(array) / sizeof((array)[0]))

static bool in_list(struct slice s, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (s.len > 0 && list[i][0] == s.ptr[0] && slice_is(s, list[i]))
            return true;
    }
    return false;
}

static bool local_is_valid(struct slice local)
{
    if (local.len == 0 || local.len > LOCAL_MAX_BYTES || local.ptr[0] == '.' || local.ptr[local.len - 1] == '.')
        return false;
    for (size_t i = 0; i < local.len; i++) {
        unsigned char c = (unsigned char)local.ptr[i];
        if (c >= 0x80 || is_letter((char)c) || is_digit((char)c))
            continue;
        if (c == 0 || strchr("!#$%&'*+/=?^_`{|}~-.", c) == NULL)
            return false;
        if (c == '.' && local.ptr[i + 1] == '.')
            return false;
    }
    return true;
}

/* The providers that drop what follows a plus, by the first label or the whole domain. */
static bool drops_tags(struct slice domain)
{
    static const char *const whole[] = {"gmail.com", "icloud.com", "me.com", "mac.com", "fastmail.com", "fastmail.fm", "protonmail.com",
                                        "proton.me", "pm.me", "protonmail.ch", "msn.com", "zoho.com", "yandex.ru", "yandex.com", "hey.com", "passport.com"};
    static const char *const first[] = {"outlook", "hotmail", "live"};
    ptrdiff_t dot = slice_find_byte(domain, '.');
    return in_list(domain, whole, COUNT(whole)) ||
           (dot > 0 && in_list(slice_sub(domain, 0, (size_t)dot), first, COUNT(first)));
}

/* Two addresses that reach one mailbox become one. */
static struct slice provider_form(struct slice local, struct slice *domain, struct arena *arena)
{
    if (slice_is(*domain, "googlemail.com"))
        *domain = SLICE("gmail.com");
    if (!drops_tags(*domain))
        return local;
    ptrdiff_t plus = slice_find_byte(local, '+');
    if (plus > 0)
        local = slice_sub(local, 0, (size_t)plus);
    if (!slice_is(*domain, "gmail.com") || slice_find_byte(local, '.') < 0)
        return local;
    char *out = arena_alloc(arena, local.len + 1);
    size_t length = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    for (size_t i = 0; i < local.len; i++) {
        if (local.ptr[i] != '.')
            out[length++] = local.ptr[i];
    }
    return slice_of(out, length);
}

/* Domains one finger away from a provider's; only ones that are no provider themselves. */
static const char *domain_meant(struct slice domain)
{
    static const char *const typos[][2] = {
        {"gmial.com", "gmail.com"}, {"gmai.com", "gmail.com"}, {"gmil.com", "gmail.com"}, {"gamil.com", "gmail.com"}, {"gmaill.com", "gmail.com"},
        {"gmal.com", "gmail.com"}, {"gmail.co", "gmail.com"}, {"gmail.con", "gmail.com"}, {"gmail.cm", "gmail.com"}, {"gmail.om", "gmail.com"},
        {"gmail.comm", "gmail.com"}, {"gnail.com", "gmail.com"}, {"gmail.cn", "gmail.com"}, {"ggmail.com", "gmail.com"}, {"gmail.vom", "gmail.com"},
        {"hotmial.com", "hotmail.com"}, {"hotmai.com", "hotmail.com"}, {"hotmal.com", "hotmail.com"}, {"hotmail.con", "hotmail.com"},
        {"hotmail.co", "hotmail.com"}, {"hotmil.com", "hotmail.com"}, {"homtail.com", "hotmail.com"}, {"hotamil.com", "hotmail.com"},
        {"yaho.com", "yahoo.com"}, {"yahooo.com", "yahoo.com"}, {"yahoo.con", "yahoo.com"}, {"yhaoo.com", "yahoo.com"}, {"yhoo.com", "yahoo.com"},
        {"outlok.com", "outlook.com"}, {"outlook.con", "outlook.com"}, {"outloo.com", "outlook.com"}, {"oulook.com", "outlook.com"}, {"outllok.com", "outlook.com"},
        {"iclould.com", "icloud.com"}, {"icloud.con", "icloud.com"}, {"iclud.com", "icloud.com"}, {"icoud.com", "icloud.com"},
        {"qq.con", "qq.com"}, {"qq.co", "qq.com"}, {"qq.cm", "qq.com"}, {"qq.cn", "qq.com"}, {"qq.comm", "qq.com"}, {"qqq.com", "qq.com"}, {"qq.vom", "qq.com"},
        {"163.con", "163.com"}, {"163.co", "163.com"}, {"163.cm", "163.com"}, {"163.cn", "163.com"}, {"16.com", "163.com"}, {"126.con", "126.com"},
        {"126.co", "126.com"}, {"126.cm", "126.com"}, {"126.cn", "126.com"}, {"foxmial.com", "foxmail.com"}, {"foxmail.con", "foxmail.com"}, {"foxmai.com", "foxmail.com"},
        {"sina.con", "sina.com"}, {"139.con", "139.com"}, {"gmx.ed", "gmx.de"}, {"wbe.de", "web.de"}, {"t-online.ed", "t-online.de"}, {"protonmial.com", "protonmail.com"},
    };
    for (size_t i = 0; i < COUNT(typos); i++) {
        if (typos[i][0][0] == domain.ptr[0] && slice_is(domain, typos[i][0]))
            return typos[i][1];
    }
    return NULL;
}

static bool names_nobody(struct slice local, struct slice domain)
{
    static const char *const locals[] = {"test", "tests", "testing", "tester", "noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply",
                                         "none", "na", "n-a", "null", "nobody", "noone", "noemail", "no-email", "nomail", "noname", "asdf", "asd", "asdasd",
                                         "qwerty", "qwe", "abc", "aaa", "xxx", "xx", "fake", "dummy", "anonymous", "unknown", "example", "sample",
                                         "email", "mail@mail", "user", "username", "name", "yourname", "your-email", "youremail", "test1", "test123", "123", "1234", "12345",
                                         "123456", "123456789", "111", "1111", "11111", "111111", "mailer-daemon", "devnull", "undefined"};
    static const char *const reserved[] = {"invalid", "localhost", "local"};
    static const char *const domains[] = {"test.com", "test.test", "noemail.com", "none.com", "email.com.test", "mailinator.com", "a.a", "a.com", "aa.com.test",
                                          "asdf.com", "abc.abc", "nomail.com", "null.com", "domain.com", "yourdomain.com", "sharklasers.com", "guerrillamail.com", "yopmail.com",
                                          "10minutemail.com", "trashmail.com", "tempmail.com", "temp-mail.org", "fake.com", "none.none"};
    ptrdiff_t dot = slice_find_byte(domain, '.');
    struct slice first = slice_sub(domain, 0, dot < 0 ? domain.len : (size_t)dot);
    const char *last = memrchr(domain.ptr, '.', domain.len);
    struct slice top = last ? slice_sub(domain, (size_t)(last - domain.ptr) + 1, domain.len) : domain;
    bool same_letter = local.len > 2;
    for (size_t i = 1; i < local.len && same_letter; i++)
        same_letter = local.ptr[i] == local.ptr[0];
    return in_list(local, locals, COUNT(locals)) || in_list(domain, domains, COUNT(domains)) ||
           in_list(top, reserved, COUNT(reserved)) || slice_starts(local, SLICE("noreply")) || slice_starts(local, SLICE("no-reply")) ||
           same_letter || (slice_eq(local, first) && first.len <= 3);
}

static bool is_role(struct slice local)
{
    static const char *const roles[] = {"info", "sales", "support", "admin", "administrator", "contact", "office", "hr", "marketing", "service", "services", "help", "hello",
                                        "billing", "accounts", "accounting", "webmaster", "postmaster", "hostmaster", "abuse", "noc", "security", "kontakt", "vertrieb", "buchhaltung",
                                        "rechnung", "bestellung", "kefu", "jobs", "careers", "team", "press", "mail", "enquiries", "inquiries", "enquiry", "orders", "order", "purchasing",
                                        "procurement", "finance", "legal", "feedback", "customerservice", "customer.service", "reception", "bookings", "booking", "reservations",
                                        "shop", "store", "welcome", "general", "business", "export", "import", "contacto", "ventas", "commercial", "direction", "caigou", "xiaoshou", "caiwu", "market"};
    return in_list(local, roles, COUNT(roles));
}

/* "Li Wei <li@example.com>": the address, and the name in *name. */
static struct slice take_display_name(struct slice s, struct slice *name)
{
    *name = SLICE_EMPTY;
    const char *open = s.len ? memrchr(s.ptr, '<', s.len) : NULL;
    if (open == NULL)
        return s;
    struct slice inside = slice_of(open + 1, s.len - (size_t)(open + 1 - s.ptr));
    ptrdiff_t close = slice_find_byte(inside, '>');
    if (close < 0 || slice_find_byte(slice_sub(inside, 0, (size_t)close), '@') < 0)
        return s;
    struct slice before = text_unguard(slice_sub(s, 0, (size_t)(open - s.ptr)));
    if (slice_find_byte(before, '@') < 0)
        *name = before;
    return text_trim(slice_sub(inside, 0, (size_t)close));
}

static struct slice strip_edges(struct slice s)
{
    s = text_trim(s);
    if (s.len >= 7 && slice_eq_nocase(slice_sub(s, 0, 7), SLICE("mailto:"))) {
        s = slice_sub(s, 7, s.len);
        ptrdiff_t query = slice_find_byte(s, '?');
        if (query > 0)
            s = slice_sub(s, 0, (size_t)query);
    }
    while (s.len > 0 && strchr(" .,;:<>()[]\"'", s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && strchr(" ,;:<>()[]\"'", s.ptr[0]))
        s = slice_sub(s, 1, s.len);
    return s;
}

struct address {
    struct slice value;
    uint16_t flags;
    const char *issue;
    struct slice suggestion;
    struct slice role;
};

static struct address read_address(struct slice s, struct arena *arena)
{
    struct address result = {.value = s, .suggestion = SLICE_EMPTY, .role = SLICE_EMPTY};
    const char *at = s.len ? memrchr(s.ptr, '@', s.len) : NULL;
    if (memmem(s.ptr, s.len, "**", 2)) {
        result.flags = VALUE_MASKED;
        return result;
    }
    struct slice local = at ? slice_of(s.ptr, (size_t)(at - s.ptr)) : SLICE_EMPTY;
    struct slice domain = at ? slice_sub(s, local.len + 1, s.len) : SLICE_EMPTY;
    local = text_fold(local, arena);
    domain = domain_canonical(domain, arena);
    if (!local_is_valid(local) || domain.len == 0 || local.len + domain.len + 1 > ADDRESS_MAX_BYTES) {
        result.flags = VALUE_INVALID;
        result.issue = "email.syntax";
        return result;
    }
    const char *meant = domain_meant(domain);
    if (meant) {
        result.issue = "email.domain_typo";
        result.suggestion = slice_str(meant);
    }
    local = provider_form(local, &domain, arena);
    if (names_nobody(local, domain))
        result.flags |= VALUE_NOBODY;
    else if (is_role(local))
        result.role = local;
    char *out = arena_alloc(arena, local.len + domain.len + 2);
    if (out == NULL)
        return result;
    memcpy(out, local.ptr, local.len);
    out[local.len] = '@';
    memcpy(out + local.len + 1, domain.ptr, domain.len);
    result.value = slice_of(out, local.len + domain.len + 1);
    return result;
}

/* The end of the first address in a cell of several: at ; , / | or a space after an @. */
static size_t first_end(struct slice s)
{
    bool at = false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '@')
            at = true;
        else if (at && strchr(";,/| ", s.ptr[i]))
            return i;
    }
    return s.len;
}

void clean_email(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    (void)context;
    struct slice name, s = text_clean(input, false, arena);
    s = take_display_name(s, &name);
    s = strip_edges(s);
    if (s.len > 0 && memchr(s.ptr, '@', s.len) == NULL && slice_find(s, SLICE("(at)")) < 0 && s.len > 1024)
        s.len = 0;
    if (s.len == 0) {
        cleaned_invalid(out, text_clean(input, false, arena), "email.syntax");
        return;
    }
    for (int i = 0; i < 4 && s.len > 0; i++) {
        size_t end = first_end(s);
        struct slice rest = strip_edges(slice_sub(s, end, s.len));
        if (rest.len > 0 && memchr(rest.ptr, '@', rest.len) == NULL) {
            end = s.len; /* no second address: the whole is judged */
            rest = SLICE_EMPTY;
        }
        struct address address = read_address(strip_edges(slice_sub(s, 0, end)), arena);
        if (address.issue)
            cleaned_add_issue(out, address.issue, address.suggestion);
        if (i == 0) {
            out->value = address.value;
            out->flags |= address.flags;
            cleaned_add_side(out, SIDE_EMAIL_ROLE, 0, address.role);
        } else {
            cleaned_add_side(out, SIDE_ANOTHER, address.flags, address.value);
        }
        s = strip_edges(slice_sub(rest, 0, rest.len));
    }
    cleaned_add_side(out, SIDE_FULL_NAME, 0, name);
}
