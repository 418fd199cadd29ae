/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's pressure/memory, and back. */
#include "core/stall.h"
#include "target.h"

#include <errno.h>
#include <string.h>

static void check_round_trip(const MnStalls *stalls) {
    g_autoptr(GString) text = g_string_new(NULL);
    MnStalls again;

    mn_stalls_print(stalls, text);
    g_assert_cmpint(mn_stalls_parse(text->str, text->len, &again), ==, 0);
    g_assert_cmpmem(&again, sizeof again, stalls, sizeof *stalls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    MnStalls stalls, untouched;
    int r;

    memset(&untouched, 0x5a, sizeof untouched);
    stalls = untouched;
    r = mn_stalls_parse((const char *)data, size, &stalls);
    g_assert_true(r == 0 || r == -EBADMSG);
    if (r < 0)
        g_assert_cmpmem(&stalls, sizeof stalls, &untouched, sizeof untouched);
    else
        check_round_trip(&stalls);
    return 0;
}
