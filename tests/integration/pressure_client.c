/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pressure_client: waits for memory pressure as sd_event_add_memory_pressure(3) says. It prints "pressure" for each
 * callback, and for each line of its input "turns N", how often its loop has turned: counted by libsystemd, so that it
 * is seen exactly whether a program that sleeps does sleep. It ends with its input.
 *
 * libsystemd is loaded when it runs, since that of Debian 12 knows no memory pressure. Exit status 77: the one that
 * was found does not, either. */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct sd_event sd_event;
typedef struct sd_event_source sd_event_source;

static int (*event_new)(sd_event **ret);
static int (*event_loop)(sd_event *event);
static int (*event_exit)(sd_event *event, int status);
static int (*event_get_iteration)(sd_event *event, uint64_t *ret);
static int (*event_add_io)(sd_event *event, sd_event_source **ret, int fd, uint32_t events,
                           int (*heard)(sd_event_source *source, int fd, uint32_t events, void *data), void *data);
static int (*event_add_memory_pressure)(sd_event *event, sd_event_source **ret,
                                        int (*pressed)(sd_event_source *source, void *data), void *data);

static const struct {
    const char *name;
    void *function;
} functions[] = {
    { "sd_event_new", &event_new },       { "sd_event_loop", &event_loop },
    { "sd_event_exit", &event_exit },     { "sd_event_get_iteration", &event_get_iteration },
    { "sd_event_add_io", &event_add_io }, { "sd_event_add_memory_pressure", &event_add_memory_pressure },
};

static void load(void) {
    void *library = dlopen("libsystemd.so.0", RTLD_NOW);

    for (size_t i = 0; library && i < sizeof functions / sizeof *functions; i++) {
        void *found = dlsym(library, functions[i].name);

        if (!found)
            break;
        memcpy(functions[i].function, &found, sizeof found);
    }
    if (!event_add_memory_pressure) { /* the last of them */
        fprintf(stderr, "pressure_client: %s\n", dlerror());
        exit(77);
    }
}

static void demand(int result, const char *what) {
    if (result < 0) {
        fprintf(stderr, "pressure_client: cannot %s: %s\n", what, strerror(-result));
        exit(1);
    }
}

static int pressed(sd_event_source *source, void *data) {
    (void)source;
    (void)data;
    puts("pressure");
    return 0;
}

static int heard(sd_event_source *source, int fd, uint32_t events, void *data) {
    char text[64];
    uint64_t turns;
    ssize_t n = read(fd, text, sizeof text);

    (void)source;
    (void)events;
    if (n <= 0)
        return event_exit(data, 0);
    demand(event_get_iteration(data, &turns), "count the turns of the loop");
    for (ssize_t i = 0; i < n; i++)
        if (text[i] == '\n')
            printf("turns %" PRIu64 "\n", turns);
    return 0;
}

int main(void) {
    sd_event *event;

    setvbuf(stdout, NULL, _IOLBF, 0);
    load();
    demand(event_new(&event), "make a loop");
    demand(event_add_io(event, NULL, STDIN_FILENO, EPOLLIN, heard, event), "wait for input");
    demand(event_add_memory_pressure(event, NULL, pressed, NULL), "wait for memory pressure");
    demand(event_loop(event), "loop");
    return 0;
}
