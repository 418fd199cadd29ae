/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "files/presets.h"
#include "kernel/helper.h"

/* The file of the option --thresholds. */
typedef struct MnPresetFile MnPresetFile;

/* `path` is absolute, since we change our directory. All but the presets, which it takes, stays the caller's; the helper
 * is freed before it. */
MnPresetFile *mn_preset_file_new(const char *path, MnPresets *presets, MnBoard *board, MnHelper *helper);
void mn_preset_file_free(MnPresetFile *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnPresetFile, mn_preset_file_free)

/* Reads it, and waits for that: for before we serve. FALSE with an error; where several lines are wrong that is the last
 * of them, and those before are in the log. */
gboolean mn_preset_file_load(MnPresetFile *self, GError **error);

/* Reads it again without waiting. What is wrong, and what has become of it, is in the log; where something is wrong all
 * thresholds stay as they were. */
void mn_preset_file_reload(MnPresetFile *self);
