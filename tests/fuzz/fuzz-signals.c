/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/signame.h"
#include "target.h"

#include <errno.h>
#include <signal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int number = -1, r;

    r = mn_signame_parse((const char *)data, size, &number);
    g_assert_true(r == 0 || r == -EINVAL);
    if (r < 0)
        g_assert_cmpint(number, ==, -1);
    else
        g_assert_true((number >= 0 && number < 32) || (number >= SIGRTMIN && number <= SIGRTMAX));
    return 0;
}
