/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parts.h"

#include "core/number.h"

const char *const cmd_part_names[CMD_N_PARTS] = {
    [CMD_PART_OTHER] = "other", [CMD_PART_ANON] = "anonymous", [CMD_PART_SHMEM] = "shared",
    [CMD_PART_CACHE] = "cache", [CMD_PART_FREE] = "unused",
};

const char *const cmd_part_titles[CMD_N_PARTS] = {
    [CMD_PART_OTHER] = "kernel and other",
    [CMD_PART_ANON] = "programs (anon)",
    [CMD_PART_SHMEM] = "shared (shmem)",
    [CMD_PART_CACHE] = "page cache (file without shmem)",
    [CMD_PART_FREE] = "free",
};

guint64 cmd_part_whole(const guint64 *pages) {
    return mn_subtract(pages[MN_METER_TOTAL], pages[MN_METER_SWAP_TOTAL]);
}

/* The kernel's numbers are not all of one moment: what is put down first counts. */
static guint64 take(guint64 *left, guint64 pages) {
    guint64 taken = MIN(*left, pages);

    *left -= taken;
    return taken;
}

guint64 cmd_part_pages(const guint64 *pages, CmdMemoryPart part) {
    guint64 parts[CMD_N_PARTS], left = cmd_part_whole(pages);

    parts[CMD_PART_FREE] = take(&left, pages[MN_METER_FREE]);
    parts[CMD_PART_ANON] = take(&left, pages[MN_METER_ANON]);
    parts[CMD_PART_SHMEM] = take(&left, pages[MN_METER_SHMEM]);
    parts[CMD_PART_CACHE] = take(&left, mn_subtract(pages[MN_METER_FILE], pages[MN_METER_SHMEM]));
    parts[CMD_PART_OTHER] = left;
    return parts[part];
}
