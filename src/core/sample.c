/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/vmstat and /proc/meminfo -> MnSample.
 *
 * Both are read a hundred times a second when memory is nearly full, and nine lines in ten are of
 * no interest: a line is judged by its first eight bytes in one comparison for each wanted key.
 * Either the whole text is good and the sample is replaced, or the sample stays as it was. */
#include "sample.h"

#include "core/number.h"

#include <errno.h>
#include <string.h>

typedef struct Key {
    const char *name; /* with the byte that ends it; at least HEAD_BYTES long */
    MnCounter counter;
} Key;

static const Key vmstat_keys[] = {
    { "nr_free_pages ", MN_COUNTER_VM_FREE },
    { "nr_mlock ", MN_COUNTER_MLOCKED },
    { "nr_active_anon ", MN_COUNTER_ACTIVE_ANON },
    { "nr_active_file ", MN_COUNTER_ACTIVE_FILE },
    { "nr_slab_reclaimable ", MN_COUNTER_SLAB_RECLAIMABLE },
    { "nr_anon_pages ", MN_COUNTER_ANON },
    { "nr_file_pages ", MN_COUNTER_FILE },
    { "nr_dirty ", MN_COUNTER_DIRTY },
    { "nr_shmem ", MN_COUNTER_SHMEM },
};

static const Key meminfo_keys[] = {
    { "MemTotal:", MN_COUNTER_MEM_TOTAL },   { "MemFree:", MN_COUNTER_MEM_FREE },
    { "MemAvailable:", MN_COUNTER_MEM_AVAILABLE }, { "SwapTotal:", MN_COUNTER_SWAP_TOTAL },
    { "SwapFree:", MN_COUNTER_SWAP_FREE },
};

enum {
    HEAD_BYTES = 8,
    N_KEYS_MAX = 16,
};

G_STATIC_ASSERT(G_N_ELEMENTS(vmstat_keys) <= N_KEYS_MAX);
G_STATIC_ASSERT(G_N_ELEMENTS(meminfo_keys) <= N_KEYS_MAX);
G_STATIC_ASSERT(MN_N_COUNTERS <= 64);

/* "  123" or "  123 kB", up to the end of the line. */
static int parse_value(const char *text, const char *end, guint64 *ret) {
    while (text < end && *text == ' ')
        text++;
    if (mn_number_parse(&text, end, ret) < 0)
        return -EBADMSG;
    if (text < end && !(end - text == 3 && memcmp(text, " kB", 3) == 0))
        return -EBADMSG;
    return 0;
}

/* The keys of a text and what has been found of them. */
typedef struct Parser {
    const Key *keys;
    guint n_keys;
    guint64 needed;
    guint64 heads[N_KEYS_MAX]; /* the first bytes of each key */
    MnSample found;
    gsize span;
} Parser;

static int parse_line(Parser *self, const char *line, const char *end) {
    guint64 head;

    memcpy(&head, line, HEAD_BYTES);
    for (guint i = 0; i < self->n_keys; i++) {
        const Key *key = &self->keys[i];
        gsize name_len;

        if (head != self->heads[i])
            continue;
        name_len = strlen(key->name);
        if ((gsize)(end - line) < name_len || memcmp(line, key->name, name_len) != 0)
            continue;

        if (self->found.known & MN_COUNTER_BIT(key->counter))
            return -EBADMSG;
        self->found.known |= MN_COUNTER_BIT(key->counter);
        return parse_value(line + name_len, end, &self->found.counters[key->counter]);
    }
    return 0;
}

/* Lines of "nr_free_pages 818956\n" or "MemTotal:       24684096 kB\n". */
static int parse_text(Parser *self, const char *text, gsize len) {
    const char *end = text + len;
    int r;

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;

    for (guint i = 0; i < self->n_keys; i++)
        memcpy(&self->heads[i], self->keys[i].name, HEAD_BYTES);

    for (const char *line = text, *newline; line < end; line = newline + 1) {
        guint64 before = self->found.known;

        newline = memchr(line, '\n', end - line);
        if (newline - line < HEAD_BYTES)
            continue;
        r = parse_line(self, line, newline);
        if (r < 0)
            return r;
        if ((self->found.known & ~before) & self->needed)
            self->span = newline + 1 - text;
    }

    return self->needed & ~self->found.known ? -EBADMSG : 0;
}

/* Takes what was found, in units of `divisor`; the counters of other sources stay. */
static void commit(const Parser *self, guint divisor, MnSample *sample, gsize *ret_span) {
    for (guint i = 0; i < self->n_keys; i++) {
        MnCounter counter = self->keys[i].counter;

        sample->counters[counter] = self->found.counters[counter] / divisor;
        sample->known &= ~MN_COUNTER_BIT(counter);
    }
    sample->known |= self->found.known;
    *ret_span = self->span;
}

int mn_sample_parse_vmstat(const char *text, gsize len, guint64 needed, MnSample *ret,
                           gsize *ret_span) {
    Parser parser = { .keys = vmstat_keys,
                      .n_keys = G_N_ELEMENTS(vmstat_keys),
                      .needed = needed & MN_COUNTERS_VMSTAT };
    int r;

    r = parse_text(&parser, text, len);
    if (r < 0)
        return r;

    commit(&parser, 1, ret, ret_span);
    return 0;
}

int mn_sample_parse_meminfo(const char *text, gsize len, guint64 needed, guint page_kib,
                            MnSample *ret, gsize *ret_span) {
    Parser parser = { .keys = meminfo_keys,
                      .n_keys = G_N_ELEMENTS(meminfo_keys),
                      .needed = needed & MN_COUNTERS_MEMINFO };
    int r;

    r = parse_text(&parser, text, len);
    if (r < 0)
        return r;
    if ((parser.found.known & MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL)) &&
        parser.found.counters[MN_COUNTER_MEM_TOTAL] == 0) /* of which nothing is a percentage */
        return -EBADMSG;

    commit(&parser, page_kib, ret, ret_span);
    return 0;
}
