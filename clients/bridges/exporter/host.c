/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"

#include <arpa/inet.h>
#include <string.h>

/* "web1:80" and "[::1]:80" without what follows the name, and without the brackets. To be freed. */
static char *take_name(const char *host) {
    if (*host == '[')
        return g_strndup(host + 1, strcspn(host + 1, "]"));
    return g_strndup(host, strcspn(host, ":"));
}

static gboolean is_address(const char *name) {
    struct in6_addr address;

    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static gboolean is_localhost(const char *name) {
    gsize len = strlen(name), own = strlen("localhost");

    return len >= own && g_ascii_strcasecmp(name + len - own, "localhost") == 0 &&
           (len == own || name[len - own - 1] == '.');
}

gboolean exp_host_is_ours(const char *host, char *const *names) {
    g_autofree char *name = host ? take_name(host) : NULL;

    if (!host || is_address(name) || is_localhost(name))
        return TRUE;
    for (; names && *names; names++)
        if (g_ascii_strcasecmp(name, *names) == 0)
            return TRUE;
    return FALSE;
}
