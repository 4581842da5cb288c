/*
 * generate: customers with a known truth, as users' files really look.
 *
 *   cc -O2 -o build/bench/generate tests/bench/generate.c -lm
 *   generate --population chinese|western|mixed --records N --seed S
 *            --noise light|default|heavy --format single|sources [--evidence] --out DIRECTORY
 *
 * Writes into DIRECTORY (made if absent): customers.csv (single) or crm.csv, shop.csv, landing.csv,
 * summit.csv, loyalty.csv (sources); truth.csv with `id,entity,reachable_group`; and, if asked,
 * evidence.csv: per record and attribute the true value it speaks of (a number) and how well that
 * survived (`=` exactly, `~` nearly, `?` in part; empty: not at all).
 *
 * The same options give the same bytes. Depends on libc and libm only. README.md beside this file
 * says what is in the data; generate_reach.h defines the reachable bound.
 *
 * How: people are never kept. A first pass finds how many records each leaves and settles who got
 * which e-mail address first; a second notes which values more than one customer carries; a third
 * groups the records of each customer by sufficient evidence; the last writes rows by time.
 */
#include <errno.h>
#include <sys/stat.h>

#include "generate_reach.h"
#include "generate_render.h"

struct options {
    enum population population;
    enum noise noise;
    uint64_t seed;
    uint32_t records;
    bool sources, evidence;
    const char *directory;
};

struct entity {
    uint32_t household;
    uint8_t count;    /* records of this customer */
    uint8_t attempts; /* two bits for each e-mail slot, see email_address */
};

struct row {
    uint32_t time, entity, group;
    uint32_t k;
};

struct book {
    struct world world;
    struct options options;
    struct entity *entities;
    uint32_t entity_count, entity_capacity;
    uint32_t *first_entity; /* by household */
    uint32_t household_count, household_capacity;
    struct row *rows;
};

enum column {
    COLUMN_ID,
    COLUMN_SOURCE,
    COLUMN_FULL_NAME,
    COLUMN_GIVEN_NAME,
    COLUMN_FAMILY_NAME,
    COLUMN_EMAIL,
    COLUMN_PHONE,
    COLUMN_COMPANY,
    COLUMN_JOB_TITLE,
    COLUMN_ADDRESS,
    COLUMN_DISTRICT,
    COLUMN_CITY,
    COLUMN_PROVINCE,
    COLUMN_POSTAL_CODE,
    COLUMN_COUNTRY,
    COLUMN_BIRTH_DATE,
    COLUMN_GENDER,
    COLUMN_WECHAT_ID,
    COLUMN_REGISTERED_AT,
    COLUMN_COUNT
};

static const char *const english_headers[COLUMN_COUNT] = {
    "id",      "source",     "full_name", "given_name", "family_name",  "email",    "phone",
    "company", "job_title",  "address",   "district",   "city",         "province", "postal_code",
    "country", "birth_date", "gender",    "wechat_id",  "registered_at"};
static const char *const chinese_headers[COLUMN_COUNT] = {
    "id",   "来源", "姓名", "名",   "姓",   "邮箱",     "手机", "公司",   "职位",    "地址",
    "区县", "城市", "省份", "邮编", "国家", "出生日期", "性别", "微信号", "注册时间"};

/* Columns of each source's file, as letters of column_letters. */
static const char column_letters[] = "isfgnepcjadtrzobxwR";
static const char *const source_columns[SOURCE_COUNT] = {
    "ifepcjatroxbwR", "ignepcadtrzobxR", "ifepcjtrowxR", "ifepcjtrowxR", "ignepcadtrzobxwR"};

static void usage(void)
{
    fprintf(stderr,
            "usage: generate --out DIRECTORY [--population chinese|western|mixed] [--records N]\n"
            "                [--seed S] [--noise light|default|heavy] [--format single|sources]\n"
            "                [--evidence]\n");
    exit(64);
}

/* The index of `value` among `words`; ends the program when it is none of them. */
static unsigned choice(const char *option, const char *value, const char *const *words,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(value, words[i]) == 0)
            return i;
    }
    fprintf(stderr, "generate: %s does not know '%s'\n", option, value);
    exit(64);
}

static uint64_t number_option(const char *option, const char *value, uint64_t maximum)
{
    char *end;

    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno || *end || end == value || value[0] == '-' || number > maximum) {
        fprintf(stderr, "generate: %s takes a number up to %llu, not '%s'\n", option,
                (unsigned long long)maximum, value);
        exit(64);
    }
    return number;
}

static struct options parse_options(int argc, char **argv)
{
    static const char *const populations[] = {"chinese", "western", "mixed"};
    static const char *const noises[] = {"light", "default", "heavy"};
    static const char *const formats[] = {"single", "sources"};
    struct options o = {POPULATION_MIXED, NOISE_DEFAULT, 1, 10000, false, false, NULL};

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(name, "--evidence") == 0) {
            o.evidence = true;
            continue;
        }
        if (!value)
            usage();
        if (strcmp(name, "--population") == 0)
            o.population = (enum population)choice(name, value, populations, 3);
        else if (strcmp(name, "--noise") == 0)
            o.noise = (enum noise)choice(name, value, noises, 3);
        else if (strcmp(name, "--format") == 0)
            o.sources = choice(name, value, formats, 2) == 1;
        else if (strcmp(name, "--records") == 0)
            o.records = (uint32_t)number_option(name, value, 20000000);
        else if (strcmp(name, "--seed") == 0)
            o.seed = number_option(name, value, UINT64_MAX);
        else if (strcmp(name, "--out") == 0)
            o.directory = value;
        else
            usage();
        i++;
    }
    if (!o.directory || o.records == 0)
        usage();
    return o;
}

/* A set of 64-bit hashes that grows. */
struct hash_set {
    uint64_t *items;
    size_t mask, used;
};

/* Adds `item`; false when it was there. */
static bool hash_set_add(struct hash_set *set, uint64_t item)
{
    if (set->used * 4 >= set->mask * 3) {
        struct hash_set bigger = {NULL, set->mask ? set->mask * 2 + 1 : 4095, 0};

        bigger.items = must_allocate(bigger.mask + 1, sizeof(*bigger.items));
        for (size_t i = 0; set->items && i <= set->mask; i++) {
            if (set->items[i])
                hash_set_add(&bigger, set->items[i]);
        }
        free(set->items);
        *set = bigger;
    }
    item = item ? item : 1;
    size_t i = (size_t)item & set->mask;

    while (set->items[i] && set->items[i] != item)
        i = (i + 1) & set->mask;
    if (set->items[i])
        return false;
    set->items[i] = item;
    set->used++;
    return true;
}

/* A mailbox as a number. The dots of a Gmail address do not tell mailboxes apart. */
static uint64_t mailbox_hash(const struct text *t)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a, finished by mix */
    bool google = strstr(t->bytes, "@gmail.com") != NULL;

    for (size_t i = 0; i < t->length; i++) {
        if (!google || t->bytes[i] != '.')
            h = (h ^ (unsigned char)t->bytes[i]) * UINT64_C(0x100000001b3);
    }
    return mix(h);
}

/* First come, first served: the attempts with which the person gets addresses nobody has. */
static uint8_t claim_emails(struct book *book, const struct person *p, struct hash_set *taken)
{
    unsigned attempts = 0;

    for (unsigned slot = 0; slot < EMAIL_SLOTS; slot++) {
        struct text address;
        unsigned attempt = 0;

        if (slot >= 2 && p->company[slot - 2] == NO_COMPANY)
            continue;
        for (; attempt < 3; attempt++) {
            email_address(&book->world, p, slot, attempt, &address);
            if (hash_set_add(taken, mailbox_hash(&address)))
                break;
        }
        attempts |= (attempt < 3 ? attempt : 2U) << (2 * slot);
    }
    return (uint8_t)attempts;
}

static void *must_grow(void *memory, size_t count, size_t size)
{
    memory = realloc(memory, count * size);
    if (!memory) {
        fprintf(stderr, "generate: out of memory for %zu bytes\n", count * size);
        exit(1);
    }
    return memory;
}

static void settle_people(struct book *book)
{
    struct hash_set taken = {0};
    uint32_t left = book->options.records;

    while (left > 0) {
        struct household h;

        if (book->household_count == book->household_capacity) {
            book->household_capacity = book->household_capacity * 2 + 1024;
            book->first_entity = must_grow(book->first_entity, book->household_capacity,
                                           sizeof(*book->first_entity));
        }
        if (book->entity_count + HOUSEHOLD_MAX > book->entity_capacity) {
            book->entity_capacity = book->entity_capacity * 2 + 1024;
            book->entities =
                must_grow(book->entities, book->entity_capacity, sizeof(*book->entities));
        }
        book->first_entity[book->household_count] = book->entity_count;
        household_make(&book->world, book->household_count, book->entity_count, &h);
        for (unsigned i = 0; i < h.count; i++) {
            unsigned count = record_count_of(&book->world, h.persons[i].entity);
            struct entity *e = &book->entities[book->entity_count++];

            e->household = book->household_count;
            e->count = (uint8_t)(count < left ? count : left);
            e->attempts = claim_emails(book, &h.persons[i], &taken);
            left -= e->count;
        }
        book->household_count++;
    }
    free(taken.items);
}

/* Calls for every customer in turn with the plans of all its records. */
static void each_customer(struct book *book,
                          void (*visit)(struct book *, struct holders *, const struct plan *,
                                        unsigned),
                          struct holders *holders)
{
    for (uint32_t number = 0; number < book->household_count; number++) {
        struct household h;

        household_make(&book->world, number, book->first_entity[number], &h);
        for (unsigned i = 0; i < h.count; i++) {
            unsigned count = book->entities[h.persons[i].entity].count;
            struct plan plans[RECORDS_PER_CUSTOMER_MAX];

            for (unsigned k = 0; k < count; k++)
                plan_make(&book->world, &h.persons[i], k, book->options.noise, &plans[k]);
            visit(book, holders, plans, count);
        }
    }
}

static void note_customer(struct book *book, struct holders *holders, const struct plan *plans,
                          unsigned count)
{
    (void)book;
    for (unsigned k = 0; k < count; k++)
        reach_note(holders, &plans[k]);
}

static uint32_t rows_made, groups_made;

static void group_customer(struct book *book, struct holders *holders, const struct plan *plans,
                           unsigned count)
{
    unsigned group[RECORDS_PER_CUSTOMER_MAX];
    uint32_t number[RECORDS_PER_CUSTOMER_MAX];

    reach_groups(holders, plans, count, group);
    for (unsigned k = 0; k < count; k++) {
        number[k] = group[k] == k ? ++groups_made : number[group[k]];
        book->rows[rows_made++] =
            (struct row){plans[k].time, plans[k].person->entity, number[k], k};
    }
}

static int row_compare(const void *left, const void *right)
{
    const struct row *a = left, *b = right;

    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->entity != b->entity)
        return mix(a->entity) < mix(b->entity) ? -1 : 1;
    return a->k < b->k ? -1 : a->k > b->k;
}

static FILE *open_output(const struct options *o, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", o->directory, name);
    file = fopen(path, "w");
    if (!file) {
        fprintf(stderr, "generate: cannot write %s: %s\n", path, strerror(errno));
        exit(1);
    }
    setvbuf(file, NULL, _IOFBF, 1 << 18);
    return file;
}

static void close_output(FILE *file)
{
    bool failed = ferror(file) != 0;

    if (fclose(file) != 0 || failed) {
        fprintf(stderr, "generate: cannot write: %s\n", strerror(errno));
        exit(1);
    }
}

/* One CSV field (RFC 4180). */
static void put_field(FILE *file, const char *s, bool first)
{
    if (!first)
        putc_unlocked(',', file);
    if (!strpbrk(s, ",\"\r\n")) {
        fwrite(s, 1, strlen(s), file);
        return;
    }
    putc_unlocked('"', file);
    for (; *s; s++) {
        if (*s == '"')
            putc_unlocked('"', file);
        putc_unlocked(*s, file);
    }
    putc_unlocked('"', file);
}

static void put_row(FILE *file, const char *columns, const char *const *fields)
{
    for (const char *c = columns; *c; c++)
        put_field(file, fields[strchr(column_letters, *c) - column_letters], c == columns);
    putc_unlocked('\n', file);
}

struct rendered {
    char id[16];
    struct name_text name;
    struct text email, phone, company, birth, wechat, registered;
    struct address_text address;
    const char *fields[COLUMN_COUNT];
};

static void render(const struct book *book, const struct household *h, const struct plan *plan,
                   uint32_t number, struct rendered *out)
{
    const struct world *world = &book->world;
    const struct entity *entity = &book->entities[plan->person->entity];
    const struct person *head = &h->persons[plan->person->head - h->first_entity];
    struct random r = plan->text;
    bool split = source_habits[plan->source].split_name;
    const char *fields[COLUMN_COUNT];

    snprintf(out->id, sizeof(out->id), "%c%07u", "CSLET"[plan->source], number);
    render_name(world, plan, &r, &out->name);
    render_phone(world, plan, &r, &out->phone);
    render_email(world, plan, entity->attempts, book->entities[head->entity].attempts, head, &r,
                 &out->email);
    render_company(world, plan, &r, &out->company);
    render_address(world, plan, &r, &out->address);
    render_birth(plan, &r, &out->birth);
    render_wechat(world, plan, &out->wechat);
    render_time(plan->time, plan->source != SOURCE_CRM && plan->source != SOURCE_LOYALTY,
                &out->registered);
    fields[COLUMN_ID] = out->id;
    fields[COLUMN_SOURCE] = source_habits[plan->source].name;
    fields[COLUMN_FULL_NAME] = split ? "" : out->name.full.bytes;
    fields[COLUMN_GIVEN_NAME] = split ? out->name.given.bytes : "";
    fields[COLUMN_FAMILY_NAME] = split ? out->name.family.bytes : "";
    fields[COLUMN_EMAIL] = out->email.bytes;
    fields[COLUMN_PHONE] = out->phone.bytes;
    fields[COLUMN_COMPANY] = out->company.bytes;
    fields[COLUMN_JOB_TITLE] = render_title(plan);
    fields[COLUMN_ADDRESS] = out->address.line.bytes;
    fields[COLUMN_DISTRICT] = out->address.district.bytes;
    fields[COLUMN_CITY] = out->address.city.bytes;
    fields[COLUMN_PROVINCE] = out->address.province.bytes;
    fields[COLUMN_POSTAL_CODE] = out->address.postal_code.bytes;
    fields[COLUMN_COUNTRY] = out->address.country.bytes;
    fields[COLUMN_BIRTH_DATE] = out->birth.bytes;
    fields[COLUMN_GENDER] = render_gender(plan, &r);
    fields[COLUMN_WECHAT_ID] = out->wechat.bytes;
    fields[COLUMN_REGISTERED_AT] = out->registered.bytes;
    memcpy(out->fields, fields, sizeof(fields));
}

static void put_evidence(FILE *file, const char *id, const struct plan *plan)
{
    fputs(id, file);
    for (unsigned i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct evidence *e = &plan->evidence[i];

        if (e->quality == LOST)
            putc_unlocked(',', file);
        else
            fprintf(file, ",%012llx%c", (unsigned long long)(e->value >> 16), " ?~="[e->quality]);
    }
    putc_unlocked('\n', file);
}

struct outputs {
    FILE *records[SOURCE_COUNT], *truth, *evidence;
};

static void outputs_open(const struct options *o, struct outputs *out)
{
    bool chinese = o->population == POPULATION_CHINESE;

    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; i < (o->sources ? SOURCE_COUNT : 1U); i++) {
        char name[64];
        bool translated = chinese && (i == SOURCE_LANDING || i == SOURCE_LOYALTY);

        snprintf(name, sizeof(name), "%s.csv", o->sources ? source_habits[i].name : "customers");
        out->records[i] = open_output(o, name);
        put_row(out->records[i], o->sources ? source_columns[i] : column_letters,
                o->sources && translated ? chinese_headers : english_headers);
    }
    out->truth = open_output(o, "truth.csv");
    fputs("id,entity,reachable_group\n", out->truth);
    if (o->evidence) {
        out->evidence = open_output(o, "evidence.csv");
        fputs("id,name,phone,email,wechat,address,company,birth_date\n", out->evidence);
    }
}

static void outputs_close(struct outputs *out)
{
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        if (out->records[i])
            close_output(out->records[i]);
    }
    close_output(out->truth);
    if (out->evidence)
        close_output(out->evidence);
}

static void write_rows(struct book *book)
{
    const struct options *o = &book->options;
    struct outputs out;

    outputs_open(o, &out);
    for (uint32_t i = 0; i < o->records; i++) {
        const struct row *row = &book->rows[i];
        uint32_t number = book->entities[row->entity].household;
        struct household h;
        struct plan plan;
        struct rendered rendered;

        household_make(&book->world, number, book->first_entity[number], &h);
        plan_make(&book->world, &h.persons[row->entity - h.first_entity], row->k, o->noise, &plan);
        render(book, &h, &plan, i + 1, &rendered);
        put_row(out.records[o->sources ? plan.source : 0],
                o->sources ? source_columns[plan.source] : column_letters, rendered.fields);
        fprintf(out.truth, "%s,%u,%u\n", rendered.id, row->entity + 1, row->group);
        if (out.evidence)
            put_evidence(out.evidence, rendered.id, &plan);
    }
    outputs_close(&out);
}

int main(int argc, char **argv)
{
    static struct book book;
    struct holders holders;

    book.options = parse_options(argc, argv);
    book.world.seed = book.options.seed;
    book.world.population = book.options.population;
    /* About a dozen employees to a company: 0.45 working customers a record, 32 to 64 cities. */
    book.world.company_count =
        1 + book.options.records / (book.options.population == POPULATION_CHINESE ? 850 : 1300);
    world_load(&book.world);
    if (mkdir(book.options.directory, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "generate: cannot make %s: %s\n", book.options.directory, strerror(errno));
        return 1;
    }
    settle_people(&book);
    holders_make(&holders, book.options.records * 5ULL);
    each_customer(&book, note_customer, &holders);
    book.rows = must_allocate(book.options.records, sizeof(*book.rows));
    each_customer(&book, group_customer, &holders);
    holders_free(&holders);
    qsort(book.rows, book.options.records, sizeof(*book.rows), row_compare);
    write_rows(&book);
    return 0;
}
