/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Run by memnotify-run, see Makefile: memory gets short soon after it waits. */
#include "cache.h"

#include <poll.h>
#include <stdio.h>

#define TIMEOUT_MS 20000

int main(void) {
    struct cache *cache = cache_new("available<10%");
    char block[4096] = { 0 };
    struct pollfd waiter;

    if (!cache) {
        puts("not ok: there is no memnotifyfs");
        return 1;
    }
    for (int i = 0; i < 1000; i++)
        cache_add(cache, block, sizeof block);
    waiter = (struct pollfd){ .fd = cache_get_fd(cache), .events = POLLIN };
    while (cache_get_size(cache) > 0 && poll(&waiter, 1, TIMEOUT_MS) > 0)
        cache_react(cache);
    printf("%s: %zu bytes are left\n", cache_get_size(cache) == 0 ? "ok" : "not ok", cache_get_size(cache));
    return cache_get_size(cache) == 0 ? 0 : 1;
}
