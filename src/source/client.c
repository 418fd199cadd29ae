/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptors of another process.
 *
 * They are looked at through /proc/PID/fdinfo and mountinfo, which the kernel answers by itself.
 * fstat() of such a descriptor may be a request to a FUSE server: to us, who cannot answer while
 * we ask, or to one who does not want to. For the same reason nothing but an eventfd is ever
 * taken over: closing a file asks its server too. */
#include "client.h"

#include "core/mountinfo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define PATH_BYTES 64
#define DESCRIPTORS_SEARCHED_MAX 128
#define TEXT_BYTES 4096 /* fdinfo and status are shorter, or what we need of them comes first */

/* Reads the beginning of a small file of the kernel's into `text`. */
static int read_text(const char *path, char text[TEXT_BYTES]) {
    gsize len = 0;
    gssize n;
    int fd, r;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    do {
        n = read(fd, text + len, TEXT_BYTES - 1 - len);
        r = n < 0 ? -errno : 0;
        len += MAX(n, 0);
    } while ((n > 0 && len < TEXT_BYTES - 1) || r == -EINTR);
    close(fd);

    text[len] = '\0';
    return r;
}

int mn_client_find_process(pid_t tid, pid_t *ret_pid) {
    char path[PATH_BYTES], text[TEXT_BYTES];
    int r;

    if (tid <= 0)
        return -EPERM;
    g_snprintf(path, sizeof path, "/proc/%d/status", tid);
    r = read_text(path, text);
    if (r < 0)
        return r == -ENOENT ? -ESRCH : r;
    return mn_process_parse(text, ret_pid);
}

int mn_client_open(pid_t pid, int *ret_pidfd) {
    *ret_pidfd = syscall(SYS_pidfd_open, pid, 0);
    return *ret_pidfd < 0 ? -errno : 0;
}

int mn_client_look(pid_t pid, guint64 number, MnDescriptor *ret) {
    char path[PATH_BYTES], text[TEXT_BYTES];
    int r;

    g_snprintf(path, sizeof path, "/proc/%d/fdinfo/%" G_GUINT64_FORMAT, pid, number);
    r = read_text(path, text);
    if (r < 0)
        return r == -ENOENT ? -EBADF : r == -EACCES ? -EPERM : r;
    return mn_descriptor_parse(text, ret);
}

static int read_mounts(const char *path, char **ret) {
    g_autoptr(GError) error = NULL;

    if (g_file_get_contents(path, ret, NULL, &error))
        return 0;
    return g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_MFILE) ? -EMFILE : -ENOENT;
}

static int find_device_in(const char *path, guint64 mount_id, dev_t *ret) {
    g_autofree char *mountinfo = NULL;
    g_auto(MnMount) mount = { 0 };
    int r;

    r = read_mounts(path, &mountinfo);
    if (r < 0)
        return r;

    for (const char *rest = mountinfo; mn_mount_next(&mount, &rest);)
        if (mount.id == mount_id) {
            *ret = makedev(mount.major, mount.minor);
            return 0;
        }
    return -ENOENT;
}

/* What was opened before chroot(2) or unshare(2), or by another process, is no mount of the client's. */
int mn_client_find_device(pid_t pid, const MnDescriptor *descriptor, dev_t *ret) {
    char path[PATH_BYTES];
    int r;

    g_snprintf(path, sizeof path, "/proc/%d/mountinfo", pid);
    r = find_device_in(path, descriptor->mount_id, ret);
    return r == -ENOENT ? find_device_in("/proc/self/mountinfo", descriptor->mount_id, ret) : r;
}

int mn_client_find_name(pid_t pid, guint64 number, char *name, gsize size) {
    char path[PATH_BYTES], target[PATH_MAX];
    const char *slash;
    gssize n;

    g_snprintf(path, sizeof path, "/proc/%d/fd/%" G_GUINT64_FORMAT, pid, number);
    n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return errno == ENOENT ? -EBADF : -errno;

    target[n] = '\0';
    slash = strrchr(target, '/');
    g_strlcpy(name, slash ? slash + 1 : target, size);
    return 0;
}

int mn_client_find_own_device(const char *mountpoint, dev_t *ret) {
    g_autofree char *mountinfo = NULL;
    g_auto(MnMount) mount = { 0 };
    int r;

    r = read_mounts("/proc/self/mountinfo", &mountinfo);
    if (r < 0)
        return r;

    r = -ENOENT;
    for (const char *rest = mountinfo; mn_mount_next(&mount, &rest);)
        if (strcmp(mount.mountpoint, mountpoint) == 0 && g_str_has_prefix(mount.type, "fuse")) {
            *ret = makedev(mount.major, mount.minor);
            r = 0; /* the last one is on top */
        }
    return r;
}

static pid_t fork_sharing_descriptors(int exit_signal) {
    struct clone_args args = { .flags = CLONE_FILES, .exit_signal = exit_signal };

    return syscall(SYS_clone3, &args, sizeof args);
}

/* Closes a descriptor that may take for ever to close: in a process that shares our table of
 * descriptors, so that it disappears from ours, and that is not our child, so that nobody waits
 * for it. */
static void close_elsewhere(int fd) {
    pid_t pid = fork_sharing_descriptors(SIGCHLD);

    if (pid == 0) {
        if (fork_sharing_descriptors(0) == 0)
            close(fd);
        _exit(0);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
    else
        close(fd);
}

int mn_client_take_eventfd(int pidfd, guint64 number, guint64 eventfd_id, int *ret_fd) {
    MnDescriptor taken;
    int fd, r;

    fd = syscall(SYS_pidfd_getfd, pidfd, (int)number, 0);
    if (fd < 0)
        return -errno;

    /* A client with two threads may have put something else there since we looked. */
    r = mn_client_look(getpid(), fd, &taken);
    if (r == 0 && (!taken.is_eventfd || taken.is_path || taken.eventfd_id != eventfd_id))
        r = -EINVAL;
    if (r < 0) {
        close_elsewhere(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

/* The number of a descriptor among the first of an open fdinfo directory. */
static int search(DIR *dir, pid_t pid, guint64 eventfd_id, guint64 *ret_number) {
    struct dirent *entry;
    guint n = 0;

    while (n < DESCRIPTORS_SEARCHED_MAX && (entry = readdir(dir))) {
        guint64 number = g_ascii_strtoull(entry->d_name, NULL, 10);
        MnDescriptor descriptor;
        int r;

        if (entry->d_name[0] == '.')
            continue;
        n++;
        r = mn_client_look(pid, number, &descriptor);
        if (r < 0 && r != -EBADF) /* but closed meanwhile */
            return r;
        if (r == 0 && descriptor.is_eventfd && descriptor.eventfd_id == eventfd_id) {
            *ret_number = number;
            return 0;
        }
    }
    return -ENOENT;
}

int mn_client_find_eventfd(pid_t pid, guint64 eventfd_id, guint64 *ret_number) {
    char path[PATH_BYTES];
    DIR *dir;
    int r;

    g_snprintf(path, sizeof path, "/proc/%d/fdinfo", pid);
    dir = opendir(path);
    if (!dir)
        return errno == EACCES ? -EPERM : -errno;
    r = search(dir, pid, eventfd_id, ret_number);
    closedir(dir);
    return r;
}
