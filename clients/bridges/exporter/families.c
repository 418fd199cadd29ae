/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text is cut into lines, and lines into what stands before, in and behind the braces. Nothing is let through but what
 * memnotifyfs writes: one wrong line and Prometheus would drop the metrics of all mounts. */
#include "families.h"

#include <string.h>

#define PREFIX "memnotifyfs_"
#define UP "up"
#define END "# EOF"

/* As many as one text may have. There are about 80. */
#define FAMILIES_MAX 1000

#define LABELS_MAX 16

/* Of 2^64, and of microseconds. */
#define DIGITS_MAX 20
#define DECIMALS_MAX 9

/* What is said of a family before its samples, each once. */
typedef enum Word {
    WORD_TYPE,
    WORD_UNIT,
    WORD_HELP,
    N_WORDS,
} Word;

static const char *const words[N_WORDS] = { "# TYPE ", "# UNIT ", "# HELP " };

typedef struct Family {
    char *name;
    const char *suffix; /* of its samples; NULL: there is no type yet */
    gboolean has[N_WORDS];
    GString *head; /* lines that begin with '#' */
    GString *samples;
} Family;

struct ExpFamilies {
    MnExpositionFormat format;
    GPtrArray *families; /* in the order in which they came */
    GHashTable *by_name; /* of the same */
    GHashTable *samples; /* of a text: their names with labels, so that none comes twice */
};

static void family_free(gpointer data) {
    Family *self = data;

    g_free(self->name);
    g_string_free(self->head, TRUE);
    g_string_free(self->samples, TRUE);
    g_free(self);
}

ExpFamilies *exp_families_new(MnExpositionFormat format) {
    ExpFamilies *self = g_new0(ExpFamilies, 1);

    self->format = format;
    self->families = g_ptr_array_new_with_free_func(family_free);
    self->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    self->samples = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

void exp_families_free(ExpFamilies *self) {
    if (!self)
        return;
    g_hash_table_unref(self->samples);
    g_hash_table_unref(self->by_name);
    g_ptr_array_unref(self->families);
    g_free(self);
}

static Family *find_or_add(ExpFamilies *self, const char *name) {
    Family *family = g_hash_table_lookup(self->by_name, name);

    if (family)
        return family;
    family = g_new0(Family, 1);
    family->name = g_strdup(name);
    family->head = g_string_new(NULL);
    family->samples = g_string_new(NULL);
    g_ptr_array_add(self->families, family);
    g_hash_table_insert(self->by_name, family->name, family);
    return family;
}

static gsize name_len(const char *at) {
    return strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
}

/* --- what is said of a family --- */

/* What the names of samples add to the family's; NULL: there is no such type. */
static const char *find_suffix(MnExpositionFormat format, const char *type) {
    gboolean is_openmetrics = format == MN_EXPOSITION_OPENMETRICS;

    if (strcmp(type, "gauge") == 0)
        return "";
    if (strcmp(type, "counter") == 0)
        return is_openmetrics ? "_total" : "";
    return strcmp(type, "info") == 0 && is_openmetrics ? "_info" : NULL;
}

/* The unit is the end of the name. */
static gboolean is_unit(MnExpositionFormat format, const char *name, const char *unit) {
    g_autofree char *end = g_strconcat("_", unit, NULL);

    return format == MN_EXPOSITION_OPENMETRICS && *unit && g_str_has_suffix(name, end);
}

/* `what` follows the word and the name. */
static gboolean add_head(const ExpFamilies *self, Family *family, Word word, const char *what) {
    if (family->has[word] || family->samples->len > 0)
        return FALSE;
    family->has[word] = TRUE;
    if (word == WORD_TYPE) {
        family->suffix = find_suffix(self->format, what);
        if (!family->suffix)
            return FALSE;
    }
    if (word == WORD_UNIT && !is_unit(self->format, family->name, what))
        return FALSE;
    if (word == WORD_HELP && strpbrk(what, "\\\""))
        return FALSE;
    g_string_append_printf(family->head, "%s%s %s\n", words[word], family->name, what);
    return TRUE;
}

/* Takes the word of "# TYPE memnotifyfs_used_bytes gauge"; N_WORDS: it is no such line. */
static Word take_word(const char *line) {
    for (guint i = 0; i < N_WORDS; i++)
        if (g_str_has_prefix(line, words[i]))
            return (Word)i;
    return N_WORDS;
}

/* Finds the family that the line is about. FALSE: it is about something else. */
static gboolean add_head_line(ExpFamilies *self, Word word, const char *line, Family **family) {
    const char *name = line + strlen(words[word]);
    gsize len = name_len(name);
    g_autofree char *copy = g_strndup(name, len);

    if (!g_str_has_prefix(copy, PREFIX) || name[len] != ' ' || self->families->len > FAMILIES_MAX)
        return FALSE;
    *family = find_or_add(self, copy);
    return add_head(self, *family, word, name + len + 1);
}

/* --- samples --- */

/* The byte behind a quoted string; NULL: it has no end, or a backslash too many. */
static const char *skip_string(const char *at) {
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && *++at != '\\' && *at != '"' && *at != 'n')
            return NULL;
    return *at ? at + 1 : NULL;
}

typedef struct Name {
    const char *at;
    gsize len;
} Name;

static gboolean is_among(const Name *names, guint n, const char *at, gsize len) {
    for (guint i = 0; i < n; i++)
        if (names[i].len == len && memcmp(names[i].at, at, len) == 0)
            return TRUE;
    return FALSE;
}

/* The byte behind 'threshold="low",meter="used"}'; NULL: it is something else, or has a name twice. */
static const char *skip_labels(const char *at) {
    Name names[1 + LABELS_MAX] = { { "mount", 5 } }; /* which we add */
    guint n = 1;

    do {
        gsize len = name_len(at);

        if (!g_ascii_islower(*at) || at[len] != '=' || at[len + 1] != '"' || n == G_N_ELEMENTS(names) ||
            is_among(names, n, at, len))
            return NULL;
        names[n++] = (Name){ at, len };
        at = skip_string(at + len + 1);
    } while (at && *at++ == ',');
    return at && at[-1] == '}' ? at : NULL;
}

/* " 12.5" to the end of the line. */
static gboolean is_value(const char *at) {
    gsize digits, decimals;

    if (*at++ != ' ')
        return FALSE;
    digits = strspn(at, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || at[digits] != '.')
        return digits > 0 && digits <= DIGITS_MAX && at[digits] == '\0';
    at += digits + 1;
    decimals = strspn(at, "0123456789");
    return decimals > 0 && decimals <= DECIMALS_MAX && at[decimals] == '\0';
}

/* Whether a sample of that name belongs to the family. */
static gboolean is_of(const Family *family, const char *sample, gsize len) {
    gsize family_len = strlen(family->name);

    return family->suffix && len == family_len + strlen(family->suffix) && g_str_has_prefix(sample, family->name) &&
           g_str_has_prefix(sample + family_len, family->suffix);
}

/* Adds the line to its family. `label` is 'mount="web"', or empty. */
static gboolean add_sample(ExpFamilies *self, Family *family, const char *line, const char *label) {
    gsize len = name_len(line);
    gboolean has_labels = line[len] == '{';
    const char *labels = line + len + 1, *value = has_labels ? skip_labels(labels) : line + len;

    if (!family || !is_of(family, line, len) || !value || !is_value(value) ||
        !g_hash_table_add(self->samples, g_strndup(line, (gsize)(value - line))))
        return FALSE;

    g_string_append_len(family->samples, line, (gssize)len);
    if (has_labels || *label)
        g_string_append_printf(family->samples, "{%s%s", label, has_labels && *label ? "," : "");
    if (has_labels)
        g_string_append_len(family->samples, labels, value - labels);
    else if (*label)
        g_string_append_c(family->samples, '}');
    g_string_append_printf(family->samples, "%s\n", value);
    return TRUE;
}

/* --- texts --- */

/* Each line ends with a newline, and the last is the end where the format has one: else the text was cut off. */
static gboolean add_lines(ExpFamilies *self, char *text, const char *label) {
    gboolean has_ended = self->format == MN_EXPOSITION_TEXT;
    Family *family = NULL;

    for (char *line = text, *next; *line; line = next) {
        char *newline = strchr(line, '\n');
        Word word = take_word(line);

        if (!newline)
            return FALSE;
        *newline = '\0';
        next = newline + 1;
        if (!has_ended && strcmp(line, END) == 0 && !*next)
            has_ended = TRUE;
        else if (word < N_WORDS ? !add_head_line(self, word, line, &family) : !add_sample(self, family, line, label))
            return FALSE;
    }
    return has_ended;
}

/* `mount` is what was given on the command line, where nothing is allowed that would have to be escaped. */
static char *make_label(const char *mount) {
    return mount ? g_strdup_printf("mount=\"%s\"", mount) : g_strdup("");
}

ExpFamilies *exp_families_read(MnExpositionFormat format, const char *text, gsize len, const char *mount) {
    g_autoptr(ExpFamilies) self = exp_families_new(format);
    g_autofree char *copy = g_strndup(text, len), *label = make_label(mount);

    if (len == 0 || !g_utf8_validate_len(text, len, NULL) || !add_lines(self, copy, label) ||
        g_hash_table_contains(self->by_name, PREFIX UP))
        return NULL;
    g_hash_table_remove_all(self->samples);
    return g_steal_pointer(&self);
}

void exp_families_add(ExpFamilies *self, const ExpFamilies *from) {
    for (guint i = 0; i < from->families->len; i++) {
        const Family *theirs = g_ptr_array_index(from->families, i);
        Family *ours = find_or_add(self, theirs->name);

        if (ours->head->len == 0)
            g_string_append_len(ours->head, theirs->head->str, (gssize)theirs->head->len);
        g_string_append_len(ours->samples, theirs->samples->str, (gssize)theirs->samples->len);
    }
}

void exp_families_add_up(ExpFamilies *self, const char *mount, gboolean is_up) {
    static const MnMetric metric = { UP, MN_METRIC_GAUGE, NULL, "Whether the mount could be read." };
    g_autofree char *label = make_label(mount);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(ExpFamilies) own = exp_families_new(self->format);
    MnExposition exposition = { .text = text, .format = self->format };

    mn_exposition_begin(&exposition, &metric);
    mn_exposition_add(&exposition, NULL, 0, is_up ? 1 : 0);
    mn_exposition_end(&exposition);
    (void)add_lines(own, text->str, label); /* it is what we have made */
    exp_families_add(self, own);
}

void exp_families_print(const ExpFamilies *self, GString *text) {
    for (guint i = 0; i < self->families->len; i++) {
        const Family *family = g_ptr_array_index(self->families, i);

        g_string_append_len(text, family->head->str, (gssize)family->head->len);
        g_string_append_len(text, family->samples->str, (gssize)family->samples->len);
    }
    if (self->format == MN_EXPOSITION_OPENMETRICS)
        g_string_append(text, END "\n");
}
