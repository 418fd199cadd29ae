/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify: the device of 2012.
 *
 * A read gives one line of meters, a write sets the limits of this open file, and an event is a
 * change of the set of limits that are reached, in either direction. The event stays until it is
 * read (or, with -o ack=poll, until a poll has reported it, as in the driver), so several changes
 * before anybody looks are one event, and nothing that asks twice loses one. Who has opened it for
 * writing only, as libmemnotify does, cannot read: there poll ends the event, too. Before the first write it is always readable. */
#include "board/limits.h"
#include "files/files.h"
#include "fs/open.h"

#include <errno.h>
#include <poll.h>

/* The node's data. Most reads come more often than samples, so the last line is kept. */
typedef struct MemnotifyFile {
    MnWitness witness;
    MnBoard *board;
    MnNode *node;
    gboolean poll_acknowledges;
    guint64 line_serial; /* of the values it shows; 0 before there is one */
    gsize line_len;
    char line[MEMNOTIFYFS_LINE_MAX];
} MemnotifyFile;

typedef struct Memnotify {
    MnOpen open;
    MnLimits limits;
    gboolean has_event;
} Memnotify;

static MemnotifyFile *file_of(MnOpen *open) {
    return open->node->data;
}

static MnBoard *board_of(MnOpen *open) {
    return file_of(open)->board;
}

static int memnotify_open(MnOpen *open) {
    mn_board_hold(board_of(open), MN_BOARD_ALL_METERS);
    return 0;
}

static void memnotify_release(MnOpen *open) {
    mn_limits_clear(&((Memnotify *)open)->limits, board_of(open), open->account);
    mn_board_release(board_of(open), MN_BOARD_ALL_METERS);
}

/* "used 89123 active 45678 total 6171024\n", as the driver, without what is not known here. */
static void update_line(MemnotifyFile *file, const MnReading *reading, guint64 serial) {
    guint offered = mn_board_get_machine(file->board)->offered;

    if (file->line_serial == serial)
        return;
    file->line_serial = serial;
    file->line_len = 0;
    for (guint id = MN_METER_USED; id <= MN_METER_TOTAL; id++)
        if (offered & MN_METER_BIT(id))
            file->line_len += g_snprintf(file->line + file->line_len, MEMNOTIFYFS_LINE_MAX - file->line_len,
                                         "%s %" G_GUINT64_FORMAT "%c", mn_meters[id].name, reading->pages[id],
                                         id == MN_METER_TOTAL ? '\n' : ' '); /* which is always there */
}

static int memnotify_read(MnOpen *open, GString *text) {
    MemnotifyFile *file = file_of(open);
    const MnReading *reading = mn_board_read(file->board); /* may bring an event */

    if (mn_board_is_gone(file->board))
        return -ENODEV;
    ((Memnotify *)open)->has_event = FALSE;
    update_line(file, reading, mn_board_get_moment(file->board)->serial);
    g_string_append_len(text, file->line, file->line_len);
    return 0;
}

static void on_crossing(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    Memnotify *self = watch->owner;

    self->open.snapshot.may_go_on = TRUE;
    if (self->has_event)
        return;
    self->has_event = TRUE;
    mn_open_wake(&self->open);
}

static int memnotify_write(MnOpen *open, const MnWrite *write) {
    Memnotify *self = (Memnotify *)open;
    MnLimitSet set;
    int r;

    r = mn_limit_set_parse(write->text, write->len, mn_board_get_machine(board_of(open)), write->fault, &set);
    if (r == 0)
        r = mn_limits_set(&self->limits, board_of(open), open->account, &set, on_crossing, open);
    if (r == 0)
        self->has_event = FALSE;
    return r;
}

static guint memnotify_poll(MnOpen *open) {
    Memnotify *self = (Memnotify *)open;
    guint events = POLLOUT | POLLWRNORM;

    if (mn_board_is_gone(board_of(open)))
        return POLLHUP | POLLERR;
    if (self->has_event) {
        events |= POLLIN | POLLRDNORM;
        self->has_event = !file_of(open)->poll_acknowledges && !open->is_write_only;
    }
    return events;
}

static gboolean memnotify_is_idle(const MnOpen *open) {
    return !((const Memnotify *)open)->limits.was_set;
}

static const MnFileOps memnotify_ops = {
    .open_bytes = sizeof(Memnotify),
    .is_rereadable = TRUE,
    .open = memnotify_open,
    .release = memnotify_release,
    .read = memnotify_read,
    .write = memnotify_write,
    .poll = memnotify_poll,
    .is_idle = memnotify_is_idle,
    .free_data = g_free,
};

static void on_presence(MnWitness *witness, const MnMoment *moment G_GNUC_UNUSED) {
    mn_node_wake(((MemnotifyFile *)witness)->node);
}

void mn_memnotify_add(MnTree *tree, MnBoard *board, gboolean poll_acknowledges) {
    MemnotifyFile *file = g_new0(MemnotifyFile, 1);

    file->board = board;
    file->poll_acknowledges = poll_acknowledges;
    file->node = mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_MEMNOTIFY, 0666, &memnotify_ops, file);
    file->witness.presence_changed = on_presence;
    mn_board_add_witness(board, &file->witness);
}
