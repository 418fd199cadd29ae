/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way back from limits to text, which the program has no need of. */
#include "limit-text.h"

#include "core/amount.h"

/* "7.5%" */
static void print_share(GString *text, guint32 micropercent) {
    g_string_append_printf(text, "%u.%06u", micropercent / MN_MICROPERCENT, micropercent % MN_MICROPERCENT);
    while (text->str[text->len - 1] == '0')
        g_string_truncate(text, text->len - 1);
    if (text->str[text->len - 1] == '.')
        g_string_truncate(text, text->len - 1);
    g_string_append_c(text, '%');
}

static void print_amount(GString *text, guint64 pages, guint32 micropercent) {
    if (micropercent > 0)
        print_share(text, micropercent);
    else
        g_string_append_printf(text, "%" G_GUINT64_FORMAT, pages);
}

/* What is added to a share has no other form. */
static const char *op_name(const MnLimit *limit) {
    if (limit->micropercent > 0 && limit->pages > 0)
        return limit->op == MN_OP_AT_LEAST ? ">" : "<=";
    return mn_op_names[limit->op];
}

char *limit_set_print(const MnLimitSet *set) {
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < set->n; i++) {
        const MnLimit *limit = &set->limits[i];

        g_string_append_printf(text, "%s%s%s", i > 0 ? "," : "", mn_meters[limit->meter].name, op_name(limit));
        print_amount(text, limit->pages, limit->micropercent);
    }
    return g_string_free(text, FALSE);
}

static void print_stalls(GString *text, const MnStallChoice *choice) {
    for (MnStallKind kind = 0; kind < MN_N_STALLS; kind++) {
        if (!((choice->chosen | choice->measured) & MN_STALL_BIT(kind)))
            continue;
        g_string_append_printf(text, "%s%s ", text->len > 0 ? "," : "", mn_stall_share_names[kind]);
        if (choice->chosen & MN_STALL_BIT(kind))
            g_string_append_printf(text, "%u%%", choice->percent[kind]);
        else
            g_string_append_c(text, '-');
    }
}

static void print_word(GString *text, const char *word, const char *more) {
    g_string_append_printf(text, "%s%s%s", text->len > 0 ? "," : "", word, more);
}

static void print_conditions(GString *text, const MnOverride *override) {
    for (MnCondition condition = 0; condition < MN_N_CONDITIONS; condition++)
        if ((override->begun | override->ended) & MN_CONDITION_BIT(condition))
            print_word(text, mn_condition_names[condition], override->ended & MN_CONDITION_BIT(condition) ? " -" : "");
}

static void print_words(GString *text, const MnOverride *override) {
    if (override->together) {
        print_word(text, "memory", " ");
        print_amount(text, override->memory.pages, override->memory.micropercent);
    }
    print_conditions(text, override);
    if (override->has_oom)
        print_word(text, "oom", "");
    if (override->has_pressure) {
        print_word(text, "pressure ", "");
        g_string_append(text, mn_pressure_names[override->pressure]);
    }
}

char *override_print(const MnOverride *override) {
    GString *text = g_string_new(NULL);

    for (guint id = 0; id < MN_N_METERS; id++) {
        if (!((override->fixed | override->measured) & MN_METER_BIT(id)))
            continue;
        g_string_append_printf(text, "%s%s ", text->len > 0 ? "," : "", mn_meters[id].name);
        if (override->fixed & MN_METER_BIT(id))
            print_amount(text, override->values[id].pages, override->values[id].micropercent);
        else
            g_string_append_c(text, '-');
    }
    print_stalls(text, &override->stalls);
    print_words(text, override);
    return g_string_free(text, FALSE);
}

gboolean limit_equal(const MnLimit *one, const MnLimit *other) {
    return one->meter == other->meter && one->op == other->op && one->micropercent == other->micropercent &&
           one->pages == other->pages;
}
