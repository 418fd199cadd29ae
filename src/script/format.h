/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a recording.
 *
 * It is one Zstandard frame (RFC 8878) after the other, each of which can be understood alone; what `zstdcat` makes of it is,
 * for each frame, first a head and then moments. Numbers are varints (core/change.h), of times in microseconds.
 *
 *     block   = LENGTH BYTES
 *     head    = "MNR" 1 PAGE_BYTES MONOTONIC DATE
 *     moment  = SINCE { item }        SINCE: from the moment before, for the first from the head's MONOTONIC
 *     item    = 0 DATE                of the moment, when the clock was set since
 *             | 1 LENGTH NAME         of a text; the first is text 0
 *             | 4 * TEXT + 4 LENGTH BYTES     it is
 *             | 4 * TEXT + 5 LENGTH CHANGE    it was changed: core/change.h
 *             | 4 * TEXT + 6                  it is there no more
 *
 * The first moment has all texts that there are; later ones what has changed. A block that is not whole counts for
 * nothing, so that a recording may end at any byte. */
#pragma once

#define MN_FORMAT_MAGIC "MNR\1"
#define MN_FORMAT_MAGIC_BYTES 4

enum {
    MN_FORMAT_DATE = 0,
    MN_FORMAT_NAME = 1,
    MN_FORMAT_WHOLE = 4,
    MN_FORMAT_CHANGE = 5,
    MN_FORMAT_GONE = 6,
    MN_FORMAT_STEP = 4, /* from one text to the next */
};

/* Of one block: all texts of a machine with a thousand processors have 2 MiB. */
#define MN_FORMAT_BLOCK_BYTES_MAX 16777216U /* 16 MiB */

/* Log 2 of how far back Zstandard may refer, which is what a reader needs of memory. */
#define MN_FORMAT_WINDOW_LOG 20

/* No time is later: microseconds of 36,000 years. */
#define MN_FORMAT_TIME_MAX_US (G_GINT64_CONSTANT(1) << 60)
