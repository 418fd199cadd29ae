/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines that a server sends by its socket, as memnotifyfs-socket(7) has them, without their newlines. What follows
 * the fields that are known here is left out: a newer server may have more. */
#ifndef LINE_H
#define LINE_H

#include "refusal.h"

#include <memnotifyfs/client.h>

/* A meter, and its limit if it has one. */
struct line_meter {
    char name[MEMNOTIFYFS_PAGE_NAME_MAX + 1];
    uint64_t pages;
    bool has_limit, is_reached;
    uint64_t limit_pages; /* 0 without a limit */
};

/* "3887.453731 - available reached 123421 617103" and its relatives. 0; -EINVAL: it is none that is known. */
int line_parse_event(const char *line, struct memnotifyfs_event *ret);

/* "available 123421 reached 617103". 0; -EINVAL. */
int line_parse_meter(const char *line, struct line_meter *ret);

/* "error EINVAL: column 7: there is no meter of that name". Returns the error, negative; -EPROTO for one that is not
 * known, and for another line. The reason is written in any case. */
int line_parse_error(const char *line, struct refusal *ret);

#endif
