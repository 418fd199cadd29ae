/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify record: what the kernel says of memory, when it says it. Asks no server.
 *
 * A glance at meminfo, twenty times a second, costs 20 us; the whole, which is taken each second and when memory has moved,
 * some 400 with its compression. */
#include "duration.h"
#include "message.h"
#include "options.h"
#include "processes.h"
#include "recordfile.h"
#include "recordflight.h"
#include "recordpace.h"
#include "recordprocesses.h"

#include "kernel/ourselves.h"
#include "loop/clock.h"
#include "probe/group.h"
#include "probe/proc.h"
#include "probe/psi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVERY_US G_TIME_SPAN_SECOND
#define FLUSH_US (5 * G_TIME_SPAN_SECOND)  /* what a recorder that is killed loses */
#define FRAME_US (10 * G_TIME_SPAN_MINUTE) /* each begins with all that there is */
#define FRAME_BYTES 4194304U               /* 4 MiB */
#define PROCESSES_US (5 * G_TIME_SPAN_SECOND)
#define PROCESSES_MAX 1000
#define IN_FLIGHT_US (G_TIME_SPAN_SECOND / 5)
#define EVERY_LEAST_US G_TIME_SPAN_MILLISECOND
#define RING_MAX_US G_TIME_SPAN_DAY

typedef struct Record {
    CmdOptions options;
    char *every, *duration, *source, *proc, *ring, *dump_on;
    int n_processes;
    const char *group; /* directory, "" for our own; NULL for none */

    MnTranscript *transcript;
    MnRecorder *recorder;
    CmdRecordFile file;
    CmdFlight *flight; /* instead of the file; NULL for none */
    CmdRecordPace pace;
    CmdDateWatch date_watch;
    MnGlance glance;
    CmdProcesses *processes; /* NULL: they are not asked for */
    CmdGrown *grown;
    GString *text;
    gint64 ends_us, flushed_us, frame_us, processes_us;
    int signals_fd, pressure_fd;
    gboolean wants_dump; /* SIGUSR1 came */
} Record;

static gint64 now_us(void) {
    return mn_clock_now_us(&mn_machine_clock);
}

static gint64 us_of(struct timespec time) {
    return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* --- a moment --- */

static void put_text(const char *name, const char *text, gsize len, gpointer data) {
    mn_recorder_put(data, name, text, len);
}

/* Before the moment, whose date they then have been there at. FALSE: it is not their turn. */
static gboolean look_at_processes(Record *self) {
    guint most = (guint)self->n_processes, n;
    gint64 time_us = now_us();

    if (!self->processes ||
        (time_us - self->processes_us < PROCESSES_US && self->processes_us > 0 && !cmd_glance_is_short(&self->glance)))
        return FALSE;
    self->processes_us = time_us;
    cmd_processes_look(self->processes);
    n = cmd_processes_get(self->processes, CMD_GROWTH_LARGE, most, self->grown);
    n += cmd_processes_get(self->processes, CMD_GROWTH_GROWN, most, self->grown + n);
    g_string_truncate(self->text, 0);
    cmd_record_processes_append(self->text, self->grown, n, mn_page_bytes());
    return TRUE;
}

static void look_at_date(Record *self, gint64 date_us) {
    gint64 step_us = cmd_date_watch_step(&self->date_watch, us_of(mn_uptime_now()), date_us);

    if (step_us != 0)
        cmd_warn("the clock was set by %+.1f s; recording goes on", (double)step_us / G_USEC_PER_SEC);
}

/* Returns when it was. */
static gint64 take_moment(Record *self) {
    gboolean has_processes = look_at_processes(self);
    gint64 time_us = now_us(), date_us = us_of(mn_date_now());

    look_at_date(self, date_us);
    mn_recorder_begin(self->recorder, time_us, date_us);
    mn_transcript_read(self->transcript, put_text, self->recorder);
    if (self->flight)
        mn_recorder_put(self->recorder, MN_SCRIPT_LIMITS, cmd_flight_get_limits(self->flight),
                        strlen(cmd_flight_get_limits(self->flight)));
    if (has_processes)
        mn_recorder_put(self->recorder, MN_SCRIPT_PROCESSES, self->text->str, self->text->len);
    mn_recorder_end(self->recorder);
    cmd_record_pace_note(&self->pace, time_us, &self->glance);
    return time_us;
}

/* --- the file --- */

static void count_growth_anew(Record *self, gint64 time_us) {
    self->frame_us = time_us;
    if (self->processes)
        cmd_processes_restart(self->processes);
}

static gboolean end_frame(Record *self, gint64 time_us) {
    mn_recorder_end_frame(self->recorder);
    self->flushed_us = time_us;
    count_growth_anew(self, time_us);
    return cmd_record_file_write(&self->file, self->recorder);
}

static gboolean save_flight(Record *self, gint64 time_us) {
    gboolean wants_dump = self->wants_dump;

    self->wants_dump = FALSE;
    if (time_us - self->frame_us >= FRAME_US)
        count_growth_anew(self, time_us);
    return cmd_flight_save(self->flight, self->recorder, time_us, self->date_watch.date_us, wants_dump);
}

/* FALSE: it cannot be written, which was said. */
static gboolean save(Record *self, gint64 time_us) {
    if (self->flight)
        return save_flight(self, time_us);
    if (time_us - self->frame_us >= FRAME_US || mn_recorder_get_frame_bytes(self->recorder) >= FRAME_BYTES)
        return end_frame(self, time_us);
    if (time_us - self->flushed_us < FLUSH_US && !cmd_glance_is_short(&self->glance))
        return TRUE;
    self->flushed_us = time_us;
    mn_recorder_flush(self->recorder);
    return cmd_record_file_write(&self->file, self->recorder);
}

/* --- the way of it --- */

/* SIGUSR1 asks for what is held. */
static gboolean is_ended(Record *self) {
    struct signalfd_siginfo info = { 0 };

    if (read(self->signals_fd, &info, sizeof info) != sizeof info)
        return FALSE;
    self->wants_dump = info.ssi_signo == SIGUSR1;
    self->file.is_last = info.ssi_signo != SIGUSR1;
    return self->file.is_last;
}

/* Until there is something to do. FALSE: it was ended. */
static gboolean wait_for_next(Record *self, gboolean *ret_rings) {
    gint64 time_us = now_us(), wait_us = MIN(cmd_record_pace_wait_us(&self->pace, time_us), self->ends_us - time_us);
    struct timespec wait = { .tv_nsec = (long)MAX(wait_us, 0) * 1000 };
    struct pollfd waiters[] = { { .fd = self->signals_fd, .events = POLLIN },
                                { .fd = self->pressure_fd, .events = POLLPRI } };
    int n = ppoll(waiters, G_N_ELEMENTS(waiters), &wait, NULL);

    *ret_rings = n > 0 && (waiters[1].revents & POLLPRI);
    if (n > 0 && (waiters[1].revents & POLLERR)) {
        close(self->pressure_fd);
        self->pressure_fd = -1;
    }
    return !(n > 0 && waiters[0].revents && is_ended(self)) && now_us() < self->ends_us;
}

/* What is written in the end is closer together. */
static gboolean is_wanted_in_flight(Record *self, gint64 time_us) {
    if (!self->flight)
        return FALSE;
    return (cmd_flight_look(self->flight, time_us) && time_us - self->pace.last_us >= IN_FLIGHT_US) || self->wants_dump;
}

static gboolean end_all(Record *self) {
    if (self->flight)
        return cmd_flight_end(self->flight, self->recorder);
    return end_frame(self, now_us()) && cmd_record_file_close(&self->file);
}

/* All that it takes is there by now. */
static void hold_memory(void) {
    int r, before;

    if (mn_oom_score_lower(&before) < 0)
        before = 0; /* it is one like others */
    r = mn_memory_hold();
    if (r < 0)
        cmd_warn("cannot lock memory: %s; what is held may be swapped out", g_strerror(-r));
}

static int record(Record *self) {
    gboolean is_held = FALSE;
    gboolean rings = FALSE;
    gint64 time_us;

    do {
        int r = mn_transcript_glance(self->transcript, &self->glance);

        time_us = now_us();
        if (r < 0 && mn_error_passes(r))
            continue;
        if (r < 0)
            return cmd_fail("cannot read meminfo: %s", r == -EBADMSG ? "it is damaged" : g_strerror(-r));
        rings = is_wanted_in_flight(self, time_us) || rings;
        if (!rings && !cmd_record_pace_is_due(&self->pace, time_us, &self->glance))
            continue;
        time_us = take_moment(self);
        if (!save(self, time_us))
            return CMD_FAILED;
        if (self->flight && !is_held)
            hold_memory();
        is_held = TRUE;
    } while (wait_for_next(self, &rings));
    return end_all(self) ? CMD_OK : CMD_FAILED;
}

/* --- before it --- */

static gboolean is_limited(void) {
    g_autoptr(MnGroup) group = NULL;

    return mn_group_new_own(&group) == 0 && mn_group_is_limited(group);
}

/* The words are those of memnotifyfs --source: *ret is a directory, "" for our own group, or NULL for none. */
static int find_group(const Record *self, const char **ret) {
    const char *source = self->source ? self->source : "auto";

    *ret = NULL;
    if (g_str_has_prefix(source, "cgroup="))
        *ret = source + strlen("cgroup=");
    else if (strcmp(source, "cgroup") == 0 || (strcmp(source, "auto") == 0 && !self->proc && is_limited()))
        *ret = "";
    else if (strcmp(source, "system") != 0 && strcmp(source, "auto") != 0)
        return cmd_misuse("--source is 'auto', 'system', 'cgroup' or 'cgroup=DIR'");
    return CMD_OK;
}

static int add_group(Record *self) {
    int r;

    r = find_group(self, &self->group);
    if (r != CMD_OK || !self->group)
        return r;
    r = mn_transcript_add_group(self->transcript, *self->group ? self->group : NULL);
    return r == 0 ? CMD_OK
                  : cmd_fail("cannot read the cgroup %s: %s", self->group,
                             r == -ENOENT ? "there is no memory controller in it" : g_strerror(-r));
}

static int add_processes(Record *self) {
    int r;

    if (self->n_processes < 0 || self->n_processes > PROCESSES_MAX)
        return cmd_misuse("--processes is a number up to %d", PROCESSES_MAX);
    if (self->n_processes == 0)
        return CMD_OK;
    r = cmd_processes_new(&self->processes);
    if (r < 0)
        return cmd_fail("cannot look at processes: %s", g_strerror(-r));
    self->grown = g_new(CmdGrown, 2 * (gsize)self->n_processes);
    self->text = g_string_new(NULL);
    return CMD_OK;
}

static void open_signals(Record *self) {
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    if (self->flight)
        sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    self->signals_fd = signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Where the kernel does not let us, a glance has to do. */
static void open_pressure(Record *self) {
    int proc_fd = open(MN_PROC_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    self->pressure_fd = -1;
    if (proc_fd >= 0 && !self->proc)
        (void)(mn_psi_open(proc_fd, "pressure/memory", &self->pressure_fd) == 0);
    if (proc_fd >= 0)
        close(proc_fd);
}

static int open_sink(Record *self) {
    const char *path = self->options.arguments[0];
    gint64 span_us = 0;

    if (!self->ring && !self->dump_on)
        return cmd_record_file_open(&self->file, path) ? CMD_OK : CMD_FAILED;
    if (!self->ring || !self->dump_on)
        return cmd_misuse("--ring and --dump-on go together: how much is held, and when it is written");
    if (!cmd_duration_take("--ring", self->ring, &span_us))
        return CMD_MISUSED;
    if (span_us < G_TIME_SPAN_SECOND || span_us > RING_MAX_US)
        return cmd_misuse("--ring is from a second to a day");
    return cmd_flight_new(path, span_us, self->dump_on, self->proc ? self->proc : MN_PROC_DIRECTORY, self->group,
                          &self->flight);
}

static int prepare(Record *self) {
    const char *proc = self->proc ? self->proc : MN_PROC_DIRECTORY;
    gint64 duration_us = 0;
    int r;

    self->pace.every_us = EVERY_US;
    if (!cmd_duration_take("--every", self->every, &self->pace.every_us) ||
        !cmd_duration_take("--for", self->duration, &duration_us))
        return CMD_MISUSED;
    if (self->pace.every_us < EVERY_LEAST_US)
        return cmd_misuse("--every is a millisecond at least");
    self->ends_us = duration_us > 0 ? now_us() + duration_us : G_MAXINT64;
    r = mn_transcript_new(proc, &self->transcript);
    if (r < 0)
        return cmd_fail("cannot open '%s': %s", proc, g_strerror(-r));
    r = add_group(self);
    if (r == CMD_OK)
        r = add_processes(self);
    if (r == CMD_OK)
        r = open_sink(self);
    if (r != CMD_OK)
        return r;
    self->recorder = mn_recorder_new(mn_page_bytes());
    self->frame_us = now_us();
    self->flushed_us = self->frame_us - FLUSH_US; /* the first moment at once */
    open_signals(self);
    self->file.signals_fd = self->signals_fd;
    open_pressure(self);
    return CMD_OK;
}

static void clear(Record *self) {
    mn_transcript_free(self->transcript);
    mn_recorder_free(self->recorder);
    cmd_flight_free(self->flight);
    cmd_processes_free(self->processes);
    g_free(self->grown);
    if (self->text)
        g_string_free(self->text, TRUE);
}

static int record_run(char ***argv) {
    Record self = { 0 };
    const GOptionEntry own[] = {
        { "every", 'e', 0, G_OPTION_ARG_STRING, &self.every, "So often also when nothing moves (1s)", "TIME" },
        { "for", 0, 0, G_OPTION_ARG_STRING, &self.duration, "End after so long", "TIME" },
        { "processes", 'n', 0, G_OPTION_ARG_INT, &self.n_processes, "With the N largest, and the N that grow most",
          "N" },
        { "source", 0, 0, G_OPTION_ARG_STRING, &self.source, "auto, system, cgroup or cgroup=DIR", "WHOSE" },
        { "ring", 0, 0, G_OPTION_ARG_STRING, &self.ring, "Hold so much in memory, FILE being a directory", "TIME" },
        { "dump-on", 0, 0, G_OPTION_ARG_STRING, &self.dump_on, "Write it there when these are reached", "LIMITS" },
        { "proc", 0, 0, G_OPTION_ARG_FILENAME, &self.proc, "Of the machine whose texts are below DIR", "DIR" },
        { 0 },
    };
    CmdParsed parsed = cmd_options_parse(&cmd_record, own, 1, 1, argv, &self.options);
    int r;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    r = prepare(&self);
    if (r == CMD_OK)
        r = record(&self);
    clear(&self);
    return r;
}

const CmdVerb cmd_record = {
    .name = "record",
    .arguments = "FILE|DIR",
    .summary = "what the kernel says of memory, for later",
    .is_alone = TRUE,
    .run = record_run,
};
