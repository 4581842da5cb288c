/*
 * match.h - what two records say of each other: blocking keys, comparisons, Fellegi-Sunter weight.
 *
 * A matcher is the immutable compiled model of one generation: m and u per comparison level, term
 * frequencies, thresholds. *Features* are the packed comparison values of one record: a
 * self-contained run of bytes (goal: some 100) that the candidate index keeps, and from which keys
 * and scores are computed without the record. Everything here is a pure function; no clock, no I/O.
 */
#ifndef TRIBUTARY_RULES_MATCH_H
#define TRIBUTARY_RULES_MATCH_H

#include "daemon/base/buf.h"
#include "daemon/base/yaml.h"
#include "rules/record.h"

struct matcher;

struct match_settings {
    double link_probability;   /* at or above: linked (default 0.95) */
    double review_probability; /* at or above, below link: a person decides (default 0.70) */
};

/* `model` is a model file's text (the shipped one lies in rules/models/people.yaml). `model_name` is for
 * messages and must outlive `problems`. NULL when a problem was added. */
struct matcher *matcher_new(const struct schema *schema, const char *model_name, struct slice model,
                            const struct match_settings *settings, struct problems *problems);
/* One that also compares the canonical fields (job_title, province ...) that only a trained model knows the worth of. */
struct matcher *matcher_new_for_training(const struct schema *schema, const char *model_name, struct slice model,
                                         const struct match_settings *settings, struct problems *problems);
void matcher_free(struct matcher **matcher);
/* Of everything that decides features, keys and scores: features packed under another one must be packed again. */
uint64_t matcher_fingerprint(const struct matcher *matcher);
double matcher_link_weight(const struct matcher *matcher);   /* log2 odds */
double matcher_review_weight(const struct matcher *matcher);
double weight_to_probability(double weight);

#define FEATURES_MAX_BYTES 2048
#define MATCH_KEYS_MAX     64 /* the graph keeps sets of them in 64 bits */
#define COMPARISONS_MAX    40

/* What stands for a space in features and keys: a hash of its name, the same in every process. Two spaces in use whose
 * keys are equal are refused when the daemon starts. */
uint32_t space_key_of(struct slice name);

/* Packs a clean record (kind and space go in: records of different kind or space share no key). Values that
 * are no evidence are left out. At most FEATURES_MAX_BYTES are appended. Of a giant value only its start is looked at (but of an account,
 * all), so that any record finds room in the scratch. */
void features_pack(const struct matcher *matcher, const struct clean_record *clean,
                   uint32_t space_key, struct buf *out);
/* The same for who packs many: `scratch` is for its own use, at least FEATURES_SCRATCH_BYTES, to be reset now and then. */
#define FEATURES_SCRATCH_BYTES ((size_t)8 << 20) /* taken as it is needed: some KB for usual records */
void features_pack_using(const struct matcher *matcher, const struct clean_record *clean, uint32_t space_key,
                         struct arena *scratch, struct buf *out);

/* Whether features are in the form this program packs, and of that space; others must be packed again. */
bool features_fit(struct slice features, uint32_t space_key);

/* How many records a key may bring together; beyond, it is dead. A value's degree is evidence, so it may be shared by
 * a whole household's or customer's records. A combination is there to find pairs, and finds as many again each time
 * the whole doubles: the less its parts say, the sooner more holders are more strangers. With these numbers and
 * 200,000 to 1,000,000 generated records, 0.0002 of the true pairs are no longer judged, and the customers found are
 * the same but for 0.0001 of the pairs (docs/performance.md). */
enum key_class {
    KEY_CLASS_VALUE,   /* a phone, an e-mail, an address: dead above 64 names, too */
    KEY_CLASS_COMPANY, /* a company's name or domain */
    KEY_CLASS_NARROW,  /* a name with something of the person's: a date, the end of a phone, a street */
    KEY_CLASS_LOOSE,   /* a name with what thousands share: a city, a year */
    KEY_CLASS_WEAK,    /* two hints: a word with a street, the start of a mailbox */
};
#define KEY_CLASS_BITS 3 /* the lowest ones of a key's hash */
/* Part of a matcher's fingerprint: to be raised whenever other keys are made, or others are dead. */
#define KEYS_LAYOUT 3
static inline enum key_class key_class_of(uint64_t hash)
{
    return (enum key_class)(hash & ((1U << KEY_CLASS_BITS) - 1));
}
static inline uint64_t key_hash_of_class(uint64_t hash, enum key_class class)
{
    return hash >> KEY_CLASS_BITS << KEY_CLASS_BITS | (uint64_t)class;
}
static inline uint32_t key_records_max(uint64_t hash)
{
    static const uint16_t most[1U << KEY_CLASS_BITS] = {
        [KEY_CLASS_VALUE] = 1000, [KEY_CLASS_COMPANY] = 256, [KEY_CLASS_NARROW] = 64,
        [KEY_CLASS_LOOSE] = 16,   [KEY_CLASS_WEAK] = 8};
    return most[key_class_of(hash)];
}

/* A blocking key. `is_value` keys (KEY_CLASS_VALUE) stand for one shared value, whose degree matters as evidence; the
 * others are combinations. */
struct match_key {
    uint64_t hash;
    uint8_t kind; /* which key of the model; names via matcher_key_name */
    bool is_value;
};

/* The record's keys, sorted by hash, without doubles; returns how many (<= MATCH_KEYS_MAX). */
size_t features_keys(const struct matcher *matcher, struct slice features,
                     struct match_key keys[MATCH_KEYS_MAX]);
/* Features with what follows from them alone, made once on whatever thread: their keys and their name key. */
struct keyed_features {
    struct slice features;
    uint64_t name_key;
    size_t key_count;
    const struct match_key *keys; /* as features_keys gives them */
};
/* What degree counts: equal for records whose person name is the same to a matcher (order, script
 * and case folded, most slips and second names too); a record without a whole name (none, 王总, J.,
 * a chat name) has 0, which counts as one name. */
uint64_t features_name_key(struct slice features);
/* Hash of the valid national id (person) or credit code (company); 0 when there is none. Two different
 * non-zero ones of a person never stand in one customer. */
uint64_t features_identity(struct slice features);
enum record_kind features_kind(struct slice features);
const char *matcher_key_name(const struct matcher *matcher, uint8_t kind);

/* degree(value) in power-of-two bands: 1 -> 0, 2 -> 1, 3..4 -> 2, 5..8 -> 3 ... 33..64 -> 6, above -> DEGREE_DEAD. */
#define DEGREE_DEAD 7
static inline uint8_t degree_band(uint32_t degree)
{
    return degree <= 1 ? 0 : degree > 64 ? DEGREE_DEAD : (uint8_t)(32 - __builtin_clz(degree - 1));
}

struct shared_key { /* a key that both records hold */
    uint64_t hash;
    uint8_t kind;
    uint8_t band; /* of a value's degree among the live records; of a combination 0 or DEGREE_DEAD */
};

struct comparison_result {
    uint8_t comparison; /* names via matcher_comparison_name */
    uint8_t level;      /* names via matcher_level_name; 0 is "else" (disagree) */
    uint8_t band;       /* the degree band that weakened it; 0 when none */
    float weight;       /* log2(m/u), term frequency and band included */
};

struct match_result {
    double weight;      /* log2 odds, prior included */
    size_t count;
    struct comparison_result comparisons[COMPARISONS_MAX]; /* only those with evidence */
};

/* Judges two records. Symmetric to the last bit: (a, b) and (b, a) give the same result. `shared` are all values both
 * hold, dead ones with DEGREE_DEAD; one whose key is not there is dead. NULL: degrees are not known, values count
 * in full. */
void match_score(const struct matcher *matcher, struct slice features_a, struct slice features_b,
                 const struct shared_key *shared, size_t shared_count, struct match_result *result);

double matcher_prior_weight(const struct matcher *matcher);
size_t matcher_comparison_count(const struct matcher *matcher);
const char *matcher_comparison_name(const struct matcher *matcher, uint8_t comparison);
const char *matcher_level_name(const struct matcher *matcher, uint8_t comparison, uint8_t level);

/* How alike two single values of a type are, 0 to 1, for `tributary score`. */
double match_similarity(const struct matcher *matcher, enum field_type type, struct slice a,
                        struct slice b);

#endif
