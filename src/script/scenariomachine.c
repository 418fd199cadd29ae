/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a meter shows is computed by core/meter and core/cgroup from the same counters as anywhere. To let it show
 * something one of the wishes is searched for with which it does: each meter that can be set goes one way with its wish. */
#include "scenariomachine.h"

#include "core/number.h"

/* Parts of the memory: what the kernel keeps, and the page cache that is never given up. */
#define KERNEL_PARTS 40
#define SLAB_PARTS 200
#define FILE_PARTS 10
#define FILE_LEAST_PARTS 500
#define ANON_PARTS 10

/* Of vm.min_free_kbytes. */
#define MIN_FREE_KIB_LEAST 128
#define MIN_FREE_KIB_MOST 262144

#define PAGE_KIB ((guint64)MN_SCENARIO_PAGE_BYTES / 1024)

void mn_scenario_machine_init(MnScenarioMachine *self, gboolean is_group, guint64 total_pages) {
    *self = (MnScenarioMachine){
        .is_group = is_group,
        .total = total_pages,
        .anon_wish = total_pages / ANON_PARTS,
        .file_wish = total_pages / FILE_PARTS,
        .kernel = is_group ? 0 : total_pages / KERNEL_PARTS,
        .slab = total_pages / SLAB_PARTS,
    };
    (void)mn_scenario_machine_settle(self);
}

static guint64 root_of(guint64 square) {
    guint64 root = 0;

    for (guint64 bit = G_GUINT64_CONSTANT(1) << 31; bit > 0; bit >>= 1)
        if ((root | bit) * (root | bit) <= square)
            root |= bit;
    return root;
}

guint64 mn_scenario_machine_min_pages(const MnScenarioMachine *self) {
    guint64 kib = root_of(mn_multiply(self->total, PAGE_KIB * 16));

    return self->is_group ? 0 : CLAMP(kib, MIN_FREE_KIB_LEAST, MIN_FREE_KIB_MOST) / PAGE_KIB;
}

/* Page cache goes before the kernel's high watermark is reached, anonymous memory before the low one, while there is swap. */
gboolean mn_scenario_machine_settle(MnScenarioMachine *self) {
    guint64 min = mn_scenario_machine_min_pages(self), high = min + min / 2, low = min + min / 4;
    guint64 taken = self->kernel + self->slab + self->shmem + self->arc;
    guint64 room = mn_subtract(self->total, taken);
    guint64 file_least = MIN(self->file_wish, self->total / FILE_LEAST_PARTS), excess;

    self->swap_used = MIN(MIN(self->swap_wish, self->swap_total), self->anon_wish);
    self->anon = self->anon_wish - self->swap_used;
    self->file = CLAMP(mn_subtract(room, self->anon + high), file_least, MAX(self->file_wish, file_least));
    excess = MIN(mn_subtract(self->anon + self->file + low, room), self->swap_total - self->swap_used);
    excess = MIN(excess, self->anon);
    self->swap_used += excess;
    self->anon -= excess;
    self->file = MIN(self->file, MAX(mn_subtract(room, self->anon), MIN(file_least, room)));
    self->free = mn_subtract(room, self->anon + self->file);
    self->mlocked = MIN(self->mlocked_wish, self->anon);
    self->dirty = MIN(self->dirty_wish, self->file);
    return taken <= self->total && self->anon + self->file <= room;
}

/* --- meters --- */

/* As si_mem_available() of the kernel. */
guint64 mn_scenario_machine_available(const MnScenarioMachine *self) {
    guint64 min = mn_scenario_machine_min_pages(self), low = min + min / 4, high = min + min / 2;

    return mn_subtract(self->free, high) + self->file - MIN(self->file / 2, low) + self->slab -
           MIN(self->slab / 2, low);
}

static void sample_machine(const MnScenarioMachine *self, MnSample *sample) {
    guint64 *counters = sample->counters;

    counters[MN_COUNTER_MEM_TOTAL] = self->total;
    counters[MN_COUNTER_MEM_FREE] = counters[MN_COUNTER_VM_FREE] = self->free;
    counters[MN_COUNTER_MEM_AVAILABLE] = mn_scenario_machine_available(self);
    counters[MN_COUNTER_SWAP_TOTAL] = self->swap_total;
    counters[MN_COUNTER_SWAP_FREE] = self->swap_total - self->swap_used;
    counters[MN_COUNTER_ANON] = self->anon;
    counters[MN_COUNTER_FILE] = self->file + self->shmem;
    counters[MN_COUNTER_SHMEM] = self->shmem;
    counters[MN_COUNTER_SLAB_RECLAIMABLE] = self->slab;
    counters[MN_COUNTER_MLOCKED] = self->mlocked;
    counters[MN_COUNTER_DIRTY] = self->dirty;
    counters[MN_COUNTER_ARC] = self->arc;
    sample->known = G_MAXUINT64;
}

static void sample_group(const MnScenarioMachine *self, MnSample *sample) {
    guint64 bytes = MN_SCENARIO_PAGE_BYTES;
    MnCgroupStat stat = {
        .anon = self->anon * bytes,
        .file = (self->file + self->shmem) * bytes,
        .shmem = self->shmem * bytes,
        .dirty = self->dirty * bytes,
        .inactive_file = self->file * bytes,
        .slab_reclaimable = self->slab * bytes,
    };
    MnCgroupState state = {
        .version = MN_CGROUP_V2,
        .limit = self->total * bytes,
        .usage = (self->total - self->free) * bytes,
        .counts_swap = TRUE,
        .swap_limit = self->swap_total * bytes,
        .swap_usage = self->swap_used * bytes,
        .machine_bytes = G_MAXINT64,
        .machine_swap_bytes = G_MAXINT64,
        .stat = &stat,
    };

    mn_cgroup_to_sample(&state, MN_SCENARIO_PAGE_BYTES, sample);
}

guint64 mn_scenario_machine_get(const MnScenarioMachine *self, MnMeterId meter) {
    MnSample sample = { 0 };
    MnReading reading;

    if (self->is_group)
        sample_group(self, &sample);
    else
        sample_machine(self, &sample);
    mn_reading_from_sample(&sample, &reading);
    return reading.pages[meter];
}

/* --- wishes --- */

typedef struct Wish {
    gsize offset;     /* of what is asked for */
    gboolean is_less; /* the more is asked for the less the meter shows */
} Wish;

#define WISH(field, is_less)                                                                                           \
    { G_STRUCT_OFFSET(MnScenarioMachine, field), is_less }

/* With the first that does it. Free memory is what page cache leaves, and below the watermarks what processes do. */
static const Wish wishes[MN_N_METERS][2] = {
    [MN_METER_USED] = { WISH(anon_wish, FALSE) },
    [MN_METER_ANON] = { WISH(anon_wish, FALSE) },
    [MN_METER_AVAILABLE] = { WISH(anon_wish, TRUE) },
    [MN_METER_FREE] = { WISH(file_wish, TRUE), WISH(anon_wish, TRUE) },
    [MN_METER_FILE] = { WISH(file_wish, FALSE) },
    [MN_METER_SHMEM] = { WISH(shmem, FALSE) },
    [MN_METER_SLAB_RECLAIMABLE] = { WISH(slab, FALSE) },
    [MN_METER_MLOCKED] = { WISH(mlocked_wish, FALSE) },
    [MN_METER_DIRTY] = { WISH(dirty_wish, FALSE) },
    [MN_METER_SWAP_USED] = { WISH(swap_wish, FALSE) },
};

gboolean mn_scenario_machine_can_set(MnMeterId meter) {
    return wishes[meter][0].offset > 0;
}

static gboolean try(const MnScenarioMachine *self, const Wish *wish, guint64 pages, MnScenarioMachine *ret) {
    *ret = *self;
    *(guint64 *)G_STRUCT_MEMBER_P(ret, wish->offset) = pages;
    return mn_scenario_machine_settle(ret);
}

/* Whether with so much the meter has come to where it should be, or it is too much. */
static gboolean is_enough(const MnScenarioMachine *self, const Wish *wish, MnMeterId meter, guint64 wished,
                          guint64 pages) {
    MnScenarioMachine tried;
    guint64 shown;

    if (!try(self, wish, wished, &tried))
        return TRUE;
    shown = mn_scenario_machine_get(&tried, meter);
    return wish->is_less ? shown <= pages : shown >= pages;
}

static guint64 distance(guint64 one, guint64 other) {
    return MAX(one, other) - MIN(one, other);
}

/* How far from `pages` the meter is then; G_MAXUINT64 when so much cannot be had. */
static guint64 miss_of(const MnScenarioMachine *self, const Wish *wish, MnMeterId meter, guint64 wished, guint64 pages,
                       MnScenarioMachine *ret) {
    return try(self, wish, wished, ret) ? distance(mn_scenario_machine_get(ret, meter), pages) : G_MAXUINT64;
}

/* By the least that is enough, or what is just not. */
static gboolean set_by(MnScenarioMachine *self, const Wish *wish, MnMeterId meter, guint64 pages) {
    guint64 low = 0, high = self->total + self->swap_total;
    MnScenarioMachine at, below;
    guint64 miss, miss_below;

    while (low < high) {
        guint64 middle = low + (high - low) / 2;

        if (is_enough(self, wish, meter, middle, pages))
            high = middle;
        else
            low = middle + 1;
    }
    miss = miss_of(self, wish, meter, low, pages, &at);
    miss_below = low > 0 ? miss_of(self, wish, meter, low - 1, pages, &below) : G_MAXUINT64;
    if (MIN(miss, miss_below) > 1)
        return FALSE;
    *self = miss <= miss_below ? at : below;
    return TRUE;
}

gboolean mn_scenario_machine_set(MnScenarioMachine *self, MnMeterId meter, guint64 pages) {
    for (guint i = 0; i < G_N_ELEMENTS(wishes[meter]); i++)
        if (wishes[meter][i].offset > 0 && set_by(self, &wishes[meter][i], meter, pages))
            return TRUE;
    return FALSE;
}

guint64 mn_scenario_random(guint64 *state) {
    guint64 bits = *state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);

    bits = (bits ^ (bits >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}
