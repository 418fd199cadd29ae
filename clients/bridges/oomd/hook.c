/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection is answered one call after the other: what comes while members have their time waits. */
#include "hook.h"

#include "message.h"
#include "varlink.h"

#include "config.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICE "org.varlink.service"
#define PREKILL "io.systemd.oom.Prekill"
#define URL "https://systemd.io/MEMORY_PRESSURE"

/* A call has the path of a group. */
#define MESSAGE_BYTES_MAX 65536
#define READ_BYTES 4096
#define CONNECTIONS_MAX 64

/* Of those who may not call, and are to hear so; they keep nobody out who may. */
#define STRANGERS_MAX 16

struct Hook {
    LastCall *last_call;
    uid_t uid;
    guint grace_ms;
    guint n_connections; /* of those who may call */
    guint n_strangers;
};

typedef struct Connection {
    Hook *hook;
    int fd;
    GString *in;
    GString *out;
    guint reading; /* sources; 0: none */
    guint writing;
    guint grace;
    gboolean may_call;
    gboolean is_ending;
} Connection;

static const char description[] = "# Notifications from systemd-oomd before it kills\n"
                                  "interface " PREKILL "\n\n"
                                  "# The control group is about to be killed\n"
                                  "method Notify(cgroup: string) -> ()\n";

static void go_on(Connection *self);

static void remove_source(guint *source) {
    if (*source != 0)
        g_source_remove(*source);
    *source = 0;
}

static void connection_free(Connection *self) {
    *(self->may_call ? &self->hook->n_connections : &self->hook->n_strangers) -= 1;
    remove_source(&self->reading);
    remove_source(&self->writing);
    remove_source(&self->grace);
    close(self->fd);
    g_string_free(self->in, TRUE);
    g_string_free(self->out, TRUE);
    g_free(self);
}

/* --- answers --- */

static gboolean on_grace_over(gpointer data) {
    Connection *self = data;

    self->grace = 0;
    go_on(self);
    return G_SOURCE_REMOVE;
}

/* Who has nobody to wait for is not to be kept waiting: memory is short. */
static void notify(Connection *self, const VarlinkCall *call) {
    const char *group = varlink_call_get_string(call, "cgroup");
    int n;

    if (!group || *group != '/') {
        varlink_fail(self->out, SERVICE ".InvalidParameter", "parameter", "cgroup");
        return;
    }
    n = last_call_make(self->hook->last_call, group);
    if (n < 0)
        cmd_warn("cannot tell the members of '%s': %s", group, g_strerror(-n));
    else
        cmd_warn("'%s' is about to be killed: %d told", group, n);
    varlink_reply(self->out, NULL);
    if (n > 0 && self->hook->grace_ms > 0)
        self->grace = g_timeout_add(self->hook->grace_ms, on_grace_over, self);
}

static void add(JsonBuilder *builder, const char *name, const char *value) {
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void get_info(Connection *self) {
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    add(builder, "vendor", "memnotifyfs");
    add(builder, "product", "memnotify-oomd");
    add(builder, "version", MN_VERSION);
    add(builder, "url", URL);
    json_builder_set_member_name(builder, "interfaces");
    json_builder_begin_array(builder);
    json_builder_add_string_value(builder, SERVICE);
    json_builder_add_string_value(builder, PREKILL);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    varlink_reply(self->out, builder);
}

static void describe(Connection *self, const VarlinkCall *call) {
    const char *interface = varlink_call_get_string(call, "interface");
    g_autoptr(JsonBuilder) builder = json_builder_new();

    if (g_strcmp0(interface, PREKILL) != 0) {
        varlink_fail(self->out, SERVICE ".InterfaceNotFound", "interface", interface ? interface : "");
        return;
    }
    json_builder_begin_object(builder);
    add(builder, "description", description);
    json_builder_end_object(builder);
    varlink_reply(self->out, builder);
}

static void refuse(Connection *self) {
    varlink_fail(self->out, SERVICE ".PermissionDenied", "interface", PREKILL);
    self->is_ending = TRUE;
}

static void answer(Connection *self, const VarlinkCall *call) {
    gsize len = self->out->len;

    if (!self->may_call)
        refuse(self);
    else if (strcmp(call->method, PREKILL ".Notify") == 0)
        notify(self, call);
    else if (strcmp(call->method, SERVICE ".GetInfo") == 0)
        get_info(self);
    else if (strcmp(call->method, SERVICE ".GetInterfaceDescription") == 0)
        describe(self, call);
    else
        varlink_fail(self->out, SERVICE ".MethodNotFound", "method", call->method);
    if (call->is_oneway)
        g_string_truncate(self->out, len);
}

/* --- the connection --- */

/* Takes the next whole message off what has come. FALSE: there is none, or what there is is no call. */
static gboolean take_call(Connection *self, VarlinkCall *ret) {
    const char *end = memchr(self->in->str, '\0', self->in->len);
    gsize len;

    if (!end)
        return FALSE;
    len = (gsize)(end - self->in->str);
    if (!varlink_call_parse(self->in->str, len, ret)) {
        self->is_ending = TRUE;
        return FALSE;
    }
    g_string_erase(self->in, 0, (gssize)len + 1);
    return TRUE;
}

static gboolean on_room(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    Connection *self = data;

    self->writing = 0;
    go_on(self);
    return G_SOURCE_REMOVE;
}

/* Sends what there is. FALSE: it has to wait for room. */
static gboolean send_all(Connection *self) {
    while (self->out->len > 0) {
        ssize_t n = send(self->fd, self->out->str, self->out->len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN)
            return FALSE;
        if (n < 0) {
            self->is_ending = TRUE;
            return TRUE;
        }
        g_string_erase(self->out, 0, n);
    }
    return TRUE;
}

/* Answers, as long as there is neither somebody to wait for nor a lack of room. */
static void go_on(Connection *self) {
    for (;;) {
        g_auto(VarlinkCall) call = { 0 };

        if (!send_all(self)) {
            self->writing = g_unix_fd_add(self->fd, G_IO_OUT, on_room, self);
            return;
        }
        if (self->is_ending || !take_call(self, &call))
            break;
        answer(self, &call);
        if (self->grace != 0)
            return;
    }
    if (self->is_ending)
        connection_free(self);
}

static gboolean is_busy(const Connection *self) {
    return self->grace != 0 || self->writing != 0;
}

static gboolean on_readable(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    Connection *self = data;
    char bytes[READ_BYTES];
    ssize_t n = read(fd, bytes, sizeof bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n <= 0 || self->in->len + (gsize)n > MESSAGE_BYTES_MAX) { /* what was still to be said nobody hears */
        connection_free(self);
        return G_SOURCE_CONTINUE; /* it has been removed */
    }
    g_string_append_len(self->in, bytes, n);
    if (!is_busy(self))
        go_on(self);
    return G_SOURCE_CONTINUE; /* or it has been removed */
}

/* --- who connects --- */

static gboolean may_call(const Hook *self, int fd) {
    struct ucred peer = { .uid = (uid_t)-1 };
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return FALSE;
    return peer.uid == 0 || peer.uid == geteuid() || (peer.uid == self->uid && self->uid != (uid_t)-1);
}

static gboolean on_connect(gint listening_fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    Hook *hook = data;
    Connection *self;
    gboolean is_stranger;
    /* cppcheck-suppress nullPointer ; nobody asks for the address */
    int fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return G_SOURCE_CONTINUE;
    is_stranger = !may_call(hook, fd);
    if (is_stranger ? hook->n_strangers >= STRANGERS_MAX : hook->n_connections >= CONNECTIONS_MAX) {
        close(fd);
        return G_SOURCE_CONTINUE;
    }
    self = g_new0(Connection, 1);
    *self = (Connection){
        .hook = hook, .fd = fd, .may_call = !is_stranger, .in = g_string_new(NULL), .out = g_string_new(NULL)
    };
    *(is_stranger ? &hook->n_strangers : &hook->n_connections) += 1;
    self->reading = g_unix_fd_add(fd, G_IO_IN, on_readable, self);
    return G_SOURCE_CONTINUE;
}

Hook *hook_new(int fd, LastCall *last_call, uid_t uid, guint grace_ms) {
    Hook *self = g_new0(Hook, 1);

    *self = (Hook){ .last_call = last_call, .uid = uid, .grace_ms = grace_ms };
    g_unix_fd_add(fd, G_IO_IN, on_connect, self);
    return self;
}
