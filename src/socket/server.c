/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All connections, and what clients connect to, are in one epoll(7) set, which is one descriptor of the main loop: so a turn
 * takes as long with ten thousand clients as with one. Those who have sent something take turns, by their users
 * (core/turns.h), each with one thing that he has asked for. */
#include "server.h"

#include "socket/disposal.h"
#include "socket/listener.h"
#include "socket/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Things done in a row before other sources of the main loop have their turn. */
#define IN_A_ROW 16

/* Connections that are found to be ready in one turn. */
#define READY_AT_ONCE 64

/* Of clients that a service manager is asked to keep, with the records of them. */
#define KEPT_MAX 1024

/* Each is told of once: what is left to do is remembered by us. */
#define ALWAYS (EPOLLIN | EPOLLRDHUP | EPOLLET)

struct MnServer {
    MnConnectionServices services;
    MnWitness witness;
    GPtrArray *listeners;
    GQueue connections;
    MnTurns turns;  /* of connections with something to do */
    MnStore *store; /* NULL: nobody keeps connections */
    MnDisposal *disposal;
    int epoll;
    GSource *source;
};

static MnServer *server_of(const MnConnection *connection) {
    return (MnServer *)connection->services;
}

/* --- connections --- */

static int want(const MnConnection *connection, guint32 events, int operation) {
    struct epoll_event event = { .events = events, .data.ptr = (gpointer)connection };

    return epoll_ctl(server_of(connection)->epoll, operation, connection->wire.fd, &event) < 0 ? -errno : 0;
}

/* One that is in the middle of a line is nothing that another could go on with. */
static void needs_room(MnConnection *connection) {
    if (server_of(connection)->store)
        mn_store_forget(server_of(connection)->store, connection);
    if (!connection->waits_for_room)
        (void)want(connection, ALWAYS | EPOLLOUT, EPOLL_CTL_MOD); /* one that is there can be changed */
    connection->waits_for_room = TRUE;
}

static void has_room(MnConnection *connection) {
    if (connection->waits_for_room)
        (void)want(connection, ALWAYS, EPOLL_CTL_MOD);
    connection->waits_for_room = FALSE;
}

static void changed(MnConnection *connection) {
    if (server_of(connection)->store)
        mn_store_note(server_of(connection)->store, connection);
}

static void put_in_turn(MnServer *self, MnConnection *connection) {
    if (!connection->is_in_turn)
        mn_turns_add(&self->turns, &connection->turn, 0);
    connection->is_in_turn = TRUE;
}

static void remove_connection(MnServer *self, MnConnection *connection) {
    if (connection->is_in_turn)
        mn_turns_drop(&self->turns, &connection->turn);
    g_queue_unlink(&self->connections, &connection->link);
    (void)want(connection, 0, EPOLL_CTL_DEL); /* closing is not enough while the manager or a helper has a copy */
    if (self->store)
        mn_store_forget(self->store, connection);
    if (connection->disposal)
        mn_disposal_remove(self->disposal, connection);
    mn_connection_free(connection);
}

static void on_disposed(MnConnection *connection) {
    connection->disposal = NULL;
    remove_connection(server_of(connection), connection);
}

/* Of one who is refused. */
static void end_soon(MnServer *self, MnConnection *connection) {
    put_in_turn(self, connection);
    g_source_set_ready_time(self->source, 0);
}

/* NULL: he is refused. There is a limit to what one user, who we are, may have in epoll sets. */
static MnConnection *add_connection(MnServer *self, int fd, uid_t uid) {
    MnConnection *connection = mn_connection_new(&self->services, fd, uid);
    int r = want(connection, ALWAYS, EPOLL_CTL_ADD);

    g_queue_push_tail_link(&self->connections, &connection->link);
    if (r < 0 && !connection->is_refused)
        mn_connection_refuse(connection, r);
    if (!connection->is_refused)
        return connection;
    end_soon(self, connection);
    return NULL;
}

static void on_connected(int fd, uid_t uid, gpointer data) {
    (void)add_connection(data, fd, uid);
}

/* --- what they ask for --- */

static void note_ready(MnServer *self, MnConnection *connection, guint32 events) {
    if (connection->disposal)
        return;
    if (events & (EPOLLHUP | EPOLLERR))
        mn_connection_hang_up(connection);
    put_in_turn(self, connection);
}

static void look(MnServer *self) {
    struct epoll_event events[READY_AT_ONCE];
    int n;

    n = epoll_wait(self->epoll, events, READY_AT_ONCE, 0);
    for (int i = 0; i < n; i++) {
        if (g_ptr_array_find(self->listeners, events[i].data.ptr, NULL)) /* there are one or two */
            mn_listener_let_in(events[i].data.ptr);
        else
            note_ready(self, events[i].data.ptr, events[i].events);
    }
}

static MnConnection *next_in_turn(const MnServer *self) {
    MnTurn *turn = mn_turns_first(&self->turns);

    return turn ? (MnConnection *)(void *)((char *)turn - G_STRUCT_OFFSET(MnConnection, turn)) : NULL;
}

static void serve(MnServer *self, MnConnection *connection) {
    MnProgress progress;

    mn_turns_begin(&self->turns, &connection->turn);
    connection->is_in_turn = FALSE;
    progress = mn_connection_serve(connection);
    mn_turns_end(&self->turns, &connection->turn, 0, 0);

    if (progress == MN_PROGRESS_STUCK)
        needs_room(connection);
    else
        has_room(connection);
    if (progress == MN_PROGRESS_MORE)
        put_in_turn(self, connection);
    if (progress == MN_PROGRESS_OVER)
        remove_connection(self, connection);
    if (progress == MN_PROGRESS_FOUL)
        mn_disposal_add(self->disposal, connection);
}

static gboolean on_ready(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnServer *self = data;
    MnConnection *connection;

    look(self);
    for (guint n = 0; n < IN_A_ROW && (connection = next_in_turn(self)); n++) {
        mn_outbox_flush(mn_board_get_outbox(self->services.board)); /* who is to be told is told before he asks */
        serve(self, connection);
    }
    g_source_set_ready_time(self->source, next_in_turn(self) ? 0 : -1);
    return G_SOURCE_CONTINUE;
}

/* --- what all are told --- */

static void tell_all(MnWitness *witness, const MnEvent *event) {
    MnServer *self = (MnServer *)(void *)((char *)witness - G_STRUCT_OFFSET(MnServer, witness));

    for (GList *link = self->connections.head; link; link = link->next)
        mn_connection_tell(link->data, event);
}

static void on_presence(MnWitness *witness, const MnMoment *moment) {
    MnEvent event = mn_event_of_presence(moment->is_gone, moment->time_us);

    tell_all(witness, &event);
}

static void on_total(MnWitness *witness, const MnMoment *moment, guint64 before) {
    MnEvent event = mn_event_of_total(&moment->reading, before, moment->time_us);

    tell_all(witness, &event);
}

/* --- the server --- */

/* As that of fs/fs.c. */
static GSource *make_source(MnServer *self) {
    GSource *source = g_unix_fd_source_new(self->epoll, G_IO_IN);

    g_source_set_callback(source, G_SOURCE_FUNC(on_ready), self, NULL);
    g_source_set_static_name(source, "socket");
    g_source_set_can_recurse(source, TRUE);
    g_source_attach(source, NULL);
    return source;
}

static void free_listener(gpointer listener) {
    mn_listener_free(listener);
}

int mn_server_new(MnBoard *board, MnTriggers *triggers, MnLastCall *last_call, MnQuota *quota, MnHelper *helper,
                  const MnManager *manager, MnServer **ret) {
    guint n_kept = MIN(mn_manager_get_n_kept(manager), KEPT_MAX);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    MnServer *self;

    if (epoll < 0)
        return -errno;
    self = g_new0(MnServer, 1);
    self->services = (MnConnectionServices){ .board = board,
                                             .triggers = triggers,
                                             .last_call = last_call,
                                             .quota = quota,
                                             .needs_room = needs_room,
                                             .changed = changed };
    if (n_kept > 0)
        self->store = mn_store_new(manager, quota, &mn_machine_clock, n_kept);
    self->disposal = mn_disposal_new(helper, &mn_machine_clock, on_disposed);
    self->listeners = g_ptr_array_new_with_free_func(free_listener);
    mn_turns_init(&self->turns);
    self->epoll = epoll;
    self->source = make_source(self);
    self->witness = (MnWitness){ .presence_changed = on_presence, .total_changed = on_total };
    mn_board_add_witness(board, &self->witness);
    *ret = self;
    return 0;
}

void mn_server_free(MnServer *self) {
    if (!self)
        return;
    g_ptr_array_unref(self->listeners);
    mn_store_free(self->store);
    self->store = NULL; /* what it keeps is not to be taken back */
    while (self->connections.head) {
        MnConnection *connection = self->connections.head->data;

        mn_wire_leave(&connection->wire);
        remove_connection(self, connection);
    }
    mn_turns_clear(&self->turns);
    mn_disposal_free(self->disposal);
    mn_page_free(self->services.page);
    mn_signaller_free(self->services.signaller);
    g_source_destroy(self->source);
    g_source_unref(self->source);
    close(self->epoll);
    g_free(self);
}

static void add_listener(MnServer *self, int fd, const char *path) {

    g_ptr_array_add(self->listeners, mn_listener_new(fd, path, self->epoll, &mn_machine_clock, on_connected, self));
}

static gboolean is_at(const MnListener *listener, const char *path) {
    g_autofree char *other = mn_listener_get_path(listener);

    return strcmp(other, path) == 0;
}

int mn_server_listen(MnServer *self, const char *path) {
    int fd, r;

    for (guint i = 0; i < self->listeners->len; i++)
        if (is_at(g_ptr_array_index(self->listeners, i), path))
            return 0;
    r = mn_listener_bind(path, &fd);
    if (r == 0)
        add_listener(self, fd, path);
    return r;
}

static gboolean is_stream_socket(int fd, gboolean *ret_is_listening) {
    int type = 0, is_listening = 0;
    socklen_t type_len = sizeof type, listening_len = sizeof is_listening;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0 || type != SOCK_STREAM ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &listening_len) < 0)
        return FALSE;
    *ret_is_listening = is_listening != 0;
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

/* One whose client has connected to our predecessor, or to the manager for us. Who waits for what we cannot watch is told
 * so, or he would wait for ever. */
static void resume(MnServer *self, int fd, const char *name) {
    MnConnection *connection = add_connection(self, fd, mn_listener_find_user(fd));
    int r = connection && self->store ? mn_store_resume(self->store, name, connection) : 0;

    if (r == 0 || r == -ENOENT)
        return;
    mn_connection_refuse(connection, r);
    end_soon(self, connection);
}

static void take(MnServer *self, int fd, const char *name) {
    gboolean is_listening;

    if (!is_stream_socket(fd, &is_listening)) {
        g_warning("the service manager has handed over '%s', which is no stream socket", name);
        close(fd);
    } else if (is_listening) {
        add_listener(self, fd, NULL);
    } else {
        resume(self, fd, name);
    }
}

/* The store's own first. */
void mn_server_take_over(MnServer *self, MnManager *manager) {
    guint n = mn_manager_get_n_fds(manager);
    g_autofree int *fds = g_new(int, n);

    for (guint i = 0; i < n; i++) {
        fds[i] = mn_manager_take_fd(manager, i);
        if (fds[i] >= 0 && self->store && mn_store_adopt(self->store, mn_manager_get_name(manager, i), fds[i]))
            fds[i] = -1;
    }
    for (guint i = 0; i < n; i++)
        if (fds[i] >= 0)
            take(self, fds[i], mn_manager_get_name(manager, i));
}

void mn_server_print_places(const MnServer *self, GString *text) {
    for (guint i = 0; i < self->listeners->len; i++) {
        g_autofree char *path = mn_listener_get_path(g_ptr_array_index(self->listeners, i));

        g_string_append_printf(text, "%s\n", path);
    }
}

guint mn_server_get_n_connections(const MnServer *self) {
    return self ? self->connections.length : 0;
}

guint64 mn_server_get_n_signals(const MnServer *self) {
    return self && self->services.signaller ? mn_signaller_get_n_signals(self->services.signaller) : 0;
}
