/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The board over a directory of recorded texts: values, damage and recovery, who is told, and that
 * nobody waits for nothing. No test waits for a clock. */
#include "allocations.h"
#include "fixture.h"
#include "hand-clock.h"
#include "runner.h"
#include "board/board.h"
#include "core/amount.h"
#include "world.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MACHINE "debian-6.1-zram"
#define ALL_SOURCES (MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO)

/* Warnings and messages instead of output. */
static guint n_warnings, n_messages;

static void count_log(const char *domain G_GNUC_UNUSED, GLogLevelFlags level, const char *message G_GNUC_UNUSED,
                      gpointer data G_GNUC_UNUSED) {
    n_warnings += (level & G_LOG_LEVEL_WARNING) != 0;
    n_messages += (level & G_LOG_LEVEL_MESSAGE) != 0;
}

static void on_notify(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    ++*(guint *)watch->owner;
}

static guint64 page_of(const World *world, MnMeterId meter) {
    return mn_board_read(world->board)->pages[meter];
}

/* Puts a text in which `from` is replaced in the place of a file. */
static void edit(const World *world, const char *file, const char *from, const char *to) {
    g_autofree char *path = g_build_filename(world->directory, file, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GString) edited = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    edited = g_string_new(text);
    g_assert_cmpuint(g_string_replace(edited, from, to, 1), ==, 1);
    fixture_replace(world->directory, file, edited->str, edited->len);
}

/* "MemTotal:  222620 kB": the line of a key as it is in the copy. */
static char *line_of(const World *world, const char *file, const char *key) {
    g_autofree char *path = g_build_filename(world->directory, file, NULL);
    g_autofree char *text = NULL;
    const char *line;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, key);
    g_assert_nonnull(line);
    return g_strndup(line, strcspn(line, "\n"));
}

static void set_number(const World *world, const char *file, const char *key, guint64 number) {
    g_autofree char *line = line_of(world, file, key);
    g_autofree char *changed =
        g_strdup_printf("%s %" G_GUINT64_FORMAT "%s", key, number, strcmp(file, "meminfo") == 0 ? " kB" : "");

    edit(world, file, line, changed);
}

static void test_first_sample(void) {
    g_autoptr(World) world = world_new(MACHINE);
    gsize len;
    g_autofree char *meminfo = fixture_read(MACHINE, "meminfo", &len);

    CU_ASSERT_EQUAL(page_of(world, MN_METER_TOTAL),
                    fixture_number(meminfo, len, "MemTotal:") / 4 + fixture_number(meminfo, len, "SwapTotal:") / 4);
    CU_ASSERT_EQUAL(mn_board_get_machine(world->board)->page_bytes, 4096);
    CU_ASSERT_EQUAL(mn_board_get_machine(world->board)->offered, (1U << MN_N_METERS) - 1);
}

static void test_looks_are_counted(void) {
    g_autoptr(World) world = world_new(MACHINE);

    CU_ASSERT_EQUAL(mn_board_get_looks(world->board)->all, 1);
    mn_board_refresh(world->board);
    world_simulate(world, "used 5"); /* nothing is looked at */
    CU_ASSERT_EQUAL(mn_board_get_looks(world->board)->all, 2);
    CU_ASSERT_EQUAL(mn_board_get_looks(world->board)->failed, 0);
}

static void test_a_kernel_without_a_counter(void) {
    g_autoptr(World) world = world_new("ancient-2.6.32");

    CU_ASSERT_EQUAL(mn_board_get_machine(world->board)->offered,
                    ((1U << MN_N_METERS) - 1) & ~MN_METER_BIT(MN_METER_AVAILABLE));
    mn_board_hold(world->board, ALL_SOURCES);
    CU_ASSERT_TRUE(page_of(world, MN_METER_USED) > 0);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_AVAILABLE), 0);
    mn_board_release(world->board, ALL_SOURCES);
}

static void test_where_nothing_can_be_read(void) {
    static const struct {
        const char *removed;
        const char *bad_machine; /* whose file takes its place; NULL for none */
        int expected;
    } rows[] = {
        { "vmstat", NULL, -ENOENT },
        { "meminfo", NULL, -ENOENT },
        { "vmstat", "bad-vmstat-duplicate", -EBADMSG },
        { "meminfo", "bad-meminfo-no-total", -EBADMSG },
        { "meminfo", "bad-meminfo-zero-total", -EBADMSG },
    };
    MnProbe *probe = NULL;
    const char *name = "?";

    CU_ASSERT_EQUAL(mn_probe_new("/nonexistent", &probe, &name), -ENOENT);
    CU_ASSERT_PTR_NULL(name);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *directory = fixture_copy(MACHINE);
        g_autofree char *path = g_build_filename(directory, rows[i].removed, NULL);

        g_remove(path);
        if (rows[i].bad_machine) {
            gsize len;
            g_autofree char *text = fixture_read(rows[i].bad_machine, rows[i].removed, &len);

            fixture_replace(directory, rows[i].removed, text, len);
        }
        CHECK(mn_probe_new(directory, &probe, &name) == rows[i].expected, "%s of %s", rows[i].removed,
              rows[i].bad_machine);
        CHECK(g_strcmp0(name, rows[i].removed) == 0, "%s", rows[i].removed);
        CHECK(probe == NULL, "%s", rows[i].removed);
        fixture_remove(directory);
    }
}

static void test_files_may_be_replaced_or_rewritten(void) {
    g_autoptr(World) world = world_new(MACHINE);
    g_autofree char *path = g_build_filename(world->directory, "vmstat", NULL);
    guint64 serial;
    FILE *file;

    mn_board_hold(world->board, ALL_SOURCES);
    serial = mn_board_get_moment(world->board)->serial;
    set_number(world, "vmstat", "nr_dirty", 4711); /* replaced */
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 4711);
    CU_ASSERT_NOT_EQUAL(mn_board_get_moment(world->board)->serial, serial);

    file = fopen(path, "r+"); /* rewritten in place: nr_free_pages comes first and is not used */
    g_assert_nonnull(file);
    fputs("nr_free_pages", file);
    fclose(file);
    edit(world, "vmstat", "nr_dirty 4711", "nr_dirty 4712");
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 4712);
    mn_board_release(world->board, ALL_SOURCES);
}

/* Each bad file in the place of the good one: the last good values stay, one warning, one message
 * when it is good again. */
static void check_damage(World *world, const char *file, const char *text, gsize len, const char *what) {
    gsize good_len;
    g_autofree char *good = fixture_read("debian-6.1", file, &good_len);
    MnReading before = *mn_board_read(world->board), after;
    guint64 failed = mn_board_get_looks(world->board)->failed;
    guint n_notified = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "used 1 active 1 available<100%", on_notify, &n_notified);

    world_forget(watch);
    mn_board_watch(world->board, watch);
    n_warnings = n_messages = 0;

    fixture_replace(world->directory, file, text, len);
    for (guint i = 0; i < 5; i++)
        after = *mn_board_read(world->board);
    CHECK(memcmp(&before, &after, sizeof before) == 0, "%s", what);
    CHECK(n_warnings == 1 && n_messages == 0, "%s: %u warnings", what, n_warnings);
    CHECK(mn_board_get_looks(world->board)->failed == failed + 5, "%s", what);
    CHECK(n_notified == 0, "%s", what);

    fixture_replace(world->directory, file, good, good_len);
    for (guint i = 0; i < 5; i++)
        after = *mn_board_read(world->board);
    CHECK(memcmp(&before, &after, sizeof before) == 0, "%s", what);
    CHECK(n_warnings == 1 && n_messages == 1, "%s: %u messages", what, n_messages);
    CHECK(n_notified == 0, "%s", what);
    mn_board_unwatch(world->board, watch);
}

static void test_damage_and_recovery(void) {
    static const char *const files[] = { "vmstat", "meminfo" };
    g_autoptr(World) world = world_new("debian-6.1");

    mn_board_hold(world->board, ALL_SOURCES);
    for (guint which = 0; which < G_N_ELEMENTS(files); which++) {
        g_autofree char *prefix = g_strdup_printf("bad-%s-", files[which]);
        g_autoptr(GPtrArray) machines = fixture_names(prefix);

        for (guint i = 0; i < machines->len; i++) {
            const char *machine = g_ptr_array_index(machines, i);
            gsize len;
            g_autofree char *text = fixture_read(machine, files[which], &len);

            check_damage(world, files[which], text, len, machine);
        }
    }
    mn_board_release(world->board, ALL_SOURCES);
}

/* What would be good, if it were not for its length. */
static void test_a_text_of_2_mb(void) {
    g_autoptr(World) world = world_new("debian-6.1");
    gsize len;
    g_autofree char *good = fixture_read("debian-6.1", "vmstat", &len);
    g_autoptr(GString) text = g_string_new_len(good, len);

    while (text->len < 2 << 20)
        g_string_append(text, "an_unknown_counter 5\n");
    mn_board_hold(world->board, ALL_SOURCES);
    check_damage(world, "vmstat", text->str, text->len, "2 MB of vmstat");
    mn_board_release(world->board, ALL_SOURCES);
}

static void test_what_is_not_a_file(void) {
    g_autoptr(World) world = world_new(MACHINE);
    g_autofree char *path = g_build_filename(world->directory, "vmstat", NULL);
    guint64 dirty;

    mn_board_hold(world->board, ALL_SOURCES);
    dirty = page_of(world, MN_METER_DIRTY);
    n_warnings = 0;

    g_remove(path);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), dirty);
    g_assert_cmpint(mkdir(path, 0755), ==, 0);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), dirty);
    g_remove(path);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0); /* without a writer, opening it could wait for ever */
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), dirty);
    CU_ASSERT_EQUAL(n_warnings, 1);
    mn_board_release(world->board, ALL_SOURCES);
}

static void test_only_what_is_held_is_read(void) {
    g_autoptr(World) world = world_new(MACHINE);
    guint64 dirty = page_of(world, MN_METER_DIRTY);

    set_number(world, "vmstat", "nr_dirty", 4711);
    set_number(world, "meminfo", "MemTotal:", 400000);
    mn_board_hold(world->board, MN_SOURCE_MEMINFO);
    CU_ASSERT_EQUAL(mn_board_read(world->board)->pages[MN_METER_DIRTY], dirty);
    CU_ASSERT_TRUE(page_of(world, MN_METER_TOTAL) >= 100000);

    mn_board_hold(world->board, MN_SOURCE_VMSTAT);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 4711);
    mn_board_release(world->board, MN_SOURCE_VMSTAT);
    set_number(world, "vmstat", "nr_dirty", 4712);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 4711);
    mn_board_release(world->board, MN_SOURCE_MEMINFO);
}

static void test_a_watch_has_its_sources_read(void) {
    g_autoptr(World) world = world_new(MACHINE);
    guint n_notified = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "dirty 4711", on_notify, &n_notified);

    set_number(world, "vmstat", "nr_dirty", 4711);
    mn_board_watch(world->board, watch); /* takes a sample, and tells before it returns */
    CU_ASSERT_EQUAL(n_notified, 1);
    mn_board_unwatch(world->board, watch);
    mn_board_unwatch(world->board, watch); /* has no effect */
}

static void test_a_young_sample_is_not_taken_again(void) {
    g_autoptr(World) world = world_new(MACHINE);
    MnParameters parameters = *mn_board_get_parameters(world->board);
    guint64 dirty;

    mn_board_hold(world->board, ALL_SOURCES);
    dirty = page_of(world, MN_METER_DIRTY);
    parameters.update_period_ms = 86400000;
    mn_board_set_parameters(world->board, &parameters);
    set_number(world, "vmstat", "nr_dirty", 4711);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), dirty);

    parameters.update_period_ms = 0;
    mn_board_set_parameters(world->board, &parameters);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 4711);
    mn_board_release(world->board, ALL_SOURCES);
}

static void test_a_young_sample_without_what_is_wanted_now_is_taken_again(void) {
    g_autoptr(World) world = world_new(MACHINE);
    MnParameters parameters = *mn_board_get_parameters(world->board);

    mn_board_hold(world->board, MN_SOURCE_MEMINFO);
    mn_board_read(world->board);
    parameters.update_period_ms = 86400000;
    mn_board_set_parameters(world->board, &parameters);
    set_number(world, "vmstat", "nr_dirty", 4711);
    CU_ASSERT_NOT_EQUAL(page_of(world, MN_METER_DIRTY), 4711);

    mn_board_hold(world->board, MN_SOURCE_VMSTAT);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 4711);
    set_number(world, "vmstat", "nr_dirty", 4712);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 4711);
    mn_board_release(world->board, ALL_SOURCES);
}

/* How long the main loop would sleep now, in ms; -1 for ever. */
static int sleep_ms(void) {
    GMainContext *context = g_main_context_default();
    GPollFD fds[16];
    int priority, timeout_ms;

    g_assert_true(g_main_context_acquire(context));
    g_main_context_prepare(context, &priority);
    g_main_context_query(context, priority, &timeout_ms, fds, G_N_ELEMENTS(fds));
    g_main_context_release(context);
    return timeout_ms;
}

static void test_without_a_watch_nothing_wakes_us(void) {
    g_autoptr(World) world = world_new(MACHINE);
    guint n_notified = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "used 100%", on_notify, &n_notified);
    g_autoptr(MnWatch) empty = world_watch_new(world, "", on_notify, &n_notified);

    CU_ASSERT_EQUAL(sleep_ms(), -1);
    mn_board_hold(world->board, ALL_SOURCES);
    mn_board_read(world->board);
    CU_ASSERT_EQUAL(sleep_ms(), -1);
    mn_board_watch(world->board, empty);
    CU_ASSERT_EQUAL(sleep_ms(), -1);

    mn_board_watch(world->board, watch);
    CU_ASSERT_TRUE(sleep_ms() >= 0 && sleep_ms() <= 15000);
    mn_board_unwatch(world->board, watch);
    CU_ASSERT_EQUAL(sleep_ms(), -1);

    mn_board_park(world->board, watch);
    mn_board_update_parked(world->board);
    CU_ASSERT_EQUAL(sleep_ms(), -1);

    set_number(world, "vmstat", "nr_dirty", 4711); /* nor does a file that changes */
    CU_ASSERT_FALSE(g_main_context_iteration(NULL, FALSE));
    mn_board_unwatch(world->board, empty);
    mn_board_unwatch(world->board, watch);
    mn_board_release(world->board, ALL_SOURCES);
}

static void test_the_sleep_is_as_long_as_the_limit_is_far(void) {
    g_autoptr(World) world = world_new(MACHINE);
    MnParameters parameters = *mn_board_get_parameters(world->board);
    guint n_notified = 0;
    g_autoptr(MnWatch) far = world_watch_new(world, "used 1T", on_notify, &n_notified);
    g_autoptr(MnWatch) near = world_watch_new(world, "dirty 5000", on_notify, &n_notified);
    g_autoptr(MnWatch) reached = world_watch_new(world, "dirty<1000000", on_notify, &n_notified);

    world_simulate(world, "dirty 4744");
    parameters.update_period_ms = 100;
    parameters.max_update_period_ms = 86400000;
    parameters.fill_rate_mib = 1; /* 256 pages a second */
    mn_board_set_parameters(world->board, &parameters);

    mn_board_watch(world->board, far);
    CU_ASSERT_TRUE(sleep_ms() > 80000000);
    mn_board_watch(world->board, near);
    CU_ASSERT_TRUE(sleep_ms() <= 1000);
    world_forget(reached);
    mn_board_watch(world->board, reached);
    CU_ASSERT_TRUE(sleep_ms() <= 250);
    mn_board_unwatch(world->board, reached);
    CU_ASSERT_TRUE(sleep_ms() > 250 && sleep_ms() <= 1000);
    mn_board_unwatch(world->board, near); /* nobody is woken for one who has gone */
    CU_ASSERT_TRUE(sleep_ms() > 80000000);
    mn_board_unwatch(world->board, far);
    CU_ASSERT_EQUAL(sleep_ms(), -1);
}

static void test_a_file_that_changes_wakes_us(void) {
    g_autoptr(World) world = world_new(MACHINE);
    guint n_notified = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "dirty 4711", on_notify, &n_notified);
    MnParameters parameters = *mn_board_get_parameters(world->board);

    parameters.update_period_ms = parameters.max_update_period_ms = 86400000; /* not the timer */
    mn_board_set_parameters(world->board, &parameters);
    mn_board_watch(world->board, watch);
    set_number(world, "vmstat", "nr_dirty", 4710);
    CU_ASSERT_TRUE(g_main_context_iteration(NULL, FALSE));
    CU_ASSERT_EQUAL(n_notified, 0);
    set_number(world, "vmstat", "nr_dirty", 4711);
    CU_ASSERT_TRUE(g_main_context_iteration(NULL, FALSE));
    CU_ASSERT_EQUAL(n_notified, 1);
    set_number(world, "vmstat", "nr_dirty", 0);
    CU_ASSERT_TRUE(g_main_context_iteration(NULL, FALSE));
    CU_ASSERT_EQUAL(n_notified, 2);
    mn_board_unwatch(world->board, watch);
}

static void test_the_timer_takes_samples(void) {
    g_autoptr(World) world = world_new(MACHINE);
    guint n_notified = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "dirty 4711", on_notify, &n_notified);
    MnParameters parameters = *mn_board_get_parameters(world->board);
    gint64 give_up_us = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    gint64 first_us;

    parameters.update_period_ms = parameters.max_update_period_ms = 1;
    mn_board_set_parameters(world->board, &parameters);
    mn_board_watch(world->board, watch);
    first_us = mn_board_get_moment(world->board)->time_us;
    while (mn_board_get_moment(world->board)->time_us == first_us && g_get_monotonic_time() < give_up_us)
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_TRUE(mn_board_get_moment(world->board)->time_us >= first_us + 1000);
    mn_board_unwatch(world->board, watch);
}

static void test_simulation(void) {
    g_autoptr(World) world = world_new(MACHINE);
    guint n_notified = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "used 90%", on_notify, &n_notified);
    guint64 used, total;

    mn_board_hold(world->board, ALL_SOURCES);
    used = page_of(world, MN_METER_USED);
    total = page_of(world, MN_METER_TOTAL);
    mn_board_watch(world->board, watch);

    world_simulate(world, "used 90%");
    CU_ASSERT_EQUAL(n_notified, 1);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_USED), (total * 90 + 99) / 100); /* also after a sample */
    world_simulate(world, "dirty 5");
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 5);
    CU_ASSERT_EQUAL(mn_board_get_simulate(world->board)->fixed,
                    MN_METER_BIT(MN_METER_USED) | MN_METER_BIT(MN_METER_DIRTY));

    world_simulate(world, "used -");
    CU_ASSERT_EQUAL(n_notified, 2);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_USED), used);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_DIRTY), 5);
    world_simulate(world, "reset");
    CU_ASSERT_NOT_EQUAL(page_of(world, MN_METER_DIRTY), 5);
    mn_board_unwatch(world->board, watch);
    mn_board_release(world->board, ALL_SOURCES);
}

typedef struct Client {
    MnNotice notice;
    World *world;
    MnWatch *watch, *next;
    guint n_crossed, n_told;
} Client;

static void on_client_crossed(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    Client *client = watch->owner;

    client->n_crossed++;
    mn_outbox_put(client->world->outbox, &client->notice);
}

static void tell_client(MnNotice *notice) {
    Client *client = MN_NOTICE_OWNER(notice, Client);

    client->n_told++;
    mn_board_unwatch(client->world->board, client->watch);
    mn_board_watch(client->world->board, client->next);
}

/* Those that are parked keep their state and are told of it, once, when they are followed. */
static void test_parked_watches(void) {
    g_autoptr(World) world = world_new(MACHINE);
    guint n_told = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "used 5000", on_notify, &n_told);
    const GSequenceIter *place;

    world_simulate(world, "used 1");
    mn_board_park(world->board, watch);
    place = watch->edges[0].place;
    world_simulate(world, "used 5000");
    CU_ASSERT_EQUAL(n_told, 0); /* nobody wants to know */
    mn_board_follow_parked(world->board, TRUE);
    CU_ASSERT_EQUAL(n_told, 1);
    world_simulate(world, "used 1");
    CU_ASSERT_EQUAL(n_told, 2);
    mn_board_follow_parked(world->board, FALSE);
    world_simulate(world, "used 5000");
    world_simulate(world, "used 1"); /* back where it was */
    mn_board_follow_parked(world->board, TRUE);
    CU_ASSERT_EQUAL(n_told, 2);
    CU_ASSERT_PTR_EQUAL(watch->edges[0].place, place); /* where it was all the time */

    mn_board_unwatch(world->board, watch);
    mn_board_watch(world->board, watch); /* somebody waits for it, while all others are followed, too */
    world_simulate(world, "used 5000");
    CU_ASSERT_EQUAL(n_told, 3);
    mn_board_unwatch(world->board, watch);
    mn_board_follow_parked(world->board, FALSE);
}

/* What is crossed is told once, when the turn ends, and then everything is allowed. */
static void test_who_is_told_may_wait_for_something_else(void) {
    g_autoptr(World) world = world_new(MACHINE);
    Client client = { .notice.tell = tell_client, .world = world };
    g_autoptr(MnWatch) watch = world_watch_new(world, "used 5000 active 5000", on_client_crossed, &client);
    g_autoptr(MnWatch) next = world_watch_new(world, "used 6000", on_client_crossed, &client);

    world_simulate(world, "used 1 active 1");
    client.watch = watch;
    client.next = next;
    mn_board_watch(world->board, watch);
    world_simulate(world, "used 5000");
    world_simulate(world, "active 5000");
    CU_ASSERT_EQUAL(client.n_crossed, 2);
    CU_ASSERT_EQUAL(client.n_told, 0);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(client.n_told, 1);
    CU_ASSERT_FALSE(watch->indexed);
    CU_ASSERT_TRUE(next->indexed);

    world_simulate(world, "active 1"); /* nobody waits for that any more */
    CU_ASSERT_EQUAL(client.n_crossed, 2);
    world_simulate(world, "used 6000");
    CU_ASSERT_EQUAL(client.n_crossed, 3);
    mn_outbox_take_back(world->outbox, &client.notice);
    mn_board_unwatch(world->board, next);
}

static void test_swapon_and_swapoff(void) {
    g_autoptr(World) world = world_new("debian-6.1");
    guint n_notified = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "used 50%", on_notify, &n_notified);
    guint64 total, used;

    mn_board_hold(world->board, ALL_SOURCES);
    total = page_of(world, MN_METER_TOTAL);
    used = page_of(world, MN_METER_USED);
    mn_board_watch(world->board, watch);
    CU_ASSERT_EQUAL(watch->edges[0].enter_pages, (total + 1) / 2);

    set_number(world, "meminfo", "SwapFree:", 4000000);
    set_number(world, "meminfo", "SwapTotal:", 4000000);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_TOTAL), total + 1000000);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_USED), used);
    CU_ASSERT_EQUAL(watch->edges[0].enter_pages, (total + 1000000 + 1) / 2);

    set_number(world, "meminfo", "SwapTotal:", 0);
    set_number(world, "meminfo", "SwapFree:", 0);
    CU_ASSERT_EQUAL(page_of(world, MN_METER_TOTAL), total);
    mn_board_unwatch(world->board, watch);
    mn_board_release(world->board, ALL_SOURCES);
}

/* The machine has 128 MiB of swap and 217 of memory, so total / 128 is more than what is above the
 * limit; when all swap is free again, so is the limit. */
static void test_a_limit_of_swap_is_left_when_swap_is_free(void) {
    g_autoptr(World) world = world_new(MACHINE);
    guint n_notified = 0;
    g_autoptr(MnWatch) watch = world_watch_new(world, "swap_free<126M", on_notify, &n_notified);

    mn_board_watch(world->board, watch);
    CU_ASSERT_EQUAL(n_notified, 1);
    CU_ASSERT_EQUAL(watch->reached, 1);
    set_number(world, "meminfo", "SwapFree:", 131068); /* as much as SwapTotal */
    CU_ASSERT_EQUAL(page_of(world, MN_METER_SWAP_USED), 0);
    CU_ASSERT_EQUAL(watch->reached, 0);
    mn_board_unwatch(world->board, watch);
}

static void test_hysteresis_is_a_parameter(void) {
    static const struct {
        guint64 space_kib;
        const char *stays, *leaves;
    } rows[] = {
        { 0, "used 9922", "used 9921" }, /* total / 128 = 78 */
        { 400, "used 9900", "used 9899" },
        { 4, "used 9999", "used 9998" },
        { 3, "used 10000", "used 9999" }, /* less than a page */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) world = world_new(MACHINE);
        MnParameters parameters = *mn_board_get_parameters(world->board);
        guint n_notified = 0;
        g_autoptr(MnWatch) watch = world_watch_new(world, "used 10000", on_notify, &n_notified);

        world_simulate(world, "total 10000");
        world_simulate(world, "used 10000");
        world_forget(watch);
        mn_board_watch(world->board, watch);
        parameters.update_space_kib = rows[i].space_kib;
        mn_board_set_parameters(world->board, &parameters);
        world_simulate(world, rows[i].stays);
        CHECK(n_notified == 0, "%s", rows[i].stays);
        world_simulate(world, rows[i].leaves);
        CHECK(n_notified == 1, "%s", rows[i].leaves);
        mn_board_unwatch(world->board, watch);
    }
}

static void test_sampling_and_telling_allocate_nothing(void) {
    enum {
        N = 200
    };
    g_autoptr(World) world = world_new(MACHINE);
    MnWatch *watches[N];
    guint n_notified = 0;
    guint64 before;

    mn_board_hold(world->board, ALL_SOURCES);
    for (guint i = 0; i < N; i++) {
        g_autofree char *limit = g_strdup_printf("dirty %u", 10000 + i);

        watches[i] = world_watch_new(world, limit, on_notify, &n_notified);
        mn_board_watch(world->board, watches[i]);
    }
    set_number(world, "vmstat", "nr_dirty", 20000);

    before = allocations();
    CU_ASSERT_TRUE(before > 0);
    mn_board_read(world->board);
    CU_ASSERT_EQUAL(allocations(), before);
    CU_ASSERT_EQUAL(n_notified, N);

    for (guint i = 0; i < N; i++) {
        mn_board_unwatch(world->board, watches[i]);
        mn_watch_free(watches[i]);
    }
    mn_board_release(world->board, ALL_SOURCES);
}

/* The real thing: what is read only as far as needed is the same as what is read whole. */
static void test_the_live_proc(void) {
    MnParameters parameters;
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    MnProbe *probe;
    MnBoard *board;
    const char *name;

    mn_parameters_init(&parameters);
    parameters.update_period_ms = 0;
    g_assert_cmpint(mn_probe_new("/proc", &probe, &name), ==, 0);
    g_assert_cmpint(mn_board_new(probe, &mn_machine_clock, outbox, &parameters, &board), ==, 0);
    mn_board_hold(board, ALL_SOURCES);
    n_warnings = 0;
    for (guint i = 0; i < 100; i++) {
        const MnReading *reading = mn_board_read(board);

        CU_ASSERT_TRUE(reading->pages[MN_METER_USED] > 0);
        CU_ASSERT_TRUE(reading->pages[MN_METER_USED] < reading->pages[MN_METER_TOTAL]);
    }
    CU_ASSERT_EQUAL(n_warnings, 0);
    mn_board_release(board, ALL_SOURCES);
    mn_board_free(board);
}

/* Memory that really fills up faster than was assumed shortens the sleep. The kernel may hand out
 * pages that it has set aside for a CPU, which no meter shows, so it is taken until it is seen. */
static void test_it_learns_how_fast_memory_fills(void) {
    enum {
        CHUNK_BYTES = 32 << 20,
        CHUNKS_MAX = 48
    };
    char *chunks[CHUNKS_MAX];
    guint n_chunks = 0, n_notified = 0;
    MnParameters parameters;
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    MnProbe *probe;
    MnBoard *board;
    const char *name;
    MnLimitSet set = { .n = 1, .limits = { { .meter = MN_METER_USED, .micropercent = 100 * MN_MICROPERCENT } } };
    g_autoptr(MnWatch) watch = mn_watch_new(&set, on_notify, &n_notified);
    g_autoptr(MnWatch) other = mn_watch_new(&set, on_notify, &n_notified);
    int sleep_before_ms;

    mn_parameters_init(&parameters);
    parameters.update_period_ms = 1;
    parameters.max_update_period_ms = 86400000;
    parameters.fill_rate_mib = 1;
    g_assert_cmpint(mn_probe_new("/proc", &probe, &name), ==, 0);
    g_assert_cmpint(mn_board_new(probe, &mn_machine_clock, outbox, &parameters, &board), ==, 0);
    world_forget(watch);
    mn_board_watch(board, watch);
    sleep_before_ms = sleep_ms();
    CU_ASSERT_TRUE(sleep_before_ms > 60000); /* a minute is 60 MiB */

    while (n_chunks < CHUNKS_MAX && sleep_ms() > sleep_before_ms / 4) {
        chunks[n_chunks] = g_malloc(CHUNK_BYTES);
        memset(chunks[n_chunks++], 1, CHUNK_BYTES);
        mn_board_read(board);
        mn_board_watch(board, other); /* who comes and goes does not keep us from learning */
        mn_board_unwatch(board, other);
    }
    CU_ASSERT_TRUE(sleep_ms() <= sleep_before_ms / 4);

    while (n_chunks > 0)
        g_free(chunks[--n_chunks]);
    mn_board_unwatch(board, watch);
    mn_board_free(board);
}

static CU_TestInfo tests[] = {
    { "the first sample", test_first_sample },
    { "looks are counted", test_looks_are_counted },
    { "a kernel without a counter", test_a_kernel_without_a_counter },
    { "where nothing can be read", test_where_nothing_can_be_read },
    { "files may be replaced or rewritten", test_files_may_be_replaced_or_rewritten },
    { "damage keeps the last good values, and recovers", test_damage_and_recovery },
    { "a text of 2 MB is damage", test_a_text_of_2_mb },
    { "what is not a file is damage", test_what_is_not_a_file },
    { "only what is held is read", test_only_what_is_held_is_read },
    { "a watch has its sources read", test_a_watch_has_its_sources_read },
    { "a young sample is not taken again", test_a_young_sample_is_not_taken_again },
    { "a young sample without what is wanted now is taken again",
      test_a_young_sample_without_what_is_wanted_now_is_taken_again },
    { "without a watch nothing wakes us", test_without_a_watch_nothing_wakes_us },
    { "the sleep is as long as the limit is far", test_the_sleep_is_as_long_as_the_limit_is_far },
    { "a file that changes wakes us", test_a_file_that_changes_wakes_us },
    { "the timer takes samples", test_the_timer_takes_samples },
    { "simulation", test_simulation },
    { "who is told may wait for something else", test_who_is_told_may_wait_for_something_else },
    { "swapon and swapoff", test_swapon_and_swapoff },
    { "a limit of swap is left when swap is free", test_a_limit_of_swap_is_left_when_swap_is_free },
    { "the hysteresis is a parameter", test_hysteresis_is_a_parameter },
    { "sampling and telling allocate nothing", test_sampling_and_telling_allocate_nothing },
    { "parked watches", test_parked_watches },
    { "the live /proc", test_the_live_proc },
    { "it learns how fast memory fills", test_it_learns_how_fast_memory_fills },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "board", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    g_log_set_default_handler(count_log, NULL);
    return run_suites(suites);
}
