/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticks.h"

#define LEAST_BYTES 4096
#define DAY_S 86400

guint64 cmd_ticks_of_bytes(guint64 top, guint most) {
    guint64 step = LEAST_BYTES;

    while (top / step > most && step <= G_MAXUINT64 / 4)
        step *= 2;
    return step;
}

guint64 cmd_ticks_of_number(guint64 top, guint most) {
    static const guint firsts[] = { 1, 2, 5 };

    for (guint64 power = 1; power <= G_MAXUINT64 / 100; power *= 10)
        for (guint i = 0; i < G_N_ELEMENTS(firsts); i++)
            if (top / (firsts[i] * power) <= most)
                return firsts[i] * power;
    return G_MAXUINT64;
}

gint64 cmd_ticks_of_seconds(gint64 duration_s, guint most) {
    static const gint64 steps[] = { 1,   2,   5,    10,   15,   30,    60,    120,   300,
                                    600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY_S };
    gint64 days = 1;

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
        if (duration_s / steps[i] <= most)
            return steps[i];
    while (duration_s / (days * DAY_S) > most)
        days *= 2;
    return days * DAY_S;
}
