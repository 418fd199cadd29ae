/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of processes in pid namespaces below ours. */
#include "namespace.h"

#include "kernel/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Since Linux 6.11: the number of the process that has this one in the namespace. */
#ifndef NS_GET_PID_FROM_PIDNS
#define NS_GET_PID_FROM_PIDNS _IOR(NSIO, 0x6, int)
#endif

#define PATH_BYTES 64

/* Does nothing to the process, and takes no lock but for its name below /proc. */
static int open_namespace(pid_t pid) {
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static gboolean is_in_namespace(pid_t pid, const struct stat *namespace) {
    char path[PATH_BYTES];
    struct stat its_own;

    snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
    return stat(path, &its_own) == 0 && its_own.st_ino == namespace->st_ino && its_own.st_dev == namespace->st_dev;
}

/* The processes of a namespace: its pids -> ours. That one is in the same depth says nothing yet: another namespace
 * may have the same number. */
static GHashTable *map_namespace(const struct stat *namespace, guint n_pids) {
    g_autoptr(GHashTable) map = g_hash_table_new(NULL, NULL);
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    while (proc && (entry = readdir(proc))) {
        MnProcessStatus status;
        pid_t pid = mn_process_pid_of(entry->d_name);

        if (pid > 0 && mn_process_read_status(pid, &status) == 0 && status.n_pids == n_pids &&
            is_in_namespace(pid, namespace))
            g_hash_table_insert(map, GINT_TO_POINTER(status.last_pid), GINT_TO_POINTER(pid));
    }
    if (proc)
        closedir(proc);
    return g_steal_pointer(&map);
}

static int scan(int namespace_fd, guint n_pids, pid_t *pids, guint n) {
    g_autoptr(GHashTable) map = NULL;
    struct stat namespace;

    if (fstat(namespace_fd, &namespace) < 0)
        return -errno;
    map = map_namespace(&namespace, n_pids);
    for (guint i = 0; i < n; i++)
        pids[i] = GPOINTER_TO_INT(g_hash_table_lookup(map, GINT_TO_POINTER(pids[i])));
    return 0;
}

static int ask_kernel(int namespace_fd, guint n_pids, pid_t *pids, guint n) {
    for (guint i = 0; i < n; i++) {
        int pid = ioctl(namespace_fd, NS_GET_PID_FROM_PIDNS, pids[i]);

        if (pid < 0 && errno == ENOTTY) /* it does not know any, so it was the first */
            return scan(namespace_fd, n_pids, pids, n);
        pids[i] = MAX(pid, 0);
    }
    return 0;
}

static int translate(pid_t tid, pid_t *pids, guint n, int (*how)(int, guint, pid_t *, guint)) {
    MnProcessStatus status;
    int fd, r;

    if (tid == 0 || !mn_process_proc_is_ours() || mn_process_read_status(tid, &status) < 0)
        return -EPERM;
    if (status.n_pids == 1 || n == 0) /* it is in our own */
        return 0;

    fd = open_namespace(tid);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : -EPERM;
    r = how(fd, status.n_pids, pids, n);
    close(fd);
    return r;
}

int mn_namespace_translate(pid_t tid, pid_t *pids, guint n) {
    return translate(tid, pids, n, ask_kernel);
}

int mn_namespace_translate_by_scan(pid_t tid, pid_t *pids, guint n) {
    return translate(tid, pids, n, scan);
}
