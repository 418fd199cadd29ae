/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people write, or do not: it is refused with its place, or it is a script whose time goes on. */
#include "script/kind.h"
#include "target.h"

#include <string.h>

#define MOMENTS_MAX 500

static void play(MnScript *script) {
    gint64 last_us = -1, next_us;

    for (guint i = 0; i < MOMENTS_MAX && mn_script_peek(script, &next_us); i++) {
        g_assert_cmpint(next_us, >, last_us);
        g_assert_cmpint(mn_script_next(script), ==, 0);
        last_us = next_us;
        for (guint j = 0; j < mn_script_get_n_texts(script); j++) {
            const MnScriptText *text = mn_script_get_text(script, j);

            g_assert_cmpuint(strlen(text->text), ==, text->len);
            g_assert_true(text->len > 0 && text->text[text->len - 1] == '\n');
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_malloc(size + 1);
    g_autoptr(GError) error = NULL;
    MnScript *script = NULL;

    memcpy(text, data, size);
    text[size] = '\0';
    if (mn_scenario_open(text, size, "x", &script, &error)) {
        play(script);
        mn_script_free(script);
    } else {
        g_assert_true(g_str_has_prefix(error->message, "x:"));
    }
    return 0;
}
