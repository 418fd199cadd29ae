/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of the soak, with an account of what it was told: how often, and what it read last.
 *
 *   soak_client ID KIND WAY FILE [TEXT]
 *
 * It opens FILE, writes TEXT to it (or registers an eventfd with TEXT as argument), and says "ID = 0 ready". Then it waits
 * in its WAY, and after each event says "ID + COUNT STATE" in one write, so that many can say it to one pipe. Standard
 * input has orders of one byte, each of which is answered by "ID = COUNT STATE": '?' say it, 'd' go on with a duplicate,
 * 'c' close the file. What is served is looked at before them: whoever answers had nothing more to be told. The end of
 * standard input is the client's. */
#include "attacker.h"

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>

#define TEXT_BYTES 65536

enum {
    SERVED = 1,
    ASKED = 2,
    GONE = 4
};

typedef struct Client Client;
struct Client {
    const char *id;
    const struct Kind *kind;
    const struct Way *way;
    int fd; /* what is waited for; -1 when that is over */
    int epoll;
    uint64_t count;
    uint32_t sum; /* of the lines of events */
    double time_s;
    char state[2048];
};

typedef struct Kind {
    const char *name;
    int (*open)(const char *file, const char *text);
    void (*take)(Client *self); /* what there is, into count and state */
} Kind;

typedef struct Way {
    const char *name;
    int flags; /* of open */
    void (*begin)(Client *self);
    unsigned (*wait)(Client *self);
} Way;

static int open_flags; /* those of the way */

static void report(const Client *self, char why) {
    char line[PIPE_BUF];
    int len = snprintf(line, sizeof line, "%s %c %" PRIu64 " %s\n", self->id, why, self->count, self->state);

    if (write(STDOUT_FILENO, line, len) != len)
        fail("cannot say it");
}

static void set_gone(Client *self) {
    strcpy(self->state, "gone");
    self->fd = -1; /* and stays open: nobody else is to get its number */
}

/* ---- what is waited for */

static int open_file(const char *file, const char *text) {
    int fd = open(file, open_flags | (text ? O_RDWR : O_RDONLY));

    if (fd < 0 || (text && write(fd, text, strlen(text)) != (ssize_t)strlen(text)))
        fail(file);
    return fd;
}

static int open_eventfd(const char *file, const char *argument) {
    char path[4096], text[64];
    int fd = eventfd(0, 0), usage = open(file, O_RDONLY), control, len;

    snprintf(path, sizeof path, "%s", file);
    control = open_below(dirname(path), "cgroup.event_control", O_WRONLY);
    len = snprintf(text, sizeof text, "%d %d %s", fd, usage, argument);
    if (write(control, text, len) != len)
        fail("cannot register");
    close(usage);
    close(control);
    return fd;
}

/* A signal is waited for as a file; the one that it is about stays open. */
static int open_signal(const char *file, const char *request) {
    static int subscription;
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    subscription = open_file(file, request);
    return subscription < 0 ? -1 : signalfd(-1, &signals, 0);
}

static ssize_t read_some(Client *self, char *text, size_t size, off_t offset) {
    ssize_t n;

    do
        n = offset < 0 ? read(self->fd, text, size) : pread(self->fd, text, size, offset);
    while (n < 0 && errno == EINTR);
    return n;
}

static void take_text(Client *self) {
    ssize_t n = read_some(self, self->state, sizeof self->state - 1, 0);

    if (n < 0) {
        set_gone(self);
        return;
    }
    self->state[n] = '\0';
    for (char *end = self->state; (end = strchr(end, '\n'));)
        *end = ';';
    self->count++;
}

static uint32_t crc32_of(const char *text) {
    uint32_t crc = UINT32_MAX;

    for (; *text; text++) {
        crc ^= (unsigned char)*text;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

/* "3086.214406 low used reached 4936902 4936820": the order of lines of one moment is nobody's business, hence a sum. */
static void take_line(Client *self, const char *line) {
    char *rest;
    double time_s = strtod(line, &rest);
    unsigned lost;

    if (time_s < self->time_s || *rest != ' ')
        fail(line);
    self->time_s = time_s;
    if (sscanf(rest, " - - lost %u", &lost) == 1) {
        self->count += lost;
    } else {
        self->count++;
        self->sum += crc32_of(rest + 1);
    }
}

static void take_lines(Client *self) {
    static char text[TEXT_BYTES];
    ssize_t n = read_some(self, text, sizeof text - 1, -1);

    if (n <= 0) {
        set_gone(self);
        return;
    }
    text[n] = '\0';
    for (char *rest, *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        take_line(self, line);
    snprintf(self->state, sizeof self->state, "%08" PRIx32, self->sum);
}

static void take_number(Client *self) {
    uint64_t number;

    if (read_some(self, (char *)&number, sizeof number, -1) != sizeof number)
        fail("cannot read an eventfd");
    self->count += number;
}

static void take_signal(Client *self) {
    struct signalfd_siginfo signal;

    if (read_some(self, (char *)&signal, sizeof signal, -1) != sizeof signal)
        fail("cannot read a signal");
    self->count++;
}

static const Kind kinds[] = {
    { "text", open_file, take_text },
    { "events", open_file, take_lines },
    { "eventfd", open_eventfd, take_number },
    { "signal", open_signal, take_signal },
};

/* ---- how it is waited */

static void begin_nothing(Client *self __attribute__((unused))) {
}

static unsigned wait_poll(Client *self) {
    struct pollfd fds[] = { { .fd = self->fd, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

    if (poll(fds, 2, -1) < 0)
        return 0;
    return (fds[0].revents & (POLLERR | POLLHUP) ? GONE : fds[0].revents ? SERVED : 0) | (fds[1].revents ? ASKED : 0);
}

static unsigned wait_select(Client *self) {
    fd_set set;

    FD_ZERO(&set);
    FD_SET(STDIN_FILENO, &set);
    if (self->fd >= 0)
        FD_SET(self->fd, &set);
    if (select((self->fd > STDIN_FILENO ? self->fd : STDIN_FILENO) + 1, &set, NULL, NULL, NULL) < 0)
        return 0;
    return (self->fd >= 0 && FD_ISSET(self->fd, &set) ? SERVED : 0) | (FD_ISSET(STDIN_FILENO, &set) ? ASKED : 0);
}

static void begin_epoll_with(Client *self, uint32_t flags) {
    struct epoll_event asked = { .events = EPOLLIN, .data.u32 = ASKED };
    struct epoll_event served = { .events = EPOLLIN | flags, .data.u32 = SERVED };

    if (self->epoll >= 0)
        close(self->epoll);
    self->epoll = epoll_create1(0);
    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &asked) < 0 ||
        (self->fd >= 0 && epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->fd, &served) < 0))
        fail("epoll_ctl");
}

static void begin_epoll(Client *self) {
    begin_epoll_with(self, 0);
}

static void begin_edge(Client *self) {
    begin_epoll_with(self, EPOLLET);
}

static unsigned wait_epoll(Client *self) {
    struct epoll_event events[2];
    unsigned found = 0;
    int n = epoll_wait(self->epoll, events, 2, -1);

    for (int i = 0; i < n; i++)
        found |= events[i].events & (EPOLLERR | EPOLLHUP) && events[i].data.u32 == SERVED ? GONE : events[i].data.u32;
    return self->fd < 0 ? found & ASKED : found;
}

/* A read that waits; orders are not heard. */
static unsigned wait_read(Client *self) {
    if (self->fd < 0)
        pause();
    return SERVED;
}

static const Way ways[] = {
    { "poll", O_NONBLOCK, begin_nothing, wait_poll }, { "select", O_NONBLOCK, begin_nothing, wait_select },
    { "epoll", O_NONBLOCK, begin_epoll, wait_epoll }, { "edge", O_NONBLOCK, begin_edge, wait_epoll },
    { "read", 0, begin_nothing, wait_read },
};

/* ---- */

static void obey(Client *self) {
    char order;

    if (read(STDIN_FILENO, &order, 1) != 1)
        exit(EXIT_SUCCESS);
    if (order == 'd') {
        int fd = dup(self->fd);

        close(self->fd);
        self->fd = fd;
    } else if (order == 'c') {
        close(self->fd);
        self->fd = -1;
        strcpy(self->state, "closed");
    }
    if (order != '?')
        self->way->begin(self);
    report(self, '=');
}

static void find(Client *self, const char *kind, const char *way) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, kind) == 0)
            self->kind = &kinds[i];
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i].name, way) == 0)
            self->way = &ways[i];
}

int main(int argc, char **argv) {
    Client self = { .epoll = -1, .state = "ready" };

    if (argc >= 5)
        find(&self, argv[2], argv[3]);
    if (!self.kind || !self.way) {
        fprintf(stderr, "usage: %s ID KIND WAY FILE [TEXT]\n", argv[0]);
        return 2;
    }
    self.id = argv[1];
    open_flags = self.way->flags;
    self.fd = self.kind->open(argv[4], argv[5]);
    self.way->begin(&self);
    report(&self, '=');

    for (;;) {
        unsigned found = self.way->wait(&self);

        if (found & GONE)
            set_gone(&self);
        else if (found & SERVED)
            self.kind->take(&self);
        if (self.fd < 0)
            self.way->begin(&self);
        if (found & (GONE | SERVED))
            report(&self, '+');
        else if (found & ASKED)
            obey(&self);
    }
}
