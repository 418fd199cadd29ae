/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "files/thresholds.h"

/* How many are listed: of one user who is neither root nor the owner, and in all. Whoever makes thresholds makes
 * time series where they are collected and stored, and a text that others read. */
#define MN_PUBLIC_LIMITS_PER_USER 32
#define MN_PUBLIC_LIMITS_MAX 256

typedef struct MnPublicLimit {
    const MnThreshold *threshold;
    guint i; /* which of its limits */
} MnPublicLimit;

/* The limits of thresholds that everybody may read, of each threshold all or none: those of root and of the owner
 * first, and each user's in the order in which they were made. They hold until a threshold is written or removed. */
typedef struct MnPublicLimits {
    GArray *limits;   /* of MnPublicLimit */
    guint n_left_out; /* limits that everybody may read as well, but are too many */
} MnPublicLimits;

/* `dir` is thresholds/. */
void mn_public_limits_init(MnPublicLimits *ret, const MnNode *dir);
void mn_public_limits_clear(MnPublicLimits *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnPublicLimits, mn_public_limits_clear)
