/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What memnotify-exporter takes from a mount that may be anybody's, and from who asks: metrics, and a header "Accept". */
#include "accept.h"
#include "families.h"
#include "target.h"

#include <string.h>

static char *print(const ExpFamilies *families) {
    GString *text = g_string_new(NULL);

    exp_families_print(families, text);
    return g_string_free(text, FALSE);
}

/* No line of it is of another mount. */
static void check_labels(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++)
        if (*lines[i] && *lines[i] != '#') {
            const char *label = strchr(lines[i], '{');

            g_assert_nonnull(label);
            g_assert_true(g_str_has_prefix(label, "{mount=\"web\"") && (label[12] == ',' || label[12] == '}'));
        }
}

/* What was taken is taken again as it is printed, and is the same then. */
static void check(MnExpositionFormat format, const char *text, gsize len) {
    g_autoptr(ExpFamilies) plain = exp_families_read(format, text, len, NULL);
    g_autoptr(ExpFamilies) named = exp_families_read(format, text, len, "web"), again = NULL;
    g_autofree char *once = NULL, *twice = NULL, *labelled = NULL;

    g_assert_true((plain != NULL) == (named != NULL));
    if (!plain)
        return;
    once = print(plain);
    labelled = print(named);
    check_labels(labelled);
    if (!*once)
        return;
    again = exp_families_read(format, once, strlen(once), NULL);
    g_assert_nonnull(again);
    twice = print(again);
    g_assert_cmpstr(once, ==, twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *)data, size);

    check(MN_EXPOSITION_OPENMETRICS, (const char *)data, size);
    check(MN_EXPOSITION_TEXT, (const char *)data, size);
    (void)exp_accept(text);
    return 0;
}
