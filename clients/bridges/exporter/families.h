/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/exposition.h"

/* The metrics of several mounts, to be made one text: each family once, with the samples of all. */
typedef struct ExpFamilies ExpFamilies;

/* All texts are in that format, and so is the result. */
ExpFamilies *exp_families_new(MnExpositionFormat format);
void exp_families_free(ExpFamilies *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExpFamilies, exp_families_free)

/* Adds the text of `metrics` or metrics.prom, with the label mount="MOUNT" in front of each sample's own where `mount` is not
 * NULL. What a family is says the text that has it first.
 *
 * A text may come from somebody who wants to spoil those of others, so it is looked at: FALSE, with nothing added, when there
 * is anything in it but families of ours with numbers, or a label `mount`. */
gboolean exp_families_add(ExpFamilies *self, const char *text, gsize len, const char *mount);

/* Adds memnotifyfs_up, whether the mount could be read. */
void exp_families_add_up(ExpFamilies *self, const char *mount, gboolean is_up);

/* Appends all to the text. */
void exp_families_print(const ExpFamilies *self, GString *text);
