/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the client has its memory from, here: pages of its own. The thread thus does not get into the program's allocator but
 * to empty it. glibc would lay aside 64 MiB of addresses for it, which a program with RLIMIT_AS may not have. */
#ifndef PAGES_H
#define PAGES_H

#include <stddef.h>

/* As calloc(3) and free(3). */
void *pages_calloc(size_t n, size_t size);
void pages_free(void *memory);

#endif
