/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Per cent of a limit are of memory and swap together. What is available is a part of memory alone: of 4 GiB with 12 GiB of
 * swap, `available<10%` would be 40 % of memory. So the shares below are turned into per cent of the total:
 * `available<2.5%` is 10 % of memory there.
 *
 * How near the OOM killer is says `used`, of memory and swap: it comes when neither has room. Swap that is full alone says
 * nothing, nor does memory while there is swap, but that much is being reclaimed. */
#include "levelpreset.h"

#include <math.h>
#include <string.h>

typedef struct Shares {
    const char *name;
    guint low, medium, critical; /* per cent of memory that are available; 0: does not matter */
} Shares;

/* Per cent of memory and swap, of either. */
#define USED_CRITICAL 95

/* low: the kernel will soon take from the page cache what is in use; earlyoom ends processes there where swap is as empty.
 * critical: at 3 % a machine with 4 GiB has 120 MiB, about what one tab of a browser takes.
 * In a group nothing is kept in reserve, and its OOM killer comes at its limit: it has to hear of it sooner. While it
 * may swap still, it lives. */
static const Shares presets[LEVEL_N_PRESETS] = {
    [LEVEL_PRESET_MACHINE] = { "machine", 10, 6, 3 },
    [LEVEL_PRESET_GROUP] = { "group", 15, 10, 0 },
};

gboolean level_preset_find(const char *name, LevelPreset *ret) {
    for (guint i = 0; i < LEVEL_N_PRESETS; i++)
        if (strcmp(presets[i].name, name) == 0) {
            *ret = (LevelPreset)i;
            return TRUE;
        }
    return FALSE;
}

/* With up to six decimals, as limits may have, and a point in any language. */
static void append_available(GString *text, guint percent, guint64 memory_pages, guint64 total_pages) {
    double share = total_pages > 0 ? (double)memory_pages / (double)total_pages : 1;
    guint millionths = (guint)lround(percent * share * 1e6);

    g_string_append_printf(text, "available<%u.%06u", millionths / 1000000, millionths % 1000000);
    while (g_str_has_suffix(text->str, "0"))
        g_string_truncate(text, text->len - 1);
    if (g_str_has_suffix(text->str, "."))
        g_string_truncate(text, text->len - 1);
    g_string_append_c(text, '%');
}

char *level_preset_limits(LevelPreset preset, Level level, guint64 memory_pages, guint64 total_pages) {
    const Shares *shares = &presets[preset];
    GString *text = g_string_new(NULL);
    guint percent = level == LEVEL_LOW ? shares->low : level == LEVEL_MEDIUM ? shares->medium : shares->critical;

    if (percent > 0)
        append_available(text, percent, memory_pages, total_pages);
    if (level == LEVEL_CRITICAL)
        g_string_append_printf(text, "%sused>=%d%%", percent > 0 ? " " : "", USED_CRITICAL);
    return g_string_free(text, FALSE);
}
