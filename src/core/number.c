/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decimal digits -> number, for texts that are not strings. */
#include "number.h"

#include <errno.h>

int mn_number_parse(const char **at, const char *end, guint64 *ret) {
    const char *digit = *at;
    guint64 number = 0;

    for (; digit < end && g_ascii_isdigit(*digit); digit++)
        if (!g_uint64_checked_mul(&number, number, 10) ||
            !g_uint64_checked_add(&number, number, (guint64)(*digit - '0')))
            return -EINVAL;
    if (digit == *at)
        return -EINVAL;

    *at = digit;
    *ret = number;
    return 0;
}
