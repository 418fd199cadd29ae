/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptors of another process.
 *
 * The kernel answers by itself for what is asked here, but it may take locks that belong to the file: that of
 * an epoll set, for one, or of an inotify descriptor with all its watches. So a descriptor is first
 * looked at by its name, which takes none, and what is no eventfd or no file is looked at no further. Its owner may
 * exchange it in between, which is why all of this is done in the helper; there, too, is closed what turns out not
 * to be an eventfd, since closing a file asks its server. */
#include "client.h"

#include "kernel/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define PATH_BYTES 64
#define DESCRIPTORS_SEARCHED_MAX 128
#define TEXT_BYTES 4096 /* the fdinfo of an eventfd has 100 */
#define EVENTFD "anon_inode:[eventfd]"

/* Of everything below /proc/PID: EACCES is what EPERM is elsewhere. */
static int error_of_proc(int missing) {
    return errno == ENOENT ? missing : errno == EACCES ? -EPERM : -errno;
}

int mn_client_find_process(pid_t tid, uid_t uid, pid_t *ret_pid) {
    MnProcessStatus status;
    int r;

    if (tid <= 0 || !mn_process_proc_is_ours())
        return -EPERM;
    r = mn_process_read_status(tid, &status);
    if (r < 0)
        return r;
    if (uid != 0 && uid != status.fsuid)
        return -EPERM;
    *ret_pid = status.tgid;
    return 0;
}

static void descriptor_path(char path[PATH_BYTES], pid_t pid, const char *directory, guint64 number) {
    g_snprintf(path, PATH_BYTES, "/proc/%d/%s/%" G_GUINT64_FORMAT, pid, directory, number);
}

static int read_fdinfo(const char *path, MnDescriptor *descriptor) {
    char text[TEXT_BYTES];
    gsize len;
    int r;

    r = mn_process_read_file(AT_FDCWD, path, text, sizeof text - 1, &len);
    if (r < 0)
        return r == -ESRCH ? -EBADF : r == -EACCES ? -EPERM : r;
    text[len] = '\0';
    return mn_descriptor_parse(text, descriptor);
}

int mn_client_look(pid_t pid, guint64 number, MnDescriptor *ret) {
    char path[PATH_BYTES], target[PATH_MAX];
    MnDescriptor descriptor = { 0 };
    struct stat st;
    gssize n;
    int r = 0;

    descriptor_path(path, pid, "fd", number);
    if (lstat(path, &st) < 0)
        return error_of_proc(-EBADF);
    n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return error_of_proc(-EBADF);

    target[n] = '\0';
    descriptor.is_path = (st.st_mode & 0600) == 0; /* open for nothing: O_PATH */
    descriptor.is_file = target[0] == '/';
    if (!descriptor.is_path && strcmp(target, EVENTFD) == 0) {
        descriptor_path(path, pid, "fdinfo", number);
        r = read_fdinfo(path, &descriptor);
    }
    if (r == 0)
        *ret = descriptor;
    return r;
}

/* For a file of a FUSE server AT_STATX_DONT_SYNC takes what the kernel has in its inode, which is there as long
 * as the file is open, and sends no request. */
int mn_client_find_file(pid_t pid, guint64 number, dev_t *ret_device, guint64 *ret_ino) {
    char path[PATH_BYTES];
    struct statx st;

    descriptor_path(path, pid, "fd", number);
    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, &st) < 0)
        return errno == ENOENT ? -EBADF : -EINVAL;
    *ret_device = makedev(st.stx_dev_major, st.stx_dev_minor);
    *ret_ino = st.stx_ino;
    return 0;
}

int mn_client_take_eventfd(int pidfd, guint64 number, guint64 eventfd_id, int *ret_fd) {
    MnDescriptor taken;
    int fd, r;

    fd = syscall(SYS_pidfd_getfd, pidfd, (int)number, 0);
    if (fd < 0)
        return -errno;

    /* A client with two threads may have put something else there since we looked. */
    r = mn_client_look(getpid(), fd, &taken);
    if (r == 0 && (!taken.is_eventfd || taken.eventfd_id != eventfd_id))
        r = -EINVAL;
    if (r < 0)
        close(fd);
    else
        *ret_fd = fd;
    return r;
}

/* The number of a descriptor among the first of an open fd directory. */
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

static int find_eventfd(pid_t pid, guint64 eventfd_id, guint64 *ret_number) {
    char path[PATH_BYTES];
    DIR *dir;
    int r;

    g_snprintf(path, sizeof path, "/proc/%d/fd", pid);
    dir = opendir(path);
    if (!dir)
        return error_of_proc(-ENOENT);
    r = search(dir, pid, eventfd_id, ret_number);
    closedir(dir);
    return r;
}

int mn_client_look_again(pid_t pid, guint64 eventfd_id, guint64 *number) {
    MnDescriptor descriptor;
    int r;

    r = mn_client_look(pid, *number, &descriptor);
    if (r == -EPERM || (r == 0 && descriptor.is_eventfd && descriptor.eventfd_id == eventfd_id))
        return r;
    return find_eventfd(pid, eventfd_id, number);
}
