/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pressure: what /proc/pressure/memory is, for the memory that the meters show.
 *
 * Everything is as there, error for error (psi_write() and psi_fop_poll() of the kernel): one trigger an open file, POLLPRI
 * once for each event, consumed by the poll that reports it, readable and writable at all times, POLLERR and POLLPRI
 * for as long as there is nothing that could be told. What is different is more: any window for everybody. */
#include "devices/triggers.h"
#include "files/files.h"
#include "fs/open.h"

#include <errno.h>
#include <poll.h>

/* The node's data. */
typedef struct PressureFile {
    MnWitness witness;
    MnTriggers *triggers;
    MnBoard *board;
    MnNode *node;
} PressureFile;

typedef struct Pressure {
    MnOpen open;
    MnArmedTrigger armed;
    gboolean is_armed;
    gboolean has_event;
} Pressure;

static PressureFile *file_of(MnOpen *open) {
    return open->node->data;
}

static int pressure_open(MnOpen *open) {
    mn_board_hold(file_of(open)->board, MN_SOURCE_PRESSURE);
    return 0;
}

static void pressure_release(MnOpen *open) {
    Pressure *self = (Pressure *)open;

    if (self->is_armed) {
        mn_triggers_remove(file_of(open)->triggers, &self->armed);
        mn_account_refund(open->account, MN_RESOURCE_TRIGGERS, 1);
    }
    mn_board_release(file_of(open)->board, MN_SOURCE_PRESSURE);
}

static int pressure_read(MnOpen *open, GString *text) {
    MnBoard *board = file_of(open)->board;

    mn_board_read(board);
    if (mn_board_is_gone(board))
        return -ENODEV;
    mn_stalls_print(&mn_board_get_moment(board)->stalls, text);
    return 0;
}

static void on_fired(MnArmedTrigger *armed) {
    Pressure *self = armed->owner;

    if (self->has_event)
        return;
    self->has_event = TRUE;
    mn_open_wake(&self->open);
}

static int pressure_write(MnOpen *open, const MnWrite *write) {
    Pressure *self = (Pressure *)open;
    MnTrigger trigger;
    int r;

    if (self->is_armed)
        return -EBUSY;
    r = mn_trigger_parse(write->text, write->len, write->fault, &trigger);
    if (r < 0)
        return r;
    if (mn_board_is_gone(file_of(open)->board))
        return -ENODEV;
    r = mn_account_charge(open->account, MN_RESOURCE_TRIGGERS, 1);
    if (r < 0)
        return r;
    self->is_armed = TRUE;
    self->armed = (MnArmedTrigger){ .trigger = trigger, .owner = self, .fired = on_fired };
    mn_triggers_add(file_of(open)->triggers, &self->armed);
    return 0;
}

static guint pressure_poll(MnOpen *open) {
    Pressure *self = (Pressure *)open;
    guint events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;

    if (!self->is_armed || mn_board_is_gone(file_of(open)->board))
        return events | POLLERR | POLLPRI;
    if (self->has_event)
        events |= POLLPRI;
    self->has_event = FALSE;
    return events;
}

static const MnFileOps pressure_ops = {
    .open_bytes = sizeof(Pressure),
    .is_always_readable = TRUE,
    .open = pressure_open,
    .release = pressure_release,
    .read = pressure_read,
    .write = pressure_write,
    .poll = pressure_poll,
    .free_data = g_free,
};

static void on_presence(MnWitness *witness, const MnMoment *moment G_GNUC_UNUSED) {
    PressureFile *file = (PressureFile *)witness;

    mn_triggers_begin_anew(file->triggers);
    mn_node_wake(file->node);
}

void mn_pressure_add(MnTree *tree, MnTriggers *triggers, MnBoard *board) {
    PressureFile *file = g_new0(PressureFile, 1);

    *file = (PressureFile){ .witness.presence_changed = on_presence, .triggers = triggers, .board = board };
    file->node = mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_PRESSURE, 0666, &pressure_ops, file);
    mn_board_add_witness(board, &file->witness);
}
