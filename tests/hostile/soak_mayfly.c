/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients of the soak that come and go all the time: soak_mayfly MOUNT
 *
 * Until standard input ends: opens each kind of file, waits for something, and leaves it all behind in the middle of
 * things. None of its limits is ever crossed, so nobody else is told of it. Fails if it is refused something. */
#include "attacker.h"

#include <poll.h>
#include <sys/eventfd.h>

#define PAUSE_MS 20

static const char *mount;

static void set_limit(int fd, const char *limit) {
    if (write(fd, limit, strlen(limit)) != (ssize_t)strlen(limit))
        fail("cannot set a limit");
}

static void wait_a_moment(int fd) {
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    char half[3];

    if (poll(&pollfd, 1, 0) < 0 || read(fd, half, sizeof half) != sizeof half)
        fail("cannot wait");
}

static void use_limits(void) {
    int memnotify = open_below(mount, "memnotify", O_RDWR), meter = open_below(mount, "meters/total", O_RDWR);

    set_limit(memnotify, "total 1");
    wait_a_moment(memnotify);
    set_limit(meter, "<1");
    wait_a_moment(meter);
    close(meter);
    close(memnotify);
}

static void use_threshold(void) {
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/thresholds/mayfly-%d", mount, getpid());
    fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        fail(path);
    set_limit(fd, "total 1");
    if (unlink(path) < 0)
        fail(path);
    close(fd);
}

static void use_events(void) {
    int fd = open_below(mount, "events", O_RDONLY | O_NONBLOCK);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    if (poll(&pollfd, 1, 0) < 0)
        fail("cannot wait");
    close(fd);
}

static void use_registration(void) {
    int fd = eventfd(0, 0), control = open_below(mount, "memcg/cgroup.event_control", O_WRONLY);
    int usage = open_below(mount, "memcg/memory.usage_in_bytes", O_RDONLY);
    int error = register_eventfd(control, fd, usage);

    if (error != 0) {
        errno = error;
        fail("cannot register");
    }
    close(usage);
    close(control);
    close(fd);
}

int main(int argc, char **argv) {
    static void (*const uses[])(void) = { use_limits, use_threshold, use_events, use_registration };
    struct pollfd end = { .fd = STDIN_FILENO, .events = POLLIN };

    demand_arguments(argc, 1, "soak_mayfly MOUNT");
    mount = argv[1];
    for (unsigned i = 0; poll(&end, 1, PAUSE_MS) == 0; i++)
        uses[i % (sizeof uses / sizeof uses[0])]();
    return EXIT_SUCCESS;
}
