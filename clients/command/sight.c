/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A look at a place by a child process, which is killed when it takes too long: whoever asks something of a mount waits for
 * its server, and that may be stopped or hang. What the child has found by then is known. */
#include "sight.h"

#include "where.h"
#include "wire.h"

#include "kernel/mount.h"
#include "loop/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <memnotifyfs/client.h>
#include <memnotifyfs/contract.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_US (G_GINT64_CONSTANT(2) * G_USEC_PER_SEC)
#define READ_BYTES 65536

/* In front of each text that the child sends. */
typedef struct Head {
    int error;
    gsize len;
} Head;

static const char *const names[CMD_N_FILES] = {
    [CMD_FILE_METRICS] = MEMNOTIFYFS_METRICS,
    [CMD_FILE_SOCKET] = MEMNOTIFYFS_SOCKET_FILE,
    [CMD_FILE_SIMULATE] = MEMNOTIFYFS_SIMULATE,
    [CMD_FILE_USERS] = MEMNOTIFYFS_USERS,
};

/* --- the child --- */

static void send_bytes(int fd, const char *bytes, gsize len) {
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0)
            _exit(EXIT_FAILURE);
        bytes += n;
        len -= (gsize)n;
    }
}

static void send_text(int fd, int error, const void *bytes, gsize len) {
    Head head = { .error = error, .len = error == 0 ? len : 0 };

    send_bytes(fd, (const char *)&head, sizeof head);
    send_bytes(fd, bytes, head.len);
}

static void look_at_kind(int fd, const char *path) {
    struct stat st = { 0 };
    int error = stat(path, &st) < 0 ? -errno : 0;

    send_text(fd, error, &st.st_mode, sizeof st.st_mode);
}

static void look_at_files(int fd, const char *path, GString *ret_socket) {
    struct mount mount;
    int no_mount = mount_open(path, &mount);

    for (guint i = 0; i < CMD_N_FILES; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        int r = no_mount < 0 ? no_mount : cmd_where_read(&mount, names[i], text);

        send_text(fd, r, text->str, text->len);
        if (i == CMD_FILE_SOCKET && r == 0 && text->str[0] == '/')
            g_string_append_len(ret_socket, text->str, (gssize)strcspn(text->str, "\n"));
    }
}

/* The place may be a socket itself. */
static void look_at_socket(int fd, const char *path, GString *place) {
    struct stat st;
    struct wire wire;
    int r;

    if (place->len == 0 && stat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        g_string_assign(place, path);
    else if (place->len == 0)
        g_string_printf(place, "%s" MEMNOTIFYFS_SOCKET_SUFFIX, path);
    send_text(fd, 0, place->str, place->len);

    wire_init(&wire);
    r = wire_connect(&wire, place->str);
    wire_disconnect(&wire);
    send_text(fd, r, NULL, 0);
}

static void look_as_client(int fd, const char *path) {
    memnotifyfs *client = NULL;
    uint64_t pages;
    int r = memnotifyfs_open(path, &client);

    if (r == 0)
        r = memnotifyfs_get_meter(client, "total", &pages);
    memnotifyfs_close(client);
    send_text(fd, r, NULL, 0);
}

static void look(int fd, const char *path) {
    g_autoptr(GString) socket = g_string_new(NULL);

    look_at_kind(fd, path);
    look_at_files(fd, path, socket);
    look_at_socket(fd, path, socket);
    look_as_client(fd, path);
}

/* --- its parent --- */

/* What comes until the end, or until the time is over. */
static GString *receive_all(int fd) {
    gint64 end_us = mn_clock_now_us(&mn_machine_clock) + PATIENCE_US;
    GString *all = g_string_new(NULL);
    struct pollfd waiter = { .fd = fd, .events = POLLIN };
    gint64 left_us;

    while ((left_us = end_us - mn_clock_now_us(&mn_machine_clock)) > 0) {
        gsize len = all->len;
        ssize_t n;

        if (poll(&waiter, 1, (int)(left_us / 1000) + 1) <= 0)
            continue;
        g_string_set_size(all, len + READ_BYTES);
        n = read(fd, all->str + len, READ_BYTES);
        g_string_set_size(all, len + (gsize)MAX(n, 0));
        if (n <= 0)
            break;
    }
    return all;
}

/* A child that the server has begun to answer cannot be killed before it has: it is left to who takes orphans. */
static void end_child(pid_t pid) {
    kill(pid, SIGKILL);
    for (guint n = 0; n < 100 && waitpid(pid, NULL, WNOHANG) == 0; n++)
        g_usleep(1000);
}

static GString *look_by_child(const char *path) {
    GString *all;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return g_string_new(NULL);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        signal(SIGPIPE, SIG_DFL);
        look(ends[1], path);
        _exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    all = receive_all(ends[0]);
    close(ends[0]);
    if (pid > 0)
        end_child(pid);
    return all;
}

/* Takes the next text off *at. */
static CmdText take_text(const GString *all, gsize *at) {
    CmdText text = { .error = -ETIMEDOUT, .text = g_string_new(NULL) };
    Head head;

    if (all->len - *at < sizeof head)
        return text;
    memcpy(&head, all->str + *at, sizeof head);
    if (head.len > all->len - *at - sizeof head) {
        *at = all->len;
        return text;
    }
    *at += sizeof head;
    text.error = head.error;
    g_string_append_len(text.text, all->str + *at, (gssize)head.len);
    *at += head.len;
    return text;
}

static int take_error(const GString *all, gsize *at) {
    CmdText text = take_text(all, at);

    g_string_free(text.text, TRUE);
    return text.error;
}

static void take_all(CmdSight *self, const GString *all) {
    gsize at = 0;
    CmdText kind = take_text(all, &at), socket;

    self->error = kind.error;
    if (kind.text->len == sizeof self->kind)
        memcpy(&self->kind, kind.text->str, sizeof self->kind);
    self->kind &= S_IFMT;
    g_string_free(kind.text, TRUE);
    for (guint i = 0; i < CMD_N_FILES; i++)
        self->files[i] = take_text(all, &at);
    socket = take_text(all, &at);
    self->socket = g_string_free(socket.text, FALSE);
    self->socket_error = take_error(all, &at);
    self->client_error = take_error(all, &at);
}

static void find_mount(CmdSight *self) {
    g_autofree char *mountinfo = NULL;
    g_auto(MnMount) mount = { 0 };

    if (!g_file_get_contents("/proc/self/mountinfo", &mountinfo, NULL, NULL))
        return;
    for (const char *rest = mountinfo; mn_mount_next(&mount, &rest);)
        if (strcmp(mount.mountpoint, self->path) == 0) { /* the last is on top */
            mn_mount_clear(&self->mount);
            self->mount = mount;
            mount = (MnMount){ 0 };
        }
}

void cmd_sight_init(CmdSight *self, const char *place) {
    g_autoptr(GString) all = NULL;

    *self = (CmdSight){ .path = mn_mount_resolve(place) };
    find_mount(self);
    all = look_by_child(self->path);
    take_all(self, all);
}

void cmd_sight_clear(CmdSight *self) {
    mn_mount_clear(&self->mount);
    for (guint i = 0; i < CMD_N_FILES; i++)
        if (self->files[i].text)
            g_string_free(g_steal_pointer(&self->files[i].text), TRUE);
    g_clear_pointer(&self->socket, g_free);
    g_clear_pointer(&self->path, g_free);
}

gboolean cmd_sight_is_served(const CmdSight *self) {
    return self->files[CMD_FILE_METRICS].error == 0 &&
           g_str_has_suffix(self->files[CMD_FILE_METRICS].text->str, "# EOF\n");
}

gboolean cmd_sight_is_ours(const CmdSight *self) {
    return self->mount.type && strcmp(self->mount.type, MEMNOTIFYFS_TYPE) == 0;
}

gboolean cmd_sight_is_dead(const CmdSight *self) {
    return cmd_sight_is_ours(self) && (self->error == -ENOTCONN || self->error == -ECONNABORTED);
}

/* In the options of a mount: "rw,user_id=1000,group_id=1000". */
long cmd_sight_get_owner(const CmdSight *self) {
    const char *at = self->mount.options ? strstr(self->mount.options, "user_id=") : NULL;

    return at ? strtol(at + strlen("user_id="), NULL, 10) : -1;
}
