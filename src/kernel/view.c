/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user sees of processes is for his own /proc to say: which pid namespace it shows, by which numbers, and what
 * its option hidepid leaves of that to him. */
#include "view.h"

#include "kernel/identity.h"
#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PATH_BYTES 64
#define PROC_ROOT_INO 1

gboolean mn_view_is_same(const MnView *self, const MnView *other) {
    return self->uid == other->uid && self->gid == other->gid && self->device == other->device;
}

void mn_view_close(MnView *self) {
    if (self->proc_fd >= 0)
        close(self->proc_fd);
    self->proc_fd = -1;
}

/* No right to look is no right to see; what we are short of is. */
static int look_error(void) {
    switch (errno) {
    case EACCES:
    case ENOTDIR:
    case ELOOP:
        return -EPERM;
    default:
        return -errno;
    }
}

/* Whether he is given our view. */
static int is_near(const MnViewer *viewer) {
    MnProcessStatus status;
    int r;

    if (!viewer->is_privileged)
        return FALSE;
    if (viewer->tid == 0 || !mn_process_proc_is_ours())
        return TRUE;
    r = mn_process_read_status(viewer->tid, &status);
    return r < 0 ? r : status.n_pids == 1;
}

/* Not a part of one that is mounted there. */
static int check_proc(int fd, dev_t *ret_device) {
    struct statfs fs;
    struct stat st;

    if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
        return look_error();
    if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INO)
        return -EPERM;
    *ret_device = st.st_dev;
    return 0;
}

/* O_NOFOLLOW: the user makes the links in his root directory. */
static int open_proc_below(int root_fd, const MnViewer *viewer, int *ret_fd) {
    MnIdentity identity;
    int fd, r;

    r = mn_identity_take(viewer->uid, viewer->gid, &identity);
    if (r < 0)
        return r;
    fd = openat(root_fd, "proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    r = fd >= 0 ? 0 : errno == ENOENT ? -EPERM : look_error();
    mn_identity_return(&identity);
    *ret_fd = fd;
    return r;
}

static int open_proc_of(const MnViewer *viewer, int *ret_fd) {
    char path[PATH_BYTES];
    int root_fd, r;

    if (viewer->tid == 0 || !mn_process_proc_is_ours())
        return -EPERM;
    snprintf(path, sizeof path, "/proc/%d/root", viewer->tid);
    root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return errno == ENOENT ? -ESRCH : look_error();
    r = open_proc_below(root_fd, viewer, ret_fd);
    close(root_fd);
    return r;
}

int mn_view_open(const MnViewer *viewer, MnView *ret) {
    MnView self = { .uid = viewer->uid, .gid = viewer->gid, .proc_fd = -1 };
    int r;

    r = is_near(viewer);
    if (r > 0) {
        self.uid = (uid_t)-1;
        self.gid = (gid_t)-1;
        self.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = self.proc_fd < 0 ? -errno : 0;
    } else if (r == 0) {
        r = open_proc_of(viewer, &self.proc_fd);
    }
    if (r == 0)
        r = check_proc(self.proc_fd, &self.device);
    if (r < 0) {
        mn_view_close(&self);
        return r;
    }

    *ret = self;
    return 0;
}

/* --- asked for from the main loop --- */

static int run_open(MnParcel *question, MnParcel *answer) {
    MnView view;
    int r;

    r = mn_view_open((const MnViewer *)(void *)question->bytes->data, &view);
    if (r < 0)
        return r;
    mn_parcel_add(answer, &view, sizeof view);
    mn_parcel_add_fd(answer, view.proc_fd);
    return 0;
}

static const MnTask open_task = { .name = "find what a user sees of processes",
                                  .limit_ms = MN_HELPER_LIMIT_MS,
                                  .run = run_open };

int mn_view_ask(MnHelper *helper, const MnViewer *viewer, MnAnswered answered, gpointer data, MnHelperJob **ret) {
    return mn_helper_ask(helper, &open_task, viewer->uid, viewer, sizeof *viewer, NULL, 0, answered, data, ret);
}

void mn_view_take(MnView *ret, MnParcel *answer) {
    *ret = *(const MnView *)(void *)answer->bytes->data;
    ret->proc_fd = mn_parcel_steal_fd(answer, 0); /* the number was the helper's */
}
