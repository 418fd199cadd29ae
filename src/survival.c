/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Staying alive and quick when memory is short. */
#include "survival.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Killed after everything but what the system cannot do without (systemd-oomd takes the same). */
#define OOM_SCORE_ADJ "-900"

static int lower_oom_score(void) {
    int fd, r = 0;

    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (write(fd, OOM_SCORE_ADJ, sizeof OOM_SCORE_ADJ - 1) < 0)
        r = -errno;
    close(fd);
    return r;
}

void mn_survival_prepare(void) {
    int lock_error, score_error;

    /* Not MCL_FUTURE: under a low RLIMIT_MEMLOCK it makes later allocations fail. What is mapped now
     * is locked as it is first touched. */
    lock_error = mlockall(MCL_CURRENT | MCL_ONFAULT) < 0 ? errno : 0;
    score_error = -lower_oom_score();

    if (lock_error && score_error)
        g_warning("cannot lock memory (%s) or lower oom_score_adj (%s); under pressure the daemon may be slow or killed",
                  g_strerror(lock_error), g_strerror(score_error));
    else if (lock_error)
        g_warning("cannot lock memory: %s; raise RLIMIT_MEMLOCK", g_strerror(lock_error));
    else if (score_error)
        g_warning("cannot lower oom_score_adj: %s; the OOM killer may choose the daemon", g_strerror(score_error));
}
