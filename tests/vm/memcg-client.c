/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the scripts of the test machine need to use memcg/, there where there is no Python.
 *
 *   listen CONTROL ARGUMENT  registers as the kernel's cgroup_event_listener does; a line for each event
 *   hold MIB                 fills that much memory, says "holding" and waits to be killed
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(const char *what) {
    perror(what);
    return EXIT_FAILURE;
}

static int listen_to(const char *control, const char *argument) {
    char *copy = strdup(control), event_control[4096], line[4096];
    int control_fd = open(control, O_RDONLY), fd, eventfd_fd = eventfd(0, 0), len;
    uint64_t count;

    snprintf(event_control, sizeof event_control, "%s/cgroup.event_control", dirname(copy));
    free(copy);
    fd = open(event_control, O_WRONLY);
    if (control_fd < 0 || fd < 0 || eventfd_fd < 0)
        return fail("open");

    len = snprintf(line, sizeof line, "%d %d %s", eventfd_fd, control_fd, argument) + 1;
    if (write(fd, line, len) != len)
        return fail("write"); /* cppcheck-suppress resourceLeak ; the program ends */
    close(fd);
    close(control_fd);
    puts("ready");

    while (read(eventfd_fd, &count, sizeof count) == sizeof count) {
        if (access(event_control, W_OK) < 0) {
            puts("removed");
            return EXIT_SUCCESS;
        }
        printf("events %llu\n", (unsigned long long)count);
    }
    return fail("read");
}

static int hold(size_t bytes) {
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return fail("mmap");
    for (size_t i = 0; i < bytes; i += 4096) /* no two pages alike, and none that compresses to nothing */
        for (size_t j = 0; j < 4096; j += sizeof(int))
            *(int *)(memory + i + j) = rand();
    puts("holding");
    pause();
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 4 && strcmp(argv[1], "listen") == 0)
        return listen_to(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "hold") == 0)
        return hold(strtoul(argv[2], NULL, 10) << 20);
    fprintf(stderr, "usage: memcg-client listen CONTROL ARGUMENT | hold MIB\n");
    return 2;
}
