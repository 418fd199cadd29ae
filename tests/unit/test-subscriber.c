/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Those who are told every moment: their pace, and what the board tells them. */
#include "allocations.h"
#include "fixture.h"
#include "runner.h"
#include "world.h"

#include <string.h>

#define FAR G_MAXUINT64

static const MnFill nothing_seen;

static void test_pace(void) {
    static const struct {
        const char *name;
        guint64 shortest_ms, distance_pages;
        gboolean is_reached;
        guint64 fill_rate_mib, update_period_ms, expected_ms;
    } rows[] = {
        { "far away, once a second", 50, FAR, FALSE, 8192, 10, 1000 },
        { "1 GiB away at 8 GiB/s", 50, 262144, FALSE, 8192, 10, 125 },
        { "near, but not too often", 50, 1, FALSE, 8192, 10, 50 },
        { "there", 200, 0, FALSE, 8192, 10, 200 },
        { "reached", 50, FAR, TRUE, 8192, 10, 250 },
        { "update_period is longer", 50, 0, FALSE, 8192, 400, 400 },
        { "update_period is longer than a second", 50, 0, FALSE, 8192, 5000, 5000 },
        { "backing off, but not far", 50, 1, FALSE, 0, 10, 1000 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnSubscribers subscribers = { 0 };
        MnSubscriber subscriber = { .shortest_ms = rows[i].shortest_ms, .longest_ms = MN_SUBSCRIBER_LONGEST_MS };
        MnPace pace = { .page_bytes = 4096, .fill = &nothing_seen, .period_ms = 800 };
        MnParameters parameters = { .update_period_ms = rows[i].update_period_ms,
                                    .max_update_period_ms = 15000,
                                    .fill_rate_mib = rows[i].fill_rate_mib };
        guint64 next_ms;

        mn_subscribers_add(&subscribers, &subscriber);
        subscriber.distance_pages = rows[i].distance_pages;
        subscriber.is_reached = rows[i].is_reached;
        next_ms = mn_subscribers_next_ms(&subscribers, 0, &pace, &parameters);
        CHECK(next_ms == rows[i].expected_ms, "%s: %" G_GUINT64_FORMAT, rows[i].name, next_ms);
    }
}

static void test_zones(void) {
    static const struct {
        const char *name;
        guint64 free;
        MnWatermark mark;
        gboolean is_reclaiming;
        guint64 distance_pages, shortest_ms;
    } rows[] = {
        { "far from low", 5000, MN_WATERMARK_LOW, FALSE, 4880, 50 },
        { "far from min", 5000, MN_WATERMARK_MIN, FALSE, 4900, 50 },
        { "just above low", 121, MN_WATERMARK_LOW, FALSE, 1, 50 },
        { "at low, on the way to min", 120, MN_WATERMARK_MIN, FALSE, 0, 0 },
        { "the kernel reclaims", 5000, MN_WATERMARK_LOW, TRUE, 0, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnZone zone = { .present = 9000, .managed = 9000, .free = rows[i].free, .min = 100, .low = 120 };
        MnZones zones = { .zones = &zone, .n = 1 };
        MnMoment moment = { .zones = &zones, .time_us = 1 };
        MnSubscriber subscriber = { 0 };

        mn_subscriber_set_pace(&subscriber, &moment, rows[i].mark, rows[i].is_reclaiming);
        CHECK(subscriber.distance_pages == rows[i].distance_pages, "%s: %" G_GUINT64_FORMAT, rows[i].name,
              subscriber.distance_pages);
        CHECK(subscriber.shortest_ms == rows[i].shortest_ms, "%s: %" G_GUINT64_FORMAT, rows[i].name,
              subscriber.shortest_ms);
    }
}

/* It stays near for a second after the kernel has reclaimed. */
static void test_near_for_a_while(void) {
    MnZone zone = { .present = 9000, .managed = 9000, .free = 5000, .low = 120 };
    MnZones zones = { .zones = &zone, .n = 1 };
    MnMoment moment = { .zones = &zones, .time_us = 7000 };
    MnSubscriber subscriber = { 0 };

    mn_subscriber_set_pace(&subscriber, &moment, MN_WATERMARK_LOW, TRUE);
    moment.time_us += G_TIME_SPAN_SECOND - 1;
    mn_subscriber_set_pace(&subscriber, &moment, MN_WATERMARK_LOW, FALSE);
    CU_ASSERT_EQUAL(subscriber.distance_pages, 0);
    CU_ASSERT_EQUAL(subscriber.shortest_ms, 0);
    moment.time_us += 1;
    mn_subscriber_set_pace(&subscriber, &moment, MN_WATERMARK_LOW, FALSE);
    CU_ASSERT_EQUAL(subscriber.distance_pages, 4880);
    CU_ASSERT_EQUAL(subscriber.shortest_ms, 50);
}

static void test_list(void) {
    MnSubscribers subscribers = { 0 };
    MnPace pace = { .page_bytes = 4096, .fill = &nothing_seen };
    MnParameters parameters = { .update_period_ms = 10, .fill_rate_mib = 8192 };
    MnSubscriber slow = { .needs = { .machine = 1, .counters = 2 }, .shortest_ms = 300 };
    MnSubscriber quick = { .needs = { .machine = 4, .meters = 2, .counters = 8 }, .shortest_ms = 50 };
    MnNeeds needs = { 0 };

    CU_ASSERT_TRUE(mn_subscribers_is_empty(&subscribers));
    CU_ASSERT_EQUAL(mn_subscribers_next_ms(&subscribers, 0, &pace, &parameters), FAR);

    mn_subscribers_add(&subscribers, &slow);
    mn_subscribers_add(&subscribers, &quick);
    slow.distance_pages = quick.distance_pages = 0;
    mn_subscribers_prepare(&subscribers, 1, &needs);
    CU_ASSERT_EQUAL(needs.machine, 5);
    CU_ASSERT_EQUAL(needs.meters, 2);
    CU_ASSERT_EQUAL(needs.counters, 10);
    CU_ASSERT_EQUAL(mn_subscribers_next_ms(&subscribers, 0, &pace, &parameters), 50);

    mn_subscribers_remove(&subscribers, &quick);
    mn_subscribers_remove(&subscribers, &quick); /* no effect */
    needs = (MnNeeds){ 0 };
    mn_subscribers_prepare(&subscribers, 2, &needs);
    CU_ASSERT_EQUAL(needs.machine, 1);
    CU_ASSERT_EQUAL(mn_subscribers_next_ms(&subscribers, 0, &pace, &parameters), 300);
    mn_subscribers_remove(&subscribers, &slow);
    CU_ASSERT_TRUE(mn_subscribers_is_empty(&subscribers));
}

/* What a subscriber of this test has seen. */
typedef struct Seen {
    MnSubscriber subscriber;
    guint n;
    guint n_zones;
    guint64 known;
    guint64 swapped_out;
} Seen;

static void on_told(MnSubscriber *subscriber, const MnMoment *moment) {
    Seen *seen = (Seen *)subscriber;

    seen->n++;
    seen->n_zones = moment->zones->n;
    seen->known = moment->sample->known;
    seen->swapped_out = moment->sample->counters[MN_COUNTER_SWAPPED_OUT];
}

static Seen seen_for(guint sources, guint64 counters) {
    return (Seen){ .subscriber = { .needs = { .machine = sources, .counters = counters },
                                   .told = on_told,
                                   .longest_ms = MN_SUBSCRIBER_LONGEST_MS } };
}

static guint n_messages;

static GLogWriterOutput count_message(GLogLevelFlags level G_GNUC_UNUSED, const GLogField *fields G_GNUC_UNUSED,
                                      gsize n_fields G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED) {
    n_messages++;
    return G_LOG_WRITER_HANDLED;
}

/* How long the main loop would sleep: -1 for ever. */
static int sleep_ms(guint *ret_n_fds) {
    GMainContext *context = g_main_context_default();
    GPollFD fds[8];
    int priority, timeout_ms;

    g_main_context_acquire(context);
    g_main_context_prepare(context, &priority);
    *ret_n_fds = g_main_context_query(context, priority, &timeout_ms, fds, G_N_ELEMENTS(fds));
    g_main_context_release(context);
    return timeout_ms;
}

static void replace(const World *self, const char *file, const char *other_machine) {
    gsize len;
    g_autofree char *text = fixture_read(other_machine, file, &len);

    fixture_replace(self->directory, file, text, len);
}

static void test_nobody(void) {
    g_autoptr(World) world = NULL;
    Seen seen = seen_for(MN_SOURCE_ZONEINFO | MN_SOURCE_VMSTAT, MN_COUNTER_BIT(MN_COUNTER_SWAPPED_OUT));
    guint fds_before, fds;

    world = world_new("debian-6.1-zram");
    n_messages = 0;
    CU_ASSERT_EQUAL(sleep_ms(&fds_before), -1);

    mn_board_subscribe(world->board, &seen.subscriber);
    CU_ASSERT_EQUAL(seen.n, 1);
    CU_ASSERT_EQUAL(seen.n_zones, 5);
    CU_ASSERT_EQUAL(seen.swapped_out, 29996);
    CU_ASSERT_TRUE(sleep_ms(&fds) >= 0);
    CU_ASSERT_TRUE(sleep_ms(&fds) <= MN_SUBSCRIBER_LONGEST_MS);

    mn_board_unsubscribe(world->board, &seen.subscriber);
    CU_ASSERT_EQUAL(sleep_ms(&fds), -1);
    CU_ASSERT_EQUAL(fds, fds_before);
    mn_board_read(world->board);
    CU_ASSERT_EQUAL(seen.n, 1);
}

/* A damaged zoneinfo silences the subscribers and nobody else. */
static void test_damaged_zones(void) {
    g_autoptr(World) world = NULL;
    Seen seen = seen_for(MN_SOURCE_ZONEINFO, 0);
    guint64 serial;

    world = world_new("debian-6.1");
    n_messages = 0;
    replace(world, "zoneinfo", "bad-zoneinfo-no-low");
    mn_board_read(world->board);
    CU_ASSERT_EQUAL(n_messages, 0); /* nobody needs it */

    mn_board_subscribe(world->board, &seen.subscriber);
    CU_ASSERT_EQUAL(seen.n, 0);
    CU_ASSERT_EQUAL(n_messages, 1);
    serial = mn_board_get_moment(world->board)->serial;
    mn_board_read(world->board);
    CU_ASSERT_TRUE(mn_board_get_moment(world->board)->serial > serial);
    CU_ASSERT_EQUAL(n_messages, 1);

    replace(world, "zoneinfo", "debian-6.1");
    mn_board_read(world->board);
    CU_ASSERT_EQUAL(seen.n, 1);
    CU_ASSERT_EQUAL(n_messages, 2); /* good again */
    mn_board_unsubscribe(world->board, &seen.subscriber);
}

static void test_counters_of_old_kernels(void) {
    g_autoptr(World) world = NULL;
    Seen seen = seen_for(MN_SOURCE_ZONEINFO | MN_SOURCE_VMSTAT | MN_SOURCE_PRESSURE,
                         MN_COUNTERS_RECLAIM | MN_COUNTER_BIT(MN_COUNTER_STALLED_US));

    world = world_new("ancient-2.6.32");
    n_messages = 0;
    mn_board_subscribe(world->board, &seen.subscriber);
    CU_ASSERT_EQUAL(seen.n, 1);
    CU_ASSERT_TRUE(seen.known & MN_COUNTER_BIT(MN_COUNTER_SWAPPED_OUT));
    CU_ASSERT_FALSE(seen.known & MN_COUNTER_BIT(MN_COUNTER_SCANNED_ANON));
    CU_ASSERT_FALSE(seen.known & MN_COUNTER_BIT(MN_COUNTER_STALLED_US));
    CU_ASSERT_EQUAL(n_messages, 0);
    mn_board_unsubscribe(world->board, &seen.subscriber);
}

static void test_node_goes(void) {
    g_autoptr(World) world = NULL;
    Seen seen = seen_for(MN_SOURCE_ZONEINFO, 0);

    world = world_new("numa2-6.1");
    n_messages = 0;
    mn_board_subscribe(world->board, &seen.subscriber);
    CU_ASSERT_EQUAL(seen.n_zones, 10);
    replace(world, "zoneinfo", "odd-node1-gone");
    mn_board_read(world->board);
    CU_ASSERT_EQUAL(seen.n_zones, 5);
    mn_board_unsubscribe(world->board, &seen.subscriber);
}

static void test_no_allocation(void) {
    g_autoptr(World) world = NULL;
    Seen seen = seen_for(MN_SOURCE_ZONEINFO | MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO, MN_COUNTERS_RECLAIM);
    guint64 before;

    world = world_new("numa2-6.1");
    n_messages = 0;
    mn_board_subscribe(world->board, &seen.subscriber);
    before = allocations();
    for (guint i = 0; i < 100; i++)
        mn_board_read(world->board);
    CU_ASSERT_EQUAL(allocations(), before);
    CU_ASSERT_EQUAL(seen.n, 101);
    mn_board_unsubscribe(world->board, &seen.subscriber);
}

/* Every 100 ms, counted from its last turn; its needs are nobody's business in between. */
static void test_period(void) {
    static const struct {
        gint64 now_us;
        gboolean is_due;
        guint64 next_ms;
    } rows[] = {
        { 1000000, TRUE, 100 }, { 1010000, FALSE, 90 },
        { 1074999, FALSE, 26 }, { 1075000, TRUE, 100 }, /* a little early does not matter */
        { 1900000, TRUE, 100 },
    };
    MnSubscribers subscribers = { 0 };
    MnSubscriber subscriber = { .needs.machine = 4, .period_ms = 100 };
    const MnPace pace = { .page_bytes = 4096, .fill = &nothing_seen };
    const MnParameters parameters = { .update_period_ms = 10, .max_update_period_ms = 15000, .fill_rate_mib = 8192 };

    mn_subscribers_add(&subscribers, &subscriber);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnNeeds needs = { 0 };
        guint64 next_ms;

        mn_subscribers_prepare(&subscribers, rows[i].now_us, &needs);
        CHECK(subscriber.is_due == rows[i].is_due && needs.machine == (rows[i].is_due ? 4 : 0), "%u", i);
        next_ms = mn_subscribers_next_ms(&subscribers, rows[i].now_us, &pace, &parameters);
        CHECK(next_ms == rows[i].next_ms, "%u: %" G_GUINT64_FORMAT, i, next_ms);
    }
}

static CU_TestInfo tests[] = {
    { "a period", test_period },
    { "when they want to be told", test_pace },
    { "how near they are to a watermark", test_zones },
    { "near for a while", test_near_for_a_while },
    { "the list", test_list },
    { "without them nothing runs", test_nobody },
    { "damaged zones", test_damaged_zones },
    { "counters that a kernel lacks", test_counters_of_old_kernels },
    { "a node goes", test_node_goes },
    { "a sample allocates nothing", test_no_allocation },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "subscriber", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    g_log_set_writer_func(count_message, NULL, NULL);
    return run_suites(suites);
}
