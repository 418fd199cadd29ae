/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one thread that a program gets. It is in nobody's way: it has a table of descriptors of its own, so that it holds open
 * nothing of the program's, is not seen among it, and loses nothing when the program closes all it has; all signals are
 * blocked in it; its stack is small; and each forked child has one as well. */
#ifndef THREAD_H
#define THREAD_H

#include <stdbool.h>

/* Starts it, now and in each child. `run` is its body. Called once, before the program runs. */
void thread_begin(void (*run)(void));

/* Ends it, wherever it waits, for a change that all threads of a process would have to make, or that a process with several
 * may not make at all. Until thread_resume(), which starts one that is as its caller has become, no other thread of the
 * program gets into a pause. Waits, if need be, until the allocator has given back. false where there is none to end: in a
 * process that only borrows the memory, a child of vfork(2), and in the thread itself; nothing is to be resumed then. */
bool thread_pause(void);
void thread_resume(void);

/* Ends it for good, for a process that is to have none any more, nor its children. The same holds. */
void thread_end(void);

/* poll(2) for the thread: the only place in which it is ended. -1 for no descriptor, -1 for no end. */
void thread_wait(int fd, int timeout_ms);

#endif
