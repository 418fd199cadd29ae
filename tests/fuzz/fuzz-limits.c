/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set of limits, and the same text as the one limit of a known meter. */
#include "core/amount.h"
#include "core/crossing.h"
#include "limit-text.h"
#include "target.h"

#include <errno.h>
#include <string.h>

/* One meter is not offered. */
static const MnMachine machine = {
    .page_bytes = 4096,
    .offered = ((1U << MN_N_METERS) - 1) & ~MN_METER_BIT(MN_METER_DIRTY),
};

/* It says why and where, in a text that fits. */
static void check_fault(const MnFault *fault, const char *text, gsize len) {
    g_autoptr(GString) shown = g_string_new(NULL);

    g_assert_true(fault->reason[0] != '\0');
    g_assert_cmpuint(strlen(fault->reason), <, sizeof fault->reason - 1);
    g_assert_cmpuint(fault->at, <=, len);
    mn_fault_show(fault, text, len, shown);
    g_assert_cmpuint(shown->len, <=, MN_FAULT_SHOWN_BYTES);
    g_assert_true(g_utf8_validate(shown->str, (gssize)shown->len, NULL));
}

static void check_untouched(const MnLimitSet *set, int r) {
    MnLimitSet untouched;

    memset(&untouched, 0x5a, sizeof untouched);
    g_assert_cmpint(r, ==, -EINVAL);
    g_assert_cmpmem(set, sizeof *set, &untouched, sizeof untouched);
}

static void check_set(const MnLimitSet *set) {
    guint tracked = 0;

    g_assert_cmpuint(set->n, <=, MN_N_METERS);
    g_assert_cmphex(set->named & ~machine.offered, ==, 0);
    for (guint i = 0; i < set->n; i++) {
        const MnLimit *limit = &set->limits[i];

        g_assert_cmpuint(limit->meter, <, MN_N_METERS);
        g_assert_true(limit->op == MN_OP_AT_LEAST || limit->op == MN_OP_BELOW);
        g_assert_true(limit->micropercent > 0 || limit->pages > 0);
        g_assert_true(limit->micropercent == 0 || limit->pages <= 1);
        g_assert_cmpuint(limit->micropercent, <=, 100 * MN_MICROPERCENT);
        g_assert_cmpuint(mn_limit_pages(limit, 100), >=, 1);
        if (limit->micropercent >= MN_MICROPERCENT)
            g_assert_cmpuint(mn_limit_pages(limit, G_MAXUINT64), >=, G_MAXUINT64 / 100);
        g_assert_cmphex(set->named & MN_METER_BIT(limit->meter), !=, 0);
        g_assert_cmphex(tracked & MN_METER_BIT(limit->meter), ==, 0);
        tracked |= MN_METER_BIT(limit->meter);
    }
}

static void check_round_trip(const MnLimitSet *set) {
    g_autofree char *text = limit_set_print(set);
    MnLimitSet again;

    g_assert_cmpint(mn_limit_set_parse(text, strlen(text), &machine, NULL, &again), ==, 0);
    g_assert_cmpuint(again.n, ==, set->n);
    for (guint i = 0; i < set->n; i++)
        g_assert_true(limit_equal(&again.limits[i], &set->limits[i]));
}

static void ignore(MnWatch *watch G_GNUC_UNUSED, const MnReading *reading G_GNUC_UNUSED) {
}

/* Each limit can be reached from one end of all numbers, and left towards the other. */
static void check_crossing(const MnLimitSet *set) {
    static const MnScale scale = { 1000000, 200000, 7812 };
    g_autoptr(MnCrossing) crossing = mn_crossing_new();
    g_autoptr(MnWatch) watch = mn_watch_new(set, ignore, NULL);
    MnReading reached = { { 0 } }, left = { { 0 } };

    for (guint i = 0; i < set->n; i++) {
        const MnLimit *limit = &set->limits[i];

        (limit->op == MN_OP_BELOW ? &left : &reached)->pages[limit->meter] = G_MAXUINT64;
    }
    mn_crossing_set_scale(crossing, &scale);
    watch->known = G_MAXUINT32; /* nothing reached */
    mn_crossing_add(crossing, watch, &left);
    g_assert_cmpuint(mn_crossing_advance(crossing, &reached), ==, set->n > 0);
    g_assert_cmphex(watch->reached, ==, (1U << set->n) - 1);
    g_assert_cmpuint(mn_crossing_advance(crossing, &left), ==, set->n > 0);
    g_assert_cmphex(watch->reached, ==, 0);
    mn_crossing_remove(crossing, watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    MnFault fault = { 0 };
    MnLimitSet set;
    int r;

    memset(&set, 0x5a, sizeof set);
    r = mn_limit_set_parse(text, size, &machine, &fault, &set);
    if (r < 0) {
        check_untouched(&set, r);
        check_fault(&fault, text, size);
    } else {
        check_set(&set);
        check_round_trip(&set);
        check_crossing(&set);
    }

    memset(&set, 0x5a, sizeof set);
    r = mn_limit_set_parse_one(text, size, &machine, MN_METER_USED, &fault, &set);
    if (r < 0) {
        check_untouched(&set, r);
        check_fault(&fault, text, size);
    } else {
        check_set(&set);
        g_assert_cmpuint(set.n, <=, 1);
        check_round_trip(&set);
    }
    return 0;
}
