/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The two text formats of metrics, which differ in what they call a family and in what they say of it:
 *
 *   # TYPE memnotifyfs_cpu_seconds counter          # TYPE memnotifyfs_cpu_seconds_total counter
 *   # UNIT memnotifyfs_cpu_seconds seconds
 *   # HELP memnotifyfs_cpu_seconds CPU time.        # HELP memnotifyfs_cpu_seconds_total CPU time.
 *   memnotifyfs_cpu_seconds_total 1.250000          memnotifyfs_cpu_seconds_total 1.250000
 *   # EOF
 *
 * Sources: the OpenMetrics specification 1.0.0, and Prometheus, "Exposition formats", text format 0.0.4. */
typedef enum MnExpositionFormat {
    MN_EXPOSITION_OPENMETRICS,
    MN_EXPOSITION_TEXT,
} MnExpositionFormat;

typedef enum MnMetricType {
    MN_METRIC_GAUGE,
    MN_METRIC_COUNTER, /* its samples end in _total */
    MN_METRIC_INFO,    /* in _info; a gauge that is always 1 to those who do not know the type */
} MnMetricType;

/* A metric family. Its samples are called memnotifyfs_NAME[_UNIT][_total|_info]. */
typedef struct MnMetric {
    const char *name;
    MnMetricType type;
    const char *unit; /* in the plural, as "bytes"; NULL for a count or a state */
    const char *help; /* a sentence without a backslash, a quotation mark or a newline */
} MnMetric;

typedef struct MnLabel {
    const char *name;
    const char *value; /* any UTF-8 */
} MnLabel;

/* Writes metrics to a text. Holds nothing of its own. */
typedef struct MnExposition {
    GString *text;
    MnExpositionFormat format;
    const MnMetric *metric; /* whose samples are being added */
} MnExposition;

/* Begins a family. Each is begun once; its samples follow, of which there may be none. */
void mn_exposition_begin(MnExposition *self, const MnMetric *metric);

/* Adds a sample of the family that was begun last. No two of one family have the same labels. */
void mn_exposition_add(const MnExposition *self, const MnLabel *labels, guint n_labels, guint64 value);

/* The same, of a time in microseconds for a family in seconds. */
void mn_exposition_add_us(const MnExposition *self, const MnLabel *labels, guint n_labels, guint64 value_us);

/* After the last sample. */
void mn_exposition_end(const MnExposition *self);
