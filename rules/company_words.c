/*
 * company_words.c - company names in Latin letters, word by word: "Hotel Bel Air" is "Bel Air Hotel", "Erie House" may
 * be "Erie Neighborhood House". Words that every second company bears say nothing.
 */
#include "rules/compare.h"

#define WORDS_MAX          16
#define SLIP_LETTERS       5 /* of a word in which one slip is no other word */
#define ENOUGH_LETTERS     8 /* of shared words that are theirs alone: then a part of a name is that name */
#define SHORT_FORM_LETTERS 3 /* dev for development */

struct company_words {
    size_t count;
    struct slice list[WORDS_MAX];
    bool own[WORDS_MAX]; /* not one of those that many bear */
    size_t own_letters;
};

static bool is_common_word(struct slice word)
{
    /* In the order of slice_cmp. */
    static const struct slice words[] = {
        SLICE("a"), SLICE("agency"), SLICE("and"), SLICE("association"), SLICE("at"), SLICE("bank"), SLICE("bar"), SLICE("cafe"),
        SLICE("care"), SLICE("center"), SLICE("centre"), SLICE("church"), SLICE("city"), SLICE("clinic"),
        SLICE("college"), SLICE("community"), SLICE("company"), SLICE("consulting"), SLICE("corporation"), SLICE("de"),
        SLICE("del"), SLICE("der"), SLICE("die"), SLICE("engineering"), SLICE("enterprises"), SLICE("for"), SLICE("foundation"),
        SLICE("global"), SLICE("group"), SLICE("health"), SLICE("hospital"), SLICE("hotel"), SLICE("house"),
        SLICE("industries"), SLICE("institute"), SLICE("international"), SLICE("la"), SLICE("le"),
        SLICE("logistics"), SLICE("management"), SLICE("media"), SLICE("national"), SLICE("of"), SLICE("office"), SLICE("on"),
        SLICE("partners"), SLICE("public"), SLICE("restaurant"), SLICE("school"), SLICE("schools"), SLICE("service"),
        SLICE("services"), SLICE("shop"), SLICE("solutions"), SLICE("store"), SLICE("studio"), SLICE("systems"),
        SLICE("technologies"), SLICE("technology"), SLICE("the"), SLICE("trading"), SLICE("und"), SLICE("united"),
        SLICE("university"), SLICE("y"),
    };
    return slice_in_sorted(word, words, sizeof(words) / sizeof(words[0]));
}

static void split(struct slice core, struct company_words *words)
{
    words->count = name_words(core, words->list, WORDS_MAX);
    words->own_letters = 0;
    for (size_t i = 0; i < words->count; i++) {
        words->own[i] = !is_common_word(words->list[i]);
        words->own_letters += words->own[i] ? words->list[i].len : 0;
    }
}

static bool is_number(struct slice word)
{
    return word.len > 0 && word.ptr[0] >= '0' && word.ptr[0] <= '9';
}

static bool same_word(struct slice a, struct slice b)
{
    struct slice shorter = a.len < b.len ? a : b, longer = a.len < b.len ? b : a;

    if (slice_eq(a, b))
        return true;
    if (is_number(a) || is_number(b))
        return false;
    return (shorter.len >= SHORT_FORM_LETTERS && slice_starts(longer, shorter)) ||
           (shorter.len >= SLIP_LETTERS && edit_distance(a, b, 1) <= 1);
}

/* Words of one beside those of the other, each once; the letters of what they share that is theirs alone, and how many
 * such words of either are left over. */
struct shared_words {
    size_t letters, own_left_a, own_left_b, left;
};

static struct shared_words share(const struct company_words *a, const struct company_words *b)
{
    struct shared_words shared = {0};
    bool used[WORDS_MAX] = {false};

    for (size_t i = 0; i < a->count; i++) {
        size_t best = b->count;
        for (size_t k = 0; k < b->count; k++) { /* the same word before one like it */
            if (used[k] || !same_word(a->list[i], b->list[k]))
                continue;
            if (best == b->count || slice_eq(a->list[i], b->list[k]))
                best = k;
            if (slice_eq(a->list[i], b->list[k]))
                break;
        }
        if (best == b->count) {
            shared.left++;
            shared.own_left_a += a->own[i];
            continue;
        }
        used[best] = true;
        if (a->own[i] && b->own[best])
            shared.letters += a->list[i].len < b->list[best].len ? a->list[i].len : b->list[best].len;
    }
    for (size_t k = 0; k < b->count; k++) {
        shared.left += !used[k];
        shared.own_left_b += !used[k] && b->own[k];
    }
    return shared;
}

enum company_level company_words_level(struct slice a, struct slice b)
{
    struct company_words left, right;

    bool turned = slice_cmp(a, b) > 0; /* which word goes with which hangs on who asks: so it is always the same one */
    split(turned ? b : a, &left);
    split(turned ? a : b, &right);
    struct shared_words shared = share(&left, &right);
    size_t least = left.own_letters < right.own_letters ? left.own_letters : right.own_letters;
    if (shared.letters == 0)
        return COMPANY_ELSE;
    if (shared.left == 0)
        return COMPANY_SIMILAR;
    if ((shared.own_left_a == 0 || shared.own_left_b == 0) && shared.letters >= ENOUGH_LETTERS)
        return COMPANY_CONTAINED;
    return shared.letters * 2 >= least ? COMPANY_WORDS : COMPANY_ELSE;
}

uint64_t company_words_hash(struct slice core)
{
    struct company_words words;
    uint64_t sum = 0; /* in whatever order */
    size_t count = 0;

    split(core, &words);
    for (size_t i = 0; i < words.count; i++) {
        if (!words.own[i] || (uint8_t)words.list[i].ptr[0] >= 0x80)
            continue;
        sum += slice_hash(words.list[i], 1);
        count++;
    }
    return count >= 2 ? sum | 1 : 0;
}
