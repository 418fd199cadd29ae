/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom_notify, the device of 2007, and oom_notify_critical, which its author had in mind.
 *
 * Ready for reading as long as memory is short, see devices/oom_notify; nothing is consumed. As in the
 * original a poll looks at the zones at that very moment. */
#include "devices/oom_notify.h"
#include "files/files.h"
#include "files/signal.h"

#include <poll.h>

/* The node's data. */
typedef struct OomNotifyFile {
    MnOomNotify *device;
    MnNode *node;
    MnSignals signals;
} OomNotifyFile;

typedef struct OomNotify {
    MnOpen open;
    MnSignal signal;
    char reason[MN_SHORTAGE_LINE_BYTES]; /* of the last POLLIN, until it is read; "" for none */
} OomNotify;

static OomNotifyFile *file_of(MnOpen *open) {
    return open->node->data;
}

static void on_short(gpointer data) {
    OomNotifyFile *file = data;

    mn_node_wake(file->node);
    mn_signals_send(&file->signals, mn_signals_count(&file->signals));
}

/* The first to come; `opens` does not have it yet. */
static int oom_notify_open(MnOpen *open) {
    if (!open->node->opens)
        mn_oom_notify_start(file_of(open)->device);
    return 0;
}

/* The last to go; `opens` still has it. */
static void oom_notify_release(MnOpen *open) {
    mn_signal_drop(&((OomNotify *)open)->signal);
    if (open->node->opens == open && !open->next)
        mn_oom_notify_stop(file_of(open)->device);
}

/* Why it is ready now or, when it is not any more, why the last poll has said so. */
static int oom_notify_read(MnOpen *open, GString *text) {
    MnOomNotify *device = file_of(open)->device;
    OomNotify *self = (OomNotify *)open;

    if (mn_oom_notify_look(device) || self->reason[0] == '\0')
        mn_oom_notify_describe(device, self->reason);
    g_string_append(text, self->reason);
    self->reason[0] = '\0';
    return 0;
}

static int oom_notify_write(MnOpen *open, const MnWrite *write) {
    return mn_signal_write(&file_of(open)->signals, &((OomNotify *)open)->signal, open, write);
}

static guint oom_notify_poll(MnOpen *open) {
    MnOomNotify *device = file_of(open)->device;

    if (!mn_oom_notify_look(device))
        return 0;
    mn_oom_notify_describe(device, ((OomNotify *)open)->reason);
    return POLLIN;
}

static const MnFileOps oom_notify_ops = {
    .open_bytes = sizeof(OomNotify),
    .is_rereadable = TRUE,
    .open = oom_notify_open,
    .release = oom_notify_release,
    .read = oom_notify_read,
    .write = oom_notify_write,
    .writes_late = TRUE,
    .poll = oom_notify_poll,
    .free_data = g_free,
};

void mn_oom_notify_add(MnTree *tree, const char *name, MnOomNotify *device, MnHelper *helper, MnHelper *messenger) {
    OomNotifyFile *file = g_new0(OomNotifyFile, 1);

    *file = (OomNotifyFile){ .device = device, .signals = { .helper = helper, .messenger = messenger } };
    file->node = mn_tree_add_file(tree, mn_tree_get_root(tree), name, 0666, &oom_notify_ops, file);
    mn_oom_notify_set_notify(device, on_short, file);
}
