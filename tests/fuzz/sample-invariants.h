/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/meter.h"

typedef int (*SampleParser)(const char *text, gsize len, guint64 needed, MnSample *ret, gsize *ret_span);

/* Aborts unless the parser keeps its promises for this text. Its counters are `required`, where they
 * are needed, and `optional`, which it looks for only where one of them is needed. */
void check_sample_parser(SampleParser parse, guint64 required, guint64 optional, const char *text, gsize len);
