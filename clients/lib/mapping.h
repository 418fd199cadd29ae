/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page of a server, in memory. */
#ifndef MAPPING_H
#define MAPPING_H

#include <memnotifyfs/page.h>

/* Maps it read-only, over the page of another server if there is one in *page, so that this pointer holds. The
 * descriptor stays the caller's. 0; -EPROTO: it is not a page that is known here, or one that could be cut off below
 * us; -ENOMEM. */
int mapping_renew(int fd, const struct memnotifyfs_page **page);

/* Accepts NULL in it. */
void mapping_clear(const struct memnotifyfs_page **page);

#endif
