/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Environment variables, and datagrams to a socket.
 *
 * The manager may be slow to read these, and is not waited for: what it has no room for is told later by whoever
 * wants it told. */
#include "manager.h"

#include "kernel/passing.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD (STDERR_FILENO + 1)

/* Where it does not say how many it keeps, as before systemd 254. */
#define N_KEPT_UNKNOWN 512

struct MnManager {
    guint n_fds;
    int *fds;     /* -1 for one that was taken */
    char **names; /* as many, or fewer */
    guint n_kept;
    struct sockaddr_un address; /* where it is told; of length 0: nowhere */
    socklen_t address_len;
};

/* A number of the environment, if it is one. */
static guint64 read_number(const char *name) {
    const char *text = g_getenv(name);
    guint64 number = 0;

    return text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL) ? number : 0;
}

static void take_descriptors(MnManager *self) {
    const char *names = g_getenv("LISTEN_FDNAMES");

    if (read_number("LISTEN_PID") == (guint64)getpid())
        self->n_fds = (guint)read_number("LISTEN_FDS");
    self->fds = g_new(int, self->n_fds);
    self->names = g_strsplit(names ? names : "", ":", -1);
    for (guint i = 0; i < self->n_fds; i++) {
        self->fds[i] = FIRST_FD + (int)i;
        if (fcntl(self->fds[i], F_SETFD, FD_CLOEXEC) < 0)
            self->fds[i] = -1; /* there is none */
    }
}

/* A path, or the name of an abstract socket after "@". */
static void find_address(MnManager *self) {
    const char *name = g_getenv("NOTIFY_SOCKET");
    gsize len = name ? strlen(name) : 0;

    if (len < 2 || len >= sizeof self->address.sun_path || (name[0] != '/' && name[0] != '@'))
        return;
    self->address.sun_family = AF_UNIX;
    memcpy(self->address.sun_path, name, len);
    self->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
    if (name[0] == '@')
        self->address.sun_path[0] = '\0';
    self->n_kept = g_getenv("FDSTORE") ? (guint)read_number("FDSTORE") : N_KEPT_UNKNOWN;
}

MnManager *mn_manager_new(void) {
    static const char *const variables[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "FDSTORE" };
    MnManager *self = g_new0(MnManager, 1);

    take_descriptors(self);
    find_address(self);
    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++)
        g_unsetenv(variables[i]);
    return self;
}

void mn_manager_free(MnManager *self) {
    if (!self)
        return;
    for (guint i = 0; i < self->n_fds; i++)
        if (self->fds[i] >= 0)
            close(self->fds[i]);
    g_free(self->fds);
    g_strfreev(self->names);
    g_free(self);
}

guint mn_manager_get_n_fds(const MnManager *self) {
    return self->n_fds;
}

const char *mn_manager_get_name(const MnManager *self, guint i) {
    return i < g_strv_length(self->names) ? self->names[i] : "";
}

int mn_manager_take_fd(MnManager *self, guint i) {
    int fd = self->fds[i];

    self->fds[i] = -1;
    return fd;
}

guint mn_manager_get_n_kept(const MnManager *self) {
    return self->n_kept;
}

/* Seldom, so that no socket is kept open for it. */
static gboolean send_text(const MnManager *self, const char *text, int fd) {
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

    if (sender < 0)
        return FALSE;
    r = mn_pass(sender, (const struct sockaddr *)&self->address, self->address_len, text, strlen(text), fd);
    close(sender);
    return r == 0;
}

void mn_manager_tell(const MnManager *self, const char *text) {
    if (self->address_len > 0 && !send_text(self, text, -1))
        g_warning("cannot tell the service manager '%s'", text);
}

gboolean mn_manager_keep(const MnManager *self, const char *name, int fd) {
    g_autofree char *text = g_strdup_printf("FDSTORE=1\nFDNAME=%s", name);

    return send_text(self, text, fd);
}

gboolean mn_manager_forget(const MnManager *self, const char *name) {
    g_autofree char *text = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);

    return send_text(self, text, -1);
}
