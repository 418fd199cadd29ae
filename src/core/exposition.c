/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics as text. What both formats have in common is written once: name, labels, value. */
#include "exposition.h"

#define PREFIX "memnotifyfs_"
#define US_PER_SECOND G_GUINT64_CONSTANT(1000000)

static const char *const suffixes[] = {
    [MN_METRIC_GAUGE] = "",
    [MN_METRIC_COUNTER] = "_total",
    [MN_METRIC_INFO] = "_info",
};

/* Text 0.0.4 has no infos. */
static const char *const type_names[][3] = {
    [MN_EXPOSITION_OPENMETRICS] = { [MN_METRIC_GAUGE] = "gauge",
                                    [MN_METRIC_COUNTER] = "counter",
                                    [MN_METRIC_INFO] = "info" },
    [MN_EXPOSITION_TEXT] = { [MN_METRIC_GAUGE] = "gauge", [MN_METRIC_COUNTER] = "counter", [MN_METRIC_INFO] = "gauge" },
};

static void append_name(const MnExposition *self) {
    g_string_append(self->text, PREFIX);
    g_string_append(self->text, self->metric->name);
    if (self->metric->unit) {
        g_string_append_c(self->text, '_');
        g_string_append(self->text, self->metric->unit);
    }
}

static void append_sample_name(const MnExposition *self) {
    append_name(self);
    g_string_append(self->text, suffixes[self->metric->type]);
}

/* "# TYPE memnotifyfs_used_bytes gauge\n" */
static void append_comment(const MnExposition *self, const char *keyword, const char *what) {
    g_string_append(self->text, "# ");
    g_string_append(self->text, keyword);
    g_string_append_c(self->text, ' ');
    if (self->format == MN_EXPOSITION_OPENMETRICS)
        append_name(self);
    else
        append_sample_name(self);
    g_string_append_c(self->text, ' ');
    g_string_append(self->text, what);
    g_string_append_c(self->text, '\n');
}

void mn_exposition_begin(MnExposition *self, const MnMetric *metric) {
    self->metric = metric;
    append_comment(self, "TYPE", type_names[self->format][metric->type]);
    if (metric->unit && self->format == MN_EXPOSITION_OPENMETRICS)
        append_comment(self, "UNIT", metric->unit);
    append_comment(self, "HELP", metric->help);
}

static void append_escaped(GString *text, const char *value) {
    for (; *value; value++) {
        if (*value == '\n') {
            g_string_append(text, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *value);
    }
}

/* `memnotifyfs_threshold_reached{threshold="low",meter="used"} ` */
static void append_head(const MnExposition *self, const MnLabel *labels, guint n_labels) {
    append_sample_name(self);
    for (guint i = 0; i < n_labels; i++) {
        g_string_append_c(self->text, i == 0 ? '{' : ',');
        g_string_append(self->text, labels[i].name);
        g_string_append(self->text, "=\"");
        append_escaped(self->text, labels[i].value);
        g_string_append_c(self->text, '"');
    }
    g_string_append(self->text, n_labels > 0 ? "} " : " ");
}

void mn_exposition_add(const MnExposition *self, const MnLabel *labels, guint n_labels, guint64 value) {
    append_head(self, labels, n_labels);
    g_string_append_printf(self->text, "%" G_GUINT64_FORMAT "\n", value);
}

/* In whole numbers, since the point of a floating one depends on the locale. */
void mn_exposition_add_us(const MnExposition *self, const MnLabel *labels, guint n_labels, guint64 value_us) {
    append_head(self, labels, n_labels);
    g_string_append_printf(self->text, "%" G_GUINT64_FORMAT ".%06" G_GUINT64_FORMAT "\n", value_us / US_PER_SECOND,
                           value_us % US_PER_SECOND);
}

void mn_exposition_end(const MnExposition *self) {
    if (self->format == MN_EXPOSITION_OPENMETRICS)
        g_string_append(self->text, "# EOF\n");
}
