/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Reads the text of /proc/spl/kstat/zfs/arcstats: how many bytes of its cache ZFS gives back when memory is short, which is
 * all but the least that it keeps. -EBADMSG, with nothing written: no final newline (a cut text), or one of the two numbers
 * missing, twice, or over 64 bits. */
int mn_arcstats_parse(const char *text, gsize len, guint64 *ret_reclaimable_bytes) G_GNUC_WARN_UNUSED_RESULT;
