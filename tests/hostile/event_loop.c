/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* event_loop MOUNT SECONDS: no attacker, a correct client with two threads. One waits in epoll for the
 * limits of four meters and reads them; the other registers eventfds with memcg/ and closes them, 500
 * in a second. Says how many registrations succeeded and how many did not. */
#include "attacker.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#define METERS 4
#define REGISTRATION_US 2000

static void *loop(void *set) {
    struct epoll_event events[METERS];
    char text[64];

    for (;;) {
        int n = epoll_wait(*(int *)set, events, METERS, -1);

        for (int i = 0; i < n; i++)
            if (pread(events[i].data.fd, text, sizeof text, 0) < 0)
                fail("meters/available");
    }
    return NULL;
}

static int make_set(const char *mount) {
    int set = epoll_create1(EPOLL_CLOEXEC);

    for (int i = 0; i < METERS; i++) {
        int meter = open_below(mount, "meters/available", O_RDWR);
        struct epoll_event event = { .events = EPOLLIN, .data.fd = meter };

        if (write(meter, "<50%", 4) != 4 || epoll_ctl(set, EPOLL_CTL_ADD, meter, &event) < 0)
            fail("meters/available");
    }
    return set;
}

int main(int argc, char **argv) {
    int set, usage, event_control, answers[2] = { 0 };
    pthread_t thread;
    time_t end;

    demand_arguments(argc, 2, "event_loop MOUNT SECONDS");
    set = make_set(argv[1]);
    usage = open_below(argv[1], "memcg/memory.usage_in_bytes", O_RDONLY);
    event_control = open_below(argv[1], "memcg/cgroup.event_control", O_WRONLY);
    pthread_create(&thread, NULL, loop, &set);
    say("waiting");

    for (end = time(NULL) + atoi(argv[2]); time(NULL) < end; usleep(REGISTRATION_US)) {
        int eventfd_ = eventfd(0, EFD_CLOEXEC);
        int error = register_eventfd(event_control, eventfd_, usage);

        if (error)
            fprintf(stderr, "cannot register: %s\n", strerror(error));
        answers[error != 0]++;
        close(eventfd_);
    }
    printf("%d %d\n", answers[0], answers[1]);
    return EXIT_SUCCESS;
}
