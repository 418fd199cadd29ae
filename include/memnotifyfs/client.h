/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmemnotifyfs: a client of memnotifyfs(8), by its socket or by its files, that outlives the server.
 * libmemnotifyfs(3) is its manual; programs in C and C++ get flags from "pkg-config --cflags --libs libmemnotifyfs".
 *
 *     memnotifyfs *client;
 *     struct memnotifyfs_event event;
 *
 *     if (memnotifyfs_open(NULL, &client) < 0 || memnotifyfs_set_limits(client, "available<10%") < 0)
 *         return 1;
 *     struct pollfd waiter = { .fd = memnotifyfs_get_fd(client), .events = POLLIN };
 *     while (poll(&waiter, 1, -1) == 1)
 *         while (memnotifyfs_next(client, &event) > 0)
 *             if (event.kind == MEMNOTIFYFS_REACHED)
 *                 drop_caches();
 *
 * For all functions:
 *
 *   Errors     0, or -errno. A result comes last, is called `ret`, and is written on success only. Each function has a
 *              list of its own errors; all that ask the server can fail with
 *                -ENOTCONN   it is away; memnotifyfs_next() finds it again
 *                -ETIMEDOUT  it has not answered for 5 s, and is taken for away
 *                -ECHILD     the process is not the one that has opened the client
 *   Units      meters and limits are pages of memory, as the server's files show them; times are microseconds by
 *              CLOCK_MONOTONIC.
 *   Threads    a client is for one thread at a time; two clients know nothing of each other.
 *   fork(2)    a child may do two things with the client: memnotifyfs_close(), which does not disturb the parent,
 *              and read the page until then. Nothing lives on over execve(2).
 *   Processes  there are no threads, no signals (not SIGPIPE either), and nothing is printed.
 *   Waiting    those that ask the server wait for its answer, 5 s at most: memnotifyfs_open(), _set_limits(),
 *              _get_meter(), _get_page(). The others do not wait. By files all wait as any program does that reads a
 *              file, also for a server that is stopped and has not ended. */
#ifndef MEMNOTIFYFS_CLIENT_H
#define MEMNOTIFYFS_CLIENT_H

#include <memnotifyfs/contract.h>
#include <memnotifyfs/page.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* One client. */
typedef struct memnotifyfs memnotifyfs;

/* What an event is about. There may be more one day: leave out what you do not know. */
enum memnotifyfs_kind {
    MEMNOTIFYFS_REACHED = 1,   /* `meter` is at its limit or beyond: value_pages, limit_pages */
    MEMNOTIFYFS_LEFT,          /* and no longer is */
    MEMNOTIFYFS_TOTAL_CHANGED, /* there is more memory than before, or less: value_pages, and limit_pages before */
    MEMNOTIFYFS_REMOVED,       /* the control group whose memory is shown was removed: there are no meters */
    MEMNOTIFYFS_RETURNED,      /* there is one again in its place */
    MEMNOTIFYFS_LOST,          /* who reads too slowly has not been told `count` events */
    MEMNOTIFYFS_RECONNECTED,   /* the server was away, and is there again */
    MEMNOTIFYFS_LAST_CALL,     /* the control group that this process is in is about to be killed */
};

struct memnotifyfs_event {
    uint32_t kind; /* enum memnotifyfs_kind */
    uint32_t reserved;
    int64_t time_us; /* of the sample that showed it; of the moment where the server does not tell */
    uint64_t value_pages;
    uint64_t limit_pages;
    uint64_t count;
    char meter[MEMNOTIFYFS_PAGE_NAME_MAX + 1]; /* "" for none */
    uint64_t reserved_for_later[7];            /* 0 */
};

/* Looks for the server and connects. `place` is its socket, or its mount point; NULL is what $MEMNOTIFYFS names, else
 * MEMNOTIFYFS_MOUNT, else MEMNOTIFYFS_MOUNT_OF_USER below $XDG_RUNTIME_DIR. A program with rights that its user does
 * not have takes nothing from its environment. The socket of a mount point is its file MEMNOTIFYFS_SOCKET_FILE, if that
 * is one, else beside it, with MEMNOTIFYFS_SOCKET_SUFFIX; where there is none its files are used. Which of them it is
 * stays so as long as the client lives.
 *
 * The client is the caller's, to be ended by memnotifyfs_close().
 *
 * -ENOENT: there is none. -ENOTCONN, -ECONNREFUSED: it has ended. -EACCES. -EPROTO: it is not memnotifyfs. -EDQUOT: the
 * user has too many connections; -ENFILE: the server has. -ENAMETOOLONG. -ENOMEM, -EMFILE. */
int memnotifyfs_open(const char *place, memnotifyfs **ret);

/* Ends the client with all that it has: its descriptor and its page. Accepts NULL. */
void memnotifyfs_close(memnotifyfs *self);

/* Waits for `limits`, a set as <memnotifyfs/contract.h> describes it, in the place of those that were waited for
 * before; "" waits for none. What is reached already is the first to come from memnotifyfs_next(). What it still had to
 * tell of the limits before is dropped. The text is copied.
 *
 * -EINVAL: it is not understood; memnotifyfs_get_error() says why. -EDQUOT: the user has too many limits. -ENODEV: the
 * control group whose memory is shown is removed. On an error the limits before still hold. */
int memnotifyfs_set_limits(memnotifyfs *self, const char *limits);

/* A descriptor to wait for: POLLIN says that memnotifyfs_next() has something to do, though not always something to
 * tell. It stays the same, also while the server is away, until memnotifyfs_close(), which closes it; nothing but
 * waiting may be done with it. Any poll(2), select(2), epoll(7) or event loop will do, level-triggered. */
int memnotifyfs_get_fd(const memnotifyfs *self);

/* The next event: 1, and 0 if there is none at present. Call it until it returns 0, then wait for memnotifyfs_get_fd().
 *
 * A server that has ended is looked for, after 0.1 s and then after pauses of up to 2 s, as often as this function is
 * called when its descriptor says so. When it is found again, and the limits hold there, that is one event
 * MEMNOTIFYFS_RECONNECTED; memnotifyfs_is_reached() then knows the state of now. So that who only counts up what is
 * reached and left need not care, REACHED and LEFT follow for those limits whose state is another now; the same is so
 * after MEMNOTIFYFS_LOST and MEMNOTIFYFS_RETURNED. The two alternate for each meter.
 *
 * By files TOTAL_CHANGED, LOST and LAST_CALL do not come, and a limit that was crossed back before this function was called is not
 * told.
 *
 * -EINVAL: a server that came back does not understand the limits, which are dropped; memnotifyfs_get_error() says why.
 * This is said once. -ECHILD. */
int memnotifyfs_next(memnotifyfs *self, struct memnotifyfs_event *ret);

/* Whether the limit on `meter` is reached, as far as it is known, which may be ahead of the events. false also where
 * nobody waits for it. While the server is away, what it said last. */
bool memnotifyfs_is_reached(const memnotifyfs *self, const char *meter);

/* What `meter` ("available") shows now, in pages. Asks the server.
 *
 * -ENOENT: there is no meter of that name here. -ENODEV: the control group whose memory is shown is removed. */
int memnotifyfs_get_meter(memnotifyfs *self, const char *meter, uint64_t *ret);

/* All meters in memory, to be read without a system call by the functions of <memnotifyfs/page.h>. It is mapped once:
 * another call gives the same. The page is the client's, is read-only, and stays until memnotifyfs_close(); any thread
 * and forked children may read it until then.
 *
 * While the server is away, memnotifyfs_page_has_ended() is true. When memnotifyfs_next() has told of
 * MEMNOTIFYFS_RECONNECTED, the page of the new server is at the same address: the pointer holds, and only what
 * memnotifyfs_page_find() has returned is to be asked for again. A thread that copies at that very moment may get
 * values of both. A forked child keeps the page of the old server.
 *
 * -ENOTSUP: files have none. -EPROTO: of a layout that is not known here. -ENOMEM. */
int memnotifyfs_get_page(memnotifyfs *self, const struct memnotifyfs_page **ret);

/* Why the last text of limits was refused, as the server says it; "" if none was. `ret_column` may be NULL, and is set
 * to the byte of the text at which it is wrong, counted from 1, or to 0 if that is not known. The string is the
 * client's, until the next call for it. */
const char *memnotifyfs_get_error(const memnotifyfs *self, unsigned *ret_column);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
