/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory control groups: text -> numbers -> MnSample. */
#include "cgroup.h"

#include "core/meter.h"
#include "core/number.h"

#include <errno.h>
#include <string.h>

static const MnCgroupNames names_v1 = {
    .usage = "memory.usage_in_bytes",
    .stat = "memory.stat",
    .swap_usage = "memory.memsw.usage_in_bytes",
    .limits = { [MN_CGROUP_MAX] = "memory.limit_in_bytes", [MN_CGROUP_SWAP_MAX] = "memory.memsw.limit_in_bytes" },
};

static const MnCgroupNames names_v2 = {
    .usage = "memory.current",
    .stat = "memory.stat",
    .swap_usage = "memory.swap.current",
    .limits = { "memory.max", "memory.high", "memory.swap.max", "memory.swap.high" },
};

const MnCgroupNames *mn_cgroup_names(MnCgroupVersion version) {
    return version == MN_CGROUP_V1 ? &names_v1 : &names_v2;
}

static int parse_decimal(const char *text, const char *end, guint64 *ret) {
    guint64 number;

    if (mn_number_parse(&text, end, &number) < 0 || text != end)
        return -EBADMSG;
    *ret = number;
    return 0;
}

int mn_cgroup_parse_number(const char *text, gsize len, guint64 *ret) {
    if (len == 0 || text[len - 1] != '\n')
        return -EBADMSG;
    if (len == 4 && memcmp(text, "max", 3) == 0) {
        *ret = MN_CGROUP_UNLIMITED;
        return 0;
    }
    return parse_decimal(text, text + len - 1, ret);
}

/* --- memory.stat ------------------------------------------------------------------------------ */

typedef struct Key {
    const char *name; /* with the blank that ends it */
    gsize offset;     /* in MnCgroupStat */
    gboolean is_optional;
} Key;

#define KEY(name, field)                                                                                               \
    { name " ", offsetof(MnCgroupStat, field), FALSE }
#define OPTIONAL_KEY(name, field)                                                                                      \
    { name " ", offsetof(MnCgroupStat, field), TRUE }

/* The keys with "total_" are those that include the groups below. */
static const Key keys_v1[] = {
    KEY("total_cache", file),
    KEY("total_rss", anon),
    OPTIONAL_KEY("total_shmem", shmem), /* since 4.11 */
    OPTIONAL_KEY("total_dirty", dirty), /* since 4.2 */
    OPTIONAL_KEY("total_swapcached", swap_cached),
    KEY("total_active_anon", active_anon),
    KEY("total_inactive_file", inactive_file),
    KEY("total_active_file", active_file),
};

static const Key keys_v2[] = {
    KEY("anon", anon),
    KEY("file", file),
    OPTIONAL_KEY("shmem", shmem), /* since 4.12 */
    KEY("file_dirty", dirty),
    OPTIONAL_KEY("swapcached", swap_cached),
    KEY("active_anon", active_anon),
    KEY("inactive_file", inactive_file),
    KEY("active_file", active_file),
    OPTIONAL_KEY("slab_reclaimable", slab_reclaimable), /* since 4.12 */
};

/* The keys of a text, and which of them have been found. */
typedef struct Parser {
    const Key *keys;
    guint n_keys;
    guint found;
    MnCgroupStat stat;
} Parser;

static int parse_line(Parser *self, const char *line, const char *end) {
    for (guint i = 0; i < self->n_keys; i++) {
        const Key *key = &self->keys[i];
        gsize name_len = strlen(key->name);

        if ((gsize)(end - line) < name_len || memcmp(line, key->name, name_len) != 0)
            continue;
        if (self->found & (1U << i))
            return -EBADMSG;
        self->found |= 1U << i;
        return parse_decimal(line + name_len, end, G_STRUCT_MEMBER_P(&self->stat, key->offset));
    }
    return 0;
}

static gboolean has_all(const Parser *self) {
    for (guint i = 0; i < self->n_keys; i++)
        if (!self->keys[i].is_optional && !(self->found & (1U << i)))
            return FALSE;
    return TRUE;
}

/* Lines of "anon 8704000\n". */
int mn_cgroup_parse_stat(MnCgroupVersion version, const char *text, gsize len, MnCgroupStat *ret) {
    Parser parser = { .keys = version == MN_CGROUP_V1 ? keys_v1 : keys_v2,
                      .n_keys = version == MN_CGROUP_V1 ? G_N_ELEMENTS(keys_v1) : G_N_ELEMENTS(keys_v2) };
    const char *end = text + len;
    int r;

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;

    for (const char *line = text, *newline; line < end; line = newline + 1) {
        newline = memchr(line, '\n', end - line);
        r = parse_line(&parser, line, newline);
        if (r < 0)
            return r;
    }
    if (!has_all(&parser))
        return -EBADMSG;

    *ret = parser.stat;
    return 0;
}

/* --- what it means ---------------------------------------------------------------------------- */

/* A sample that is being filled in, from bytes. */
typedef struct Filling {
    MnSample *sample;
    guint page_bytes;
} Filling;

static void set(Filling *self, MnCounter counter, guint64 bytes) {
    self->sample->counters[counter] = bytes / self->page_bytes;
    self->sample->known |= MN_COUNTER_BIT(counter);
}

static guint64 total_bytes(const MnCgroupState *self) {
    return MIN(self->limit, self->machine_bytes);
}

/* v1 limits and counts memory and swap together: what memory does not need of that is left for swap. */
static guint64 swap_total_bytes(const MnCgroupState *self) {
    guint64 limit = self->swap_limit;

    if (self->version == MN_CGROUP_V1)
        limit = mn_subtract(limit, total_bytes(self));
    return MIN(limit, self->machine_swap_bytes);
}

/* Kernels have told a few bytes less than 0 for what was nearly 0. */
static guint64 used_of(guint64 bytes, guint64 there) {
    return mn_part(bytes, there, G_MAXINT64);
}

static guint64 swap_used_bytes(const MnCgroupState *self) {
    guint64 bytes = self->version == MN_CGROUP_V1 ? mn_subtract(self->swap_usage, self->usage) : self->swap_usage;

    return used_of(bytes, self->machine_swap_bytes);
}

static MnCgroupStat bound_stat(const MnCgroupStat *stat, guint64 machine_bytes) {
    MnCgroupStat bounded = *stat;

    for (guint i = 0; i < G_N_ELEMENTS(keys_v2); i++) { /* which are all that there are */
        guint64 *bytes = G_STRUCT_MEMBER_P(&bounded, keys_v2[i].offset);

        *bytes = used_of(*bytes, machine_bytes);
    }
    return bounded;
}

static void set_stat(Filling *filling, const MnCgroupStat *stat, MnCgroupVersion version) {
    guint64 evictable = mn_add(stat->active_file, stat->inactive_file);

    set(filling, MN_COUNTER_ANON, stat->anon);
    set(filling, MN_COUNTER_FILE, stat->file);
    set(filling, MN_COUNTER_SHMEM, stat->shmem);
    set(filling, MN_COUNTER_DIRTY, stat->dirty);
    set(filling, MN_COUNTER_ACTIVE_ANON, stat->active_anon);
    set(filling, MN_COUNTER_ACTIVE_FILE, stat->active_file);
    set(filling, MN_COUNTER_MLOCKED,
        mn_subtract(stat->file, mn_add(mn_add(stat->shmem, stat->swap_cached), evictable)));
    if (version == MN_CGROUP_V2)
        set(filling, MN_COUNTER_SLAB_RECLAIMABLE, stat->slab_reclaimable);
}

/* Page cache beyond the limit, as there is when the limit is lowered or is "high", makes no room. */
static void set_room(Filling *filling, const MnCgroupStat *stat, guint64 usage, guint64 total) {
    guint64 evictable = mn_add(mn_add(stat->active_file, stat->inactive_file), stat->slab_reclaimable);

    set(filling, MN_COUNTER_MEM_AVAILABLE, MIN(total, mn_subtract(mn_add(total, evictable), usage)));
    set(filling, MN_COUNTER_GROUP_EXCESS, MIN(mn_subtract(usage, total), mn_add(evictable, stat->swap_cached)));
}

void mn_cgroup_to_sample(const MnCgroupState *self, guint page_bytes, MnSample *ret) {
    Filling filling = { ret, page_bytes };
    guint64 total = total_bytes(self), usage = used_of(self->usage, self->machine_bytes);

    set(&filling, MN_COUNTER_MEM_TOTAL, total);
    set(&filling, MN_COUNTER_MEM_FREE, mn_subtract(total, usage));
    if (self->counts_swap) {
        set(&filling, MN_COUNTER_SWAP_TOTAL, swap_total_bytes(self));
        set(&filling, MN_COUNTER_SWAP_FREE, mn_subtract(swap_total_bytes(self), swap_used_bytes(self)));
    }

    if (self->stat) {
        MnCgroupStat stat = bound_stat(self->stat, self->machine_bytes);

        set_stat(&filling, &stat, self->version);
        set_room(&filling, &stat, usage, total);
    }
}

guint mn_cgroup_meters_offered(guint64 known) {
    guint offered = mn_meters_offered(known | MN_COUNTER_BIT(MN_COUNTER_SLAB_RECLAIMABLE));

    if (!(known & MN_COUNTER_BIT(MN_COUNTER_SLAB_RECLAIMABLE)))
        offered &= ~MN_METER_BIT(MN_METER_SLAB_RECLAIMABLE);
    return offered;
}

gboolean mn_cgroup_needs_stat(guint64 counters) {
    return (counters & ~(MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL) | MN_COUNTER_BIT(MN_COUNTER_MEM_FREE) |
                         MN_COUNTER_BIT(MN_COUNTER_SWAP_TOTAL) | MN_COUNTER_BIT(MN_COUNTER_SWAP_FREE))) != 0;
}
