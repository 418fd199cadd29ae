/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"

/* The page that clients map, as <memnotifyfs/page.h> lays it out: refreshed with each moment, and at least every
 * MN_PAGE_PERIOD_MS while somebody has it. */
typedef struct MnPage MnPage;

#define MN_PAGE_PERIOD_MS 100

/* Makes the memory and seals it. -errno when that is not to be had. To be called in the process that serves: that the page
 * ends with it is between it and the kernel. */
int mn_page_new(MnBoard *board, MnPage **ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_page_free(MnPage *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnPage, mn_page_free)

/* The descriptor to give away, which cannot be written to; it stays the page's. */
int mn_page_get_fd(const MnPage *self);

/* Somebody has it from now on, and has it no more. */
void mn_page_hold(MnPage *self);
void mn_page_release(MnPage *self);
