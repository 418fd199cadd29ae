/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "levels.h"

/* Limits of those who name none. */
typedef enum LevelPreset {
    LEVEL_PRESET_MACHINE,
    LEVEL_PRESET_GROUP, /* of a control group, which has no reserves */
    LEVEL_N_PRESETS
} LevelPreset;

/* "machine", "group". FALSE: there is none of that name. */
gboolean level_preset_find(const char *name, LevelPreset *ret);

/* The limits of a level, as memnotifyfs(5) has them, where `memory_pages` of `total_pages` are memory and the rest is swap. To
 * be freed. */
char *level_preset_limits(LevelPreset preset, Level level, guint64 memory_pages, guint64 total_pages);
