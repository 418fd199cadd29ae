/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least that a server of a socket can do: no request is parsed, nobody is looked after. */
#include "bare-socket.h"

#include "fatal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 20000

static const char line[] = "3887.453731 - used reached 1234567 1234567\n";

static int told[CLIENTS_MAX];
static int n_told; /* counted up by the thread, when the descriptor is in its place */
static int listener_fd;
static int epoll_fd;
static char *text;
static size_t text_len;

static void send_to(int fd, const void *bytes, size_t len) {
    (void)!send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void bare_socket_tell_first(void) {
    if (__atomic_load_n(&n_told, __ATOMIC_ACQUIRE) > 0)
        send_to(told[0], "\n", 1);
}

void bare_socket_tell_all(void) {
    int n = __atomic_load_n(&n_told, __ATOMIC_ACQUIRE);

    for (int i = 0; i < n; i++)
        send_to(told[i], line, sizeof line - 1);
}

static void tell_from_now_on(int fd) {
    if (n_told == CLIENTS_MAX)
        fatal("there are too many clients");
    told[n_told] = fd;
    __atomic_store_n(&n_told, n_told + 1, __ATOMIC_RELEASE);
    send_to(fd, "ok\n", 3);
}

static void wait_for(int fd) {
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    if (fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        fatal("cannot wait for a client");
}

static void serve(int fd) {
    char request[128];
    ssize_t n = read(fd, request, sizeof request);

    if (n <= 0)
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    else if (request[0] == 'w')
        tell_from_now_on(fd);
    else if (request[0] == 'r')
        send_to(fd, text, text_len);
    else
        bare_socket_tell_first();
}

static void *run(void *unused __attribute__((unused))) {
    struct epoll_event event;

    while (epoll_wait(epoll_fd, &event, 1, -1) == 1)
        if (event.data.fd == listener_fd)
            /* cppcheck-suppress nullPointer ; nobody asks for the address */
            wait_for(accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC));
        else
            serve(event.data.fd);
    return NULL;
}

static void allow_many_files(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void make_text(size_t len) {
    text_len = len;
    text = malloc(len);
    if (!text || len < 4)
        fatal("cannot make the text");
    memset(text, '0', len);
    memcpy(text + len - 4, "\nok\n", 4);
}

void bare_socket_start(const char *path, size_t read_bytes) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    pthread_t thread;

    make_text(read_bytes);
    allow_many_files();
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listener_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener_fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener_fd, SOMAXCONN) < 0)
        fatal("cannot listen at '%s'", path);
    wait_for(listener_fd);
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        fatal("cannot start a thread");
}
