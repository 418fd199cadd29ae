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
#include "namespaces.h"
#include "place.h"
#include "preload.h"
#include "kernel/privilege.h"
#include "kernel/sibling.h"
#include "trim.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <memnotifyfs/contract.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRESSURE "/proc/pressure/memory"
#define SERVER "memnotifyfs"
#define SERVER_LISTEN_FD 3 /* where the server finds the socket that it serves, as sd_listen_fds(3) has it */
#define SERVER_FUSE_FD 4   /* and its /dev/fuse */

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
    const char *scenario;       /* the same: what is played, with its words */
    bool wants_devices;
    bool wants_pressure;
    bool wants_trim;
    const char *trim_limits; /* NULL for those that are preset */
    char **command;
} Request;

static const char usage[] = "usage: memnotify-run [--at PATH] [--dev] [--psi] [--trim[=LIMITS]] [--scenario FILE]\n"
                            "                     [-o OPTION,...] [--] COMMAND [ARGUMENT...]\n"
                            "Runs COMMAND with memnotifyfs mounted at PATH, for it alone.\n\n"
                            "  --at PATH      where to mount (" MEMNOTIFYFS_MOUNT ")\n"
                            "  --dev          also as /dev/memnotify, for programs written for the kernel's device\n"
                            "  --psi          also as " PRESSURE ", for programs that wait for stalls\n"
                            "  --trim[=LIMITS]\n"
                            "                 let COMMAND, which need not know of it, give memory back that it does\n"
                            "                 not use when one of LIMITS is reached (" TRIM_LIMITS ")\n"
                            "  --scenario FILE[,speed=N][,start=now]\n"
                            "                 play it: memory is as it says, from when COMMAND waits for it\n"
                            "  -o OPTION,...  options of memnotifyfs(8)\n"
                            "  --help         this text\n";

static Request parse_arguments(int argc, char **argv) {
    static const struct option options[] = {
        { "at", required_argument, NULL, 'a' },
        { "dev", no_argument, NULL, 'd' },
        { "psi", no_argument, NULL, 'p' },
        { "scenario", required_argument, NULL, 's' },
        { "trim", optional_argument, NULL, 't' },
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
        case 't':
            request.wants_trim = true;
            request.trim_limits = optarg;
            break;
        case 's':
            request.scenario = optarg;
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

/* --- the mount --------------------------------------------------------------------------------- */

/* The kernel wants it opened in the user namespace that mounts. */
static int open_fuse(void) {
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        errx(EXIT_OURS, "%s", mn_why_no_device());
    return fd;
}

/* The socket that the server is to serve; it listens when it has a place. */
static int make_socket(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        err(EXIT_OURS, "cannot make a socket");
    return fd;
}

/* On a tmpfs that the mount will cover, so that it is in nobody's way: what is returned is the socket's file, to be mounted
 * where it can be seen. */
static int place_socket(const char *place, int listen_fd) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int directory_fd, file_fd;
    mode_t mask;

    if (mount(SERVER, place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64k") < 0)
        err(EXIT_OURS, "cannot mount at '%s'", place);
    directory_fd = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" MEMNOTIFYFS_SOCKET_FILE, directory_fd);
    mask = umask(0111);
    if (directory_fd < 0 || bind(listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listen_fd, SOMAXCONN) < 0)
        err(EXIT_OURS, "cannot make a socket below '%s'", place);
    umask(mask);
    file_fd = openat(directory_fd, MEMNOTIFYFS_SOCKET_FILE, O_PATH | O_CLOEXEC);
    if (file_fd < 0)
        err(EXIT_OURS, "cannot find the socket below '%s'", place);
    close(directory_fd);
    return file_fd;
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

/* Of all that is open the server gets the standard descriptors, the socket and /dev/fuse: a lock or the end of a
 * pipe is not to live on in it. Both are moved out of each other's way first. */
static void keep_only(int listen_fd, int fuse_fd) {
    int from_listen_fd = fcntl(listen_fd, F_DUPFD, SERVER_FUSE_FD + 1);
    int from_fuse_fd = fcntl(fuse_fd, F_DUPFD, SERVER_FUSE_FD + 1);

    dup2(from_listen_fd, SERVER_LISTEN_FD);
    dup2(from_fuse_fd, SERVER_FUSE_FD);
    syscall(SYS_close_range, SERVER_FUSE_FD + 1, ~0U, 0);
}

/* That the socket is for the process that we are. */
static void hand_over_socket(void) {
    char pid[32];

    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, true);
    setenv("LISTEN_FDS", "1", true);
    unsetenv("LISTEN_FDNAMES");
    unsetenv("NOTIFY_SOCKET"); /* the manager is the command's */
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
    char options[64], place[32], replay[PATH_MAX + 64];
    char *argv[8] = { SERVER, "-o", options, place };
    size_t n = 4;

    if (request->scenario)
        argv[n++] = replay;
    if (request->server_options) {
        argv[n++] = "-o";
        argv[n++] = (char *)request->server_options;
    }
    snprintf(replay, sizeof replay, "--replay=%s", request->scenario ? request->scenario : "");
    snprintf(options, sizeof options, "device=%u:%u", device.major, device.minor);
    snprintf(place, sizeof place, "/dev/fd/%d", SERVER_FUSE_FD);
    hand_over_socket();
    errno = -mn_sibling_execute(SERVER, argv);
    err(EXIT_OURS, "cannot execute %s", SERVER);
}

/* Forks the server, which waits until the device is written to *ret_go_fd: before the mount is there
 * it could not read from /dev/fuse. */
static pid_t prepare_server(const Request *request, int listen_fd, int fuse_fd, int *ret_go_fd) {
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
        keep_only(listen_fd, fuse_fd);
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

static void bind_over(const char *file, const char *over) {
    if (mount(file, over, NULL, MS_BIND, NULL) < 0)
        err(EXIT_OURS, "cannot mount '%s' over '%s'", file, over);
}

static void bind_socket(const char *place, int socket_file_fd) {
    char file[64], over[PATH_MAX];

    snprintf(file, sizeof file, "/proc/self/fd/%d", socket_file_fd);
    snprintf(over, sizeof over, "%s/" MEMNOTIFYFS_SOCKET_FILE, place);
    bind_over(file, over);
    close(socket_file_fd);
}

static void bind_devices(const char *place) {
    char file[PATH_MAX], device[64];

    for (size_t i = 0; i < N_DEVICES; i++) {
        snprintf(file, sizeof file, "%s/%s", place, devices[i]);
        snprintf(device, sizeof device, "/dev/%s", devices[i]);
        if (access(file, F_OK) < 0) /* a version that does not serve it */
            continue;
        place_need_file(device);
        bind_over(file, device);
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
    bind_over(file, PRESSURE);
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
    int fuse_fd, go_fd, listen_fd, socket_file_fd;
    pid_t server;

    if (!mn_may_mount())
        enter_user_namespace();
    fuse_fd = open_fuse();
    listen_fd = make_socket();
    server = prepare_server(&request, listen_fd, fuse_fd, &go_fd);

    enter_mount_namespace();
    place_need_directory(request.place);
    socket_file_fd = place_socket(request.place, listen_fd);
    mount_at(request.place, fuse_fd);
    close(fuse_fd);
    close(listen_fd);
    start_server(server, go_fd, device_at(request.place));
    bind_socket(request.place, socket_file_fd);
    if (request.wants_devices)
        bind_devices(request.place);
    if (request.wants_pressure)
        bind_pressure(request.place);
    tell_place(request.place);
    if (request.wants_trim)
        preload_trim(request.place, request.trim_limits, request.command[0]);

    signal(SIGCHLD, child_handling);
    execute(request.command);
}
