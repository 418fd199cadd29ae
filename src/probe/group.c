/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a memory control group -> text -> the parsers of the core.
 *
 * A group is bounded by its own limit and by those of all groups above it, of which a container may
 * see some or none; the way up ends where the filesystem ends, or where there is no limit file (the
 * root of v2 has none). All limits are read for each sample, so that a change is seen in the next.
 * Every file is opened once and read by pread() from then on, until the group is found removed: then all are
 * closed, and each sample looks whether there is one again. */
#include "group.h"

#include "core/number.h"
#include "kernel/ourselves.h"
#include "probe/cgroupdir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define N_LEVELS_MAX 32
#define STAT_BYTES_MAX 16384   /* four times that of Linux 6.12 with all options */
#define PRESSURE_BYTES_MAX 512 /* four times that of a total of 64 bits */

/* A group on the way up, from the lowest. */
typedef struct Level {
    MnCgroupDir dir;
    int limit_fds[MN_CGROUP_N_LIMITS]; /* negative where there is no such limit here */
} Level;

typedef struct Counters {
    int usage_fd;
    int swap_usage_fd; /* negative: swap is not counted */
    int stat_fd;
    int pressure_fd; /* negative: there is none */
} Counters;

struct MnGroup {
    char *directory;        /* NULL: our own, or that of the replay */
    MnReplay *replay;       /* NULL: the machine is that we run on */
    char *path;             /* where that was found last */
    gboolean follows_limit; /* the meters are of the level with the smallest limit, not of the lowest */

    Level levels[N_LEVELS_MAX];
    guint n_levels;

    guint level; /* the one whose counters these are */
    Counters counters;
    char stat_text[STAT_BYTES_MAX];
};

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int open_file(const MnCgroupDir *dir, const char *name) {
    return mn_cgroup_dir_open(dir, name, O_RDONLY);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void level_clear(Level *self) {
    for (guint i = 0; i < MN_CGROUP_N_LIMITS; i++)
        close_fd(&self->limit_fds[i]);
    mn_cgroup_dir_clear(&self->dir);
}

/* Adds the group of a directory, which is taken over. -ENOENT where the way up ends. */
static int add_level(MnGroup *self, const MnCgroupDir *dir) {
    Level level = { *dir, { -1, -1, -1, -1 } };
    int r;

    level.limit_fds[MN_CGROUP_MAX] =
        self->n_levels < N_LEVELS_MAX ? open_file(dir, dir->names->limits[MN_CGROUP_MAX]) : -ENOENT;
    r = MIN(level.limit_fds[MN_CGROUP_MAX], 0);
    for (guint i = MN_CGROUP_MAX + 1; r == 0 && i < MN_CGROUP_N_LIMITS; i++)
        if (dir->names->limits[i])
            r = mn_cgroup_dir_open_optional(dir, dir->names->limits[i], O_RDONLY, &level.limit_fds[i]);
    if (r < 0)
        level_clear(&level);
    else
        self->levels[self->n_levels++] = level;
    return r;
}

/* The files that tell how much the group of one level uses. */
static void counters_clear(Counters *self) {
    close_fd(&self->usage_fd);
    close_fd(&self->swap_usage_fd);
    close_fd(&self->stat_fd);
    close_fd(&self->pressure_fd);
}

static int counters_init(Counters *self, const MnCgroupDir *dir) {
    int r;

    self->usage_fd = open_file(dir, dir->names->usage);
    self->stat_fd = open_file(dir, dir->names->stat);
    self->pressure_fd = -1;
    r = mn_cgroup_dir_open_optional(dir, dir->names->swap_usage, O_RDONLY, &self->swap_usage_fd);
    if (r == 0)
        r = mn_cgroup_dir_open_optional(dir, MN_CGROUP_PRESSURE, O_RDONLY, &self->pressure_fd);
    if (r == 0)
        r = MIN(MIN(self->usage_fd, self->stat_fd), 0);
    if (r < 0)
        counters_clear(self);
    return r;
}

static int use_level(MnGroup *self, guint level) {
    Counters counters;
    int r;

    r = counters_init(&counters, &self->levels[level].dir);
    if (r < 0)
        return r;
    counters_clear(&self->counters);
    self->counters = counters;
    self->level = level;
    return 0;
}

static void close_all(MnGroup *self) {
    counters_clear(&self->counters);
    while (self->n_levels > 0)
        level_clear(&self->levels[--self->n_levels]);
}

/* For want of a descriptor the way up does not end. */
static int add_levels_above(MnGroup *self) {
    MnCgroupDir above;
    int r;

    do {
        r = mn_cgroup_dir_init_parent(&above, &self->levels[self->n_levels - 1].dir);
        if (r == 0)
            r = add_level(self, &above);
    } while (r == 0);
    return mn_error_passes(r) ? r : 0;
}

static int open_all(MnGroup *self, gboolean may_search) {
    g_autofree char *path = NULL;
    MnCgroupDir dir;
    int r;

    r = self->replay ? mn_cgroup_dir_init_replayed(&dir, self->replay, 0)
                     : mn_cgroup_dir_init(&dir, self->directory, may_search, &path);
    if (r == 0)
        r = add_level(self, &dir);
    if (r == 0)
        r = add_levels_above(self);
    if (r == 0)
        r = use_level(self, 0);
    if (r < 0) {
        close_all(self);
        return r;
    }
    g_free(self->path);
    self->path = g_steal_pointer(&path);
    return 0;
}

static int new_at(const char *directory, MnReplay *replay, MnGroup **ret) {
    g_autoptr(MnGroup) self = g_new0(MnGroup, 1);
    int r;

    self->directory = g_strdup(directory);
    self->replay = replay;
    self->follows_limit = !directory;
    self->counters = (Counters){ -1, -1, -1, -1 };
    r = open_all(self, TRUE);
    if (r < 0)
        return r;

    *ret = g_steal_pointer(&self);
    return 0;
}

int mn_group_new(const char *directory, MnGroup **ret) {
    g_autofree char *absolute = g_canonicalize_filename(directory, NULL); /* we may change our directory */

    return new_at(absolute, NULL, ret);
}

int mn_group_new_own(MnGroup **ret) {
    return new_at(NULL, NULL, ret);
}

int mn_group_new_replayed(MnReplay *replay, MnGroup **ret) {
    return new_at(NULL, replay, ret);
}

void mn_group_free(MnGroup *self) {
    if (!self)
        return;
    close_all(self);
    g_free(self->path);
    g_free(self->directory);
    g_free(self);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A whole text that is shorter than `size`; its length, or -errno. */
static gssize read_text(int fd, char *text, gsize size) {
    gsize len = 0;
    gssize n;

    do {
        n = pread(fd, text + len, size - len, len);
        if (n < 0 && errno != EINTR)
            return -errno;
        len += MAX(n, 0);
    } while (n != 0 && len < size);
    return len < size ? (gssize)len : -EFBIG;
}

static int read_stat(MnGroup *self, MnCgroupStat *ret) {
    gssize len = read_text(self->counters.stat_fd, self->stat_text, sizeof self->stat_text);

    return len < 0 ? (int)len : mn_cgroup_parse_stat(self->levels[0].dir.version, self->stat_text, len, ret);
}

int mn_group_read_stalls(const MnGroup *self, MnStalls *ret) {
    char text[PRESSURE_BYTES_MAX];
    gssize len;

    if (self->counters.pressure_fd < 0)
        return -ENOENT;
    len = read_text(self->counters.pressure_fd, text, sizeof text);
    return len < 0 ? (int)len : mn_stalls_parse(text, len, ret);
}

static void read_machine_replayed(const MnReplay *replay, MnCgroupState *state) {
    guint page_bytes = mn_replay_page_bytes(replay);
    guint64 total_pages, swap_pages;

    mn_replay_read_machine(replay, &total_pages, &swap_pages);
    state->machine_bytes = mn_multiply(total_pages, page_bytes);
    state->machine_swap_bytes = mn_multiply(swap_pages, page_bytes);
}

/* sysinfo(2) costs a tenth of reading meminfo. */
static void read_machine(const MnGroup *self, MnCgroupState *state) {
    struct sysinfo info;

    if (self->replay) {
        read_machine_replayed(self->replay, state);
        return;
    }
    sysinfo(&info); /* cannot fail */
    state->machine_bytes = (guint64)info.totalram * info.mem_unit;
    state->machine_swap_bytes = (guint64)info.totalswap * info.mem_unit;
}

/* The limits of one level. */
static int read_limits_of(const Level *level, guint64 limits[MN_CGROUP_N_LIMITS], const char **ret_name) {
    for (guint i = 0; i < MN_CGROUP_N_LIMITS; i++) {
        int r;

        limits[i] = MN_CGROUP_UNLIMITED;
        if (level->limit_fds[i] < 0)
            continue;
        r = mn_cgroup_read_number(level->limit_fds[i], &limits[i]);
        if (r < 0) {
            *ret_name = level->dir.names->limits[i];
            return r;
        }
    }
    return 0;
}

/* The smallest limits of all levels, and the lowest level that has that of memory. */
static int read_limits(const MnGroup *self, MnCgroupState *state, guint *ret_level, const char **ret_name) {
    state->limit = state->swap_limit = MN_CGROUP_UNLIMITED;
    *ret_level = 0;

    for (guint i = 0; i < self->n_levels; i++) {
        guint64 limits[MN_CGROUP_N_LIMITS], limit;
        int r;

        r = read_limits_of(&self->levels[i], limits, ret_name);
        if (r < 0)
            return r;

        limit = MIN(limits[MN_CGROUP_MAX], limits[MN_CGROUP_HIGH]);
        if (limit < state->limit && limit < state->machine_bytes)
            *ret_level = i;
        state->limit = MIN(state->limit, limit);
        state->swap_limit = MIN(state->swap_limit, MIN(limits[MN_CGROUP_SWAP_MAX], limits[MN_CGROUP_SWAP_HIGH]));
    }
    return 0;
}

/* What is used is read before what of it can be reclaimed: page cache that comes in between then makes
 * the group look emptier for a moment, and not fuller than it is. */
static int read_state(MnGroup *self, guint sources, MnCgroupState *state, MnCgroupStat *stat, const char **ret_name) {
    const MnCgroupNames *names = self->levels[0].dir.names;
    guint level;
    int r;

    read_machine(self, state);
    r = read_limits(self, state, &level, ret_name);
    if (r < 0)
        return r;

    *ret_name = names->usage;
    if (self->follows_limit && level != self->level) {
        r = use_level(self, level);
        if (r < 0)
            return r;
    }
    r = mn_cgroup_read_number(self->counters.usage_fd, &state->usage);
    if (r < 0)
        return r;

    state->counts_swap = self->counters.swap_usage_fd >= 0;
    if (state->counts_swap) {
        *ret_name = names->swap_usage;
        r = mn_cgroup_read_number(self->counters.swap_usage_fd, &state->swap_usage);
        if (r < 0)
            return r;
    }

    if (sources & MN_SOURCE_VMSTAT) {
        *ret_name = names->stat;
        r = read_stat(self, stat);
        if (r < 0)
            return r;
        state->stat = stat;
    }
    return 0;
}

static int sample_open(MnGroup *self, guint sources, MnSample *ret, const char **ret_name) {
    MnCgroupState state = { .version = self->levels[0].dir.version };
    MnCgroupStat stat;
    int r;

    r = read_state(self, sources, &state, &stat, ret_name);
    if (r == 0)
        mn_cgroup_to_sample(&state, mn_replay_page_bytes(self->replay), ret);
    return r;
}

int mn_group_sample(MnGroup *self, guint sources, MnSample *ret, const char **ret_name) {
    int r;

    r = sample_open(self, sources, ret, ret_name);
    if (r == 0 || !mn_cgroup_dir_is_removed(&self->levels[0].dir))
        return r;

    close_all(self);
    if (open_all(self, FALSE) < 0)
        return -ENODEV;
    return sample_open(self, sources, ret, ret_name);
}

const char *mn_group_get_path(const MnGroup *self) {
    return self->path;
}

gboolean mn_group_is_limited(MnGroup *self) {
    MnCgroupState state = { 0 };
    const char *name;
    guint level;

    read_machine(self, &state);
    return read_limits(self, &state, &level, &name) < 0 || state.limit < state.machine_bytes;
}

guint mn_group_meter_sources(MnMeterId meter) {
    return MN_SOURCE_MEMINFO | (mn_cgroup_needs_stat(mn_meters[meter].needs) ? MN_SOURCE_VMSTAT : 0);
}

guint mn_group_get_level(const MnGroup *self) {
    return self->level;
}

int mn_group_get_directory_fd(const MnGroup *self) {
    return self->levels[self->level].dir.folder.fd;
}
