/* phone_shim.cc - see phone_shim.h. */
#include "rules/phone_shim.h"

#include <cstdio>
#include <string>

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static PhoneNumberUtil *library()
{
    /* The library prints its complaints about input to stdout unless told otherwise. */
    static PhoneNumberUtil *const util = [] {
        PhoneNumberUtil *made = PhoneNumberUtil::GetInstance();
        made->SetLogger(new i18n::phonenumbers::NullLogger());
        return made;
    }();
    return util;
}

static enum phone_verdict parse(const char *text, size_t len, const char *region, struct phone_parsed *parsed)
{
    PhoneNumber number;
    switch (library()->Parse(std::string(text, len), region[0] ? region : "ZZ", &number)) {
    case PhoneNumberUtil::NO_PARSING_ERROR:
        break;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        return region[0] ? PHONE_INVALID : PHONE_NO_COUNTRY;
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN:
        return PHONE_TOO_SHORT;
    case PhoneNumberUtil::TOO_LONG_NSN:
        return PHONE_TOO_LONG;
    default:
        return PHONE_INVALID;
    }
    if (!library()->IsValidNumber(number)) {
        switch (library()->IsPossibleNumberWithReason(number)) {
        case PhoneNumberUtil::TOO_SHORT:
            return PHONE_TOO_SHORT;
        case PhoneNumberUtil::TOO_LONG:
            return PHONE_TOO_LONG;
        default:
            return PHONE_INVALID;
        }
    }
    std::string e164;
    library()->Format(number, PhoneNumberUtil::E164, &e164);
    if (e164.size() >= sizeof(parsed->e164) || number.extension().size() >= sizeof(parsed->extension))
        return PHONE_TOO_LONG;
    std::snprintf(parsed->e164, sizeof(parsed->e164), "%s", e164.c_str());
    std::snprintf(parsed->extension, sizeof(parsed->extension), "%s", number.extension().c_str());
    return PHONE_VALID;
}

enum phone_verdict phone_library_parse(const char *text, size_t len, const char *region,
                                       struct phone_parsed *parsed)
{
    try {
        parsed->e164[0] = parsed->extension[0] = '\0';
        return parse(text, len, region, parsed);
    } catch (...) {
        return PHONE_INVALID;
    }
}
