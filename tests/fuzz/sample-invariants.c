/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What mn_sample_parse_vmstat() and its like promise for any text. */
#include "sample-invariants.h"

#include <errno.h>
#include <string.h>

/* A bad text changes nothing. */
static void check_untouched(const MnSample *sample, gsize span) {
    MnSample untouched;

    memset(&untouched, 0x5a, sizeof untouched);
    g_assert_cmpmem(sample, sizeof *sample, &untouched, sizeof untouched);
    g_assert_cmpuint(span, ==, 4711);
}

/* The counters of other texts stay, those of this one are replaced, and an unknown one is 0. */
static void check_counters(const MnSample *sample, guint64 own) {
    MnSample untouched;

    memset(&untouched, 0x5a, sizeof untouched);
    g_assert_cmphex(sample->known & ~own, ==, untouched.known & ~own);
    for (guint i = 0; i < MN_N_COUNTERS; i++)
        if (!(own & MN_COUNTER_BIT(i)))
            g_assert_cmphex(sample->counters[i], ==, untouched.counters[i]);
        else if (!(sample->known & MN_COUNTER_BIT(i)))
            g_assert_cmpuint(sample->counters[i], ==, 0);
}

/* The first `span` bytes alone hold the counters of `needed`, with the same numbers. */
static void check_span(SampleParser parse, guint64 needed, const char *text, gsize span, const MnSample *whole) {
    MnSample sample = { 0 };
    gsize span_again;

    if (needed == 0) {
        g_assert_cmpuint(span, ==, 0);
        return;
    }
    g_assert_cmpint(parse(text, span, needed, &sample, &span_again), ==, 0);
    g_assert_cmpuint(span_again, ==, span);
    g_assert_cmphex(sample.known & needed, ==, needed);
    for (guint i = 0; i < MN_N_COUNTERS; i++)
        if (needed & MN_COUNTER_BIT(i))
            g_assert_cmpuint(sample.counters[i], ==, whole->counters[i]);
}

static void check_reading(const MnSample *sample) {
    MnReading reading;

    mn_reading_from_sample(sample, &reading);
    g_assert_cmpuint(reading.pages[MN_METER_SWAP_USED], <=, reading.pages[MN_METER_SWAP_TOTAL]);
    g_assert_cmphex(mn_meters_offered(sample->known) >> MN_N_METERS, ==, 0);
}

void check_sample_parser(SampleParser parse, guint64 required, guint64 optional, const char *text, gsize len) {
    MnSample sample;
    gsize span = 4711;
    guint64 found;
    int r;

    memset(&sample, 0x5a, sizeof sample);
    r = parse(text, len, 0, &sample, &span);
    if (r < 0) {
        g_assert_cmpint(r, ==, -EBADMSG);
        check_untouched(&sample, span);
        return;
    }
    g_assert_true(len > 0 && text[len - 1] == '\n');
    check_counters(&sample, required);
    check_span(parse, 0, text, span, &sample);
    check_reading(&sample);

    if (optional) {
        memset(&sample, 0x5a, sizeof sample);
        r = parse(text, len, optional, &sample, &span);
        if (r < 0) /* damage in a line that was not looked at before */
            return;
        check_counters(&sample, required | optional);
    }
    found = sample.known & (required | optional);
    g_assert_cmpint(parse(text, len, found, &sample, &span), ==, 0);
    g_assert_cmpuint(span, <=, len);
    check_span(parse, found, text, span, &sample);

    memset(&sample, 0x5a, sizeof sample);
    span = 4711;
    r = parse(text, len, required | optional, &sample, &span);
    g_assert_cmpint(r, ==, required & ~found ? -EBADMSG : 0);
    if (r < 0)
        check_untouched(&sample, span);
}
