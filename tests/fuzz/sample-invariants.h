/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/meter.h"

typedef int (*SampleParser)(const char *text, gsize len, guint64 needed, MnSample *ret,
                            gsize *ret_span);

/* Aborts unless the parser of the counters `own` keeps its promises for this text. */
void check_sample_parser(SampleParser parse, guint64 own, const char *text, gsize len);
