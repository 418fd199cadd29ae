/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What memnotify-oomd is sent. */
#include "target.h"
#include "varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_auto(VarlinkCall) call = { 0 };

    if (varlink_call_parse((const char *)data, size, &call)) {
        const char *group = varlink_call_get_string(&call, "cgroup");

        g_assert_nonnull(call.method);
        g_assert_true(g_utf8_validate(call.method, -1, NULL) && (!group || g_utf8_validate(group, -1, NULL)));
    } else {
        g_assert_null(call.method);
    }
    return 0;
}
