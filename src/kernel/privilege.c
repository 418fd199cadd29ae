/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may mount, and what to say to those who may not. Everything is looked up at the moment it is
 * asked for, after something has failed. */
#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool mn_may_mount(void) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    return syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN));
}

/* Lines of "         0      60077          1\n": first id inside, first id outside, how many. */
static bool map_has(const char *path, unsigned id) {
    FILE *map = fopen(path, "re");
    unsigned first, count;
    bool found = false;

    if (!map)
        return true; /* a kernel without user namespaces */
    while (!found && fscanf(map, "%u %*u %u", &first, &count) == 2)
        found = id >= first && id - first < count;
    fclose(map);
    return found;
}

bool mn_is_mapped(void) {
    return map_has("/proc/self/uid_map", geteuid()) && map_has("/proc/self/gid_map", getegid());
}

/* The word stands alone on a line, as fusermount3 wants it. */
bool mn_may_allow_other(void) {
    FILE *conf = fopen("/etc/fuse.conf", "re");
    char line[256];
    const char *word;
    bool found = false;

    if (!conf)
        return false;
    while (!found && fgets(line, sizeof line, conf)) {
        /* cppcheck-suppress strtokCalled ; there is one thread */
        word = strtok(line, " \t\n");
        found = word && strcmp(word, "user_allow_other") == 0;
    }
    fclose(conf);
    return found;
}

const char *mn_why_no_device(void) {
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        return NULL;
    }
    switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return "there is no /dev/fuse; load the kernel module with 'modprobe fuse', or give it to the container "
               "with '--device /dev/fuse'";
    case EACCES:
        return "/dev/fuse may not be opened by this user; check the rights on it (0666 is usual)";
    case EPERM:
        return "/dev/fuse may not be opened in this container; start it with '--device /dev/fuse'";
    default:
        return "/dev/fuse cannot be opened";
    }
}

static bool has_fusermount(void) {
    const char *search = getenv("PATH");
    char path[4096];

    snprintf(path, sizeof path, "%s", search ? search : "/usr/bin:/bin");
    for (char *rest, *directory = strtok_r(path, ":", &rest); directory; directory = strtok_r(NULL, ":", &rest)) {
        char file[sizeof path + sizeof "/fusermount3"];

        snprintf(file, sizeof file, "%s/fusermount3", directory);
        if (access(file, X_OK) == 0)
            return true;
    }
    return false;
}

const char *mn_why_no_mount(void) {
    const char *device;

    if (!mn_is_mapped())
        return "this user namespace does not map the user and group; make one that does, as 'unshare -r' and "
               "memnotify-run do";
    device = mn_why_no_device(); /* fusermount3 opens it with the user's rights, too */
    if (device)
        return device;
    if (mn_may_mount())
        return "root may mount only in a mount namespace of its own user namespace, as 'unshare -Urm' makes it, and "
               "where seccomp and AppArmor permit it";
    if (geteuid() == 0)
        return "CAP_SYS_ADMIN is needed; start the container with '--cap-add SYS_ADMIN', or the program that is to "
               "see the files with memnotify-run";
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return "fusermount3 cannot mount where no_new_privs is set; start the program that is to see the files with "
               "memnotify-run";
    if (!has_fusermount())
        return "fusermount3 is needed; install fuse3, or start the program that is to see the files with memnotify-run";
    return NULL;
}
