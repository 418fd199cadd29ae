/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of parameters and the text that sets one. */
#include "parameter.h"

#include "core/number.h"

#include <string.h>

#define DAY_MS G_GUINT64_CONSTANT(86400000)

const MnParameter mn_parameters[MN_N_PARAMETERS] = {
    { "update_period", G_STRUCT_OFFSET(MnParameters, update_period_ms), 10, 1, DAY_MS,
      "shortest time between samples, ms" },
    { "max_update_period", G_STRUCT_OFFSET(MnParameters, max_update_period_ms), 15000, 1, DAY_MS,
      "longest time between samples, ms" },
    { "update_space", G_STRUCT_OFFSET(MnParameters, update_space_kib), 0, 0, G_MAXUINT64 >> 10,
      "hysteresis, KiB; 0 is total/128" },
    { "fill_rate", G_STRUCT_OFFSET(MnParameters, fill_rate_mib), 8192, 0, 1 << 30,
      "the fastest that memory may fill, MiB/s; 0 backs off while nothing changes" },
};

static guint64 *value_of(MnParameters *self, const MnParameter *parameter) {
    return G_STRUCT_MEMBER_P(self, parameter->offset);
}

void mn_parameters_init(MnParameters *self) {
    for (guint i = 0; i < MN_N_PARAMETERS; i++)
        *value_of(self, &mn_parameters[i]) = mn_parameters[i].preset;
}

guint64 mn_parameters_get(const MnParameters *self, const MnParameter *parameter) {
    return *value_of((MnParameters *)self, parameter);
}

int mn_parameters_set(MnParameters *self, const MnParameter *parameter, const char *text, gsize len, MnFault *fault) {
    const char *at = text, *end = text + len;
    guint64 number;

    if (len > 0 && (end[-1] == '\n' || end[-1] == '\0'))
        end--;
    if (mn_number_parse(&at, end, &number) < 0 || at < end || number < parameter->min || number > parameter->max)
        return mn_fault_set(fault, (gsize)(at < end ? at - text : 0),
                            "a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " is needed, and nothing else",
                            parameter->min, parameter->max);

    *value_of(self, parameter) = number;
    return 0;
}

const MnParameter *mn_parameter_find(const char *name, gsize len) {
    for (guint i = 0; i < MN_N_PARAMETERS; i++)
        if (strlen(mn_parameters[i].name) == len && memcmp(mn_parameters[i].name, name, len) == 0)
            return &mn_parameters[i];
    return NULL;
}
