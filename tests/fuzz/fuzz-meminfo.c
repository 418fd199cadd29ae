/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sample-invariants.h"
#include "target.h"

static int parse(const char *text, gsize len, guint64 needed, MnSample *ret, gsize *ret_span) {
    return mn_sample_parse_meminfo(text, len, needed, 4, ret, ret_span);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_sample_parser(parse, MN_COUNTERS_MEMINFO, MN_COUNTERS_BOTH, (const char *)data, size);
    return 0;
}
