/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's files are opened once, and read by pread() from then on; those of a copy may be replaced, and are opened each
 * time. One that cannot be read is closed, and tried again the next time. */
#include "transcript.h"

#include "core/zone.h"
#include "probe/cgroupdir.h"
#include "probe/textbuffer.h"
#include "script/script.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#define N_LEVELS_MAX 32

/* The first three lines of meminfo, and room for numbers. */
#define GLANCE_BYTES 128

typedef struct Source {
    char *name;       /* in the script */
    const char *file; /* in its folder */
    guint folder;
    int fd;
    gboolean was_there;
} Source;

struct MnTranscript {
    GArray *folders; /* MnFolder: the machine's, and those of groups */
    GArray *sources; /* Source */
    char *group;     /* directory; NULL for our own */
    guint n_levels;  /* of groups; 0: none was asked for, or it is removed */
    gboolean has_group;
    gboolean is_live; /* the directory is the kernel's own */
    MnTextBuffer buffer;
};

static const char *const machine_files[] = { "meminfo", "vmstat", "zoneinfo", "pressure/memory",
                                             "spl/kstat/zfs/arcstats" };

/* Beside those of mn_cgroup_names(); v1 has the last, v2 the others. */
static const char *const group_files[] = { MN_CGROUP_PRESSURE, "memory.events", "memory.events.local",
                                           "memory.oom_control" };

/* --- what there is --- */

static void add_source(MnTranscript *self, char *name, const char *file, guint folder) {
    Source source = { .name = name, .file = file, .folder = folder, .fd = -1 };

    g_array_append_val(self->sources, source);
}

static void add_group_source(MnTranscript *self, const char *file, guint level) {
    if (file)
        add_source(self, g_strdup_printf(MN_SCRIPT_CGROUP, (int)level, file), file, level + 1);
}

static void add_level(MnTranscript *self, const MnCgroupDir *dir, guint level) {
    const MnCgroupNames *names = dir->names;

    g_array_append_val(self->folders, dir->folder);
    add_group_source(self, names->usage, level);
    add_group_source(self, names->swap_usage, level);
    add_group_source(self, names->stat, level);
    for (guint i = 0; i < MN_CGROUP_N_LIMITS; i++)
        add_group_source(self, names->limits[i], level);
    for (guint i = 0; i < G_N_ELEMENTS(group_files); i++)
        add_group_source(self, group_files[i], level);
}

static int open_group(MnTranscript *self, gboolean may_search) {
    g_autofree char *path = NULL;
    MnCgroupDir dir;
    int r;

    r = mn_cgroup_dir_init(&dir, self->group, may_search, &path);
    if (r < 0)
        return r;
    do {
        add_level(self, &dir, self->n_levels++);
        r = self->n_levels < N_LEVELS_MAX ? mn_cgroup_dir_init_parent(&dir, &dir) : -ENOENT;
    } while (r == 0);
    return 0;
}

int mn_transcript_add_group(MnTranscript *self, const char *directory) {
    g_assert(!self->has_group);
    self->group = directory ? g_canonicalize_filename(directory, NULL) : NULL;
    self->has_group = TRUE;
    return open_group(self, TRUE);
}

static void close_source(Source *source) {
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

static Source *source_at(const MnTranscript *self, guint i) {
    return &g_array_index(self->sources, Source, i);
}

static MnFolder *folder_at(const MnTranscript *self, guint i) {
    return &g_array_index(self->folders, MnFolder, i);
}

int mn_transcript_new(const char *proc_directory, MnTranscript **ret) {
    int fd = open(proc_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MnFolder folder = mn_folder_of_directory(fd);
    struct statfs fs;
    MnTranscript *self;

    if (fd < 0)
        return -errno;
    self = g_new0(MnTranscript, 1);
    self->is_live = fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
    self->folders = g_array_new(FALSE, FALSE, sizeof(MnFolder));
    self->sources = g_array_new(FALSE, FALSE, sizeof(Source));
    g_array_append_val(self->folders, folder);
    for (guint i = 0; i < G_N_ELEMENTS(machine_files); i++)
        add_source(self, g_strdup(machine_files[i]), machine_files[i], 0);
    *ret = self;
    return 0;
}

/* From these on. */
static void forget(MnTranscript *self, guint folder, guint source) {
    for (guint i = source; i < self->sources->len; i++) {
        close_source(source_at(self, i));
        g_free(source_at(self, i)->name);
    }
    g_array_set_size(self->sources, source);
    for (guint i = folder; i < self->folders->len; i++)
        mn_folder_close(folder_at(self, i));
    g_array_set_size(self->folders, folder);
}

void mn_transcript_free(MnTranscript *self) {
    if (!self)
        return;
    forget(self, 0, 0);
    g_array_free(self->sources, TRUE);
    g_array_free(self->folders, TRUE);
    g_free(self->group);
    mn_text_buffer_clear(&self->buffer);
    g_free(self);
}

/* --- reading --- */

/* 0 when the text is in the buffer; -ENOENT when there is none, -errno. */
static int read_source(MnTranscript *self, Source *source, gsize *ret_len) {
    int r;

    if (source->fd < 0)
        source->fd = mn_folder_open(folder_at(self, source->folder), source->file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (source->fd < 0)
        return source->fd;
    r = mn_text_buffer_read(&self->buffer, source->fd, ret_len);
    if (r < 0 || (source->folder == 0 && !self->is_live))
        close_source(source);
    return r == -ENODEV ? -ENOENT : r;
}

static gsize cut(MnTranscript *self, const Source *source, gsize len) {
    return strcmp(source->name, "zoneinfo") == 0 ? mn_zones_cut_cpus(self->buffer.bytes, len) : len;
}

/* Gone is gone, until there is one in its place. */
static void look_for_group(MnTranscript *self) {
    if (self->has_group && self->n_levels == 0)
        (void)open_group(self, FALSE);
}

static gboolean is_group_gone(const MnTranscript *self) {
    return self->n_levels > 0 && !mn_folder_has(folder_at(self, 1), source_at(self, G_N_ELEMENTS(machine_files))->file);
}

void mn_transcript_read(MnTranscript *self, void (*each)(const char *name, const char *text, gsize len, gpointer data),
                        gpointer data) {
    gboolean is_gone;

    look_for_group(self);
    is_gone = is_group_gone(self);
    for (guint i = 0; i < self->sources->len; i++) {
        Source *source = source_at(self, i);
        gsize len = 0;
        int r = is_gone && source->folder > 0 ? -ENOENT : read_source(self, source, &len);

        if (r == 0)
            each(source->name, self->buffer.bytes, cut(self, source, len), data);
        else if (r == -ENOENT && source->was_there)
            each(source->name, NULL, 0, data);
        source->was_there = r == 0 || (r != -ENOENT && source->was_there);
    }
    if (is_gone) {
        forget(self, 1, G_N_ELEMENTS(machine_files));
        self->n_levels = 0;
    }
}

int mn_transcript_glance(MnTranscript *self, MnGlance *ret) {
    Source *meminfo = source_at(self, 0);
    MnSample sample = { 0 };
    gsize len = 0, span;
    gssize n;
    int r = 0;

    if (meminfo->fd < 0) {
        r = read_source(self, meminfo, &len);
        n = (gssize)len;
    } else {
        n = mn_text_buffer_read_some(&self->buffer, meminfo->fd, GLANCE_BYTES);
    }
    while (n > 0 && self->buffer.bytes[n - 1] != '\n')
        n--;
    if (r < 0 || n <= 0)
        return r < 0 ? r : n < 0 ? (int)n : -EBADMSG;
    r = mn_sample_parse_meminfo(self->buffer.bytes, (gsize)n, MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL), 1, &sample, &span);
    if (r < 0)
        return r;
    *ret = (MnGlance){ sample.counters[MN_COUNTER_MEM_TOTAL], sample.counters[MN_COUNTER_MEM_AVAILABLE],
                       sample.counters[MN_COUNTER_MEM_FREE] };
    return 0;
}
