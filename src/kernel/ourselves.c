/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our own limits, and staying alive and quick when memory is short. */
#include "ourselves.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Killed after everything but what the system cannot do without (systemd-oomd takes the same). */
#define OOM_SCORE_ADJ (-900)

guint mn_page_bytes(void) {
    return sysconf(_SC_PAGESIZE);
}

gboolean mn_error_passes(int r) {
    return r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -EINTR;
}

guint mn_file_limit_raise(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    return MIN(limit.rlim_cur, G_MAXUINT);
}

int mn_reopen_for_reading(int fd, int *ret) {
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY | O_CLOEXEC);

    if (reader < 0)
        return -errno;
    *ret = reader;
    return 0;
}

/* "30\n"; 0 where the kernel does not have it. */
static guint read_seconds(const char *path) {
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    return (guint)MIN(g_ascii_strtoull(text, NULL, 10), G_MAXUINT);
}

guint mn_request_timeout_s(void) {
    guint preset = read_seconds("/proc/sys/fs/fuse/default_request_timeout");
    guint most = read_seconds("/proc/sys/fs/fuse/max_request_timeout");

    return preset > 0 && most > 0 ? MIN(preset, most) : MAX(preset, most);
}

int mn_oom_score_lower(int *ret_before) {
    char text[16] = "";
    int fd, before, r = 0;

    fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (read(fd, text, sizeof text - 1) < 0)
        r = -errno;
    before = (int)g_ascii_strtoll(text, NULL, 10);
    g_snprintf(text, sizeof text, "%d", OOM_SCORE_ADJ);
    if (r == 0 && before > OOM_SCORE_ADJ && write(fd, text, strlen(text)) < 0)
        r = -errno;
    close(fd);
    *ret_before = before;
    return r;
}

/* --- what is there now --- */

/* "7ffc5b1d2000-7ffc5b1f3000 rw-p 00000000 00:00 0   [stack]" */
static int lock_writable(void) {
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents("/proc/self/maps", &text, NULL, NULL))
        return -ENOMEM;
    lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] && *lines[i]; i++) {
        char *end;
        guint64 from = g_ascii_strtoull(lines[i], &end, 16), to = *end == '-' ? g_ascii_strtoull(end + 1, &end, 16) : 0;

        if (g_str_has_prefix(end, " rw-p ") && mlock(GSIZE_TO_POINTER(from), to - from) < 0)
            return -errno;
    }
    return 0;
}

/* Without MCL_ONFAULT: the kernel makes the copies that a fork has put off. */
int mn_memory_hold(void) {
    return mlockall(MCL_CURRENT) == 0 ? 0 : lock_writable();
}

/* --- for good --- */

static gboolean is_locked_for_ever; /* and whatever is mapped later */

/* Also what is mapped later, as the heap grows. That succeeds under a limit of 0 with CAP_IPC_LOCK
 * alone: for whoever is under a limit it would make later allocations fail. */
static gboolean lock_all_for_ever(void) {
    struct rlimit limit, none;
    gboolean is_locked;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return FALSE;
    none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
    if (limit.rlim_cur != RLIM_INFINITY && setrlimit(RLIMIT_MEMLOCK, &none) < 0)
        return FALSE;

    is_locked = mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
    if (limit.rlim_cur != RLIM_INFINITY)
        is_locked = setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && is_locked;
    return is_locked;
}

/* Long texts and tables are mapped each by itself, so that the kernel gets them back when they are freed. Pages of the
 * heap between others are locked and stay. */
#define MAPPED_BYTES (32 * 1024)

/* So much may be free on the heap, for those who come next. */
#define AMPLE_BYTES 262144

/* What is locked is so as it is first touched. */
static int lock_memory(void) {
    is_locked_for_ever = lock_all_for_ever();
    if (is_locked_for_ever)
        return 0;
    return mlockall(MCL_CURRENT | MCL_ONFAULT) < 0 ? -errno : 0;
}

gboolean mn_memory_is_ample(void) {
    return mallinfo2().fordblks >= AMPLE_BYTES;
}

/* The kernel takes nothing back that is locked. Where we may lock at any time we let go for as long as that takes; else
 * what the heap has grown by is not locked. */
void mn_memory_give_back(void) {
    gboolean was_locked = is_locked_for_ever;
    int r = 0;

    if (was_locked)
        (void)munlockall();
    (void)malloc_trim(0);
    if (was_locked)
        r = lock_memory();
    if (r < 0)
        g_warning("cannot lock memory again: %s", g_strerror(-r));
}

void mn_survival_prepare(void) {
    int lock_error, score_error, before;

    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    lock_error = -lock_memory();
    score_error = -mn_oom_score_lower(&before);

    if (lock_error && score_error)
        g_warning(
            "cannot lock memory (%s) or lower oom_score_adj (%s); under pressure the daemon may be slow or killed",
            g_strerror(lock_error), g_strerror(score_error));
    else if (lock_error)
        g_warning("cannot lock memory: %s; raise RLIMIT_MEMLOCK", g_strerror(lock_error));
    else if (score_error)
        g_warning("cannot lower oom_score_adj: %s; the OOM killer may choose the daemon", g_strerror(score_error));
}
