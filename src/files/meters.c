/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* meters/NAME: one meter each.
 *
 * A read gives its value, a write sets one limit for this open file. It is ready as long as the
 * limit's state, reached or not, is one that this open file has not read yet; a limit that is
 * reached when it is written is such a state. Before the first write it is always readable. */
#include "board/limits.h"
#include "files/files.h"
#include "fs/open.h"

#include <errno.h>
#include <poll.h>

typedef struct MeterFile {
    MnWitness witness;
    MnBoard *board;
    MnNode *node;
    MnMeterId meter;
} MeterFile;

typedef struct Meter {
    MnOpen open;
    MnLimits limit;
    guint32 seen_reached; /* the state that was read last */
} Meter;

static MeterFile *file_of(MnOpen *open) {
    return open->node->data;
}

static guint sources_of(MnOpen *open) {
    return mn_board_meter_sources(file_of(open)->board, file_of(open)->meter);
}

static int meter_open(MnOpen *open) {
    mn_board_hold(file_of(open)->board, sources_of(open));
    return 0;
}

static void meter_release(MnOpen *open) {
    mn_limits_clear(&((Meter *)open)->limit, file_of(open)->board, open->account);
    mn_board_release(file_of(open)->board, sources_of(open));
}

static guint32 reached(const Meter *self) {
    return self->limit.watch ? self->limit.watch->reached : 0;
}

/* "5123456\n" */
static int meter_read(MnOpen *open, GString *text) {
    Meter *self = (Meter *)open;
    const MnReading *reading = mn_board_read(file_of(open)->board);

    if (mn_board_is_gone(file_of(open)->board))
        return -ENODEV;
    self->seen_reached = reached(self);
    g_string_append_printf(text, "%" G_GUINT64_FORMAT "\n", reading->pages[file_of(open)->meter]);
    return 0;
}

static void on_crossing(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    mn_open_wake(watch->owner);
}

static int meter_write(MnOpen *open, const MnWrite *write) {
    Meter *self = (Meter *)open;
    MnBoard *board = file_of(open)->board;
    MnLimitSet set;
    int r;

    r = mn_limit_set_parse_one(write->text, write->len, mn_board_get_machine(board), file_of(open)->meter, write->fault,
                               &set);
    if (r == 0)
        r = mn_limits_set(&self->limit, board, open->account, &set, on_crossing, open);
    if (r < 0)
        return r;

    self->seen_reached = 0;
    if (reached(self))
        mn_open_wake(open);
    return 0;
}

static guint meter_poll(MnOpen *open) {
    const Meter *self = (const Meter *)open;
    guint events = POLLOUT | POLLWRNORM;

    if (mn_board_is_gone(file_of(open)->board))
        return POLLHUP | POLLERR;
    if (reached(self) != self->seen_reached)
        events |= POLLIN | POLLRDNORM | POLLPRI;
    return events;
}

static gboolean meter_is_idle(const MnOpen *open) {
    return !((const Meter *)open)->limit.was_set;
}

static const MnFileOps meter_ops = {
    .open_bytes = sizeof(Meter),
    .open = meter_open,
    .release = meter_release,
    .read = meter_read,
    .write = meter_write,
    .poll = meter_poll,
    .is_idle = meter_is_idle,
    .free_data = g_free,
};

static void on_presence(MnWitness *witness, const MnMoment *moment G_GNUC_UNUSED) {
    mn_node_wake(((MeterFile *)witness)->node);
}

void mn_meters_add(MnTree *tree, MnBoard *board) {
    guint offered = mn_board_get_machine(board)->offered;
    MnNode *dir = mn_tree_add_dir(tree, mn_tree_get_root(tree), MEMNOTIFYFS_METERS, 0755, NULL, NULL);

    for (guint id = 0; id < MN_N_METERS; id++)
        if (offered & MN_METER_BIT(id)) {
            MeterFile *file = g_new0(MeterFile, 1);

            *file = (MeterFile){ .witness.presence_changed = on_presence, .board = board, .meter = id };
            file->node = mn_tree_add_file(tree, dir, mn_meters[id].name, 0666, &meter_ops, file);
            mn_board_add_witness(board, &file->witness);
        }
}
