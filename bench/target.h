/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* A file system with a file to wait for and a file that makes it ready: memnotifyfs --simulate, or
 * the bare server. */
typedef struct Target {
    const char *name; /* of its series */
    int (*open_client)(const struct Target *self, unsigned i);
    void (*raise_one)(struct Target *self, unsigned i); /* client i has an event */
    void (*raise_all)(struct Target *self);             /* all clients have one */
    const char *mount;
    int control_fd;
    uint64_t first_pages; /* of ours: the limit of client 0 */
    int is_up;
} Target;

/* Limits of neighbouring clients of ours are this far apart. */
#define TARGET_STEP_PAGES 10

void target_open_ours(Target *self, const char *mount);
void target_open_bare(Target *self, const char *mount);
void target_close(Target *self);
