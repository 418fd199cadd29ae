/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/meter.h"

/* What memory is used for: together they are all of it. */
typedef enum CmdMemoryPart {
    CMD_PART_OTHER, /* of the kernel, mostly */
    CMD_PART_ANON,
    CMD_PART_SHMEM,
    CMD_PART_CACHE,
    CMD_PART_FREE,
    CMD_N_PARTS
} CmdMemoryPart;

extern const char *const cmd_part_names[CMD_N_PARTS];
extern const char *const cmd_part_titles[CMD_N_PARTS];

/* The meters that it takes. */
#define CMD_PARTS_METERS                                                                                               \
    (MN_METER_BIT(MN_METER_TOTAL) | MN_METER_BIT(MN_METER_SWAP_TOTAL) | MN_METER_BIT(MN_METER_FREE) |                  \
     MN_METER_BIT(MN_METER_ANON) | MN_METER_BIT(MN_METER_FILE) | MN_METER_BIT(MN_METER_SHMEM))

/* Pages of memory without swap; and how many of them a part has. `pages` are by MnMeterId. */
guint64 cmd_part_whole(const guint64 *pages);
guint64 cmd_part_pages(const guint64 *pages, CmdMemoryPart part);
