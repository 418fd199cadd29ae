/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text is cut into lines, and lines into what stands before, in and behind the braces. The names of families that a text
 * begins are looked up once; samples of a family follow it. */
#include "families.h"

#include <string.h>

#define PREFIX "memnotifyfs_"
#define END "# EOF"

/* As many as one text may have. There are about 80. */
#define FAMILIES_MAX 1000

typedef struct Family {
    char *name;
    GString *head; /* lines that begin with '#' */
    GString *samples;
} Family;

struct ExpFamilies {
    MnExpositionFormat format;
    GPtrArray *families; /* in the order in which they came */
    GHashTable *by_name; /* of the same */
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
    return self;
}

void exp_families_free(ExpFamilies *self) {
    if (!self)
        return;
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

/* --- lines --- */

static gsize name_len(const char *at) {
    return strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
}

/* Takes the family's name off "# TYPE memnotifyfs_used_bytes gauge", to be freed; NULL: it is no such line. */
static char *take_head(const char *line) {
    static const char *const words[] = { "# TYPE ", "# UNIT ", "# HELP " };

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        const char *name = line + strlen(words[i]);

        if (g_str_has_prefix(line, words[i]) && g_str_has_prefix(name, PREFIX) && name[name_len(name)] == ' ')
            return g_strndup(name, name_len(name));
    }
    return NULL;
}

/* The byte behind a quoted string; NULL: it has no end. */
static const char *skip_string(const char *at) {
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : NULL;
}

/* The byte behind 'threshold="low",meter="used"}'; NULL: it is something else, or names a mount. */
static const char *skip_labels(const char *at) {
    while (at && *at != '}') {
        gsize len = name_len(at);

        if (len == 0 || at[len] != '=' || at[len + 1] != '"' || (len == 5 && strncmp(at, "mount", 5) == 0))
            return NULL;
        at = skip_string(at + len + 1);
        if (at && *at == ',')
            at++;
        else if (at && *at != '}')
            return NULL;
    }
    return at ? at + 1 : NULL;
}

/* " 12.5" to the end of the line. */
static gboolean is_value(const char *at) {
    char *end;

    if (at[0] != ' ' || !g_ascii_isdigit(at[1]))
        return FALSE;
    (void)g_ascii_strtod(at + 1, &end);
    return *end == '\0';
}

/* Whether a sample of that name belongs to the family. */
static gboolean is_of(const Family *family, const char *sample, gsize len) {
    gsize family_len = strlen(family->name);
    const char *rest = sample + family_len;

    if (len < family_len || strncmp(sample, family->name, family_len) != 0)
        return FALSE;
    len -= family_len;
    return len == 0 || (len == 6 && strncmp(rest, "_total", len) == 0) ||
           (len == 5 && strncmp(rest, "_info", len) == 0);
}

/* Adds the line to its family. `label` is 'mount="web"', or empty. */
static gboolean add_sample(Family *family, const char *line, const char *label) {
    gsize len = name_len(line);
    const char *labels = line + len, *rest = labels;
    gboolean has_labels = *labels == '{' && labels[1] != '}';

    if (!family || !is_of(family, line, len) || !g_utf8_validate(line, -1, NULL))
        return FALSE;
    if (*labels == '{')
        rest = skip_labels(labels + 1);
    if (!rest || !is_value(rest))
        return FALSE;

    g_string_append_len(family->samples, line, (gssize)len);
    if (has_labels || *label) {
        g_string_append_printf(family->samples, "{%s%s", label, has_labels && *label ? "," : "");
        if (has_labels)
            g_string_append_len(family->samples, labels + 1, rest - labels - 2);
        g_string_append_c(family->samples, '}');
    }
    g_string_append_printf(family->samples, "%s\n", rest);
    return TRUE;
}

/* --- texts --- */

/* Each of the three once, and before the samples. */
static gboolean add_head(Family *family, const char *line) {
    gsize word = strlen("# TYPE");
    g_autofree char *start = g_strndup(line, word);

    if (family->samples->len > 0 || strstr(family->head->str, start) || !g_utf8_validate(line, -1, NULL))
        return FALSE;
    g_string_append_printf(family->head, "%s\n", line);
    return TRUE;
}

/* Adds the lines, which end with NULL. */
static gboolean add_lines(ExpFamilies *self, char **lines, const char *label) {
    Family *family = NULL;

    for (guint i = 0; lines[i] && (lines[i][0] || lines[i + 1]); i++) {
        g_autofree char *name = take_head(lines[i]);

        if (name)
            family = find_or_add(self, name);
        else if (strcmp(lines[i], END) == 0)
            continue;
        if (name ? !add_head(family, lines[i]) : !add_sample(family, lines[i], label))
            return FALSE;
        if (self->families->len > FAMILIES_MAX)
            return FALSE;
    }
    return TRUE;
}

/* `mount` is what was given on the command line, where nothing is allowed that would have to be escaped. */
static char *make_label(const char *mount) {
    return mount ? g_strdup_printf("mount=\"%s\"", mount) : g_strdup("");
}

static void move(ExpFamilies *self, const ExpFamilies *from) {
    for (guint i = 0; i < from->families->len; i++) {
        const Family *theirs = g_ptr_array_index(from->families, i);
        Family *ours = find_or_add(self, theirs->name);

        if (ours->head->len == 0)
            g_string_append_len(ours->head, theirs->head->str, (gssize)theirs->head->len);
        g_string_append_len(ours->samples, theirs->samples->str, (gssize)theirs->samples->len);
    }
}

gboolean exp_families_add(ExpFamilies *self, const char *text, gsize len, const char *mount) {
    g_autoptr(ExpFamilies) own = exp_families_new(self->format);
    g_autofree char *copy = g_strndup(text, len), *label = make_label(mount);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);

    if (strlen(copy) != len || len == 0 || text[len - 1] != '\n' || !add_lines(own, lines, label))
        return FALSE;
    move(self, own);
    return TRUE;
}

void exp_families_add_up(ExpFamilies *self, const char *mount, gboolean is_up) {
    static const MnMetric metric = { "up", MN_METRIC_GAUGE, NULL, "Whether the mount could be read." };
    g_autoptr(GString) text = g_string_new(NULL);
    MnExposition exposition = { .text = text, .format = self->format };

    mn_exposition_begin(&exposition, &metric);
    mn_exposition_add(&exposition, NULL, 0, is_up ? 1 : 0);
    (void)exp_families_add(self, text->str, text->len, mount); /* it is what we have made */
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
