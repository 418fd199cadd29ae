/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the kernel's -> text -> the parsers of the core.
 *
 * In the kernel's own /proc each file is opened once and read by pread() from then on (opening costs as much again
 * as reading), and no further than to the last counter that is needed: the kernel formats what it is asked for, and
 * the first kilobyte of vmstat, which holds the memory counters, takes a third of the time of the whole (5 of 16
 * us). Nor is vmstat read when meminfo has all that is needed of it. Where meminfo is served by another file system,
 * as by lxcfs in containers, it is about other memory than the kernel's vmstat: then, and where there is no vmstat,
 * all amounts come from meminfo. What cannot be read any more is opened anew the next time: another file system may
 * have been mounted over it, and mounted again. A copy's files may be replaced at any time, so they are opened anew
 * for each sample and read whole, each for its own counters. A buffer grows when a text does not fit and never
 * shrinks. */
#include "proc.h"

#include "core/arcstats.h"
#include "kernel/ourselves.h"
#include "probe/folder.h"
#include "probe/textbuffer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* Room for numbers that grow between two readings: 60 lines, two digits each. */
#define SPAN_SLACK_BYTES 120

typedef struct Text {
    int fd;
    dev_t device; /* of a live one, when it was opened last */
    MnTextBuffer buffer;
    gsize span; /* bytes that held the counters of span_needed last time; 0 for not known */
    guint64 span_needed;
} Text;

enum {
    MEMINFO,
    VMSTAT,
    ZONEINFO,
    PRESSURE,
    ARCSTATS,
    N_TEXTS
};

static const char *const text_names[N_TEXTS] = { "meminfo", "vmstat", "zoneinfo", "pressure/memory",
                                                 "spl/kstat/zfs/arcstats" };
static const MnSource source_bits[N_TEXTS] = { MN_SOURCE_MEMINFO, MN_SOURCE_VMSTAT, MN_SOURCE_ZONEINFO,
                                               MN_SOURCE_PRESSURE, MN_SOURCE_ARC };

struct MnProc {
    char *directory; /* NULL in a replay */
    MnFolder folder;
    int changes_fd; /* -1: none was needed, or to be had */
    guint page_bytes;
    gboolean is_live;
    gboolean lacks_vmstat;
    gboolean has_arc; /* there was one at the start */
    Text texts[N_TEXTS];
};

static gboolean add_watch(const MnProc *self, int fd) {
    return inotify_add_watch(fd, self->directory, IN_CLOSE_WRITE | IN_MOVED_TO) >= 0;
}

static int watch_directory(const MnProc *self) {
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (fd >= 0 && !add_watch(self, fd)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int open_directory(const char *directory, int *ret_fd) {
    *ret_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? -errno : 0;
}

static void text_close(Text *text) {
    if (text->fd >= 0)
        close(text->fd);
    text->fd = -1;
}

/* A copy may have been replaced as a whole. */
static gboolean reopen_directory(MnProc *self) {
    int fd;

    if (self->is_live || !self->directory || open_directory(self->directory, &fd) < 0)
        return FALSE;
    mn_folder_close(&self->folder);
    self->folder = mn_folder_of_directory(fd);
    if (self->changes_fd >= 0)
        add_watch(self, self->changes_fd);
    return TRUE;
}

/* Not blocking: below a copy somebody may have put a FIFO in the place of a file. */
static int open_text_file(const MnProc *self, guint which) {
    return mn_folder_open(&self->folder, text_names[which], O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

static int text_open(MnProc *self, guint which) {
    Text *text = &self->texts[which];
    struct stat file;

    if (text->fd >= 0)
        return 0;
    text->fd = open_text_file(self, which);
    if (text->fd == -ENOENT && reopen_directory(self))
        text->fd = open_text_file(self, which);
    if (text->fd < 0)
        return text->fd;
    if (self->is_live && fstat(text->fd, &file) == 0)
        text->device = file.st_dev;
    return 0;
}

/* Whether there are two texts, of one machine. Some kernels, and Android to its applications, show no vmstat. */
static void compare_texts(MnProc *self) {
    int r = text_open(self, VMSTAT);

    self->lacks_vmstat = r == -ENOENT || r == -EACCES || r == -EPERM;
    if (text_open(self, MEMINFO) < 0)
        self->texts[MEMINFO].device = self->texts[VMSTAT].device; /* as long as we do not know */
}

static MnProc *new_of(MnFolder folder) {
    MnProc *self = g_new0(MnProc, 1);

    self->folder = folder;
    self->page_bytes = mn_replay_page_bytes(folder.replay);
    self->changes_fd = -1;
    for (guint i = 0; i < N_TEXTS; i++)
        self->texts[i].fd = -1;
    return self;
}

static void look_for_arc(MnProc *self) {
    self->has_arc = text_open(self, ARCSTATS) == 0;
    if (!self->is_live)
        text_close(&self->texts[ARCSTATS]);
}

int mn_proc_new(const char *directory, MnProc **ret) {
    g_autoptr(MnProc) self = NULL;
    struct statfs fs;
    int fd, r;

    r = open_directory(directory, &fd);
    if (r < 0)
        return r;
    self = new_of(mn_folder_of_directory(fd));
    self->directory = g_canonicalize_filename(directory, NULL); /* we may change our directory */
    if (fstatfs(fd, &fs) < 0)
        return -errno;

    self->is_live = fs.f_type == PROC_SUPER_MAGIC;
    if (self->is_live)
        compare_texts(self);
    look_for_arc(self);
    mn_proc_get_changes_fd(self);
    *ret = g_steal_pointer(&self);
    return 0;
}

MnProc *mn_proc_new_replayed(MnReplay *replay) {
    MnProc *self = new_of(mn_folder_of_replay(replay, -1));

    self->lacks_vmstat = !mn_folder_has(&self->folder, text_names[VMSTAT]);
    look_for_arc(self);
    return self;
}

void mn_proc_free(MnProc *self) {
    if (!self)
        return;
    for (guint i = 0; i < N_TEXTS; i++) {
        text_close(&self->texts[i]);
        mn_text_buffer_clear(&self->texts[i].buffer);
    }
    if (self->changes_fd >= 0)
        close(self->changes_fd);
    mn_folder_close(&self->folder);
    g_free(self->directory);
    g_free(self);
}

static int read_whole(MnProc *self, guint which, gsize *ret_len) {
    Text *text = &self->texts[which];
    int r;

    r = text_open(self, which);
    if (r < 0)
        return r;

    r = mn_text_buffer_read(&text->buffer, text->fd, ret_len);
    if (!self->is_live || r < 0)
        text_close(text);
    return r;
}

static int parse(const Text *text, guint which, gsize len, guint64 needed, guint page_bytes, MnSample *sample,
                 gsize *ret_span) {
    if (which == VMSTAT)
        return mn_sample_parse_vmstat(text->buffer.bytes, len, needed, sample, ret_span);
    return mn_sample_parse_meminfo(text->buffer.bytes, len, needed, page_bytes / 1024, sample, ret_span);
}

/* Reads as much as held the needed counters last time. FALSE if that was not enough. */
static gboolean sample_span(MnProc *self, guint which, guint64 needed, MnSample *sample) {
    Text *text = &self->texts[which];
    gsize span;
    gssize n;

    if (text->span == 0 || text->span_needed != needed)
        return FALSE;

    n = mn_text_buffer_read_some(&text->buffer, text->fd, text->span + SPAN_SLACK_BYTES);
    while (n > 0 && text->buffer.bytes[n - 1] != '\n')
        n--;
    return n > 0 && parse(text, which, n, needed, self->page_bytes, sample, &span) == 0;
}

static int sample_text(MnProc *self, guint which, guint64 needed, MnSample *sample) {
    Text *text = &self->texts[which];
    gsize len, span;
    int r;

    if (sample_span(self, which, needed, sample))
        return 0;

    r = read_whole(self, which, &len);
    if (r < 0)
        return r;
    r = parse(text, which, len, needed, self->page_bytes, sample, &span);
    if (r < 0) {
        text_close(text);
        return r;
    }

    text->span = self->is_live ? span : 0;
    text->span_needed = needed;
    return 0;
}

/* A live meminfo that has been read can have all that is needed of vmstat. */
static gboolean is_vmstat_spared(const MnProc *self, guint sources, guint64 needed, const MnSample *sample) {
    guint64 of_vmstat = needed & MN_COUNTERS_VMSTAT;
    guint64 found = sample->known & MN_COUNTERS_BOTH;

    if (sample->known & MN_COUNTER_BIT(MN_COUNTER_MEM_FREE))
        found |= MN_COUNTER_BIT(MN_COUNTER_VM_FREE);
    return self->is_live && (sources & MN_SOURCE_MEMINFO) && of_vmstat != 0 && (of_vmstat & ~found) == 0;
}

static int sample_or_name(MnProc *self, guint which, guint64 needed, MnSample *sample, const char **ret_name) {
    int r;

    r = sample_text(self, which, needed, sample);
    if (r < 0)
        *ret_name = text_names[which];
    return r;
}

static int sample_both(MnProc *self, guint sources, guint64 needed, MnSample *sample, const char **ret_name) {
    guint64 of_meminfo = self->is_live ? needed : needed & ~MN_COUNTERS_BOTH;
    int r = 0;

    if (sources & MN_SOURCE_MEMINFO)
        r = sample_or_name(self, MEMINFO, of_meminfo, sample, ret_name);
    if (r == 0 && (sources & MN_SOURCE_VMSTAT) && !is_vmstat_spared(self, sources, needed, sample))
        r = sample_or_name(self, VMSTAT, needed, sample, ret_name);
    return r;
}

static gboolean is_meminfo_anothers(const MnProc *self) {
    return self->texts[MEMINFO].device != self->texts[VMSTAT].device && !self->lacks_vmstat;
}

/* lxcfs passes on how much the whole machine has locked. What it says of its container that comes nearest is what cannot be
 * evicted. */
static void replace_mlocked(MnSample *sample) {
    guint64 known = sample->known & ~MN_COUNTER_BIT(MN_COUNTER_MLOCKED);

    if (known & MN_COUNTER_BIT(MN_COUNTER_UNEVICTABLE))
        known |= MN_COUNTER_BIT(MN_COUNTER_MLOCKED);
    sample->known = known;
    sample->counters[MN_COUNTER_MLOCKED] = sample->counters[MN_COUNTER_UNEVICTABLE];
}

/* Of vmstat only what the kernel does. */
static int sample_events(MnProc *self, guint64 needed, MnSample *sample, const char **ret_name) {
    MnSample vmstat = *sample;
    int r;

    r = sample_or_name(self, VMSTAT, needed & MN_COUNTERS_RECLAIM, &vmstat, ret_name);
    if (r == 0)
        mn_sample_take(sample, &vmstat, MN_COUNTERS_RECLAIM);
    return r;
}

/* All amounts of meminfo. */
static int sample_apart(MnProc *self, guint sources, guint64 needed, MnSample *sample, const char **ret_name) {
    gboolean needs_events = (needed & MN_COUNTERS_VMSTAT) == 0 || (needed & MN_COUNTERS_RECLAIM);
    int r;

    r = sample_or_name(self, MEMINFO, needed | MN_COUNTERS_BOTH, sample, ret_name);
    if (r < 0)
        return r;
    if (is_meminfo_anothers(self))
        replace_mlocked(sample);
    if (needed & MN_COUNTERS_BOTH & ~sample->known) {
        *ret_name = text_names[MEMINFO];
        return -EBADMSG;
    }
    return (sources & MN_SOURCE_VMSTAT) && needs_events && !self->lacks_vmstat
               ? sample_events(self, needed, sample, ret_name)
               : 0;
}

/* ZFS may be unloaded, and its cache is the machine's: whatever cannot be had of it is no cache. */
static void sample_arc(MnProc *self, MnSample *sample) {
    Text *text = &self->texts[ARCSTATS];
    guint64 bytes = 0;
    gsize len;

    if (is_meminfo_anothers(self) || read_whole(self, ARCSTATS, &len) < 0 ||
        mn_arcstats_parse(text->buffer.bytes, len, &bytes) < 0)
        bytes = 0;
    sample->counters[MN_COUNTER_ARC] = bytes / self->page_bytes;
    sample->known |= MN_COUNTER_BIT(MN_COUNTER_ARC);
}

int mn_proc_sample(MnProc *self, guint sources, guint64 needed, MnSample *ret, const char **ret_name) {
    gboolean is_apart = self->lacks_vmstat || is_meminfo_anothers(self);
    MnSample sample = *ret;
    int r = 0;

    if (sources & (MN_SOURCE_MEMINFO | MN_SOURCE_VMSTAT))
        r = is_apart ? sample_apart(self, sources, needed, &sample, ret_name)
                     : sample_both(self, sources, needed, &sample, ret_name);
    if (r < 0)
        return r;
    if ((sources & MN_SOURCE_ARC) && self->has_arc)
        sample_arc(self, &sample);

    mn_sample_bound_parts(&sample);
    *ret = sample;
    return 0;
}

int mn_proc_read(MnProc *self, MnSource source, const char **ret_text, gsize *ret_len) {
    guint which = 0;
    int r;

    while (source_bits[which] != source)
        which++;
    r = read_whole(self, which, ret_len);
    if (r < 0)
        return r;

    *ret_text = self->texts[which].buffer.bytes;
    return 0;
}

gboolean mn_proc_lacks_vmstat(const MnProc *self) {
    return self->lacks_vmstat;
}

gboolean mn_proc_is_live(const MnProc *self) {
    return self->is_live;
}

int mn_proc_get_directory_fd(const MnProc *self) {
    return self->folder.fd;
}

int mn_proc_get_changes_fd(MnProc *self) {
    if (!self->is_live && self->directory && self->changes_fd < 0)
        self->changes_fd = watch_directory(self);
    return self->changes_fd;
}

void mn_proc_drain_changes(MnProc *self) {
    char events[4096];

    while (read(self->changes_fd, events, sizeof events) > 0)
        continue;
}
