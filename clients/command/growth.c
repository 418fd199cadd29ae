/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes have grown. Opens nothing: it is told what there is, by processes.c. */
#include "growth.h"

#include "core/number.h"

void cmd_growth_init(CmdGrowth *self) {
    *self = (CmdGrowth){ .processes = g_hash_table_new_full(NULL, NULL, NULL, g_free) };
}

void cmd_growth_clear(CmdGrowth *self) {
    g_clear_pointer(&self->processes, g_hash_table_unref);
}

void cmd_growth_begin(CmdGrowth *self) {
    self->turn++;
}

static gboolean has_ended(gpointer key G_GNUC_UNUSED, gpointer value, gpointer data) {
    return ((CmdProcess *)value)->turn != ((CmdGrowth *)data)->turn;
}

void cmd_growth_end(CmdGrowth *self) {
    g_hash_table_foreach_remove(self->processes, has_ended, self);
}

gboolean cmd_growth_is_first(const CmdGrowth *self) {
    return self->turn <= 1;
}

void cmd_growth_restart(CmdGrowth *self) {
    g_hash_table_remove_all(self->processes);
    self->turn = 0;
}

CmdProcess *cmd_growth_see(CmdGrowth *self, pid_t pid, guint64 inode) {
    CmdProcess *process = g_hash_table_lookup(self->processes, GINT_TO_POINTER(pid));

    if (!process || process->inode != inode)
        return NULL;
    process->turn = self->turn;
    return process;
}

CmdProcess *cmd_growth_add(CmdGrowth *self, pid_t pid, guint64 start_ticks, guint64 inode) {
    CmdProcess *process = g_hash_table_lookup(self->processes, GINT_TO_POINTER(pid));

    if (!process || process->start_ticks != start_ticks) {
        process = g_new0(CmdProcess, 1);
        process->pid = pid;
        process->start_ticks = start_ticks;
        g_hash_table_replace(self->processes, GINT_TO_POINTER(pid), process);
    }
    process->inode = inode;
    process->turn = self->turn;
    return process;
}

void cmd_growth_measure(const CmdGrowth *self, CmdProcess *process, guint64 rss_pages) {
    if (cmd_growth_is_first(self))
        process->first_rss_pages = rss_pages;
    process->rss_pages = rss_pages;
}

void cmd_growth_drop(CmdGrowth *self, const CmdProcess *process) {
    g_hash_table_remove(self->processes, GINT_TO_POINTER(process->pid));
}

static guint64 weight_of(const CmdProcess *process, CmdGrowthOrder order) {
    return mn_subtract(process->rss_pages, order == CMD_GROWTH_GROWN ? process->first_rss_pages : 0);
}

/* The one with more memory, and at last the younger one, so that the order does not change by itself. */
static gboolean is_before(const CmdProcess *one, const CmdProcess *other, CmdGrowthOrder order) {
    if (weight_of(one, order) != weight_of(other, order))
        return weight_of(one, order) > weight_of(other, order);
    if (one->rss_pages != other->rss_pages)
        return one->rss_pages > other->rss_pages;
    return one->pid > other->pid;
}

guint cmd_growth_rank(const CmdGrowth *self, CmdGrowthOrder order, guint most, const CmdProcess **ret) {
    GHashTableIter iter;
    gpointer value;
    guint n = 0;

    g_hash_table_iter_init(&iter, self->processes);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const CmdProcess *process = value;
        guint place;

        if (weight_of(process, order) == 0 || most == 0 || (n == most && !is_before(process, ret[n - 1], order)))
            continue;
        if (n < most)
            n++;
        for (place = n - 1; place > 0 && is_before(process, ret[place - 1], order); place--)
            ret[place] = ret[place - 1];
        ret[place] = process;
    }
    return n;
}
