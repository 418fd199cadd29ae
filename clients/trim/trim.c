/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmemnotify-trim: preloaded into a program that knows nothing of memnotifyfs, lets its allocator give back what it
 * holds when memory is short. memnotify-run(1) has it under --trim.
 *
 * One thread sleeps until the server says that a limit is reached. Nothing is ever done unless it is told. */
#include "trim.h"

#include "allocator.h"
#include "clock.h"
#include "journal.h"
#include "place.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <memnotifyfs/client.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

/* What has given back has little to give back soon after. Tests have less of both. */
#ifndef COOL_DOWN_US
#define COOL_DOWN_US 10000000
#endif

/* A program that is over before has not cost more than a thread. */
#ifndef START_MS
#define START_MS 1000
#endif

/* Between two looks for a server that is not there: twice as long each time, up to this. */
#define PAUSE_MAX_MS 60000

/* What the environment said at the start, which the program may change. */
static char limits[MEMNOTIFYFS_LIMITS_MAX + 1];
static struct places places;

/* --- giving back ------------------------------------------------------------------------------- */

static double in_mib(uint64_t pages) {
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* "16384 8123 2048 ...": size and resident, in pages. 0 if it cannot be read. */
static uint64_t read_resident_pages(void) {
    char text[128];
    uint64_t pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0)
        return 0;
    len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0)
        return 0;
    text[len] = '\0';
    return sscanf(text, "%*u %" SCNu64, &pages) == 1 ? pages : 0;
}

static void give_back(const struct memnotifyfs_event *reason) {
    uint64_t before = read_resident_pages(), after;
    int64_t began_us = clock_now_us(), took_us;
    char names[64];

    allocators_give_back(names, sizeof names);
    took_us = clock_now_us() - began_us;
    after = read_resident_pages();
    journal_say("resident %.1fM before, %.1fM after (%s), %" PRId64 " ms; %s reached %.1fM, limit %.1fM",
                in_mib(before), in_mib(after), names, took_us / 1000, reason->meter, in_mib(reason->value_pages),
                in_mib(reason->limit_pages));
}

/* --- waiting to be told ------------------------------------------------------------------------ */

typedef struct Wish {
    unsigned n_reached; /* limits; reached and left come in turns for each */
    bool is_wanted;     /* because of: */
    struct memnotifyfs_event reason;
    int64_t due_us; /* not before; 0 for at once */
} Wish;

/* What has been told since. Where all limits were left before its time had come there is nothing to be done. */
static int take_events(memnotifyfs *client, Wish *wish) {
    struct memnotifyfs_event event;
    int r;

    while ((r = memnotifyfs_next(client, &event)) > 0)
        if (event.kind == MEMNOTIFYFS_REACHED) {
            wish->n_reached++;
            wish->is_wanted = true;
            wish->reason = event;
        } else if (event.kind == MEMNOTIFYFS_LEFT && --wish->n_reached == 0) {
            wish->is_wanted = false;
        }
    return r;
}

/* Milliseconds to wait, for poll(2). */
static int get_pause_ms(const Wish *wish) {
    int64_t now_us = clock_now_us();

    if (!wish->is_wanted)
        return -1;
    return wish->due_us <= now_us ? 0 : (int)((wish->due_us - now_us) / 1000 + 1);
}

/* Until the server does not understand the limits, one that has come anew, that is. */
static int follow(memnotifyfs *client) {
    int fd = memnotifyfs_get_fd(client), r;
    Wish wish = { 0 };

    while ((r = take_events(client, &wish)) == 0) {
        int pause_ms = get_pause_ms(&wish);

        if (pause_ms == 0) {
            give_back(&wish.reason);
            wish.is_wanted = false;
            wish.due_us = clock_now_us() + COOL_DOWN_US;
        } else {
            thread_wait(fd, pause_ms);
        }
    }
    return r;
}

/* A socket beside a mount point first: to find out what is on the mount takes its server, which may be stopped, and then
 * nothing in the program that ends the thread would get on. */
static int open_server(memnotifyfs **ret) {
    int r = -ENOENT;

    for (unsigned i = 0; i < places.n && r < 0; i++) {
        char beside[PATH_MAX + sizeof MEMNOTIFYFS_SOCKET_SUFFIX];

        snprintf(beside, sizeof beside, "%s" MEMNOTIFYFS_SOCKET_SUFFIX, places.paths[i]);
        r = memnotifyfs_open(beside, ret);
        if (r < 0 && r != -ETIMEDOUT)
            r = memnotifyfs_open(places.paths[i], ret);
    }
    return r;
}

static int longer(int pause_ms) {
    return pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
}

/* A server that is not there may be there later, and one that has no room may have some. */
static memnotifyfs *wait_for_server(void) {
    memnotifyfs *client;

    for (int pause_ms = START_MS; open_server(&client) < 0; thread_wait(-1, pause_ms))
        pause_ms = longer(pause_ms);
    return client;
}

/* The server may be away at this moment, or have no room for limits. */
static int set_limits(memnotifyfs *client) {
    int r;

    for (int pause_ms = START_MS; (r = memnotifyfs_set_limits(client, limits)) < 0 && r != -EINVAL;
         thread_wait(-1, pause_ms))
        pause_ms = longer(pause_ms);
    return r;
}

static void close_client(void *client) {
    memnotifyfs_close(client);
}

static void run(void) {
    memnotifyfs *client;

    thread_wait(-1, START_MS);
    client = wait_for_server();
    pthread_cleanup_push(close_client, client);
    if (set_limits(client) == 0)
        follow(client);
    journal_say("gives nothing back: cannot wait for '%s': %s", limits, memnotifyfs_get_error(client, NULL));
    pthread_cleanup_pop(1);
}

/* A program with rights that its user does not have does nothing that the user's environment says. */
__attribute__((constructor)) static void begin(void) {
    const char *wish = getenv(TRIM_ENVIRONMENT);

    if (getauxval(AT_SECURE))
        return;
    if (!wish || !*wish)
        wish = TRIM_LIMITS;
    journal_init();
    allocators_find();
    if (places_find(NULL, getenv(MEMNOTIFYFS_ENVIRONMENT), getenv("XDG_RUNTIME_DIR"), &places) < 0)
        journal_say("gives nothing back: " MEMNOTIFYFS_ENVIRONMENT " is too long");
    else if (snprintf(limits, sizeof limits, "%s", wish) < (int)sizeof limits)
        thread_begin(run);
    else
        journal_say("gives nothing back: " TRIM_ENVIRONMENT " is too long");
}
