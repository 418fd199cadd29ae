/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of libmemnotifyfs for tests: each line of standard input is a call, each line of output what came of it. At
 * the end of the input it closes the client, and fails if a descriptor is left. */
#include <memnotifyfs/client.h>

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static memnotifyfs *client;
static const struct memnotifyfs_page *page;

static unsigned count_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    unsigned n = 0;

    if (!directory)
        return 0;
    while (readdir(directory))
        n++;
    closedir(directory);
    return n;
}

static void say_result(int r) {
    if (r < 0)
        printf("%d\n", r);
    else
        puts("ok");
}

/* "reached available 123421 617103 0 3887453731" */
static void say_event(int r, const struct memnotifyfs_event *event) {
    static const char *const kinds[] = { "?",        "reached", "left",        "total_changed", "removed",
                                         "returned", "lost",    "reconnected", "last_call" };

    if (r == 1)
        printf("%s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 "\n", kinds[event->kind],
               event->meter[0] ? event->meter : "-", event->value_pages, event->limit_pages, event->count,
               event->time_us);
    else if (r == 0)
        puts("nothing");
    else
        say_result(r);
}

static void do_open(const char *argument) {
    say_result(memnotifyfs_open(*argument ? argument : NULL, &client));
}

static void do_limits(const char *argument) {
    say_result(memnotifyfs_set_limits(client, argument));
}

static void do_next(const char *argument) {
    struct memnotifyfs_event event;

    (void)argument;
    say_event(memnotifyfs_next(client, &event), &event);
}

/* The next event, as a program that waits gets it: one call for each time that it is woken. */
static void do_wait(const char *argument) {
    struct pollfd waiter = { .fd = memnotifyfs_get_fd(client), .events = POLLIN };
    struct memnotifyfs_event event;
    int r;

    (void)argument;
    do {
        poll(&waiter, 1, -1);
        r = memnotifyfs_next(client, &event);
    } while (r == 0);
    say_event(r, &event);
}

/* Whether there is something to do, without doing it. */
static void do_poll(const char *argument) {
    struct pollfd waiter = { .fd = memnotifyfs_get_fd(client), .events = POLLIN };

    printf("%d\n", poll(&waiter, 1, atoi(argument)));
}

static void do_meter(const char *argument) {
    uint64_t pages;
    int r = memnotifyfs_get_meter(client, argument, &pages);

    if (r == 0)
        printf("%" PRIu64 "\n", pages);
    else
        say_result(r);
}

static void do_page(const char *argument) {
    const struct memnotifyfs_page *before = page;
    int r = memnotifyfs_get_page(client, &page);

    (void)argument;
    if (r == 0 && before && before != page)
        puts("elsewhere");
    else
        say_result(r);
}

/* By the pointer that the last "page" has given. */
static void do_peek(const char *argument) {
    int meter = memnotifyfs_page_find(page, argument);

    if (meter < 0)
        say_result(meter);
    else
        printf("%" PRIu64 " %s\n", memnotifyfs_page_get(page, meter),
               memnotifyfs_page_has_ended(page) ? "ended" : "alive");
}

static void do_reached(const char *argument) {
    puts(memnotifyfs_is_reached(client, argument) ? "yes" : "no");
}

static void do_error(const char *argument) {
    unsigned column;
    const char *reason = memnotifyfs_get_error(client, &column);

    (void)argument;
    printf("%u %s\n", column, reason);
}

/* What a child can do, which then closes the client. */
static void do_child(const char *argument) {
    int status;
    pid_t child;

    (void)argument;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct memnotifyfs_event event;
        uint64_t pages;
        bool is_refused =
            memnotifyfs_next(client, &event) == -ECHILD && memnotifyfs_set_limits(client, "") == -ECHILD &&
            memnotifyfs_get_meter(client, "used", &pages) == -ECHILD && memnotifyfs_get_page(client, &page) == -ECHILD;

        memnotifyfs_close(client);
        _exit(is_refused ? 0 : 1);
    }
    waitpid(child, &status, 0);
    printf("%d\n", WEXITSTATUS(status));
}

static void do_close(const char *argument) {
    (void)argument;
    memnotifyfs_close(client);
    client = NULL;
    page = NULL;
    puts("ok");
}

static const struct {
    const char *name;
    void (*run)(const char *argument);
} calls[] = { { "open", do_open },       { "limits", do_limits }, { "next", do_next },   { "wait", do_wait },
              { "poll", do_poll },       { "meter", do_meter },   { "page", do_page },   { "peek", do_peek },
              { "reached", do_reached }, { "error", do_error },   { "child", do_child }, { "close", do_close } };

static void call(char *line) {
    char *argument = strchr(line, ' ');

    if (argument)
        *argument++ = '\0';
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].name, line) == 0) {
            calls[i].run(argument ? argument : "");
            return;
        }
    puts("there is no such call");
}

/* "\n" in a line stands for a newline. */
static void unescape(char *line) {
    char *to = line;

    for (; *line; line++) {
        if (line[0] == '\\' && line[1] == 'n') {
            *to++ = '\n';
            line++;
        } else {
            *to++ = *line;
        }
    }
    *to = '\0';
}

int main(void) {
    unsigned before = count_descriptors();
    char line[8192];

    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        unescape(line);
        call(line);
    }
    memnotifyfs_close(client);
    return count_descriptors() != before;
}
