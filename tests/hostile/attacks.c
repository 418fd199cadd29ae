/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attacks NAME MOUNT SIZE: one user takes all that he can get, in one way of the table, from as many processes as that
 * has. SIZE is how much he prepares: open files, mounts, watches. Says "attacking" when he begins, and goes on until he is
 * killed. To be refused is what he expects. */
#include "attacker.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define THRESHOLDS 256 /* as many as one user may have */
#define ALL_METERS                                                                                                     \
    "used 5000 active 5000 free 5000 available 5000 anon 5000 file 5000 shmem 5000 slab_reclaimable 5000 "             \
    "mlocked 5000 dirty 5000 swap_total 5000 swap_free 5000 swap_used 5000"

static const char *mount_point;
static int size;
static int *fds;          /* `size` of them, the first n_fds open */
static int n_fds, target; /* what is registered */
static int event_control, usage, oom;

static int try_open(const char *name, int flags) {
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", mount_point, name);
    return open(path, flags, 0600);
}

static void ignore(ssize_t result __attribute__((unused))) {
}

/* Keeps it, or closes all if there can be no more. */
static void keep(int fd) {
    if (fd >= 0)
        fds[n_fds++] = fd;
    if (fd >= 0 && n_fds < size)
        return;
    while (n_fds > 0)
        close(fds[--n_fds]);
}

/* ---- open files, and what they hold */

static void begin_nothing(void) {
}

static void read_zoneinfo(void) {
    int fd = try_open("zoneinfo", O_RDONLY);
    char byte;

    if (fd >= 0)
        ignore(read(fd, &byte, 1));
    keep(fd);
}

static void subscribe(void) {
    int fd = try_open("oom_notify", O_RDWR);

    if (fd >= 0)
        ignore(write(fd, "signal URG", 10));
    keep(fd);
}

static void read_ranking(void) {
    int fd = try_open("oom_ranking", O_RDONLY);
    char text[4096];

    ignore(read(fd, text, sizeof text));
    close(fd);
}

/* ---- thresholds and events */

static void name_threshold(char path[4096], int i) {
    snprintf(path, 4096, "%s/thresholds/attack-%d", mount_point, i);
}

static void make_thresholds(void) {
    char path[4096];

    for (int i = 0; i < THRESHOLDS; i++) {
        int fd;

        name_threshold(path, i);
        fd = open(path, O_WRONLY | O_CREAT, 0600);
        ignore(write(fd, ALL_METERS, strlen(ALL_METERS)));
        close(fd);
    }
}

static void make_and_remove_thresholds(void) {
    char path[4096];

    make_thresholds();
    for (int i = 0; i < THRESHOLDS; i++) {
        name_threshold(path, i);
        unlink(path);
    }
}

static void open_and_close_events(void) {
    close(try_open("events", O_RDONLY));
}

static void read_events(void) {
    static int fd = -1;
    char text[4096];

    if (fd < 0)
        fd = try_open("events", O_RDONLY);
    ignore(read(fd, text, sizeof text));
}

/* A line each, which is far less than what comes. */
static void read_events_slowly(void) {
    char line[200];

    if (n_fds < size - 1)
        keep(try_open("events", O_RDONLY | O_NONBLOCK));
    else
        poll(NULL, 0, 10);
    ignore(read(fds[rand() % (n_fds + !n_fds)], line, sizeof line));
}

/* ---- memcg/ */

static void open_memcg(void) {
    event_control = open_below(mount_point, "memcg/cgroup.event_control", O_WRONLY);
    usage = open_below(mount_point, "memcg/memory.usage_in_bytes", O_RDONLY);
}

static void register_target(void) {
    register_eventfd(event_control, target, usage);
}

static void register_another(void) {
    int fd = eventfd(0, 0);
    int error = register_eventfd(event_control, fd, usage);

    keep(error == 0 ? fd : -1);
    if (error != 0)
        close(fd);
}

static void make_epoll_set(void) {
    struct epoll_event event = { .events = EPOLLIN };
    int fd = eventfd(0, 0);

    open_memcg();
    target = epoll_create1(0);
    for (int i = 0; i < size && (fd = dup(fd)) >= 0; i++)
        epoll_ctl(target, EPOLL_CTL_ADD, fd, &event);
}

static void make_watches(void) {
    char directory[] = "watched.XXXXXX";

    open_memcg();
    target = inotify_init1(0);
    if (chdir("/tmp") < 0 || !mkdtemp(directory) || chdir(directory) < 0)
        fail(directory);
    for (int i = 0; i < size; i++) {
        char name[32];

        snprintf(name, sizeof name, "%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
        if (inotify_add_watch(target, name, IN_MODIFY) < 0)
            break;
        unlink(name);
    }
    ignore(chdir("/"));
}

/* ---- namespaces */

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fail(path);
    close(fd);
}

/* The user stays himself in there. */
static void enter_namespaces(int flags) {
    char map[64];

    snprintf(map, sizeof map, "%d %d 1", getuid(), getuid());
    prctl(PR_SET_DUMPABLE, 1); /* or /proc/self is root's */
    if (unshare(CLONE_NEWUSER | flags) < 0)
        fail("namespaces");
    write_file("/proc/self/uid_map", map);
}

static void make_mounts(void) {
    open_memcg();
    target = eventfd(0, 0);
    enter_namespaces(CLONE_NEWNS);
    for (int i = 0; i < size; i++)
        if (mount("/tmp", "/tmp", NULL, MS_BIND, NULL) < 0)
            break;
}

static void exit_with(pid_t child) {
    int status;

    waitpid(child, &status, 0);
    _exit(EXIT_SUCCESS);
}

static void enter_pid_namespace(void) {
    pid_t child;

    oom = open_below(mount_point, "oom", O_WRONLY);
    enter_namespaces(CLONE_NEWPID);
    child = fork();
    if (child > 0)
        exit_with(child);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void write_oom(void) {
    ignore(write(oom, "\n", 1));
}

/* ---- */

static const struct Attack {
    const char *name;
    int n_processes;
    void (*begin)(void);
    void (*act)(void); /* again and again */
} attacks[] = {
    { "zoneinfo", 1, begin_nothing, read_zoneinfo },
    { "signals", 1, begin_nothing, subscribe },
    { "ranking", 4, begin_nothing, read_ranking },
    { "thresholds", 1, begin_nothing, make_and_remove_thresholds },
    { "storm", 4, make_thresholds, open_and_close_events },
    { "readers", 64, make_thresholds, read_events },
    { "slow", 1, make_thresholds, read_events_slowly },
    { "registrations", 16, open_memcg, register_another },
    { "epoll", 4, make_epoll_set, register_target },
    { "inotify", 4, make_watches, register_target },
    { "mounts", 4, make_mounts, register_target },
    { "oom", 4, enter_pid_namespace, write_oom },
};

static void multiply(int n) {
    for (int i = 1; i < n; i++)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            return;
        }
}

int main(int argc, char **argv) {
    const struct Attack *attack = NULL;
    struct rlimit limit;

    demand_arguments(argc, 3, "attacks NAME MOUNT SIZE");
    mount_point = argv[2];
    size = atoi(argv[3]);
    fds = calloc(size + 1, sizeof *fds);
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        if (strcmp(attacks[i].name, argv[1]) == 0)
            attack = &attacks[i];
    if (!attack || !fds)
        fail(argv[1]);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    attack->begin();
    say("attacking");
    for (multiply(attack->n_processes);;)
        attack->act();
}
