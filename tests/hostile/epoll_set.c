/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* epoll_set MOUNT SECONDS: one thread looks into an epoll set with a file of the mount again and again,
 * another registers the set as if it were an eventfd. Says each answer, 0 or an errno, once when the time is over.
 *
 * The lock of the set is held while its files are polled, so who looks at the set waits for the poll. */
#include "attacker.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>

static void *look(void *set) {
    struct epoll_event event;

    for (;;)
        epoll_wait(*(int *)set, &event, 1, 0);
    return NULL;
}

static int make_set(const char *mount) {
    struct epoll_event event = { .events = EPOLLIN };
    int set = epoll_create1(0);

    if (epoll_ctl(set, EPOLL_CTL_ADD, open_below(mount, "parameters/update_period", O_RDONLY), &event) < 0)
        fail("epoll_ctl");
    return set;
}

int main(int argc, char **argv) {
    int set, usage, event_control, answers[256] = { 0 };
    pthread_t thread;
    time_t end;

    demand_arguments(argc, 2, "epoll_set MOUNT SECONDS");
    set = make_set(argv[1]);
    usage = open_below(argv[1], "memcg/memory.usage_in_bytes", O_RDONLY);
    event_control = open_below(argv[1], "memcg/cgroup.event_control", O_WRONLY);
    pthread_create(&thread, NULL, look, &set);
    say("attacking");

    for (end = time(NULL) + atoi(argv[2]); time(NULL) < end;)
        answers[register_eventfd(event_control, set, usage)]++;
    for (int i = 0; i < 256; i++)
        if (answers[i] > 0)
            printf("%d ", i);
    say("");
    return EXIT_SUCCESS;
}
