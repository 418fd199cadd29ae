/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "listen.h"

#include "message.h"
#include "verb.h"

#include "kernel/manager.h"
#include "socket/listener.h"

#include <errno.h>
#include <glib-unix.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef union Address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
} Address;

/* Another may take the place meanwhile. */
typedef struct Path {
    const char *text; /* of the command line */
    struct stat st;
} Path;

static void add(ExpListen *self, int fd) {
    g_array_append_val(self->fds, fd);
}

/* --- what they are --- */

static gboolean is_loopback(const Address *address) {
    switch (address->any.sa_family) {
    case AF_INET:
        return (ntohl(address->in.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
    default:
        return address->any.sa_family == AF_UNIX; /* of the filesystem, which has rights */
    }
}

static void print_address(const Address *address, socklen_t len) {
    char host[NI_MAXHOST], port[NI_MAXSERV];
    gboolean is_long = address->any.sa_family == AF_INET6;

    if (address->any.sa_family == AF_UNIX)
        printf("listening at %s\n", address->un.sun_path);
    else if (getnameinfo(&address->any, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) ==
             0)
        printf("listening at http://%s%s%s:%s/\n", is_long ? "[" : "", host, is_long ? "]" : "", port);
}

/* Whether it is one that we can listen at. */
static gboolean note_address(ExpListen *self, int fd) {
    Address address = { .any.sa_family = AF_UNSPEC };
    socklen_t len = sizeof address;
    int is_listening = 0;
    socklen_t flag_len = sizeof is_listening;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &flag_len) < 0 || !is_listening ||
        getsockname(fd, &address.any, &len) < 0)
        return FALSE;
    self->is_public |= !is_loopback(&address);
    print_address(&address, len);
    return TRUE;
}

/* --- made by us --- */

static int listen_at_path(ExpListen *self, const char *path) {
    Path own = { .text = path };
    int fd, r = mn_listener_bind(path, &fd);

    if (r < 0)
        return cmd_fail("cannot listen at '%s': %s", path,
                        r == -EADDRINUSE ? "somebody serves it already" : g_strerror(-r));
    if (lstat(path, &own.st) == 0)
        g_array_append_val(self->paths, own);
    add(self, fd);
    return CMD_OK;
}

/* -errno. */
static int listen_at(const struct addrinfo *info) {
    const int yes = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = 0;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
        r = -errno;
    if (r < 0)
        close(fd);
    return r < 0 ? r : fd;
}

/* Cuts "[::1]:80" into its two parts. FALSE: it is no address. */
static gboolean split(const char *address, char **ret_host, char **ret_port) {
    const char *colon = strrchr(address, ':'), *port = colon ? colon + 1 : address;
    gsize len = colon ? (gsize)(colon - address) : 0;
    guint64 number;

    if (!g_ascii_string_to_unsigned(port, 10, 0, 65535, &number, NULL))
        return FALSE;
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']')
        *ret_host = g_strndup(address + 1, len - 2);
    else if (len > 0 && memchr(address, ':', len)) /* of an IPv6 address, or a part of one? */
        return FALSE;
    else
        *ret_host = len > 0 ? g_strndup(address, len) : g_strdup("127.0.0.1");
    *ret_port = g_strdup(port);
    return TRUE;
}

static int listen_at_host(ExpListen *self, const char *address) {
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    g_autofree char *host = NULL, *port = NULL;
    struct addrinfo *found;
    int r;

    if (!split(address, &host, &port))
        return cmd_misuse("--listen: '%s' is not PORT, HOST:PORT, [IPV6]:PORT or the path of a socket", address);
    r = getaddrinfo(host, port, &hints, &found);
    if (r != 0)
        return cmd_fail("cannot listen at '%s': %s", address, gai_strerror(r));
    for (const struct addrinfo *info = found; info && r >= 0; info = info->ai_next) {
        r = listen_at(info);
        if (r >= 0)
            add(self, r);
    }
    freeaddrinfo(found);
    return r < 0 ? cmd_fail("cannot listen at '%s': %s", address, g_strerror(-r)) : CMD_OK;
}

/* --- */

static void take_from_manager(ExpListen *self) {
    g_autoptr(MnManager) manager = mn_manager_new();

    for (guint i = 0; i < mn_manager_get_n_fds(manager); i++) {
        int fd = mn_manager_take_fd(manager, i);

        g_unix_set_fd_nonblocking(fd, TRUE, NULL);
        add(self, fd);
    }
}

int exp_listen_init(ExpListen *self, char **addresses) {
    char *usual[] = { EXP_LISTEN_DEFAULT, NULL };
    int status = CMD_OK;

    *self = (ExpListen){ .fds = g_array_new(FALSE, FALSE, sizeof(int)) };
    self->paths = g_array_new(FALSE, FALSE, sizeof(Path));
    take_from_manager(self);
    if (self->fds->len == 0)
        for (char **address = addresses ? addresses : usual; *address && status == CMD_OK; address++)
            status = **address == '/' ? listen_at_path(self, *address) : listen_at_host(self, *address);
    for (guint i = 0; i < self->fds->len && status == CMD_OK; i++)
        if (!note_address(self, g_array_index(self->fds, int, i)))
            status = cmd_fail("what the service manager hands over is no listening socket");
    return status;
}

void exp_listen_end(ExpListen *self) {
    for (guint i = 0; i < self->paths->len; i++) {
        const Path *own = &g_array_index(self->paths, Path, i);
        struct stat st;

        if (lstat(own->text, &st) == 0 && st.st_dev == own->st.st_dev && st.st_ino == own->st.st_ino)
            unlink(own->text);
    }
}
