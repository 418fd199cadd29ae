/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way back from limits to text, which the program has no need of. */
#include "limit-text.h"

static void print_amount(GString *text, const MnLimit *limit) {
    if (limit->percent > 0)
        g_string_append_printf(text, "%u%%", limit->percent);
    else
        g_string_append_printf(text, "%" G_GUINT64_FORMAT, limit->pages);
}

char *limit_set_print(const MnLimitSet *set) {
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < set->n; i++) {
        const MnLimit *limit = &set->limits[i];

        g_string_append_printf(text, "%s%s%s", i > 0 ? "," : "", mn_meters[limit->meter].name, mn_op_names[limit->op]);
        print_amount(text, limit);
    }
    return g_string_free(text, FALSE);
}

char *override_print(const MnOverride *override) {
    GString *text = g_string_new(NULL);

    for (guint id = 0; id < MN_N_METERS; id++) {
        if (!((override->fixed | override->measured) & MN_METER_BIT(id)))
            continue;
        g_string_append_printf(text, "%s%s ", text->len > 0 ? "," : "", mn_meters[id].name);
        if (override->fixed & MN_METER_BIT(id))
            print_amount(text, &override->values[id]);
        else
            g_string_append_c(text, '-');
    }
    return g_string_free(text, FALSE);
}

gboolean limit_equal(const MnLimit *one, const MnLimit *other) {
    return one->meter == other->meter && one->op == other->op && one->percent == other->percent &&
           one->pages == other->pages;
}
