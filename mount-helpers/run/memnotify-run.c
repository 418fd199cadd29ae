/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify-run: starts a command in a mount namespace of its own in which memnotifyfs is mounted.
 *
 * The server stays outside, in the namespace it was started in, and has of the mount only an open
 * /dev/fuse. So the mount lives as long as the command and what it has started: when the last of
 * these processes is gone, the kernel takes away the namespace and the mount in it, and the server
 * sees the end of its connection and ends. Nobody is watched, and nothing is left behind.
 *
 * The command takes the place of this program, so that exit status, signals, terminal and process
 * id are its own. The server is a daemon in another session, and no child of the command.
 *
 * Whoever may not mount gets a user namespace, too, in which he remains who he is. */
#include "place.h"
#include "kernel/privilege.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <memnotifyfs/contract.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRESSURE "/proc/pressure/memory"
#define SERVER "memnotifyfs"
#define SERVER_FD 3 /* where the server finds its /dev/fuse */

/* As env(1), nohup(1) and others have them. */
enum {
    EXIT_CANNOT_EXECUTE = 126,
    EXIT_NOT_FOUND = 127,
};

/* The files of the tree that once were devices. */
static const char *const devices[] = { MEMNOTIFYFS_MEMNOTIFY, MEMNOTIFYFS_OOM_NOTIFY, MEMNOTIFYFS_MEM_NOTIFY };
#define N_DEVICES (sizeof devices / sizeof *devices)

typedef struct Request {
    const char *place;
    const char *server_options; /* NULL for none */
    bool wants_devices;
    bool wants_pressure;
    char **command;
} Request;

static const char usage[] =
    "usage: memnotify-run [--at PATH] [--dev] [--psi] [-o OPTION,...] [--] COMMAND [ARGUMENT...]\n"
    "Runs COMMAND with memnotifyfs mounted at PATH, for it alone.\n\n"
    "  --at PATH      where to mount (" MEMNOTIFYFS_MOUNT ")\n"
    "  --dev          also as /dev/memnotify, for programs written for the kernel's device\n"
    "  --psi          also as " PRESSURE ", for programs that wait for stalls\n"
    "  -o OPTION,...  options of memnotifyfs(8)\n"
    "  --help         this text\n";

static Request parse_arguments(int argc, char **argv) {
    static const struct option options[] = {
        { "at", required_argument, NULL, 'a' },
        { "dev", no_argument, NULL, 'd' },
        { "psi", no_argument, NULL, 'p' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    Request request = { .place = MEMNOTIFYFS_MOUNT };
    int option;

    while ((option = getopt_long(argc, argv, "+o:h", options, NULL)) != -1)
        switch (option) {
        case 'a':
            request.place = optarg;
            break;
        case 'd':
            request.wants_devices = true;
            break;
        case 'p':
            request.wants_pressure = true;
            break;
        case 'o':
            request.server_options = optarg;
            break;
        case 'h':
            if (fputs(usage, stdout) == EOF || fflush(stdout) == EOF)
                err(EXIT_OURS, "cannot write to standard output");
            exit(EXIT_SUCCESS);
        default: /* getopt has said what is wrong */
            exit(EXIT_OURS);
        }

    if (!argv[optind])
        errx(EXIT_OURS, "no command given; see --help");
    request.command = argv + optind;
    return request;
}

/* --- namespaces and the mount ------------------------------------------------------------------ */

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

static void enter_user_namespace(void) {
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (!mn_is_mapped())
        errx(EXIT_OURS, "the user or group is not mapped in this user namespace, so it can have no other");
    if (unshare(CLONE_NEWUSER) < 0)
        errx(EXIT_OURS, "cannot make a user namespace: %s; %s", strerror(errno), why_no_user_namespace(errno));
    map_identity(uid, gid);
}

/* The kernel wants it opened in the user namespace that mounts. */
static int open_fuse(void) {
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        errx(EXIT_OURS, "%s", mn_why_no_device());
    return fd;
}

/* In a user namespace of our own nothing else can be the reason for EPERM. */
static const char *why_no_mount(int error) {
    return error == EPERM ? "; seccomp, AppArmor or SELinux does not permit it" : "";
}

/* What is mounted outside still arrives; what is mounted here does not get out. */
static void enter_mount_namespace(void) {
    if (unshare(CLONE_NEWNS) < 0)
        errx(EXIT_OURS, "cannot make a mount namespace: %s%s", strerror(errno), why_no_mount(errno));
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        errx(EXIT_OURS, "cannot keep mounts from getting out of the namespace: %s%s", strerror(errno),
             why_no_mount(errno));
}

/* allow_other reaches no further than the namespace does. */
static void mount_at(const char *place, int fuse_fd) {
    char options[128];

    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%u,group_id=%u,default_permissions,allow_other",
             fuse_fd, (unsigned)geteuid(), (unsigned)getegid());
    if (mount(SERVER, place, "fuse." SERVER, MS_NOSUID | MS_NODEV | MS_NOATIME, options) < 0)
        errx(EXIT_OURS, "cannot mount at '%s': %s%s", place, strerror(errno), why_no_mount(errno));
}

/* --- the server -------------------------------------------------------------------------------- */

/* The one that lies beside this program, or else the one in PATH. */
static void execute_server(char **argv) {
    char self[PATH_MAX], sibling[PATH_MAX + sizeof SERVER];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (len > 0) {
        self[len] = '\0';
        snprintf(sibling, sizeof sibling, "%s/%s", dirname(self), SERVER);
        execv(sibling, argv);
    }
    execvp(SERVER, argv);
    err(EXIT_OURS, "cannot execute %s", SERVER);
}

/* Of all that is open the server gets the standard descriptors and /dev/fuse: a lock or the end of a
 * pipe is not to live on in it. */
static void keep_only(int fuse_fd) {
    if (fuse_fd == SERVER_FD)
        fcntl(SERVER_FD, F_SETFD, 0);
    else
        dup2(fuse_fd, SERVER_FD);
    syscall(SYS_close_range, SERVER_FD + 1, ~0U, 0);
}

/* The number of the mounted filesystem, by which the server knows its clients' open files: it cannot
 * see the mount. The server is not up yet, so that asking it for an attribute would take for ever. */
typedef struct Device {
    unsigned major;
    unsigned minor;
} Device;

static Device device_at(const char *place) {
    struct statx st;

    if (statx(AT_FDCWD, place, AT_STATX_DONT_SYNC, 0, &st) < 0)
        err(EXIT_OURS, "cannot look at the mount at '%s'", place);
    return (Device){ st.stx_dev_major, st.stx_dev_minor };
}

static void serve(const Request *request, Device device) {
    char options[64], place[32];
    char *argv[] = {
        SERVER, "-o", options, place, request->server_options ? "-o" : NULL, (char *)request->server_options, NULL
    };

    snprintf(options, sizeof options, "device=%u:%u", device.major, device.minor);
    snprintf(place, sizeof place, "/dev/fd/%d", SERVER_FD);
    execute_server(argv);
}

/* Forks the server, which waits until the device is written to *ret_go_fd: before the mount is there
 * it could not read from /dev/fuse. */
static pid_t prepare_server(const Request *request, int fuse_fd, int *ret_go_fd) {
    Device device;
    int go[2];
    pid_t pid;

    if (pipe2(go, O_CLOEXEC) < 0)
        err(EXIT_OURS, "cannot make a pipe");
    pid = fork();
    if (pid < 0)
        err(EXIT_OURS, "cannot fork");
    if (pid == 0) {
        close(go[1]);
        if (read(go[0], &device, sizeof device) != sizeof device) /* we have failed, and said so */
            _exit(EXIT_OURS);
        keep_only(fuse_fd);
        serve(request, device);
    }

    close(go[0]);
    *ret_go_fd = go[1];
    return pid;
}

/* Returns when the server serves, from the background. */
static void start_server(pid_t pid, int go_fd, Device device) {
    int status;
    pid_t r;

    if (write(go_fd, &device, sizeof device) < 0)
        err(EXIT_OURS, "cannot start %s", SERVER);
    close(go_fd);

    do
        r = waitpid(pid, &status, 0);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        err(EXIT_OURS, "cannot wait for %s", SERVER);
    if (!WIFEXITED(status))
        errx(EXIT_OURS, "%s was killed by signal %d", SERVER, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0) /* it has said why */
        exit(EXIT_OURS);
}

/* --- what the command sees --------------------------------------------------------------------- */

static void bind(const char *file, const char *over) {
    if (mount(file, over, NULL, MS_BIND, NULL) < 0)
        err(EXIT_OURS, "cannot mount '%s' over '%s'", file, over);
}

static void bind_devices(const char *place) {
    char file[PATH_MAX], device[64];

    for (size_t i = 0; i < N_DEVICES; i++) {
        snprintf(file, sizeof file, "%s/%s", place, devices[i]);
        snprintf(device, sizeof device, "/dev/%s", devices[i]);
        if (access(file, F_OK) < 0) /* a version that does not serve it */
            continue;
        place_need_file(device);
        bind(file, device);
    }
}

/* There is no way to add a file to /proc. */
static void bind_pressure(const char *place) {
    char file[PATH_MAX];

    snprintf(file, sizeof file, "%s/%s", place, MEMNOTIFYFS_PRESSURE);
    if (access(file, F_OK) < 0)
        errx(EXIT_OURS, "cannot serve " PRESSURE ": the kernel tells of no stalls of this memory; try '-o simulate'");
    if (access(PRESSURE, F_OK) < 0)
        errx(EXIT_OURS, "cannot serve " PRESSURE ": this kernel has no such file to be covered");
    bind(file, PRESSURE);
}

static void tell_place(const char *place) {
    char path[PATH_MAX];

    if (!realpath(place, path) || setenv(MEMNOTIFYFS_ENVIRONMENT, path, true) < 0)
        err(EXIT_OURS, "cannot tell the command of '%s'", place);
}

static void execute(char **command) {
    execvp(command[0], command);
    err(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE, "cannot execute '%s'", command[0]);
}

int main(int argc, char **argv) {
    Request request = parse_arguments(argc, argv);
    void (*child_handling)(int) = signal(SIGCHLD, SIG_DFL); /* ignored, children cannot be waited for */
    int fuse_fd, go_fd;
    pid_t server;

    if (!mn_may_mount())
        enter_user_namespace();
    fuse_fd = open_fuse();
    server = prepare_server(&request, fuse_fd, &go_fd);

    enter_mount_namespace();
    place_need_directory(request.place);
    mount_at(request.place, fuse_fd);
    close(fuse_fd);
    start_server(server, go_fd, device_at(request.place));
    if (request.wants_devices)
        bind_devices(request.place);
    if (request.wants_pressure)
        bind_pressure(request.place);
    tell_place(request.place);

    signal(SIGCHLD, child_handling);
    execute(request.command);
}
