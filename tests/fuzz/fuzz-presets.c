/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of thresholds. */
#include "core/name.h"
#include "core/preset.h"
#include "target.h"

#include <errno.h>
#include <string.h>

static const MnMachine machine = { .page_bytes = 4096, .offered = (1U << MN_N_METERS) - 1 };

static void check_blame(guint line, const MnFault *fault, gpointer data) {
    guint *last_line = data;

    g_assert_cmpuint(line, >, *last_line);
    g_assert_true(fault->reason[0] != '\0');
    *last_line = line;
}

static void check_presets(const GPtrArray *presets) {
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < presets->len; i++) {
        const MnPreset *preset = g_ptr_array_index(presets, i);

        g_assert_cmpint(mn_name_check(preset->name), ==, 0);
        g_assert_true(g_hash_table_add(names, preset->name));
        g_assert_cmpuint(preset->limits.n, >=, 1);
        g_assert_cmpuint(preset->line, >, i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GPtrArray) presets = NULL;
    guint last_line = 0;
    int r;

    r = mn_presets_parse((const char *)data, size, &machine, check_blame, &last_line, &presets);
    g_assert_cmpint(r, ==, last_line > 0 ? -EINVAL : 0);
    g_assert_true((r == 0) == (presets != NULL));
    if (r == 0)
        check_presets(presets);
    return 0;
}
