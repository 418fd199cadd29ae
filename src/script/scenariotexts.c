/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The formats are those of fs/proc/meminfo.c, mm/vmstat.c, kernel/sched/psi.c and mm/memcontrol.c of Linux 6.12, with the lines
 * that anything here is made of. */
#include "scenariotexts.h"

#include "core/number.h"

#include <string.h>

#define PAGE_KIB (MN_SCENARIO_PAGE_BYTES / 1024)

/* Memory that old devices can reach: the kernel keeps it from others, so it is full last. */
#define DMA_PAGES 3840

/* Reclaim looks at more than it gets. */
#define SCANS_PER_PAGE 2

/* --- counting --- */

void mn_scenario_counters_move(MnScenarioCounters *self, const MnScenarioMachine *from, const MnScenarioMachine *to) {
    guint64 min = mn_scenario_machine_min_pages(to);
    guint64 out = mn_subtract(to->swap_used, from->swap_used);
    guint64 dropped = to->file < to->file_wish ? mn_subtract(from->file, to->file) : 0;
    guint64 reclaimed = out + dropped;
    gboolean is_direct = to->is_group ? reclaimed > 0 : to->free < min; /* kswapd knows no limits of groups */

    self->swapped_out += out;
    self->swapped_in += mn_subtract(from->swap_used, to->swap_used);
    self->scanned_anon += out * SCANS_PER_PAGE;
    *(is_direct ? &self->scanned_direct : &self->scanned) += reclaimed * SCANS_PER_PAGE;
    *(is_direct ? &self->reclaimed_direct : &self->reclaimed) += reclaimed;
    if (reclaimed > 0 || to->free < min + min / 4)
        self->kswapd_runs++;
    if (is_direct)
        self->direct_runs++;
}

/* A window of 512 pages, of which so many per cent are not got: core/vmpressure. */
void mn_scenario_counters_press(MnScenarioCounters *self, MnPressure level) {
    static const guint lost[MN_N_PRESSURES] = { 10, 75, 98 };
    guint64 scanned = 1000;

    self->scanned_direct += scanned;
    self->reclaimed_direct += scanned * (100 - lost[level]) / 100;
    self->direct_runs++;
}

/* --- the machine --- */

static void append_kib(GString *text, const char *name, guint64 pages) {
    g_string_append_printf(text, "%-15s %8" G_GUINT64_FORMAT " kB\n", name, mn_multiply(pages, PAGE_KIB));
}

/* Shared memory lies in the lists of anonymous memory, and what is locked in one of its own. */
static guint64 evictable_anon_of(const MnScenarioMachine *machine) {
    return machine->anon + machine->shmem - machine->mlocked;
}

static guint64 active_anon_of(const MnScenarioMachine *machine) {
    return evictable_anon_of(machine) / 5 * 3;
}

static guint64 inactive_anon_of(const MnScenarioMachine *machine) {
    return evictable_anon_of(machine) - active_anon_of(machine);
}

static guint64 active_file_of(const MnScenarioMachine *machine) {
    return machine->file / 2;
}

static void print_meminfo(const MnScenarioMachine *machine, GString *text) {
    guint64 active_anon = active_anon_of(machine), inactive_anon = inactive_anon_of(machine);
    guint64 active_file = active_file_of(machine), inactive_file = machine->file - active_file;

    append_kib(text, "MemTotal:", machine->total);
    append_kib(text, "MemFree:", machine->free);
    append_kib(text, "MemAvailable:", mn_scenario_machine_available(machine));
    append_kib(text, "Buffers:", 0);
    append_kib(text, "Cached:", machine->file + machine->shmem);
    append_kib(text, "SwapCached:", 0);
    append_kib(text, "Active:", active_anon + active_file);
    append_kib(text, "Inactive:", inactive_anon + inactive_file);
    append_kib(text, "Active(anon):", active_anon);
    append_kib(text, "Inactive(anon):", inactive_anon);
    append_kib(text, "Active(file):", active_file);
    append_kib(text, "Inactive(file):", inactive_file);
    append_kib(text, "Unevictable:", machine->mlocked);
    append_kib(text, "Mlocked:", machine->mlocked);
    append_kib(text, "SwapTotal:", machine->swap_total);
    append_kib(text, "SwapFree:", machine->swap_total - machine->swap_used);
    append_kib(text, "Dirty:", machine->dirty);
    append_kib(text, "Writeback:", 0);
    append_kib(text, "AnonPages:", machine->anon);
    append_kib(text, "Mapped:", machine->anon / 10);
    append_kib(text, "Shmem:", machine->shmem);
    append_kib(text, "KReclaimable:", machine->slab);
    append_kib(text, "Slab:", machine->slab + machine->kernel / 2);
    append_kib(text, "SReclaimable:", machine->slab);
    append_kib(text, "SUnreclaim:", machine->kernel / 2);
}

static void append(GString *text, const char *name, guint64 number) {
    g_string_append_printf(text, "%s %" G_GUINT64_FORMAT "\n", name, number);
}

static void append_reclaim(GString *text, const MnScenarioCounters *counters) {
    append(text, "pgsteal_kswapd", counters->reclaimed);
    append(text, "pgsteal_direct", counters->reclaimed_direct);
    append(text, "pgsteal_khugepaged", 0);
    append(text, "pgscan_kswapd", counters->scanned);
    append(text, "pgscan_direct", counters->scanned_direct);
    append(text, "pgscan_khugepaged", 0);
}

static void print_vmstat(const MnScenarioMachine *machine, const MnScenarioCounters *counters, GString *text) {
    append(text, "nr_free_pages", machine->free);
    append(text, "nr_inactive_anon", inactive_anon_of(machine));
    append(text, "nr_active_anon", active_anon_of(machine));
    append(text, "nr_inactive_file", machine->file - active_file_of(machine));
    append(text, "nr_active_file", active_file_of(machine));
    append(text, "nr_unevictable", machine->mlocked);
    append(text, "nr_slab_reclaimable", machine->slab);
    append(text, "nr_slab_unreclaimable", machine->kernel / 2);
    append(text, "nr_anon_pages", machine->anon);
    append(text, "nr_mapped", machine->anon / 10);
    append(text, "nr_file_pages", machine->file + machine->shmem);
    append(text, "nr_dirty", machine->dirty);
    append(text, "nr_writeback", 0);
    append(text, "nr_shmem", machine->shmem);
    append(text, "nr_mlock", machine->mlocked);
    append(text, "pswpin", counters->swapped_in);
    append(text, "pswpout", counters->swapped_out);
    append(text, "allocstall_dma", 0);
    append(text, "allocstall_normal", counters->direct_runs);
    append(text, "allocstall_movable", 0);
    append_reclaim(text, counters);
    append(text, "pgscan_anon", counters->scanned_anon);
    append(text, "pgscan_file", counters->scanned + counters->scanned_direct - counters->scanned_anon);
    append(text, "pageoutrun", counters->kswapd_runs);
    append(text, "oom_kill", counters->ooms);
}

/* The least that ZFS keeps is none here, so that all of it is what it would give back. */
static void print_arcstats(const MnScenarioMachine *machine, GString *text) {
    g_string_append_printf(text,
                           "9 1 0x01 3 816 0 0\nname                            type data\n"
                           "c_min                           4    0\n"
                           "size                            4    %" G_GUINT64_FORMAT "\n",
                           mn_multiply(machine->arc, MN_SCENARIO_PAGE_BYTES));
}

/* --- zones --- */

typedef struct Zone {
    guint node;
    const char *name;
    guint64 free;
    guint64 managed;
    guint64 min;
    guint64 upper; /* pages in the zones above it, in its node */
} Zone;

static void print_zone(const Zone *zone, gboolean is_first, GString *text) {
    g_string_append_printf(text, "Node %u, zone %8s\n", zone->node, zone->name);
    if (is_first)
        g_string_append(text, "  per-node stats\n      nr_dirty     0\n");
    g_string_append_printf(
        text,
        "  pages free     %" G_GUINT64_FORMAT "\n        boost    0\n        min      %" G_GUINT64_FORMAT
        "\n        low      %" G_GUINT64_FORMAT "\n        high     %" G_GUINT64_FORMAT
        "\n        spanned  %" G_GUINT64_FORMAT "\n        present  %" G_GUINT64_FORMAT
        "\n        managed  %" G_GUINT64_FORMAT "\n        cma      0\n        protection: (0, %" G_GUINT64_FORMAT
        ")\n  node_unreclaimable:  0\n  start_pfn:           %u\n",
        zone->free, zone->min, zone->min + zone->min / 4, zone->min + zone->min / 2, zone->managed, zone->managed,
        zone->managed, zone->upper / 256, is_first ? 1 : 4096);
}

/* What of the free memory each node has: as much as was said, and of the rest what its size says. */
static void share_free(const MnScenarioNodes *nodes, guint64 free_pages, guint64 *ret) {
    guint64 rest = free_pages, others = 0;

    for (guint i = 0; i < nodes->n; i++) {
        gboolean is_said = nodes->nodes[i].free != G_MAXUINT64;

        ret[i] = is_said ? MIN(MIN(nodes->nodes[i].free, nodes->nodes[i].pages), rest) : 0;
        rest -= ret[i];
        others += is_said ? 0 : nodes->nodes[i].pages;
    }
    for (guint i = 0; i < nodes->n && others > 0; i++) {
        const MnScenarioNode *node = &nodes->nodes[i];
        guint64 part;

        if (node->free != G_MAXUINT64)
            continue;
        part = MIN((guint64)((double)rest * (double)node->pages / (double)others), node->pages);
        ret[i] = part;
        rest -= part;
        others -= node->pages;
    }
}

static void print_zoneinfo(const MnScenarioMachine *machine, const MnScenarioNodes *nodes, GString *text) {
    guint64 min = mn_scenario_machine_min_pages(machine), free_pages[MN_SCENARIO_NODES_MAX];

    share_free(nodes, machine->free, free_pages);
    for (guint i = 0; i < nodes->n; i++) {
        guint64 pages = nodes->nodes[i].pages, dma = i == 0 && pages > 4 * (guint64)DMA_PAGES ? DMA_PAGES : 0;
        guint64 dma_free = MIN(dma, free_pages[i]);
        guint64 dma_min = machine->total > 0 ? (guint64)((double)min * (double)dma / (double)machine->total) : 0;
        guint64 node_min = machine->total > 0 ? (guint64)((double)min * (double)pages / (double)machine->total) : 0;

        if (dma > 0)
            print_zone(&(Zone){ i, "DMA", dma_free, dma, dma_min, pages - dma }, TRUE, text);
        print_zone(&(Zone){ i, "Normal", free_pages[i] - dma_free, pages - dma, node_min - dma_min, 0 }, dma == 0,
                   text);
    }
}

/* --- a group --- */

static void print_group_stat(const MnScenarioMachine *group, const MnScenarioCounters *counters, GString *text) {
    guint64 bytes = MN_SCENARIO_PAGE_BYTES;

    append(text, "anon", group->anon * bytes);
    append(text, "file", (group->file + group->shmem) * bytes);
    append(text, "shmem", group->shmem * bytes);
    append(text, "file_dirty", group->dirty * bytes);
    append(text, "inactive_anon", inactive_anon_of(group) * bytes);
    append(text, "active_anon", active_anon_of(group) * bytes);
    append(text, "inactive_file", (group->file - active_file_of(group)) * bytes);
    append(text, "active_file", active_file_of(group) * bytes);
    append(text, "slab_reclaimable", group->slab * bytes);
    append_reclaim(text, counters);
}

static void print_group_events(const MnScenarioCounters *counters, GString *text) {
    append(text, "low", 0);
    append(text, "high", 0);
    append(text, "max", counters->direct_runs);
    append(text, "oom", counters->ooms);
    append(text, "oom_kill", counters->ooms);
}

static void print_group(const MnScenarioView *view, const char *name, GString *text) {
    const MnScenarioMachine *group = view->machine;
    const struct {
        const char *name;
        guint64 pages;
    } numbers[] = { { "memory.current", group->total - group->free },
                    { "memory.max", group->total },
                    { "memory.swap.current", group->swap_used },
                    { "memory.swap.max", group->swap_total } };

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0) {
            g_string_append_printf(text, "%" G_GUINT64_FORMAT "\n", numbers[i].pages * MN_SCENARIO_PAGE_BYTES);
            return;
        }
    if (strcmp(name, "memory.stat") == 0)
        print_group_stat(group, view->counters, text);
    else if (strcmp(name, "memory.events") == 0)
        print_group_events(view->counters, text);
    else if (strcmp(name, "memory.pressure") == 0)
        mn_stalls_print(&view->stalls, text);
    else
        g_string_append(text, "max\n");
}

/* --- all of them --- */

const char *const mn_scenario_names[] = { "meminfo",
                                          "vmstat",
                                          "zoneinfo",
                                          "pressure/memory",
                                          "spl/kstat/zfs/arcstats",
                                          MN_SCENARIO_GROUP "memory.current",
                                          MN_SCENARIO_GROUP "memory.max",
                                          MN_SCENARIO_GROUP "memory.high",
                                          MN_SCENARIO_GROUP "memory.swap.current",
                                          MN_SCENARIO_GROUP "memory.swap.max",
                                          MN_SCENARIO_GROUP "memory.stat",
                                          MN_SCENARIO_GROUP "memory.events",
                                          MN_SCENARIO_GROUP "memory.pressure",
                                          NULL };

static void print_of_machine(const MnScenarioView *view, const char *name, GString *text) {
    if (strcmp(name, "meminfo") == 0)
        print_meminfo(view->machine, text);
    else if (strcmp(name, "vmstat") == 0)
        print_vmstat(view->machine, view->counters, text);
    else if (strcmp(name, "zoneinfo") == 0)
        print_zoneinfo(view->machine, view->nodes, text);
    else if (strcmp(name, "pressure/memory") == 0)
        mn_stalls_print(&view->stalls, text);
    else
        print_arcstats(view->machine, text);
}

void mn_scenario_print(const MnScenarioView *view, const char *name, GString *text) {
    MnScenarioMachine host;
    const MnScenarioCounters idle = { 0 };
    const MnScenarioView of_host = { .machine = &host, .nodes = view->nodes, .counters = &idle };

    if (g_str_has_prefix(name, MN_SCENARIO_GROUP)) {
        print_group(view, name + strlen(MN_SCENARIO_GROUP), text);
        return;
    }
    if (view->machine->is_group)
        mn_scenario_machine_init(&host, FALSE, view->host_pages);
    print_of_machine(view->machine->is_group ? &of_host : view, name, text);
}
