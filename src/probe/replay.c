/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each text that somebody opens is a file in memory (memfd_create), which is written when the script has moved on: so who
 * reads the kernel's files reads these in the same way. One thread does both, so none is seen half-written. */
#include "replay.h"

#include "kernel/ourselves.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* As long as a client needs to be woken and to read, many times over; 1,000 moments that tell of something take a second. */
#define PAUSE_US 1000

/* How many moments are gone through at once for who has not waited: some tenths of a second. What is faster than that goes
 * as fast as it can. */
#define CATCH_UP_MAX 10000

/* No script is so long. */
#define NEVER_US 4e18

/* From the last moment on, so that what depends on time goes on. */
#define AFTER_THE_END_US G_TIME_SPAN_SECOND

typedef struct File {
    int fd; /* -1: nobody has opened it */
    guint64 serial;
} File;

struct MnReplay {
    MnScript *script;
    GArray *files;  /* File, of each text of the script */
    gint64 time_us; /* of the present moment */

    MnClock clock;
    MnClock pacemaker;
    double speed;
    gboolean is_started;
    gint64 origin_us; /* of the machine's clock, when it was `origin_at_us` */
    gint64 origin_at_us;
    gint64 paused_until_us; /* of the machine's clock */
};

#define OWNER(clock_, member)                                                                                          \
    ((const MnReplay *)(const void *)((const char *)(clock_)-G_STRUCT_OFFSET(MnReplay, member)))

/* --- time --- */

static gint64 machine_us(void) {
    return mn_clock_now_us(&mn_machine_clock);
}

/* Of the machine's time, until it is `time_us` of the script's. */
static gint64 until_us(const MnReplay *self, gint64 time_us) {
    double speed = self->speed > 0 ? self->speed : 1;
    double us = (double)(time_us - self->origin_at_us) / speed - (double)(machine_us() - self->origin_us);

    return us < NEVER_US ? (gint64)us : (gint64)NEVER_US;
}

static gint64 replay_now_us(const MnClock *clock) {
    return MAX(OWNER(clock, clock)->time_us, 1);
}

/* When the next moment is, which says the same where the script has no further one. TRUE if it has. */
static gboolean find_next(const MnReplay *self, gint64 *ret_time_us) {
    if (mn_script_peek(self->script, ret_time_us))
        return TRUE;
    *ret_time_us = self->time_us + AFTER_THE_END_US;
    return FALSE;
}

/* G_MAXINT64 when it has not begun. */
static gint64 until_next_us(const MnReplay *self) {
    gint64 next_us;
    gboolean is_scripted = find_next(self, &next_us);

    if (!self->is_started)
        return G_MAXINT64;
    if (is_scripted && self->speed == MN_REPLAY_UNBOUNDED)
        return self->paused_until_us - machine_us();
    return until_us(self, next_us);
}

/* What is later than this moment has not come before another has. */
static gint64 replay_wait_us(const MnClock *clock, gint64 time_us) {
    return time_us <= replay_now_us(clock) ? 0 : MAX(until_next_us(OWNER(clock, clock)), 1);
}

static gint64 pacemaker_now_us(const MnClock *clock) {
    return until_next_us(OWNER(clock, pacemaker)) <= 0 ? 1 : 0;
}

static gint64 pacemaker_wait_us(const MnClock *clock, gint64 time_us G_GNUC_UNUSED) {
    return until_next_us(OWNER(clock, pacemaker));
}

const MnClock *mn_replay_get_clock(const MnReplay *self) {
    return &self->clock;
}

const MnClock *mn_replay_get_pacemaker(const MnReplay *self) {
    return &self->pacemaker;
}

static void begin_anew(MnReplay *self) {
    self->origin_us = machine_us();
    self->origin_at_us = self->time_us;
}

void mn_replay_set_speed(MnReplay *self, double speed) {
    self->speed = speed;
    begin_anew(self);
}

void mn_replay_start(MnReplay *self) {
    if (self->is_started)
        return;
    self->is_started = TRUE;
    begin_anew(self);
}

void mn_replay_pause(MnReplay *self) {
    self->paused_until_us = machine_us() + PAUSE_US;
}

gboolean mn_replay_has_ended(const MnReplay *self) {
    gint64 next_us;

    return !mn_script_peek(self->script, &next_us);
}

/* --- texts --- */

int mn_replay_new(MnScript *script, MnReplay **ret) {
    g_autoptr(MnReplay) self = g_new0(MnReplay, 1);
    int r;

    self->script = script;
    self->files = g_array_new(FALSE, FALSE, sizeof(File));
    self->clock = (MnClock){ replay_now_us, replay_wait_us };
    self->pacemaker = (MnClock){ pacemaker_now_us, pacemaker_wait_us };
    self->speed = MN_REPLAY_PRESET_SPEED;
    r = mn_script_next(script);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_replay_free(MnReplay *self) {
    if (!self)
        return;
    for (guint i = 0; i < self->files->len; i++)
        if (g_array_index(self->files, File, i).fd >= 0)
            close(g_array_index(self->files, File, i).fd);
    g_array_free(self->files, TRUE);
    mn_script_free(self->script);
    g_free(self);
}

MnScript *mn_replay_get_script(const MnReplay *self) {
    return self->script;
}

guint mn_replay_page_bytes(const MnReplay *self) {
    return self ? mn_script_get_page_bytes(self->script) : mn_page_bytes();
}

static gboolean write_whole(int fd, const char *text, gsize len) {
    gsize at = 0;
    gssize n;

    while (at < len) {
        n = pwrite(fd, text + at, len - at, (off_t)at);
        if (n < 0 && errno != EINTR)
            return FALSE;
        at += (gsize)MAX(n, 0);
    }
    return TRUE;
}

/* A text that is gone is an empty one to who has it open. For want of memory what there is may be cut, which its readers
 * find out. */
static void write_text(File *file, const MnScriptText *text) {
    gsize len = text->text ? text->len : 0;

    if (ftruncate(file->fd, 0) < 0 || !write_whole(file->fd, text->text, len))
        return;
    file->serial = text->serial;
}

static File *file_of(MnReplay *self, guint i) {
    File file = { .fd = -1 };

    while (self->files->len <= i)
        g_array_append_val(self->files, file);
    return &g_array_index(self->files, File, i);
}

static void write_changed(MnReplay *self) {
    for (guint i = 0; i < self->files->len; i++) {
        const MnScriptText *text = mn_script_get_text(self->script, i);
        File *file = file_of(self, i);

        if (file->fd >= 0 && (file->serial != text->serial || !text->text))
            write_text(file, text);
    }
}

/* The last moment of the script has come, and stays. */
static void end(MnReplay *self) {
    const char *fault = mn_script_get_fault(self->script);

    if (self->speed == MN_REPLAY_UNBOUNDED)
        begin_anew(self);
    if (fault)
        g_warning("what is played ends early, at %.6f s: %s", (double)self->time_us / G_USEC_PER_SEC, fault);
    else
        g_message("what is played has ended, at %.6f s", (double)self->time_us / G_USEC_PER_SEC);
}

void mn_replay_step(MnReplay *self) {
    gboolean is_scripted = find_next(self, &self->time_us);

    if (is_scripted && mn_script_next(self->script) == 0)
        write_changed(self);
    if (is_scripted && mn_replay_has_ended(self))
        end(self);
}

gboolean mn_replay_catch_up(MnReplay *self) {
    guint n = 0;

    if (self->speed == MN_REPLAY_UNBOUNDED && !mn_replay_has_ended(self))
        return FALSE;
    for (; until_next_us(self) <= 0 && n < CATCH_UP_MAX; n++)
        mn_replay_step(self);
    if (n == CATCH_UP_MAX)
        begin_anew(self);
    return n > 0;
}

gboolean mn_replay_has(const MnReplay *self, const char *name) {
    return mn_script_find(self->script, name) != NULL;
}

int mn_replay_open(MnReplay *self, const char *name) {
    int fd;

    for (guint i = 0; i < mn_script_get_n_texts(self->script); i++) {
        const MnScriptText *text = mn_script_get_text(self->script, i);
        File *file = file_of(self, i);

        if (!text->text || strcmp(text->name, name) != 0)
            continue;
        if (file->fd < 0) {
            g_autofree char *shown = g_strconcat("replay:", name, NULL);

            file->fd = memfd_create(shown, MFD_CLOEXEC);
            if (file->fd < 0)
                return -errno;
            write_text(file, text);
        }
        fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
    }
    return -ENOENT;
}

void mn_replay_read_machine(const MnReplay *self, guint64 *ret_total_pages, guint64 *ret_swap_pages) {
    const MnScriptText *meminfo = mn_script_find(self->script, "meminfo");
    MnSample sample = { 0 };
    gsize span;

    if (meminfo && mn_sample_parse_meminfo(meminfo->text, meminfo->len, MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL),
                                           mn_script_get_page_bytes(self->script) / 1024, &sample, &span) < 0)
        sample = (MnSample){ 0 };
    *ret_total_pages = sample.counters[MN_COUNTER_MEM_TOTAL];
    *ret_swap_pages = sample.counters[MN_COUNTER_SWAP_TOTAL];
}
