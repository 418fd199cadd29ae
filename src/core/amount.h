/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/cursor.h"

/* One per cent, in the millionths of a per cent in which shares are counted. */
#define MN_MICROPERCENT 1000000

/* How much memory: pages, or a share of all that there is. */
typedef struct MnAmount {
    guint64 pages;
    guint32 micropercent; /* millionths of a per cent of the meter total; pages is 0 then */
} MnAmount;

/* Takes "5000", "1.5G", "512MiB", "500MB" or "7.5%" off the text: pages; or bytes, rounded up to pages; or per cent. With a
 * unit there may be up to six decimals. -EINVAL for anything else, for what is too large, more than 100 %, or followed by
 * something that does not separate. */
int mn_amount_parse(MnCursor *cursor, guint page_bytes, MnAmount *ret) G_GNUC_WARN_UNUSED_RESULT;

/* How many pages that is when total is `total_pages`; of a share, rounded up, at least 1. */
guint64 mn_amount_pages(const MnAmount *self, guint64 total_pages);
