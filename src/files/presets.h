/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "fs/node.h"

/* The files in thresholds/ that a file of the administrator's names. */
typedef struct MnPresets MnPresets;

/* They belong to `owner`. The tree, with its directory thresholds/, and the board stay the caller's and are not used when
 * it is freed. */
MnPresets *mn_presets_new(MnTree *tree, MnBoard *board, const MnCaller *owner);
void mn_presets_free(MnPresets *self); /* the files stay; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnPresets, mn_presets_free)

/* Makes these (MnPreset) the presets. Those that were before and are not among them are removed; those that are as they
 * were asked for the last time stay as they are, with their state; a file that somebody else has made under one of the
 * names makes room. One that was renamed or removed since is none any more, and is made anew.
 *
 * -EDQUOT or -ENFILE: there would be too many; -ENODEV: the group whose memory is shown is gone. Then nothing has
 * changed. */
int mn_presets_apply(MnPresets *self, const GPtrArray *wanted) G_GNUC_WARN_UNUSED_RESULT;
