/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmicrohttpd in the main loop: each listening socket has a server of it, whose epoll set the loop waits for. What is not
 * there yet is waited for with the connection suspended, which costs nothing. */
#include "web.h"

#include "accept.h"
#include "host.h"
#include "visitors.h"

#include "kernel/ourselves.h"
#include "loop/clock.h"

#include <errno.h>
#include <gio/gio.h>
#include <microhttpd.h>
#include <string.h>

#define VISITORS_MAX 4000U

/* Beside connections: files of mounts, of /proc, and others of ours. */
#define OTHER_FDS 200U

/* Who sends nothing, or takes nothing, for so long is disconnected. */
#define PATIENCE_S 15

/* For the head of a request, and for what is being sent. */
#define CONNECTION_BYTES 8192
#define EVENTS_BLOCK_BYTES 4096

#define EVENTS_TYPE "text/event-stream; charset=utf-8"

#define ASSETS "/page"

typedef struct Server {
    GSource source;
    struct MHD_Daemon *daemon;
} Server;

struct ExpWeb {
    ExpMounts *mounts;
    ExpLive *live;
    gboolean is_private;
    char *const *names;
    ExpVisitors visitors;
    GPtrArray *servers; /* of Server */
};

typedef struct Request {
    ExpWeb *web;
    struct MHD_Connection *connection;
    MnExpositionFormat format;
    GBytes *metrics; /* NULL: they have not come */
} Request;

/* Somebody whose connection stays. */
typedef struct Stream {
    ExpWeb *web;
    struct MHD_Connection *connection;
    ExpViewer *viewer;
    gboolean is_suspended;
} Stream;

/* What belongs to the page is served under the names of its files. */
static const struct {
    const char *suffix;
    const char *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
};

/* --- the main loop --- */

/* It is ready when its epoll set is, or when libmicrohttpd wants to look for those who take too long. */
static gboolean server_dispatch(GSource *source, GSourceFunc callback G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED) {
    struct MHD_Daemon *daemon = ((Server *)source)->daemon;
    MHD_UNSIGNED_LONG_LONG ms;

    MHD_run(daemon);
    if (MHD_get_timeout(daemon, &ms) == MHD_YES)
        g_source_set_ready_time(source, mn_clock_now_us(&mn_machine_clock) + (gint64)MIN(ms, G_MAXINT) * 1000);
    else
        g_source_set_ready_time(source, -1);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs server_funcs = { .dispatch = server_dispatch };

/* It goes on in the next turn of the loop. */
static void resume(ExpWeb *self, struct MHD_Connection *connection) {
    MHD_resume_connection(connection);
    for (guint i = 0; i < self->servers->len; i++)
        g_source_set_ready_time(g_ptr_array_index(self->servers, i), 0);
}

/* --- answers --- */

static void add_headers(struct MHD_Response *response, const char *type) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(
        response, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}

static enum MHD_Result send_response(struct MHD_Connection *connection, guint status, struct MHD_Response *response) {
    enum MHD_Result result = MHD_queue_response(connection, status, response);

    MHD_destroy_response(response); /* the connection has its own reference */
    return result;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, guint status, const char *text) {
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);

    add_headers(response, "text/plain; charset=utf-8");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "10");
    return send_response(connection, status, response);
}

static enum MHD_Result send_head(struct MHD_Connection *connection, const char *type) {
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    add_headers(response, type);
    return send_response(connection, MHD_HTTP_OK, response);
}

/* NULL: there is none. GLib would overlook a slash at the end. */
static GBytes *find_asset(const char *url) {
    g_autofree char *path = g_strconcat(ASSETS, strcmp(url, "/") == 0 ? "/index.html" : url, NULL);

    return g_str_has_suffix(path, "/") ? NULL : g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

static const char *type_of(const char *url) {
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_has_suffix(url, types[i].suffix))
            return types[i].type;
    return types[0].type; /* of "/" */
}

/* It lasts as long as the program. */
static enum MHD_Result send_asset(struct MHD_Connection *connection, const char *url, GBytes *bytes) {
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    struct MHD_Response *response = MHD_create_response_from_buffer(len, (void *)data, MHD_RESPMEM_PERSISTENT);

    add_headers(response, type_of(url));
    return send_response(connection, MHD_HTTP_OK, response);
}

/* --- metrics --- */

static void on_scraped(GBytes *metrics, gpointer data) {
    Request *self = data;

    self->metrics = metrics;
    resume(self->web, self->connection);
}

static void unref_bytes(void *bytes) {
    g_bytes_unref(bytes);
}

/* Comes twice: when it is asked for, and when it is there. */
static enum MHD_Result answer_metrics(Request *self) {
    struct MHD_Response *response;
    const void *text;
    gsize len;

    if (!self->metrics) {
        self->format =
            exp_accept(MHD_lookup_connection_value(self->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
        MHD_suspend_connection(self->connection);
        exp_mounts_scrape(self->web->mounts, self->format, on_scraped, self);
        return MHD_YES;
    }
    text = g_bytes_get_data(self->metrics, &len);
    response = MHD_create_response_from_buffer_with_free_callback_cls(len, (void *)text, unref_bytes,
                                                                      g_steal_pointer(&self->metrics));
    add_headers(response, exp_accept_get_type(self->format));
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
    return send_response(self->connection, MHD_HTTP_OK, response);
}

/* --- events --- */

static void on_ready(gpointer data) {
    Stream *self = data;

    if (!self->is_suspended)
        return;
    self->is_suspended = FALSE;
    resume(self->web, self->connection);
}

static ssize_t stream_read(void *data, uint64_t at G_GNUC_UNUSED, char *buffer, size_t size) {
    Stream *self = data;
    gsize n = exp_viewer_take(self->viewer, buffer, size);

    if (n == 0) {
        self->is_suspended = TRUE;
        MHD_suspend_connection(self->connection);
    }
    return (ssize_t)n;
}

static void stream_free(void *data) {
    Stream *self = data;

    exp_viewer_leave(self->viewer);
    g_free(self);
}

static ExpVisitor *visitor_of(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* NULL: there are too many. */
static Stream *stream_new(const Request *request) {
    Stream *self = g_new0(Stream, 1);

    *self = (Stream){ .web = request->web, .connection = request->connection };
    self->viewer = exp_live_join(request->web->live, on_ready, self);
    if (self->viewer && exp_visitors_exempt(&request->web->visitors, visitor_of(request->connection)))
        return self;
    if (self->viewer)
        exp_viewer_leave(self->viewer);
    g_free(self);
    return NULL;
}

static enum MHD_Result answer_events(const Request *request) {
    Stream *stream = stream_new(request);
    struct MHD_Response *response;

    if (!stream)
        return send_text(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many look at memory here\n");
    response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EVENTS_BLOCK_BYTES, stream_read, stream, stream_free);
    add_headers(response, EVENTS_TYPE);
    return send_response(request->connection, MHD_HTTP_OK, response);
}

/* --- requests --- */

/* A socket of the filesystem no browser reaches. */
static gboolean is_misled(const Request *self) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(self->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return self->web->is_private && info->client_addr->sa_family != AF_UNIX &&
           !exp_host_is_ours(MHD_lookup_connection_value(self->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
                             self->web->names);
}

static enum MHD_Result answer(Request *self, const char *method, const char *url) {
    gboolean is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    g_autoptr(GBytes) asset = find_asset(url);

    if (!is_head && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return send_text(self->connection, MHD_HTTP_METHOD_NOT_ALLOWED, "there is nothing to write here\n");
    if (is_misled(self))
        return send_text(self->connection, MHD_HTTP_MISDIRECTED_REQUEST,
                         "this is not what it is called here; see --host in memnotify-exporter(1)\n");
    if (asset)
        return send_asset(self->connection, url, asset);
    if (strcmp(url, "/metrics") == 0)
        return answer_metrics(self);
    if (strcmp(url, "/events") == 0)
        return is_head ? send_head(self->connection, EVENTS_TYPE) : answer_events(self);
    return send_text(self->connection, MHD_HTTP_NOT_FOUND, "there is /, /metrics and /events\n");
}

/* First when the head of a request has come, and then when all has. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version G_GNUC_UNUSED, const char *upload G_GNUC_UNUSED,
                                  size_t *upload_len, void **context) {
    Request *request = *context;

    if (request && *upload_len == 0)
        return answer(request, method, url);
    if (request) {
        *upload_len = 0; /* nobody wants it */
        return MHD_YES;
    }
    request = g_new0(Request, 1);
    *request = (Request){ .web = data, .connection = connection };
    *context = request;
    return MHD_YES;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code) {
    ExpWeb *self = data;
    Request *request = *context;

    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        exp_visitors_renew(&self->visitors, visitor_of(connection));
    if (request && request->metrics)
        g_bytes_unref(request->metrics);
    g_free(request);
    *context = NULL;
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    ExpWeb *self = data;

    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = exp_visitors_add(&self->visitors,
                                    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    else
        exp_visitors_remove(&self->visitors, *context);
}

/* --- */

/* As many as there can be descriptors. */
static guint find_room(void) {
    guint n = mn_file_limit_raise();

    return n == 0 ? VISITORS_MAX : CLAMP(n, OTHER_FDS + 16U, OTHER_FDS + VISITORS_MAX) - OTHER_FDS;
}

ExpWeb *exp_web_new(ExpMounts *mounts, ExpLive *live, gboolean is_private, char *const *names) {
    ExpWeb *self = g_new0(ExpWeb, 1);

    *self = (ExpWeb){
        .mounts = mounts, .live = live, .is_private = is_private, .names = names, .servers = g_ptr_array_new()
    };
    exp_visitors_init(&self->visitors, find_room());
    return self;
}

int exp_web_serve(ExpWeb *self, int fd) {
    Server *server;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, self, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, self->visitors.most + OTHER_FDS / 4, MHD_OPTION_CONNECTION_TIMEOUT, PATIENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, self,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, self, MHD_OPTION_END);

    if (!daemon)
        return errno != 0 ? -errno : -EIO;
    server = (Server *)g_source_new(&server_funcs, sizeof(Server));
    server->daemon = daemon;
    g_source_add_unix_fd(&server->source, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, G_IO_IN);
    g_source_set_can_recurse(&server->source, TRUE); /* else GLib takes it out of poll(2) each time, and wakes itself */
    g_source_attach(&server->source, NULL);
    g_ptr_array_add(self->servers, server);
    return 0;
}
