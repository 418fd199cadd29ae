/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a memory control group -> text -> the parsers of the core.
 *
 * A group is bounded by its own limit and by those of all groups above it, of which a container may
 * see some or none; the way up ends where the filesystem ends, or where there is no limit file (the
 * root of v2 has none). All limits are read for each sample, so that a change is seen in the next.
 * Every file is opened once and read by pread() from then on. */
#include "group.h"

#include "core/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define N_LEVELS_MAX 32
#define STAT_BYTES_MAX 16384 /* four times that of Linux 6.12 with all options */

/* A group on the way up, from the lowest. */
typedef struct Level {
    int directory_fd;
    int limit_fd;
    int swap_limit_fd; /* -1: swap is not limited here */
} Level;

typedef struct Counters {
    int usage_fd;
    int swap_usage_fd; /* -1: swap is not counted */
    int stat_fd;
} Counters;

struct MnGroup {
    MnCgroupVersion version;
    const MnCgroupNames *names;
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

static int open_file(int directory_fd, const char *name) {
    return openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
}

static gssize pread_retrying(int fd, char *bytes, gsize size, off_t offset) {
    gssize n;

    do
        n = pread(fd, bytes, size, offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int detect_version(int directory_fd, MnCgroupVersion *ret) {
    for (MnCgroupVersion version = MN_CGROUP_V1; version <= MN_CGROUP_V2; version++)
        if (faccessat(directory_fd, mn_cgroup_names(version)->usage, F_OK, 0) == 0) {
            *ret = version;
            return 0;
        }
    return -ENOENT;
}

/* Adds the group of `directory_fd`, which then belongs to `self`. FALSE where the way up ends. */
static gboolean add_level(MnGroup *self, int directory_fd) {
    Level *level = &self->levels[self->n_levels];

    if (self->n_levels == N_LEVELS_MAX)
        return FALSE;
    level->limit_fd = open_file(directory_fd, self->names->limit);
    if (level->limit_fd < 0)
        return FALSE;

    level->directory_fd = directory_fd;
    level->swap_limit_fd = open_file(directory_fd, self->names->swap_limit);
    self->n_levels++;
    return TRUE;
}

/* The directory above, unless it is another filesystem's or there is none. -1 for that. */
static int open_parent(int directory_fd) {
    int parent_fd = openat(directory_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat below, above;

    if (parent_fd < 0)
        return -1;
    if (fstat(directory_fd, &below) < 0 || fstat(parent_fd, &above) < 0 || below.st_dev != above.st_dev ||
        below.st_ino == above.st_ino) {
        close(parent_fd);
        return -1;
    }
    return parent_fd;
}

static void add_levels_above(MnGroup *self) {
    for (;;) {
        int parent_fd = open_parent(self->levels[self->n_levels - 1].directory_fd);

        if (parent_fd < 0)
            return;
        if (!add_level(self, parent_fd)) {
            close(parent_fd);
            return;
        }
    }
}

/* The files that tell how much the group of one level uses. */
static void counters_clear(Counters *self) {
    close_fd(&self->usage_fd);
    close_fd(&self->swap_usage_fd);
    close_fd(&self->stat_fd);
}

static int counters_init(Counters *self, const MnCgroupNames *names, int directory_fd) {
    self->usage_fd = open_file(directory_fd, names->usage);
    self->swap_usage_fd = open_file(directory_fd, names->swap_usage);
    self->stat_fd = open_file(directory_fd, names->stat);
    if (self->usage_fd >= 0 && self->stat_fd >= 0)
        return 0;

    counters_clear(self);
    return -ENOENT;
}

static int use_level(MnGroup *self, guint level) {
    Counters counters;
    int r;

    r = counters_init(&counters, self->names, self->levels[level].directory_fd);
    if (r < 0)
        return r;
    counters_clear(&self->counters);
    self->counters = counters;
    self->level = level;
    return 0;
}

int mn_group_new(const char *directory, MnGroup **ret) {
    g_autoptr(MnGroup) self = g_new0(MnGroup, 1);
    int directory_fd, r;

    self->counters = (Counters){ -1, -1, -1 };

    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd < 0)
        return -errno;
    r = detect_version(directory_fd, &self->version);
    if (r == 0) {
        self->names = mn_cgroup_names(self->version);
        r = add_level(self, directory_fd) ? 0 : -ENOENT;
    }
    if (r < 0) {
        close(directory_fd);
        return r;
    }

    add_levels_above(self);
    r = use_level(self, 0);
    if (r < 0)
        return r;

    *ret = g_steal_pointer(&self);
    return 0;
}

/* Where memory is not controlled for a group, it has no files, and its memory is counted above it. */
static int new_at_or_above(const char *directory, MnGroup **ret) {
    g_autofree char *candidate = g_strdup(directory);
    int r;

    for (;;) {
        char *parent;

        r = mn_group_new(candidate, ret);
        if (r != -ENOENT || strcmp(candidate, "/") == 0)
            return r;
        parent = g_path_get_dirname(candidate);
        g_free(candidate);
        candidate = parent;
    }
}

int mn_group_new_own(MnGroup **ret) {
    g_autofree char *groups = NULL, *mounts = NULL, *directory = NULL;
    int r;

    if (!g_file_get_contents("/proc/self/cgroup", &groups, NULL, NULL) ||
        !g_file_get_contents("/proc/self/mountinfo", &mounts, NULL, NULL))
        return -ENOENT;
    r = mn_cgroup_find(groups, mounts, &directory);
    if (r < 0)
        return r;
    r = new_at_or_above(directory, ret);
    if (r < 0)
        return r;
    (*ret)->follows_limit = TRUE;
    return 0;
}

void mn_group_free(MnGroup *self) {
    if (!self)
        return;
    counters_clear(&self->counters);
    for (guint i = 0; i < self->n_levels; i++) {
        close_fd(&self->levels[i].directory_fd);
        close_fd(&self->levels[i].limit_fd);
        close_fd(&self->levels[i].swap_limit_fd);
    }
    g_free(self);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int read_number(int fd, guint64 *ret) {
    char text[32];
    gssize n = pread_retrying(fd, text, sizeof text, 0);

    return n < 0 ? n : mn_cgroup_parse_number(text, n, ret);
}

static int read_stat(MnGroup *self, MnCgroupStat *ret) {
    gsize len = 0;
    gssize n;

    do {
        n = pread_retrying(self->counters.stat_fd, self->stat_text + len, sizeof self->stat_text - len, len);
        if (n < 0)
            return n;
        len += n;
    } while (n > 0 && len < sizeof self->stat_text);
    if (len == sizeof self->stat_text)
        return -EFBIG;
    return mn_cgroup_parse_stat(self->version, self->stat_text, len, ret);
}

/* sysinfo(2) costs a tenth of reading meminfo. */
static void read_machine(MnCgroupState *state) {
    struct sysinfo info;

    sysinfo(&info); /* cannot fail */
    state->machine_bytes = (guint64)info.totalram * info.mem_unit;
    state->machine_swap_bytes = (guint64)info.totalswap * info.mem_unit;
}

/* The smallest limits of all levels, and the lowest level that has that of memory. */
static int read_limits(const MnGroup *self, MnCgroupState *state, guint *ret_level) {
    state->limit = state->swap_limit = MN_CGROUP_UNLIMITED;
    *ret_level = 0;

    for (guint i = 0; i < self->n_levels; i++) {
        guint64 limit, swap_limit = MN_CGROUP_UNLIMITED;
        int r;

        r = read_number(self->levels[i].limit_fd, &limit);
        if (r == 0 && self->levels[i].swap_limit_fd >= 0)
            r = read_number(self->levels[i].swap_limit_fd, &swap_limit);
        if (r < 0)
            return r;

        if (limit < state->limit && limit < state->machine_bytes)
            *ret_level = i;
        state->limit = MIN(state->limit, limit);
        state->swap_limit = MIN(state->swap_limit, swap_limit);
    }
    return 0;
}

/* What is used is read before what of it can be reclaimed: page cache that comes in between then makes
 * the group look emptier for a moment, and not fuller than it is. */
static int read_state(MnGroup *self, guint sources, MnCgroupState *state, MnCgroupStat *stat,
                      const char **ret_name) {
    guint level;
    int r;

    read_machine(state);
    *ret_name = self->names->limit;
    r = read_limits(self, state, &level);
    if (r < 0)
        return r;

    *ret_name = self->names->usage;
    if (self->follows_limit && level != self->level) {
        r = use_level(self, level);
        if (r < 0)
            return r;
    }
    r = read_number(self->counters.usage_fd, &state->usage);
    if (r < 0)
        return r;

    state->counts_swap = self->counters.swap_usage_fd >= 0;
    if (state->counts_swap) {
        *ret_name = self->names->swap_usage;
        r = read_number(self->counters.swap_usage_fd, &state->swap_usage);
        if (r < 0)
            return r;
    }

    if (sources & MN_SOURCE_VMSTAT) {
        *ret_name = self->names->stat;
        r = read_stat(self, stat);
        if (r < 0)
            return r;
        state->stat = stat;
    }
    return 0;
}

int mn_group_sample(MnGroup *self, guint sources, MnSample *ret, const char **ret_name) {
    MnCgroupState state = { .version = self->version };
    MnCgroupStat stat;
    int r;

    r = read_state(self, sources, &state, &stat, ret_name);
    if (r < 0)
        return r;

    mn_cgroup_to_sample(&state, sysconf(_SC_PAGESIZE), ret);
    return 0;
}

gboolean mn_group_is_limited(MnGroup *self) {
    MnCgroupState state = { 0 };
    guint level;

    read_machine(&state);
    return read_limits(self, &state, &level) == 0 && state.limit < state.machine_bytes;
}

guint mn_group_meter_sources(MnMeterId meter) {
    return MN_SOURCE_MEMINFO | (mn_cgroup_needs_stat(mn_meters[meter].needs) ? MN_SOURCE_VMSTAT : 0);
}

int mn_group_get_directory_fd(const MnGroup *self) {
    return self->levels[self->level].directory_fd;
}
