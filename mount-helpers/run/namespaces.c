/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "namespaces.h"
#include "place.h"
#include "kernel/privilege.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        r = -errno;
    close(fd);
    return r;
}

/* Lines as in user_namespaces(7): one id may be mapped without privilege, one's own. Since 5.12 root
 * needs CAP_SETFCAP for that, which containers often drop. */
static void map_id(const char *path, unsigned id) {
    char map[64];
    int r;

    snprintf(map, sizeof map, "%u %u 1", id, id);
    r = write_text(path, map);
    if (r < 0)
        errx(EXIT_OURS, "cannot write '%s' to %s: %s%s", map, path, strerror(-r),
             r == -EPERM && id == 0 ? "; root needs CAP_SETFCAP for that, other users need nothing" : "");
}

/* The kernel wants it made impossible to set groups before a group is mapped; kernels before 3.19 do
 * not know the file. */
static void map_identity(uid_t uid, gid_t gid) {
    int r;

    map_id("/proc/self/uid_map", uid);
    r = write_text("/proc/self/setgroups", "deny");
    if (r < 0 && r != -ENOENT)
        errx(EXIT_OURS, "cannot write 'deny' to /proc/self/setgroups: %s", strerror(-r));
    map_id("/proc/self/gid_map", gid);
}

static const char *why_no_user_namespace(int error) {
    switch (error) {
    case ENOSPC:
        return "the sysctl user.max_user_namespaces does not permit it";
    case ENOSYS:
    case EINVAL:
        return "this kernel does not have them";
    default:
        return "a sysctl (kernel.unprivileged_userns_clone), AppArmor, or seccomp in a container does not permit it";
    }
}

void enter_user_namespace(void) {
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (!mn_is_mapped())
        errx(EXIT_OURS, "the user or group is not mapped in this user namespace, so it can have no other");
    if (unshare(CLONE_NEWUSER) < 0)
        errx(EXIT_OURS, "cannot make a user namespace: %s; %s", strerror(errno), why_no_user_namespace(errno));
    map_identity(uid, gid);
}

/* In a user namespace of our own nothing else can be the reason for EPERM. */
const char *why_no_mount(int error) {
    return error == EPERM ? "; seccomp, AppArmor or SELinux does not permit it" : "";
}

/* What is mounted outside still arrives; what is mounted here does not get out. */
void enter_mount_namespace(void) {
    if (unshare(CLONE_NEWNS) < 0)
        errx(EXIT_OURS, "cannot make a mount namespace: %s%s", strerror(errno), why_no_mount(errno));
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        errx(EXIT_OURS, "cannot keep mounts from getting out of the namespace: %s%s", strerror(errno),
             why_no_mount(errno));
}
