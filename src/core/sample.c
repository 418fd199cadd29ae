/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/vmstat and /proc/meminfo -> MnSample.
 *
 * They are read a hundred times a second when memory is nearly full, and nine lines in ten are of
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

/* Kernels before 4.8 count reclaim by zone, later ones only its stalls. Movable is always there, and
 * of these last. */
#define BY_ZONE(name, counter)                                                                                         \
    { name "_dma ", counter }, { name "_dma32 ", counter }, { name "_normal ", counter }, { name "_high ", counter },  \
    {                                                                                                                  \
        name "_movable ", counter                                                                                      \
    }

/* Rows of one counter that follow each other are parts of a sum, which is there when its last part
 * is. MN_COUNTERS_RECLAIM come last. */
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
    { "nr_mapped ", MN_COUNTER_MAPPED },
    { "pswpout ", MN_COUNTER_SWAPPED_OUT },
    { "pgscan_anon ", MN_COUNTER_SCANNED_ANON },
    { "pgscan_kswapd ", MN_COUNTER_SCANNED_KSWAPD },
    { "pgscan_direct ", MN_COUNTER_SCANNED_DIRECT },
    { "pgsteal_kswapd ", MN_COUNTER_RECLAIMED_KSWAPD },
    { "pgsteal_direct ", MN_COUNTER_RECLAIMED_DIRECT },
    { "pageoutrun ", MN_COUNTER_KSWAPD_RUNS },
    { "allocstall ", MN_COUNTER_DIRECT_RUNS },
    BY_ZONE("pgscan_kswapd", MN_COUNTER_SCANNED_KSWAPD),
    BY_ZONE("pgscan_direct", MN_COUNTER_SCANNED_DIRECT),
    BY_ZONE("pgsteal_kswapd", MN_COUNTER_RECLAIMED_KSWAPD),
    BY_ZONE("pgsteal_direct", MN_COUNTER_RECLAIMED_DIRECT),
    BY_ZONE("pgsteal", MN_COUNTER_RECLAIMED),
    BY_ZONE("allocstall", MN_COUNTER_DIRECT_RUNS),
};

/* MN_COUNTERS_BOTH come last. The kernel shows the page cache in parts, which make nr_file_pages. */
static const Key meminfo_keys[] = {
    { "MemTotal:", MN_COUNTER_MEM_TOTAL },
    { "MemFree:", MN_COUNTER_MEM_FREE },
    { "MemAvailable:", MN_COUNTER_MEM_AVAILABLE },
    { "SwapTotal:", MN_COUNTER_SWAP_TOTAL },
    { "SwapFree:", MN_COUNTER_SWAP_FREE },
    { "Buffers:", MN_COUNTER_FILE },
    { "SwapCached:", MN_COUNTER_FILE },
    { "Cached: ", MN_COUNTER_FILE },
    { "Active(anon):", MN_COUNTER_ACTIVE_ANON },
    { "Active(file):", MN_COUNTER_ACTIVE_FILE },
    { "Mlocked:", MN_COUNTER_MLOCKED },
    { "Unevictable:", MN_COUNTER_UNEVICTABLE },
    { "Dirty:  ", MN_COUNTER_DIRTY },
    { "AnonPages:", MN_COUNTER_ANON },
    { "Shmem:  ", MN_COUNTER_SHMEM },
    { "SReclaimable:", MN_COUNTER_SLAB_RECLAIMABLE },
};

enum {
    HEAD_BYTES = 8,
    N_KEYS_MAX = 64,
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
    guint64 needed; /* has to be there */
    guint64 wanted; /* is worth reading on for */
    const char *text;
    guint64 heads[N_KEYS_MAX]; /* the first bytes of each key */
    guint64 found_keys;        /* bit i: key i */
    MnSample found;
    gsize span;
} Parser;

static gboolean is_part(const Parser *self, guint i) {
    return i + 1 < self->n_keys && self->keys[i + 1].counter == self->keys[i].counter;
}

static int take_value(Parser *self, guint i, const char *text, const char *end) {
    MnCounter counter = self->keys[i].counter;
    guint64 value;
    int r;

    if (self->found_keys & (G_GUINT64_CONSTANT(1) << i))
        return -EBADMSG;
    self->found_keys |= G_GUINT64_CONSTANT(1) << i;

    r = parse_value(text, end, &value);
    if (r < 0)
        return r;
    self->found.counters[counter] += value; /* what is only compared may go round, as the kernel's do */
    if (!is_part(self, i))
        self->found.known |= MN_COUNTER_BIT(counter);
    if (self->wanted & MN_COUNTER_BIT(counter))
        self->span = end + 1 - self->text;
    return 0;
}

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
        return take_value(self, i, line + name_len, end);
    }
    return 0;
}

/* Lines of "nr_free_pages 818956\n" or "MemTotal:       24684096 kB\n". */
static int parse_text(Parser *self, const char *text, gsize len) {
    const char *end = text + len;
    int r;

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;

    self->text = text;
    for (guint i = 0; i < self->n_keys; i++)
        memcpy(&self->heads[i], self->keys[i].name, HEAD_BYTES);

    for (const char *line = text, *newline; line < end; line = newline + 1) {
        newline = memchr(line, '\n', end - line);
        if (newline - line < HEAD_BYTES)
            continue;
        r = parse_line(self, line, newline);
        if (r < 0)
            return r;
    }

    return self->needed & ~self->found.known ? -EBADMSG : 0;
}

/* Takes what was found, in units of `divisor`; the counters of other sources stay. */
static void commit(const Parser *self, guint divisor, MnSample *sample, gsize *ret_span) {
    for (guint i = 0; i < self->n_keys; i++) {
        MnCounter counter = self->keys[i].counter;
        gboolean is_known = (self->found.known & MN_COUNTER_BIT(counter)) != 0;

        sample->counters[counter] = is_known ? self->found.counters[counter] / divisor : 0;
        sample->known &= ~MN_COUNTER_BIT(counter);
    }
    sample->known |= self->found.known;
    *ret_span = self->span;
}

void mn_sample_take(MnSample *self, const MnSample *other, guint64 counters) {
    for (guint counter = 0; counter < MN_N_COUNTERS; counter++)
        if (counters & MN_COUNTER_BIT(counter))
            self->counters[counter] = other->counters[counter];
    self->known = (self->known & ~counters) | (other->known & counters);
}

/* A container's free swap was told as 18446744073709346016 kB of 0 kB, or as 18014396678257232 kB. */
static void bound_part(MnSample *sample, MnCounter part, MnCounter whole) {
    if (sample->known & MN_COUNTER_BIT(whole))
        sample->counters[part] = mn_part(sample->counters[part], sample->counters[whole], MN_PAGES_MOST);
}

void mn_sample_bound_parts(MnSample *self) {
    for (guint counter = 0; counter <= MN_COUNTER_UNEVICTABLE; counter++)
        if (MN_COUNTERS_OF_MEMORY & MN_COUNTER_BIT(counter))
            bound_part(self, counter, MN_COUNTER_MEM_TOTAL);
    bound_part(self, MN_COUNTER_SWAP_FREE, MN_COUNTER_SWAP_TOTAL);
}

/* How many keys come before those of `others`. */
static guint n_keys_before(const Key *keys, guint64 others) {
    guint n = 0;

    while (!(MN_COUNTER_BIT(keys[n].counter) & others))
        n++;
    return n;
}

static guint n_vmstat_keys(guint64 needed) {
    if ((needed & MN_COUNTERS_VMSTAT) == 0 || (needed & MN_COUNTERS_RECLAIM))
        return G_N_ELEMENTS(vmstat_keys);
    return n_keys_before(vmstat_keys, MN_COUNTERS_RECLAIM);
}

static guint n_meminfo_keys(guint64 needed) {
    return needed & MN_COUNTERS_BOTH ? G_N_ELEMENTS(meminfo_keys) : n_keys_before(meminfo_keys, MN_COUNTERS_BOTH);
}

int mn_sample_parse_vmstat(const char *text, gsize len, guint64 needed, MnSample *ret, gsize *ret_span) {
    Parser parser = {
        .keys = vmstat_keys, .n_keys = n_vmstat_keys(needed), .needed = needed & MN_COUNTERS_VMSTAT, .wanted = needed
    };
    int r;

    r = parse_text(&parser, text, len);
    if (r < 0)
        return r;

    commit(&parser, 1, ret, ret_span);
    return 0;
}

int mn_sample_parse_meminfo(const char *text, gsize len, guint64 needed, guint page_kib, MnSample *ret,
                            gsize *ret_span) {
    Parser parser = {
        .keys = meminfo_keys, .n_keys = n_meminfo_keys(needed), .needed = needed & MN_COUNTERS_MEMINFO, .wanted = needed
    };
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
