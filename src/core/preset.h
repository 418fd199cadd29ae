/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/limit.h"

/* A threshold that the administrator has written into a file. */
typedef struct MnPreset {
    char *name;
    guint line; /* of the file, from 1 on */
    MnLimitSet limits;
} MnPreset;

void mn_preset_free(MnPreset *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnPreset, mn_preset_free)

/* Parses a file with a threshold in each line:
 *
 *   # what the machine's services wait for
 *   low       available<10%
 *   critical  available < 2%  swap_free <= 0   # both
 *
 * A name, blanks, and limits as mn_limit_set_parse(), at least one of them; from "#" on it is a comment. *ret is an array
 * of MnPreset, in the order of the file. -EINVAL, with *ret untouched, if any line is wrong, or a name comes twice: then
 * blame() is called for each line that is, with what is wrong; `at` is the byte of the line. */
int mn_presets_parse(const char *text, gsize len, const MnMachine *machine,
                     void (*blame)(guint line, const MnFault *fault, gpointer data), gpointer data, GPtrArray **ret)
    G_GNUC_WARN_UNUSED_RESULT;
