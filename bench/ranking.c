/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long it takes to read oom_ranking, and what the least costs that a ranking could be made from:
 * to open, read and close the stat file of each process, all known beforehand.
 *
 *   ranking MOUNT PROCESSES BATCHES N
 *
 * There have to be PROCESSES at least; see crowd. */
#include "fatal.h"
#include "series.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A ranking that took long is shown again to who comes within nine times as long; after this many times
 * it is made anew. */
#define SHOWN_TIMES 10

#define READ_BYTES (1 << 20)
#define PROCESSES_MAX (1 << 22) /* the kernel's own limit */

typedef struct Ranking {
    char path[PATH_MAX];
    int proc_fd;
    int *pids;
    int n_pids;
    int n_processes;
    char *buffer;
} Ranking;

static void list_processes(Ranking *self) {
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    if (!proc)
        fatal("cannot open /proc");
    self->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    self->pids = calloc(PROCESSES_MAX, sizeof *self->pids);
    if (!self->pids)
        fatal("cannot allocate %d numbers", PROCESSES_MAX);
    while ((entry = readdir(proc)))
        if (isdigit((unsigned char)entry->d_name[0]))
            self->pids[self->n_pids++] = atoi(entry->d_name);
    closedir(proc);
}

static void read_ranking(Ranking *self) {
    int fd = open(self->path, O_RDONLY | O_CLOEXEC), n_lines = 0;
    ssize_t n;

    if (fd < 0)
        fatal("cannot open '%s'", self->path);
    while ((n = read(fd, self->buffer, READ_BYTES)) > 0)
        for (ssize_t i = 0; i < n; i++)
            n_lines += self->buffer[i] == '\n';
    if (n < 0)
        fatal("cannot read '%s'", self->path);
    close(fd);

    errno = ESRCH;
    if (n_lines < self->n_processes)
        fatal("only %d processes are ranked", n_lines);
}

/* One that has ended since is one less to read. */
static void read_stat_files(Ranking *self) {
    for (int i = 0; i < self->n_pids; i++) {
        char name[32];
        int fd;

        snprintf(name, sizeof name, "%d/stat", self->pids[i]);
        fd = openat(self->proc_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (read(fd, self->buffer, READ_BYTES) < 0 && errno != ESRCH)
            fatal("cannot read '/proc/%s'", name);
        close(fd);
    }
}

int main(int argc, char **argv) {
    void (*const readers[])(Ranking * self) = { read_ranking, read_stat_files };
    static const char *const names[] = { "ours", "floor" };
    Ranking ranking = { 0 };
    Series series[2];
    int64_t took_ns = 0; /* the last ranking */
    int n_rounds;

    if (argc != 5) {
        fprintf(stderr, "usage: %s MOUNT PROCESSES BATCHES N\n", argv[0]);
        return 2;
    }
    snprintf(ranking.path, sizeof ranking.path, "%s/oom_ranking", argv[1]);
    ranking.n_processes = atoi(argv[2]);
    ranking.buffer = malloc(READ_BYTES);
    if (!ranking.buffer)
        fatal("cannot allocate %d bytes", READ_BYTES);
    list_processes(&ranking);
    n_rounds = atoi(argv[4]);
    for (int i = 0; i < 2; i++)
        series_init(&series[i], names[i], n_rounds);

    for (int batch = 0; batch < 2 * atoi(argv[3]); batch++) {
        int which = (batch + batch / 2) % 2; /* ours floor floor ours */

        series_begin(&series[which]);
        for (int i = 0; i < n_rounds; i++) {
            int64_t start_ns;

            if (readers[which] == read_ranking)
                usleep(SHOWN_TIMES * took_ns / 1000);
            start_ns = series_now_ns();
            readers[which](&ranking);
            series_add(&series[which], series_now_ns() - start_ns);
            if (readers[which] == read_ranking)
                took_ns = series_now_ns() - start_ns;
        }
        series_print(&series[which]);
    }

    for (int i = 0; i < 2; i++)
        series_clear(&series[i]);
    close(ranking.proc_fd);
    free(ranking.pids);
    free(ranking.buffer);
    return 0;
}
