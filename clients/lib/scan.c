/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scan.h"

#include <errno.h>
#include <string.h>

#define MILLION 1000000

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int scan_number(const char **at, uint64_t *ret) {
    const char *digit = *at;
    uint64_t number = 0;

    if (!is_digit(*digit))
        return -EINVAL;
    for (; is_digit(*digit); digit++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*digit - '0'), &number))
            return -EINVAL;

    *at = digit;
    *ret = number;
    return 0;
}

int scan_seconds(const char **at, int64_t *ret) {
    const char *next = *at, *point;
    uint64_t seconds, microseconds;

    if (scan_number(&next, &seconds) < 0 || seconds > INT64_MAX / MILLION - 1 || *next != '.')
        return -EINVAL;
    point = next++;
    if (scan_number(&next, &microseconds) < 0 || next - point != 7)
        return -EINVAL;

    *at = next;
    *ret = (int64_t)(seconds * MILLION + microseconds);
    return 0;
}

int scan_word(const char **at, char *ret, size_t size) {
    size_t len = strcspn(*at, " ");

    if (len == 0 || len >= size)
        return -EINVAL;
    memcpy(ret, *at, len);
    ret[len] = '\0';
    *at += len;
    *at += **at == ' ';
    return 0;
}

bool scan_text(const char **at, const char *text) {
    size_t len = strlen(text);

    if (strncmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}
