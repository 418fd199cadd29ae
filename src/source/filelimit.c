/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many descriptors this process may have. */
#include "filelimit.h"

#include <sys/resource.h>

guint mn_file_limit_raise(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    return MIN(limit.rlim_cur, G_MAXUINT);
}
