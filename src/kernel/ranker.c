/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ranking reads one file of each process. /proc/PID/status would tell all that stat lacks, but costs
 * more than everything else together (10,000 processes: 95 ms for stat, 135 ms for status), so what
 * it says of privileges is taken from capget(2) and the owner of /proc/PID, which is the effective
 * user, and status is read only where these leave a doubt, or the numbers are not ours. */
#include "ranker.h"

#include "kernel/identity.h"
#include "kernel/ourselves.h"
#include "kernel/process.h"
#include "loop/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIMIT_MS 10000  /* 10,000 processes take 110 ms */
#define PATH_BYTES 272  /* a name and its file */
#define STAT_BYTES 4096 /* it has 400 */

/* The /proc that is looked at. */
typedef struct Scene {
    int proc_fd;
    gboolean has_our_numbers;
    pid_t helper, daemon; /* by its numbers; 0 where it does not show them */
    MnRankingScale scale;
} Scene;

static guint64 boot_ticks(guint ticks_per_second) {
    struct timespec now = mn_uptime_now();

    return (guint64)now.tv_sec * ticks_per_second + (guint64)now.tv_nsec * ticks_per_second / 1000000000;
}

static int read_stat(int proc_fd, const char *name, MnProcessStat *ret) {
    char path[PATH_BYTES], text[STAT_BYTES];
    gsize len;
    int r;

    snprintf(path, sizeof path, "%s/stat", name);
    r = mn_process_read_file(proc_fd, path, text, sizeof text, &len);
    return r < 0 ? r : mn_process_parse_stat(text, len, ret);
}

/* Finds out who we are in there. In a pid namespace below ours we are not. */
static int find_ourselves(Scene *self) {
    MnProcessStatus status;
    MnProcessStat stat;
    int r;

    r = read_stat(self->proc_fd, "self", &stat);
    if (r == 0)
        r = mn_process_read_status_at(self->proc_fd, "self/status", &status);
    if (r < 0)
        return r == -ESRCH ? 0 : r;
    self->has_our_numbers = status.n_pids == 1;
    self->helper = stat.pid;
    self->daemon = stat.ppid;
    return 0;
}

/* The helper, which is who asks, the daemon above it, and other helpers. */
static gboolean is_ourselves(const Scene *self, const MnProcessStat *stat) {
    return stat->pid == self->helper || (self->daemon > 0 && (stat->pid == self->daemon || stat->ppid == self->daemon));
}

static gboolean has_capability(guint64 capabilities, guint capability) {
    return (capabilities >> capability) & 1;
}

/* What status says of privileges, without reading it where that can be avoided. */
static int look_up_privileges(const Scene *scene, const char *name, pid_t pid, gboolean *ret_root,
                              gboolean *ret_raw_io) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = pid };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    guint64 effective;
    char path[PATH_BYTES];
    MnProcessStatus status;
    struct stat owner;
    int r;

    if (scene->has_our_numbers && syscall(SYS_capget, &header, data) == 0) {
        effective = data[0].effective | (guint64)data[1].effective << 32;
        *ret_raw_io = has_capability(effective, CAP_SYS_RAWIO);
        *ret_root = has_capability(effective, CAP_SYS_ADMIN);
        if (*ret_root)
            return 0;

        /* If it is not root's and has nothing in reserve, its real user is not root either. */
        if (fstatat(scene->proc_fd, name, &owner, 0) < 0)
            return errno == ENOENT ? -ESRCH : -errno;
        *ret_root = owner.st_uid == 0;
        if (*ret_root || (data[0].permitted | data[1].permitted) == 0)
            return 0;
    }

    snprintf(path, sizeof path, "%s/status", name);
    r = mn_process_read_status_at(scene->proc_fd, path, &status);
    if (r < 0)
        return r;
    *ret_raw_io = has_capability(status.capabilities, CAP_SYS_RAWIO);
    *ret_root = has_capability(status.capabilities, CAP_SYS_ADMIN) || status.uid == 0 || status.euid == 0;
    return 0;
}

static int rank_one(const Scene *scene, const char *name, MnCandidate *ret) {
    gboolean is_root, has_raw_io;
    MnProcessStat stat;
    int r;

    r = read_stat(scene->proc_fd, name, &stat);
    if (r < 0)
        return r;
    if (!mn_candidate_is_eligible(&stat) || is_ourselves(scene, &stat))
        return -ESRCH;
    r = look_up_privileges(scene, name, stat.pid, &is_root, &has_raw_io);
    if (r < 0)
        return r;

    *ret = (MnCandidate){ .points = mn_badness(&stat, is_root, has_raw_io, &scene->scale),
                          .utime_ticks = stat.utime_ticks,
                          .stime_ticks = stat.stime_ticks,
                          .start_ticks = stat.start_ticks,
                          .pid = stat.pid };
    g_strlcpy(ret->comm, stat.comm, sizeof ret->comm);
    return 0;
}

/* It has ended, or is not to be seen. */
static gboolean is_left_out(int r) {
    return r == -ESRCH || r == -EACCES || r == -EPERM;
}

static int rank_all(DIR *proc, const Scene *scene, GArray *candidates) {
    const struct dirent *entry;
    MnCandidate candidate;
    int r = 0;

    while (r == 0 && (errno = 0, entry = readdir(proc))) {
        if (mn_process_pid_of(entry->d_name) == 0)
            continue;
        r = rank_one(scene, entry->d_name, &candidate);
        if (r == 0)
            g_array_append_val(candidates, candidate);
        else if (is_left_out(r))
            r = 0;
    }
    return r < 0 ? r : -errno;
}

static int rank_below(int proc_fd, GArray *candidates) {
    Scene scene = { .scale = { .page_bytes = mn_page_bytes(), .ticks_per_second = sysconf(_SC_CLK_TCK) } };
    DIR *proc;
    int r;

    scene.proc_fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    proc = scene.proc_fd < 0 ? NULL : fdopendir(scene.proc_fd);
    if (!proc) {
        r = -errno;
        if (scene.proc_fd >= 0)
            close(scene.proc_fd);
        return r;
    }
    scene.scale.now_ticks = boot_ticks(scene.scale.ticks_per_second);
    r = find_ourselves(&scene);
    if (r == 0)
        r = rank_all(proc, &scene, candidates);
    closedir(proc);
    return r;
}

int mn_ranker_rank(const MnView *view, GArray **ret) {
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(MnCandidate));
    gboolean is_ours = view->uid == (uid_t)-1;
    MnIdentity identity;
    int r;

    r = mn_identity_take(is_ours ? geteuid() : view->uid, is_ours ? getegid() : view->gid, &identity);
    if (r < 0)
        return r;
    r = rank_below(view->proc_fd, candidates);
    mn_identity_return(&identity);
    if (r < 0)
        return r;

    mn_candidates_sort((MnCandidate *)(void *)candidates->data, candidates->len);
    *ret = g_steal_pointer(&candidates);
    return 0;
}

/* --- asked for from the main loop --- */

static int run_rank(MnParcel *question, MnParcel *answer) {
    MnView view = *(const MnView *)(void *)question->bytes->data;
    g_autoptr(GArray) candidates = NULL;
    g_autoptr(GString) text = NULL;
    int r;

    view.proc_fd = mn_parcel_get_fd(question, 0);
    r = mn_ranker_rank(&view, &candidates);
    if (r < 0)
        return r;
    text = g_string_new(NULL);
    for (guint i = 0; i < candidates->len; i++)
        mn_candidate_render(&g_array_index(candidates, MnCandidate, i), text);
    mn_parcel_add(answer, text->str, text->len);
    return 0;
}

static const MnTask rank_task = { .name = "rank all processes", .limit_ms = LIMIT_MS, .run = run_rank };

int mn_ranker_ask(MnHelper *helper, uid_t uid, const MnView *view, MnAnswered answered, gpointer data,
                  MnHelperJob **ret) {
    return mn_helper_ask(helper, &rank_task, uid, view, sizeof *view, &view->proc_fd, 1, answered, data, ret);
}
