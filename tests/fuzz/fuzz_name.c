/* fuzz_name.c - any bytes as a person's name, whole and in two fields. */
#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "rules/han.h"
#include "rules/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_folded(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == ' ' && i > 0)))
            abort();
    }
}

static void check_parts(const struct name_parts *parts)
{
    const struct slice texts[] = {parts->display, parts->family, parts->given, parts->title, parts->suffix, parts->note};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].ptr == NULL || !utf8_valid(texts[i]))
            abort();
    }
    check_folded(parts->family_folded);
    check_folded(parts->given_folded);
    if (parts->token_count > NAME_TOKENS_MAX)
        abort();
    for (size_t i = 0; i < parts->token_count; i++)
        check_folded(parts->tokens[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 << 20);
    struct name_parts parts;
    struct slice text = slice_of((const char *)data, size), syllables[8];
    name_parse(text, arena, &parts);
    check_parts(&parts);
    for (size_t i = 0; i < parts.token_count; i++) {
        uint16_t groups[NICKNAME_GROUPS_MAX];
        name_nickname_groups(parts.tokens[i], groups);
        if (strlen(name_phonetic(parts.tokens[i]).code) >= NAME_PHONETIC_MAX)
            abort();
        pinyin_split(parts.tokens[i], syllables, 8);
    }
    size_t middle = size / 2;
    name_parse_split(slice_sub(text, 0, middle), slice_sub(text, middle, size), arena, &parts);
    check_parts(&parts);
    pinyin_split(text, syllables, 8);
    han_homophone_hash(text);
    arena_free(&arena);
    return 0;
}
