/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one sample costs: the daemon's own board, linked from its library, against the preads that
 * it cannot do without.
 *
 *   sample vmstat|zoneinfo BATCHES N
 *
 * "ours" is all that happens when the timer expires or a read finds the last sample too old: reading,
 * parsing, the meters, the crossings and the choice of the next moment, with one limit far away; with
 * zoneinfo, also telling a device as oom_notify is one. "far" is the same with LIMITS limits.
 * "floor" is one pread of each file, whole: vmstat, meminfo and perhaps zoneinfo. "span" repeats
 * exactly the preads that ours made: what is left above it is our own work. They are recorded by the
 * linker's --wrap. */
#include "board/board.h"
#include "fatal.h"
#include "series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMITS 10000
#define WHOLE_BYTES 65536
#define CALLS_MAX 16
#define WARM_UP 5

typedef struct Call {
    int fd;
    size_t size;
    off_t offset;
} Call;

static Call calls[CALLS_MAX];
static size_t n_calls;
static gboolean is_recording;

ssize_t __real_pread64(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off_t offset);

ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off_t offset) {
    if (is_recording) {
        g_assert(n_calls < CALLS_MAX);
        calls[n_calls++] = (Call){ .fd = fd, .size = size, .offset = offset };
    }
    return __real_pread64(fd, bytes, size, offset);
}

static void never(MnWatch *watch G_GNUC_UNUSED, const MnReading *reading G_GNUC_UNUSED) {
    errno = 0;
    fatal("a far limit was crossed");
}

static void look_at_nothing(MnSubscriber *self G_GNUC_UNUSED, const MnMoment *moment G_GNUC_UNUSED) {
}

/* What is measured: a board whose every read takes a sample, with n limits in the upper third of the
 * memory. */
typedef struct World {
    MnOutbox *outbox;
    MnBoard *board;
    MnSubscriber device; /* with zoneinfo */
    unsigned n;
    MnWatch *watches[LIMITS];
} World;

static World *world_new(gboolean has_zoneinfo, unsigned n) {
    World *self = g_new0(World, 1);
    MnParameters parameters;
    MnProbe *probe;
    const char *name;

    mn_parameters_init(&parameters);
    parameters.update_period_ms = 0;
    self->outbox = mn_outbox_new(&mn_machine_clock);
    if (mn_probe_new("/proc", &probe, &name) < 0 ||
        mn_board_new(probe, &mn_machine_clock, self->outbox, &parameters, &self->board) < 0)
        fatal("cannot sample");
    mn_board_hold(self->board, MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO);
    self->device = (MnSubscriber){ .needs = { .machine = MN_SOURCE_ZONEINFO | MN_SOURCE_VMSTAT,
                                              .counters = MN_COUNTER_BIT(MN_COUNTER_SWAPPED_OUT) },
                                   .told = look_at_nothing };
    if (has_zoneinfo)
        mn_board_subscribe(self->board, &self->device);

    self->n = n;
    for (unsigned i = 0; i < n; i++) {
        guint64 total = mn_board_read(self->board)->pages[MN_METER_TOTAL];
        MnLimitSet set = { .named = MN_METER_BIT(MN_METER_USED), .n = 1 };

        set.limits[0] =
            (MnLimit){ .meter = MN_METER_USED, .op = MN_OP_AT_LEAST, .pages = total / 3 * 2 + UINT64_C(10) * i };
        self->watches[i] = mn_watch_new(&set, never, NULL);
        mn_board_watch(self->board, self->watches[i]);
    }
    return self;
}

static void world_free(World *self) {
    for (unsigned i = 0; i < self->n; i++) {
        mn_board_unwatch(self->board, self->watches[i]);
        mn_watch_free(self->watches[i]);
    }
    mn_board_unsubscribe(self->board, &self->device);
    mn_board_free(self->board);
    mn_outbox_free(self->outbox);
    g_free(self);
}

static void take_sample(gpointer board) {
    mn_board_read(board);
}

static char buffer[WHOLE_BYTES];

static void pread_whole(gpointer fds) {
    for (const int *fd = fds; *fd >= 0; fd++)
        if (__real_pread64(*fd, buffer, sizeof buffer, 0) <= 0)
            fatal("cannot read");
}

static void pread_span(gpointer unused G_GNUC_UNUSED) {
    for (size_t i = 0; i < n_calls; i++)
        if (__real_pread64(calls[i].fd, buffer, calls[i].size, calls[i].offset) < 0)
            fatal("cannot read");
}

/* A run of batches of one contender. */
typedef struct Contender {
    void (*function)(gpointer data);
    gpointer data;
    Series series;
} Contender;

static void run_batch(Contender *self) {
    series_begin(&self->series);
    for (int i = 0; i < WARM_UP; i++)
        self->function(self->data);
    for (size_t i = 0; i < self->series.size; i++) {
        int64_t start_ns = series_now_ns();

        self->function(self->data);
        series_add(&self->series, series_now_ns() - start_ns);
    }
    series_print(&self->series);
}

static int open_text(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        fatal("cannot open '%s'", path);
    return fd;
}

/* Lets the preads of one sample be recorded. */
static void record_calls(MnBoard *board) {
    is_recording = TRUE;
    take_sample(board);
    is_recording = FALSE;
}

static void compete(MnBoard *one, MnBoard *many, int *fds, int n_batches, int n) {
    Contender contenders[] = {
        { take_sample, one, { .name = "ours" } },
        { pread_whole, fds, { .name = "floor" } },
        { pread_span, NULL, { .name = "span" } },
        { take_sample, many, { .name = "far" } },
    };

    for (int i = 0; i < 4; i++)
        series_init(&contenders[i].series, contenders[i].series.name, n);
    for (int batch = 0; batch < n_batches; batch++)
        for (int i = 0; i < 4; i++)
            run_batch(&contenders[batch % 2 ? 3 - i : i]);
    for (int i = 0; i < 4; i++)
        series_clear(&contenders[i].series);
}

int main(int argc, char **argv) {
    gboolean has_zoneinfo = argc == 4 && strcmp(argv[1], "zoneinfo") == 0;
    int fds[] = { -1, -1, -1, -1 };
    World *one, *many;

    if (argc != 4) {
        fprintf(stderr, "usage: %s vmstat|zoneinfo BATCHES N\n", argv[0]);
        return 2;
    }
    fds[0] = open_text("/proc/vmstat");
    fds[1] = open_text("/proc/meminfo");
    fds[2] = has_zoneinfo ? open_text("/proc/zoneinfo") : -1;

    one = world_new(has_zoneinfo, 1);
    many = world_new(has_zoneinfo, LIMITS);
    record_calls(one->board);
    compete(one->board, many->board, fds, atoi(argv[2]), atoi(argv[3]));

    world_free(one);
    world_free(many);
    return 0;
}
