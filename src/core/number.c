/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decimal digits -> number, for texts that are not strings; and back, where printf() would take too long. */
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

char *mn_number_put(char *at, guint64 number, guint least) {
    char digits[MN_NUMBER_DIGITS_MAX];
    guint n = 0;

    for (; number > 0 || n < least; number /= 10)
        digits[n++] = (char)('0' + number % 10);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}
