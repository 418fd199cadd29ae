/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/exposition.h"

/* The metrics of several mounts, to be made one text: each family once, with the samples of all. */
typedef struct ExpFamilies ExpFamilies;

/* All texts are in that format, and so is the result. */
ExpFamilies *exp_families_new(MnExpositionFormat format);
void exp_families_free(ExpFamilies *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExpFamilies, exp_families_free)

/* Reads the text of `metrics` or metrics.prom, with the label mount="MOUNT" in front of each sample's own where `mount` is not
 * NULL.
 *
 * A text may come from somebody who wants to spoil those of others, so it is looked at: NULL when there is anything in it but
 * families of ours with numbers, each once, when it has a label `mount` or the family memnotifyfs_up, or was cut off. */
ExpFamilies *exp_families_read(MnExpositionFormat format, const char *text, gsize len, const char *mount)
    G_GNUC_WARN_UNUSED_RESULT;

/* Adds those of another, of the same format. What a family is says who has it first. */
void exp_families_add(ExpFamilies *self, const ExpFamilies *from);

/* Adds memnotifyfs_up, whether the mount could be read. */
void exp_families_add_up(ExpFamilies *self, const char *mount, gboolean is_up);

/* Appends all to the text. */
void exp_families_print(const ExpFamilies *self, GString *text);
