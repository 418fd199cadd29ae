/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-process.h"

#include "kernel/client.h"
#include "kernel/process.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FULL (G_MAXUINT64 - 1)
#define N_DESCRIPTORS_MAX 2048

typedef enum Action {
    MAKE_EVENTFD,
    DUP2,
    CLOSE,
    COUNT,
    FILL
} Action;

typedef struct Order {
    Action action;
    int number;
    int to;
} Order;

static guint64 count(int fd) {
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    eventfd_t value = 0;

    return poll(&pollfd, 1, 0) == 1 && eventfd_read(fd, &value) == 0 ? value : 0;
}

static guint64 obey(const Order *order) {
    switch (order->action) {
    case MAKE_EVENTFD:
        return eventfd(0, 0);
    case DUP2:
        return dup2(order->number, order->to);
    case CLOSE:
        return close(order->number);
    case COUNT:
        return count(order->number);
    case FILL:
        return eventfd_write(order->number, FULL);
    }
    return 0;
}

static void serve(int socket) {
    Order order;

    dup2(socket, 3);
    for (int fd = 4; fd < N_DESCRIPTORS_MAX; fd++)
        close(fd);
    while (read(3, &order, sizeof order) == sizeof order) {
        guint64 answer = obey(&order);

        if (write(3, &answer, sizeof answer) != sizeof answer)
            break;
    }
}

static guint64 tell(const ClientProcess *self, Action action, int number, int to) {
    Order order = { action, number, to };
    guint64 answer;

    if (write(self->socket, &order, sizeof order) != sizeof order ||
        read(self->socket, &answer, sizeof answer) != sizeof answer)
        g_error("the client has gone");
    return answer;
}

void client_start(ClientProcess *self) {
    int sockets[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        g_error("cannot make a pair of sockets");
    self->pid = fork();
    if (self->pid == 0) {
        serve(sockets[1]);
        _exit(0);
    }
    close(sockets[1]);
    self->socket = sockets[0];
}

void client_kill(const ClientProcess *self) {
    kill(self->pid, SIGKILL);
}

void client_end(ClientProcess *self) {
    client_kill(self);
    waitpid(self->pid, NULL, 0);
    close(self->socket);
}

int client_make_eventfd(const ClientProcess *self) {
    return tell(self, MAKE_EVENTFD, 0, 0);
}

void client_dup2(const ClientProcess *self, int number, int to) {
    tell(self, DUP2, number, to);
}

void client_close(const ClientProcess *self, int number) {
    tell(self, CLOSE, number, 0);
}

MnSinkKey client_key(const ClientProcess *self, uid_t uid, int number) {
    MnSinkKey key = { .pid = self->pid, .uid = uid, .number = number };
    MnDescriptor descriptor;

    if (mn_client_look(self->pid, number, &descriptor) < 0 || !descriptor.is_eventfd)
        g_error("%d is no eventfd of the client's", number);
    key.eventfd_id = descriptor.eventfd_id;
    if (mn_process_open(self->pid, &key.pidfd) < 0 ||
        mn_client_take_eventfd(key.pidfd, number, key.eventfd_id, &key.fd) < 0)
        g_error("%d cannot be had from the client", number);
    return key;
}

guint64 client_count(const ClientProcess *self, int number) {
    return tell(self, COUNT, number, 0);
}

void client_fill(const ClientProcess *self, int number) {
    tell(self, FILL, number, 0);
}

gboolean client_can_be_served(void) {
    ClientProcess client;
    MnDescriptor descriptor;
    int number, pidfd = -1, fd = -1, r;

    client_start(&client);
    number = client_make_eventfd(&client);
    r = mn_process_open(client.pid, &pidfd);
    if (r == 0)
        r = mn_client_look(client.pid, number, &descriptor);
    if (r == 0)
        r = mn_client_take_eventfd(pidfd, number, descriptor.eventfd_id, &fd);
    if (fd >= 0)
        close(fd);
    if (pidfd >= 0)
        close(pidfd);
    client_end(&client);

    if (r < 0)
        printf("an eventfd cannot be taken over here: %s\n0 passed, 0 failed, 1 skipped\n", g_strerror(-r));
    return r == 0;
}
