/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last frames of a recording, against a queue that does the same. */
#include "recordring.h"
#include "runner.h"

#include <string.h>

#define SIZE 200

static void append(const guint8 *bytes, gsize len, gpointer data) {
    g_byte_array_append(data, bytes, (guint)len);
}

static void check_same(const CmdRing *ring, GQueue *frames) {
    g_autoptr(GByteArray) held = g_byte_array_new(), expected = g_byte_array_new();

    cmd_ring_each(ring, append, held);
    for (GList *link = frames->head; link; link = link->next)
        g_byte_array_append(expected, ((GByteArray *)link->data)->data, ((GByteArray *)link->data)->len);
    CU_ASSERT_EQUAL(cmd_ring_get_n_frames(ring), frames->length);
    CU_ASSERT_EQUAL(held->len, expected->len);
    CU_ASSERT(held->len == expected->len && memcmp(held->data, expected->data, held->len) == 0);
}

static guint room_of(GQueue *frames) {
    guint sum = 0;

    for (GList *link = frames->head; link; link = link->next)
        sum += ((GByteArray *)link->data)->len + 4;
    return sum;
}

/* Of all lengths, for long enough to go round many times. */
static void test_the_last_are_kept(void) {
    g_autoptr(CmdRing) ring = cmd_ring_new(SIZE);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    GQueue frames = G_QUEUE_INIT;

    for (guint i = 0; i < 5000; i++) {
        GByteArray *frame = g_byte_array_new();

        g_byte_array_set_size(frame, (guint)g_rand_int_range(random, 0, SIZE - 3));
        for (guint j = 0; j < frame->len; j++)
            frame->data[j] = (guint8)g_rand_int(random);
        CU_ASSERT(cmd_ring_put(ring, frame->data, frame->len));
        g_queue_push_tail(&frames, frame);
        while (room_of(&frames) > SIZE)
            g_byte_array_unref(g_queue_pop_head(&frames));
        check_same(ring, &frames);
    }
    g_queue_clear_full(&frames, (GDestroyNotify)g_byte_array_unref);
}

static void test_what_is_too_large(void) {
    g_autoptr(CmdRing) ring = cmd_ring_new(SIZE);
    const guint8 bytes[SIZE] = { 7 };

    CU_ASSERT(cmd_ring_put(ring, bytes, 10));
    CU_ASSERT_FALSE(cmd_ring_put(ring, bytes, SIZE - 3));
    CU_ASSERT_EQUAL(cmd_ring_get_n_frames(ring), 0);
    CU_ASSERT(cmd_ring_put(ring, bytes, SIZE - 4));
    CU_ASSERT_EQUAL(cmd_ring_get_n_frames(ring), 1);
}

static CU_TestInfo tests[] = {
    { "the last are kept", test_the_last_are_kept },
    { "what is too large", test_what_is_too_large },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "recordring", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
