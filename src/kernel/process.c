/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/PID -> the parsers of the core, and what can be done to a process. All but what takes an open
 * oom_score_adj may wait for the process looked at, and is called in the helper. */
#include "process.h"

#include "kernel/ourselves.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT_BYTES 4096 /* stat has 400 */
#define PATH_BYTES 64

gboolean mn_process_proc_is_ours(void) {
    char target[PATH_BYTES] = "";

    return readlink("/proc/self", target, sizeof target - 1) > 0 && atoi(target) == getpid();
}

int mn_process_open(pid_t pid, int *ret_pidfd) {
    int fd = syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0) /* a thread is EINVAL, since 6.16 ENOENT */
        return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
    if (mn_process_has_ended(fd)) {
        close(fd);
        return -ESRCH;
    }

    *ret_pidfd = fd; /* close-on-exec as all pidfds */
    return 0;
}

gboolean mn_process_has_ended(int pidfd) {
    struct pollfd entry = { .fd = pidfd, .events = POLLIN };

    return poll(&entry, 1, 0) > 0;
}

static int send_signal(int pidfd, int number) {
    return syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) < 0 ? -errno : 0;
}

/* kill(2) compares real and effective user of the sender with real and saved user of the process, so both
 * are changed; the saved one is the way back. The user may signal us meanwhile, which does no harm to a process
 * that can be replaced; nor may he trace us, for which all three would have to be his. */
int mn_process_signal_as(int pidfd, uid_t uid, int number) {
    uid_t real, effective, saved;
    int r;

    if (uid == (uid_t)-1)
        return -EPERM;
    getresuid(&real, &effective, &saved);
    if (uid == 0 || uid == effective)
        return send_signal(pidfd, number);

    if (setresuid(uid, uid, effective) < 0)
        return -EPERM;
    r = send_signal(pidfd, number);
    if (setresuid(-1, effective, -1) < 0 || setresuid(real, effective, saved) < 0)
        _exit(1); /* rather than go on as somebody else */
    return r;
}

/* A file that ended with its process looks like one that is not there. */
static int file_error(void) {
    return errno == ENOENT ? -ESRCH : -errno;
}

int mn_process_read_file(int directory_fd, const char *path, char *buffer, gsize size, gsize *ret_len) {
    gssize n;
    int fd, r = 0;

    fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_error();
    n = read(fd, buffer, size);
    if (n < 0)
        r = file_error();
    close(fd);
    if (r == 0)
        *ret_len = n;
    return r;
}

int mn_process_read_stat(pid_t pid, MnProcessStat *ret) {
    char path[PATH_BYTES], text[TEXT_BYTES];
    gsize len;
    int r;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    r = mn_process_read_file(AT_FDCWD, path, text, sizeof text, &len);
    return r < 0 ? r : mn_process_parse_stat(text, len, ret);
}

int mn_process_read_status(pid_t pid, MnProcessStatus *ret) {
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    return mn_process_read_status_at(AT_FDCWD, path, ret);
}

/* It has all groups of the process, of which there may be 65,536. */
int mn_process_read_status_at(int directory_fd, const char *path, MnProcessStatus *ret) {
    g_autoptr(GByteArray) text = g_byte_array_new();
    char piece[TEXT_BYTES];
    gssize n;
    int fd;

    fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_error();
    while ((n = read(fd, piece, sizeof piece)) > 0)
        g_byte_array_append(text, (const guint8 *)piece, n);
    if (n < 0)
        n = file_error();
    close(fd);
    return n < 0 ? (int)n : mn_process_parse_status((const char *)text->data, text->len, ret);
}

int mn_process_read_comm(pid_t pid, char comm[MN_COMM_MAX + 1]) {
    char path[PATH_BYTES];
    gsize len;
    int r;

    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    r = mn_process_read_file(AT_FDCWD, path, comm, MN_COMM_MAX, &len);
    if (r < 0)
        return r;
    comm[len > 0 ? len - 1 : 0] = '\0'; /* for its newline */
    return 0;
}

int mn_process_open_score(pid_t pid, int pidfd, int *ret_fd) {
    char path[PATH_BYTES];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return file_error();
    if (mn_process_has_ended(pidfd)) {
        close(fd);
        return -ESRCH;
    }

    *ret_fd = fd;
    return 0;
}

int mn_process_get_score(int score_fd, int *ret) {
    char text[16] = "";
    gssize n = pread(score_fd, text, sizeof text - 1, 0);

    if (n <= 0)
        return n < 0 ? file_error() : -ESRCH;
    *ret = atoi(text);
    return 0;
}

/* Sets whether CAP_SYS_RESOURCE is effective; returns whether it was. */
static gboolean use_sys_resource(gboolean use) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
    guint32 *effective = &data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective;
    guint32 before, bit = CAP_TO_MASK(CAP_SYS_RESOURCE);

    if (syscall(SYS_capget, &header, data) < 0)
        return FALSE;
    before = *effective;
    *effective = use ? before | bit : before & ~bit;
    if (*effective != before && syscall(SYS_capset, &header, data) < 0)
        return FALSE;
    return (before & bit) != 0;
}

int mn_process_set_score(int score_fd, int score) {
    gboolean had_capability;
    char text[16];
    int len, r;

    len = snprintf(text, sizeof text, "%d", score);
    had_capability = use_sys_resource(FALSE);
    r = pwrite(score_fd, text, len, 0) < 0 ? -errno : 0;
    if (had_capability)
        use_sys_resource(TRUE);
    return r;
}

pid_t mn_process_pid_of(const char *name) {
    return g_ascii_isdigit(name[0]) ? atoi(name) : 0;
}

/* The helper, which is who asks, the daemon above it, and other helpers. */
gboolean mn_process_is_ourselves(pid_t pid, pid_t ppid) {
    return pid == getpid() || pid == getppid() || ppid == getppid();
}

int mn_process_open_load(void) {
    return open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
}

/* "0.10 0.92 2.33 1/187 17817"; sysinfo(2) has the same number in 16 bits. */
guint mn_process_count(int load_fd) {
    char text[128] = "";
    guint count = 0;

    if (pread(load_fd, text, sizeof text - 1, 0) > 0)
        (void)sscanf(text, "%*s %*s %*s %*u/%u", &count);
    return count;
}
