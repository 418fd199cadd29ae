/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/vmstat and /proc/meminfo -> MnSample.
 *
 * Both are read a hundred times a second when memory is nearly full, and nine lines in ten are of
 * no interest: a line is judged by its first eight bytes in one comparison for each wanted key.
 * Either the whole text is good and the sample is replaced, or the sample stays as it was. */
#include "sample.h"

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
static int parse_number(const char *text, const char *end, guint64 *ret) {
    guint64 number = 0;

    while (text < end && *text == ' ')
        text++;
    if (text == end || !g_ascii_isdigit(*text))
        return -EBADMSG;

    for (; text < end && g_ascii_isdigit(*text); text++)
        if (!g_uint64_checked_mul(&number, number, 10) ||
            !g_uint64_checked_add(&number, number, (guint64)(*text - '0')))
            return -EBADMSG;

    if (text < end && !(end - text == 3 && memcmp(text, " kB", 3) == 0))
        return -EBADMSG;

    *ret = number;
    return 0;
}

/* Lines of "nr_free_pages 818956\n" or "MemTotal:       24684096 kB\n". */
static int parse_lines(const char *text, gsize len, const Key *keys, guint n_keys, MnSample *ret) {
    MnSample parsed = { 0 };
    guint64 heads[N_KEYS_MAX];
    const char *end = text + len;

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;

    for (guint i = 0; i < n_keys; i++)
        memcpy(&heads[i], keys[i].name, HEAD_BYTES);

    for (const char *line = text, *newline; line < end; line = newline + 1) {
        guint64 head;

        newline = memchr(line, '\n', end - line);
        if (newline - line < HEAD_BYTES)
            continue;
        memcpy(&head, line, HEAD_BYTES);

        for (guint i = 0; i < n_keys; i++) {
            gsize name_len;

            if (head != heads[i])
                continue;
            name_len = strlen(keys[i].name);
            if ((gsize)(newline - line) < name_len || memcmp(line, keys[i].name, name_len) != 0)
                continue;

            if (parsed.known & MN_COUNTER_BIT(keys[i].counter))
                return -EBADMSG;
            if (parse_number(line + name_len, newline, &parsed.counters[keys[i].counter]) < 0)
                return -EBADMSG;
            parsed.known |= MN_COUNTER_BIT(keys[i].counter);
            break;
        }
    }

    *ret = parsed;
    return 0;
}

/* Takes the counters of `keys` from `parsed`, divided by `divisor`; the others stay. */
static void merge(const MnSample *parsed, const Key *keys, guint n_keys, guint divisor,
                  MnSample *sample) {
    for (guint i = 0; i < n_keys; i++) {
        MnCounter counter = keys[i].counter;

        sample->known &= ~MN_COUNTER_BIT(counter);
        sample->known |= parsed->known & MN_COUNTER_BIT(counter);
        sample->counters[counter] = parsed->counters[counter] / divisor;
    }
}

int mn_sample_parse_vmstat(const char *text, gsize len, MnSample *ret) {
    MnSample parsed;
    int r;

    r = parse_lines(text, len, vmstat_keys, G_N_ELEMENTS(vmstat_keys), &parsed);
    if (r < 0)
        return r;

    merge(&parsed, vmstat_keys, G_N_ELEMENTS(vmstat_keys), 1, ret);
    return 0;
}

int mn_sample_parse_meminfo(const char *text, gsize len, guint page_kib, MnSample *ret) {
    MnSample parsed;
    int r;

    r = parse_lines(text, len, meminfo_keys, G_N_ELEMENTS(meminfo_keys), &parsed);
    if (r < 0)
        return r;

    merge(&parsed, meminfo_keys, G_N_ELEMENTS(meminfo_keys), page_kib, ret);
    return 0;
}
