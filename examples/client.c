/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client [PLACE [LIMITS]]: a line whenever a limit is reached or left, also across a restart of the server. */
#include <memnotifyfs/client.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static void print(const struct memnotifyfs_event *event) {
    if (event->kind == MEMNOTIFYFS_REACHED)
        printf("%s is %" PRIu64 " pages: it has reached its limit\n", event->meter, event->value_pages);
    else if (event->kind == MEMNOTIFYFS_LEFT)
        printf("%s is %" PRIu64 " pages: it has left its limit\n", event->meter, event->value_pages);
    else if (event->kind == MEMNOTIFYFS_RECONNECTED)
        printf("memnotifyfs is there again\n");
}

int main(int argc, char **argv) {
    const char *limits = argc > 2 ? argv[2] : "available<10%";
    struct pollfd waiter = { .events = POLLIN };
    struct memnotifyfs_event event;
    memnotifyfs *client;
    uint64_t pages;
    int r;

    setvbuf(stdout, NULL, _IOLBF, 0);
    r = memnotifyfs_open(argc > 1 ? argv[1] : NULL, &client);
    if (r < 0) {
        fprintf(stderr, "cannot connect to memnotifyfs: %s\n", strerror(-r));
        return 1;
    }
    r = memnotifyfs_get_meter(client, "available", &pages);
    if (r == 0)
        printf("%" PRIu64 " pages are available\n", pages);

    r = memnotifyfs_set_limits(client, limits);
    if (r < 0)
        fprintf(stderr, "cannot wait for '%s': %s; %s\n", limits, strerror(-r), memnotifyfs_get_error(client, NULL));

    waiter.fd = memnotifyfs_get_fd(client);
    while (r >= 0 && poll(&waiter, 1, -1) == 1)
        while ((r = memnotifyfs_next(client, &event)) > 0)
            print(&event);
    memnotifyfs_close(client);
    return 1;
}
