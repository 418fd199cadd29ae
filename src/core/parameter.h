/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"

/* The module parameters of the driver and ours, at once the mount options and the files below
 * parameters/. */
typedef struct MnParameters {
    guint64 update_period_ms;     /* shortest time between two samples */
    guint64 max_update_period_ms; /* longest; raised to update_period where it is smaller */
    guint64 update_space_kib;     /* hysteresis; 0 = total / 128 */
    guint64 fill_rate_mib;        /* per second; 0 = the driver's back-off */
} MnParameters;

typedef struct MnParameter {
    const char *name;
    gsize offset; /* of its guint64 in MnParameters */
    guint64 preset;
    guint64 min;
    guint64 max;
    const char *help;
} MnParameter;

#define MN_N_PARAMETERS 4
extern const MnParameter mn_parameters[MN_N_PARAMETERS];

void mn_parameters_init(MnParameters *self);

guint64 mn_parameters_get(const MnParameters *self, const MnParameter *parameter);

/* Sets one from a decimal number, which a newline or NUL may end. -EINVAL, and nothing changed, for
 * anything else and for a number out of range: `fault`, which may be NULL, then says what is wrong. */
int mn_parameters_set(MnParameters *self, const MnParameter *parameter, const char *text, gsize len, MnFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;

/* NULL when there is none of that name. */
const MnParameter *mn_parameter_find(const char *name, gsize len);
