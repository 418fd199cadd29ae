/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What it costs to know one meter: from the page that the socket gives, and from files that are open.
 *
 *   page MOUNT BATCHES N
 *
 * Each number is the mean of a run of reads, in picoseconds:
 *
 *   meter     one meter, from the page
 *   copy      all meters of one moment, from the page
 *   meminfo   pread of /proc/meminfo, whole, with nothing done with its text
 *   file      pread of meters/used
 */
#include "client.h"
#include "fatal.h"
#include "series.h"

#include <fcntl.h>
#include <limits.h>
#include <memnotifyfs/page.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct memnotifyfs_page *page;
static int meter;
static int meminfo_fd;
static int file_fd;
static volatile uint64_t result; /* what nobody could see need not be read */

static void read_meter(int n) {
    while (n-- > 0)
        result = memnotifyfs_page_get(page, meter);
}

static void copy_all(int n) {
    struct memnotifyfs_page_bank bank;

    while (n-- > 0) {
        memnotifyfs_page_copy(page, &bank);
        result = bank.pages[meter];
    }
}

static void read_text(int fd, int n) {
    char text[4096];

    while (n-- > 0)
        if (pread(fd, text, sizeof text, 0) <= 0)
            fatal("cannot read");
}

static void read_meminfo(int n) {
    read_text(meminfo_fd, n);
}

static void read_file(int n) {
    read_text(file_fd, n);
}

static const struct {
    const char *name;
    void (*read)(int n);
    int n;
} kinds[] = {
    { "meter", read_meter, 1000 },
    { "copy", copy_all, 1000 },
    { "meminfo", read_meminfo, 10 },
    { "file", read_file, 10 },
};

#define N_KINDS (int)(sizeof kinds / sizeof kinds[0])

static int open_file(const char *directory, const char *name) {
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fatal("cannot open '%s'", path);
    return fd;
}

/* The connection stays open: the page is kept up to date for it. */
static void map_page(const char *mount) {
    int fd = client_ask_for_fd(client_connect(mount), "page\n");

    page = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED || page->version != MEMNOTIFYFS_PAGE_VERSION)
        fatal("cannot map the page");
    meter = memnotifyfs_page_find(page, "used");
    if (meter < 0)
        fatal("there is no meter in the page");
}

static void run_batch(Series *series, int kind) {
    int n = kinds[kind].n;

    series_begin(series);
    kinds[kind].read(n); /* to be warm */
    for (size_t i = 0; i < series->size; i++) {
        int64_t start_ns = series_now_ns();

        kinds[kind].read(n);
        series_add(series, (series_now_ns() - start_ns) * 1000 / n);
    }
    series_print(series);
}

int main(int argc, char **argv) {
    Series series[N_KINDS];

    if (argc != 4) {
        fprintf(stderr, "usage: %s MOUNT BATCHES N\n", argv[0]);
        return 2;
    }
    map_page(argv[1]);
    meminfo_fd = open_file("/proc", "meminfo");
    file_fd = open_file(argv[1], "meters/used");
    for (int kind = 0; kind < N_KINDS; kind++)
        series_init(&series[kind], kinds[kind].name, atoi(argv[3]));

    for (int batch = 0; batch < atoi(argv[2]); batch++)
        for (int i = 0; i < N_KINDS; i++) { /* forwards and backwards in turn */
            int kind = batch % 2 ? N_KINDS - 1 - i : i;

            run_batch(&series[kind], kind);
        }

    for (int kind = 0; kind < N_KINDS; kind++)
        series_clear(&series[kind]);
    return 0;
}
