/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract of memnotifyfs, without any code: where things are, how long they may be, how limits are
 * written and what poll says. memnotifyfs.h has functions for programs in C and C++ beside it, and
 * memnotifyfs(5) describes every file in full.
 *
 * A client opens a file of the mounted tree, writes limits to it, and gives the descriptor to
 * poll(2), select(2) or epoll(7).
 *
 * Limits
 *
 *     set  = { NAME [ ">=" | ">" | "<" | "<=" ] NUMBER [ UNIT ] }
 *     UNIT = "K" | "M" | "G" | "T" | "KiB" | "MiB" | "GiB" | "TiB" | "kB" | "MB" | "GB" | "TB" | "%"
 *     joined by blanks, newlines, "=", ":" or ","; from "#" to the end of a line is a comment; one
 *     final NUL is ignored
 *
 * NAME is a meter: a file in meters/. NUMBER is pages; with K, M, G or T (small letters too), KiB and
 * so on bytes in steps of 1024, with kB and so on in steps of 1000, rounded up to pages; with % a share
 * of the meter total, from 0 to 100. With a unit it may have up to six decimals. ">=", which may be left
 * out, is reached when the meter is at or above the limit, "<" when it is below; ">" is ">=" one page
 * more, "<=" is "<" one page more, and as these they are shown. 0 (but not after ">" or "<=") means not
 * tracked, an empty text tracks nothing. A meter may appear once. What thresholds/NAME shows when it is
 * read is such a text, too.
 *
 * One write is one whole set. A write that is not understood fails with EINVAL and changes nothing:
 * an unknown meter (also one that this kernel has no counter for), a meter twice, a number that is
 * missing, negative, too large or over 100 %, a text over MEMNOTIFYFS_LIMITS_MAX bytes. The file errors
 * says to the user what was wrong.
 *
 * A limit that was reached is left again when the meter is back beyond it by a margin (the parameter
 * update_space), so that a meter that trembles at its limit is no stream of events.
 *
 * poll
 *
 *     memnotify         POLLIN: the set of limits reached has changed, in either direction, since the
 *                       last read. Reached already when written is no event: look once after writing.
 *     meters/NAME       POLLIN and POLLPRI: reached or not reached, whichever it is, was not read yet.
 *                       Reached already when written is such a state, at once.
 *     thresholds/NAME   POLLIN and POLLPRI: there is a state that this descriptor has not read; true
 *                       for a new descriptor. POLLHUP: the file was removed.
 *     events            POLLIN: there is a line to read.
 *     oom_notify, oom_notify_critical   POLLIN: the kernel is short of memory now.
 *     mem_notify        POLLIN: anonymous memory is being reclaimed; the poll consumes it.
 *     pressure          POLLPRI: the stalls of a window have reached what was written; the poll consumes it. POLLIN
 *                       always, and POLLPRI and POLLERR as long as nothing was written.
 *
 * An event stays until it is read (memnotify under the mount option ack=poll, or open for writing
 * only: until a poll has reported it). POLLERR means that the server is gone: close the descriptor and
 * open it anew. Any call may then fail with ENOTCONN or ECONNABORTED. */
#ifndef MEMNOTIFYFS_CONTRACT_H
#define MEMNOTIFYFS_CONTRACT_H

/* The type of the mount, as in /proc/self/mounts and for mount(8). */
#define MEMNOTIFYFS_TYPE "fuse.memnotifyfs"

/* Where the system's own mount is, and what a user's is called below $XDG_RUNTIME_DIR. */
#define MEMNOTIFYFS_MOUNT "/run/memnotify"
#define MEMNOTIFYFS_MOUNT_OF_USER "memnotify"

/* The sockets beside these, and what is added to a mount point in general. Where the file MEMNOTIFYFS_SOCKET_FILE of a mount
 * is a socket itself, as under memnotify-run(1), it is that. See memnotifyfs-socket(7). */
#define MEMNOTIFYFS_SOCKET "/run/memnotify.sock"
#define MEMNOTIFYFS_SOCKET_OF_USER "memnotify.sock"
#define MEMNOTIFYFS_SOCKET_SUFFIX ".sock"

/* The environment variable that says where else the mount is, as memnotify-run(1) sets it. */
#define MEMNOTIFYFS_ENVIRONMENT "MEMNOTIFYFS"

/* The files and directories in the root of the mount. */
#define MEMNOTIFYFS_MEMNOTIFY "memnotify"
#define MEMNOTIFYFS_METERS "meters"
#define MEMNOTIFYFS_THRESHOLDS "thresholds"
#define MEMNOTIFYFS_EVENTS "events"
#define MEMNOTIFYFS_ERRORS "errors"
#define MEMNOTIFYFS_PARAMETERS "parameters"
#define MEMNOTIFYFS_OOM_NOTIFY "oom_notify"
#define MEMNOTIFYFS_OOM_NOTIFY_CRITICAL "oom_notify_critical"
#define MEMNOTIFYFS_MEM_NOTIFY "mem_notify"
#define MEMNOTIFYFS_ZONEINFO "zoneinfo"
#define MEMNOTIFYFS_PRESSURE "pressure" /* only there where stalls are told, or with --simulate */
#define MEMNOTIFYFS_USERS "users"
#define MEMNOTIFYFS_LAST_CALL_FILE "last_call"  /* whoever kills a group tells its members there */
#define MEMNOTIFYFS_METRICS "metrics"           /* OpenMetrics 1.0.0 */
#define MEMNOTIFYFS_METRICS_PROM "metrics.prom" /* the same in the text format 0.0.4 */
#define MEMNOTIFYFS_SOCKET_FILE "socket"        /* only there with --socket: where the socket is, or itself */
#define MEMNOTIFYFS_SIMULATE "simulate"         /* only there with --simulate */

/* The longest text of limits in one write, in bytes; longer ones are EINVAL. */
#define MEMNOTIFYFS_LIMITS_MAX 4095

/* The longest request to the socket, with its newline; longer ones are EPROTO. */
#define MEMNOTIFYFS_REQUEST_MAX (MEMNOTIFYFS_LIMITS_MAX + 16)

/* A buffer of this size holds the line of memnotify, with its newline and a NUL. */
#define MEMNOTIFYFS_LINE_MAX 96

/* A buffer of this size holds any line of events, with its newline and a NUL. */
#define MEMNOTIFYFS_EVENT_LINE_MAX 192

/* The longest name of a threshold, in bytes; longer ones are ENAMETOOLONG. */
#define MEMNOTIFYFS_NAME_MAX 64

/* How many thresholds there may be: in all, and of one user who is not root. More are EDQUOT. */
#define MEMNOTIFYFS_THRESHOLDS_MAX 4096
#define MEMNOTIFYFS_THRESHOLDS_PER_USER_MAX 256

#endif
