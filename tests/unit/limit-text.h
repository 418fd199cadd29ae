/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/limit.h"
#include "core/override.h"

/* A set of limits, and an override, in the grammar they are parsed from: "used>=80%,free<512" and
 * "used 80%,free 0,dirty -". */
char *limit_set_print(const MnLimitSet *set);
char *override_print(const MnOverride *override);

gboolean limit_equal(const MnLimit *one, const MnLimit *other);
