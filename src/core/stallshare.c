/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stalls at a constant rate, and the averages that the kernel would show of them.
 *
 * The kernel adds up every two seconds how much of them was stalled, and lets the averages decay towards that. Here the
 * rate is constant between two choices, so that any number of such periods is one power, and nothing has to run
 * for averages that nobody reads. */
#include "stallshare.h"

#define PERIOD_US (2 * G_TIME_SPAN_SECOND)

const char *const mn_stall_share_names[MN_N_STALLS] = {
    [MN_STALL_SOME] = "stall_some", [MN_STALL_FULL] = "stall_full"
};

/* exp(-2 s / 10 s), and so on. */
static const double decays[MN_N_STALL_AVERAGES] = { 0.81873075307798, 0.96721610048173, 0.99335550625503 };

static gboolean is_chosen(const MnStallShare *self, MnStallKind kind) {
    return (self->chosen & MN_STALL_BIT(kind)) != 0;
}

static guint percent_of(const MnStallShare *self, MnStallKind kind) {
    guint some, full = is_chosen(self, MN_STALL_FULL) ? self->percent[MN_STALL_FULL] : 0;

    some = is_chosen(self, MN_STALL_SOME) ? self->percent[MN_STALL_SOME] : full;
    return kind == MN_STALL_SOME ? some : MIN(full, some);
}

static guint64 total_at(const MnStallShare *self, MnStallKind kind, gint64 time_us) {
    return self->since_total_us[kind] + (guint64)(time_us - self->since_us) * percent_of(self, kind) / 100;
}

static double power(double base, guint64 exponent) {
    double result = 1;

    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

/* `n` periods pass in which so much was stalled. */
static void average_over(MnStallShare *self, MnStallKind kind, guint64 n, double percent) {
    for (guint i = 0; i < MN_N_STALL_AVERAGES; i++)
        self->averages[kind][i] = percent + (self->averages[kind][i] - percent) * power(decays[i], n);
}

/* Up to now: the period in which the shares may have changed, and those after it. */
static void periods_advance(MnStallShare *self, gint64 now_us) {
    gint64 end_us = self->period_from_us + PERIOD_US;
    gint64 n_more = (now_us - end_us) / PERIOD_US;

    if (now_us < end_us)
        return;
    self->period_from_us = end_us + n_more * PERIOD_US;
    for (MnStallKind kind = 0; kind < MN_N_STALLS; kind++) {
        guint64 stalled_us = total_at(self, kind, end_us) - self->period_total_us[kind];

        average_over(self, kind, 1, 100.0 * (double)stalled_us / (double)PERIOD_US);
        average_over(self, kind, n_more, percent_of(self, kind));
        self->period_total_us[kind] = total_at(self, kind, self->period_from_us);
    }
}

/* From what is measured to what is chosen. */
static void begin(MnStallShare *self, gint64 now_us, const MnStalls *measured) {
    self->since_us = self->period_from_us = now_us;
    for (MnStallKind kind = 0; kind < MN_N_STALLS; kind++) {
        self->since_total_us[kind] = measured->lines[kind].total_us + self->ahead_us[kind];
        self->period_total_us[kind] = self->since_total_us[kind];
        for (guint i = 0; i < MN_N_STALL_AVERAGES; i++)
            self->averages[kind][i] = measured->lines[kind].hundredths[i] / 100.0;
    }
}

/* From one choice to another. */
static void go_on(MnStallShare *self, gint64 now_us) {
    periods_advance(self, now_us);
    for (MnStallKind kind = 0; kind < MN_N_STALLS; kind++)
        self->since_total_us[kind] = total_at(self, kind, now_us);
    self->since_us = now_us;
}

void mn_stall_share_set(MnStallShare *self, const MnStallChoice *choice, gint64 now_us, const MnStalls *measured) {
    MnStalls stalls = *measured;

    if (self->chosen != 0) {
        mn_stall_share_apply(self, now_us, &stalls); /* what it is ahead by */
        go_on(self, now_us);
    } else {
        begin(self, now_us, measured);
    }

    self->chosen = (self->chosen & ~choice->measured) | choice->chosen;
    for (MnStallKind kind = 0; kind < MN_N_STALLS; kind++)
        if (choice->chosen & MN_STALL_BIT(kind))
            self->percent[kind] = choice->percent[kind];
}

void mn_stall_share_apply(MnStallShare *self, gint64 now_us, MnStalls *stalls) {
    if (self->chosen != 0)
        periods_advance(self, now_us);
    for (MnStallKind kind = 0; kind < MN_N_STALLS; kind++) {
        MnStall *stall = &stalls->lines[kind];

        if (self->chosen == 0) {
            stall->total_us += self->ahead_us[kind];
            continue;
        }
        self->ahead_us[kind] = total_at(self, kind, now_us) - stall->total_us;
        stall->total_us = total_at(self, kind, now_us);
        for (guint i = 0; i < MN_N_STALL_AVERAGES; i++)
            stall->hundredths[i] = (guint)(self->averages[kind][i] * 100 + 0.5);
    }
}
