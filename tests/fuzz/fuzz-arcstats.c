/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/arcstats.h"
#include "target.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    guint64 bytes = 4711;
    int r;

    r = mn_arcstats_parse((const char *)data, size, &bytes);
    g_assert_true(r == 0 || (r == -EBADMSG && bytes == 4711));
    return 0;
}
