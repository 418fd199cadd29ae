/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memcg/: a directory that looks to its clients like one of a v1 memory cgroup, with the
 * notification API that cgroup v2 does not have.
 *
 * A client opens a file, makes an eventfd and writes both numbers to cgroup.event_control. They
 * are numbers in his process; what they stand for the helper finds out without touching the files, since
 * one of them is ours. Errors and their order are the kernel's. */
#include "files/files.h"
#include "fs/open.h"
#include "kernel/claim.h"
#include "kernel/ourselves.h"
#include "memcg/registration.h"

#include <errno.h>
#include <string.h>

/* The data of the directory, and of each of its files. */
typedef struct Memcg {
    MnBoard *board;
    MnRegistrations *registrations;
    MnTree *tree;
    MnNode *dir;
    MnNode *controls[MN_N_EVENT_KINDS]; /* NULL for one that is not offered */
} Memcg;

static Memcg *memcg_of(MnOpen *open) {
    return open->node->data;
}

static MnRegistrations *registrations_of(MnOpen *open) {
    return memcg_of(open)->registrations;
}

static MnMemcg *group_of(MnOpen *open) {
    return mn_registrations_get_memcg(registrations_of(open));
}

static gboolean is_v1(MnOpen *open) {
    return group_of(open) && mn_memcg_get_version(group_of(open)) == MN_CGROUP_V1;
}

/* Also when there is another group by now: a file belongs to the group that it was opened for. */
static gboolean is_removed(MnOpen *open) {
    return mn_registrations_check_removed(registrations_of(open)) || !open->node->is_linked;
}

static int memcg_open(MnOpen *open) {
    return is_removed(open) ? -ENOENT : 0;
}

/* --- memory.usage_in_bytes, memory.memsw.usage_in_bytes --- */

static MnMeterId meter_of(MnOpen *open) {
    const Memcg *memcg = memcg_of(open);
    MnEventKind kind = open->node == memcg->controls[MN_EVENT_MEMSW] ? MN_EVENT_MEMSW : MN_EVENT_USAGE;

    return mn_registrations_get_meter(memcg->registrations, kind);
}

static guint sources_of(MnOpen *open) {
    return mn_board_meter_sources(memcg_of(open)->board, meter_of(open));
}

/* Of the machine that is shown. */
static guint64 page_bytes(MnOpen *open) {
    return mn_board_get_machine(memcg_of(open)->board)->page_bytes;
}

static int usage_open(MnOpen *open) {
    int r;

    r = memcg_open(open);
    if (r < 0)
        return r;
    mn_board_hold(memcg_of(open)->board, sources_of(open));
    return 0;
}

static void usage_release(MnOpen *open) {
    mn_board_release(memcg_of(open)->board, sources_of(open));
}

/* Whoever reads because of an event must not see less than what caused it: our own events come
 * from the last sample, the kernel's from after it. */
static int usage_read(MnOpen *open, GString *text) {
    MnMeterId id = meter_of(open);
    guint64 pages = mn_board_read(memcg_of(open)->board)->pages[id];
    MnSample sample = { 0 };
    int r;

    if (is_removed(open))
        return -ENODEV;
    if (group_of(open) && mn_memcg_takes_registrations(group_of(open))) {
        r = mn_memcg_sample(group_of(open), &sample);
        if (r < 0)
            return r;
        pages = mn_meters[id].pages(&sample);
    }
    g_string_append_printf(text, "%" G_GUINT64_FORMAT "\n", pages * page_bytes(open));
    return 0;
}

static const MnFileOps usage_ops = {
    .open = usage_open,
    .release = usage_release,
    .read = usage_read,
};

/* --- memory.limit_in_bytes --- */

static int limit_read(MnOpen *open, GString *text) {
    g_autofree char *limit = NULL;
    int r = 0;

    if (is_removed(open))
        return -ENODEV;
    if (group_of(open))
        r = mn_memcg_read(group_of(open), is_v1(open) ? "memory.limit_in_bytes" : "memory.max", &limit);
    if (r < 0)
        return r;

    if (limit && strcmp(limit, "max\n") != 0)
        g_string_append(text, limit);
    else
        g_string_append_printf(text, "%" G_GUINT64_FORMAT "\n",
                               mn_event_control_max_pages(page_bytes(open)) * page_bytes(open));
    return 0;
}

static const MnFileOps limit_ops = {
    .open = memcg_open,
    .read = limit_read,
};

/* --- memory.oom_control --- */

/* "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n" */
static int oom_control_read(MnOpen *open, GString *text) {
    g_autofree char *kernels = NULL;
    guint64 kills;
    int r;

    if (is_removed(open))
        return -ENODEV;
    if (is_v1(open)) {
        r = mn_memcg_read(group_of(open), "memory.oom_control", &kernels);
        if (r == 0)
            g_string_append(text, kernels);
        return r;
    }
    r = mn_registrations_get_oom_kills(registrations_of(open), &kills);
    if (r == 0) /* without v1 the killer is always on, and nobody stays under OOM */
        g_string_append_printf(text, "oom_kill_disable 0\nunder_oom 0\noom_kill %" G_GUINT64_FORMAT "\n", kills);
    return r;
}

static int oom_control_write(MnOpen *open, const MnWrite *write) {
    if (is_removed(open))
        return -ENODEV;
    if (!is_v1(open))
        return -EOPNOTSUPP;
    return mn_memcg_write(group_of(open), "memory.oom_control", write->text, write->len);
}

static const MnFileOps oom_control_ops = {
    .open = memcg_open,
    .read = oom_control_read,
    .write = oom_control_write,
};

/* --- memory.pressure_level: only to be named in a registration --- */

static const MnFileOps pressure_level_ops = {
    .open = memcg_open,
};

/* --- cgroup.event_control --- */

/* A write that waits for the helper. */
typedef struct Registering {
    MnOpen *open;
    MnCaller caller;
    char *text;
    MnEventControl parsed; /* points into the text */
} Registering;

static void registering_free(Registering *self) {
    g_free(self->text);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Registering, registering_free)

static gboolean may_read(const MnNode *node, const MnCaller *caller) {
    guint shift = caller->uid == node->uid ? 6 : caller->gid == node->gid ? 3 : 0;

    return caller->uid == 0 || ((node->mode >> shift) & 4);
}

/* Which of the files the control is. */
static int find_control(const Memcg *memcg, guint64 ino, const MnCaller *caller, MnEventKind *ret) {
    for (guint kind = 0; kind < MN_N_EVENT_KINDS; kind++) {
        const MnNode *node = memcg->controls[kind];

        if (node && node->ino == ino) {
            *ret = kind;
            return may_read(node, caller) ? 0 : -EACCES;
        }
    }
    return -EINVAL;
}

static int finish_registering(const Registering *self, MnParcel *answer) {
    const MnClaimed *claimed = mn_claim_get_claimed(answer);
    g_auto(MnSinkKey) key = { .pid = claimed->pid,
                              .uid = self->caller.uid,
                              .number = self->parsed.eventfd,
                              .eventfd_id = claimed->eventfd_id,
                              .pidfd = mn_parcel_steal_fd(answer, 0),
                              .fd = mn_parcel_steal_fd(answer, 1) };
    MnRegistrations *registrations = registrations_of(self->open);
    MnEventKind kind;
    int r;

    if (is_removed(self->open))
        return -ENODEV;
    r = find_control(memcg_of(self->open), claimed->ino, &self->caller, &kind);
    if (r == 0)
        r = claimed->taken;
    return r < 0 ? r
                 : mn_registrations_add(registrations, &key, kind, self->parsed.argument, self->parsed.argument_len);
}

/* EMFILE would tell the client of its own descriptors; it is ours that are too many. */
static void on_claimed(int r, MnParcel *answer, gpointer data) {
    g_autoptr(Registering) self = data;

    if (r == 0)
        r = finish_registering(self, answer);
    mn_open_finish(self->open, r == -EMFILE ? -ENFILE : r);
}

static int event_control_write(MnOpen *open, const MnWrite *write) {
    g_autoptr(Registering) self = g_new0(Registering, 1);
    int r;

    if (is_removed(open))
        return -ENODEV;
    self->open = open;
    self->caller = write->caller;
    self->text = g_memdup2(write->text, write->len);
    r = mn_event_control_parse(self->text, write->len, write->fault, &self->parsed);
    if (r == 0)
        r = mn_registrations_claim(registrations_of(open), self->caller.tid, self->caller.uid, &self->parsed,
                                   on_claimed, self);
    if (r < 0)
        return r == -EMFILE ? -ENFILE : r;
    g_steal_pointer(&self);
    return MN_LATER;
}

static const MnFileOps event_control_ops = {
    .open = memcg_open,
    .write = event_control_write,
    .writes_late = TRUE,
};

/* As when a cgroup is removed: its files are gone, and clients look for that. */
static void on_removed(gpointer data) {
    Memcg *memcg = data;

    while (memcg->dir->children->len > 0)
        mn_tree_unlink(memcg->tree, g_ptr_array_index(memcg->dir->children, 0));
    memset(memcg->controls, 0, sizeof memcg->controls);
}

/* Whoever asks for a file sees what is there now. */
static void memcg_look(MnNode *dir) {
    mn_registrations_check_removed(((Memcg *)dir->data)->registrations);
}

static const MnDirOps dir_ops = {
    .look = memcg_look,
    .free_data = g_free,
};

static MnNode *add(Memcg *memcg, const char *name, mode_t mode, const MnFileOps *ops) {
    return mn_tree_add_file(memcg->tree, memcg->dir, name, mode, ops, memcg);
}

static void add_all(gpointer data) {
    Memcg *memcg = data;
    MnMemcg *group = mn_registrations_get_memcg(memcg->registrations);

    add(memcg, "cgroup.event_control", 0222, &event_control_ops);
    add(memcg, "memory.limit_in_bytes", 0444, &limit_ops);
    memcg->controls[MN_EVENT_USAGE] = add(memcg, mn_event_file_names[MN_EVENT_USAGE], 0444, &usage_ops);
    if (!group || mn_memcg_counts_swap(group))
        memcg->controls[MN_EVENT_MEMSW] = add(memcg, mn_event_file_names[MN_EVENT_MEMSW], 0444, &usage_ops);
    memcg->controls[MN_EVENT_OOM] = add(memcg, mn_event_file_names[MN_EVENT_OOM], 0644, &oom_control_ops);
    memcg->controls[MN_EVENT_PRESSURE] = add(memcg, mn_event_file_names[MN_EVENT_PRESSURE], 0444, &pressure_level_ops);
}

void mn_memcg_add(MnTree *tree, MnBoard *board, MnRegistrations *registrations) {
    Memcg *memcg = g_new0(Memcg, 1);

    memcg->board = board;
    memcg->registrations = registrations;
    memcg->tree = tree;
    memcg->dir = mn_tree_add_dir(tree, mn_tree_get_root(tree), "memcg", 0755, &dir_ops, memcg);
    add_all(memcg);
    mn_registrations_set_presence(registrations, on_removed, add_all, memcg);
}
