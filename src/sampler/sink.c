/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients' eventfds: how long they live, and how many a user may have.
 *
 * The kernel's registrations end when the last reference to the eventfd is closed. Our own copy
 * hides that from us, and nothing tells how many references there are; so we look whether the
 * client still has the eventfd: its end wakes us (pidfd), and a close is noticed the next time
 * somebody looks. That is done a few sinks at a time: with each registration of the same user, so
 * that who registers and closes in a loop pays for it himself, and every two seconds. */
#include "sink.h"

#include "source/client.h"
#include "source/filelimit.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

#define CHECK_PERIOD_MS 2000
#define CHECKED_WITH_CHARGE 4 /* closed sinks are at most a third of the user's open ones */
#define CHECKED_AT_QUOTA 64
#define CHECKED_WITH_PERIOD_MIN 32

/* Descriptors that are left for everything else: requests, events, the kernel's texts. */
#define DESCRIPTORS_RESERVED 64

typedef struct MnSinkProcess {
    MnSinks *sinks;
    pid_t pid;
    int pidfd;
    guint source;
    GHashTable *by_id; /* eventfd_id -> MnSink */
} Process;

typedef struct MnSinkUser {
    uid_t uid;
    guint n_charged;
    GQueue sinks; /* the one looked at longest ago is first */
} User;

struct MnSinks {
    GHashTable *processes; /* pid -> Process */
    GHashTable *users;     /* uid -> User */
    guint n_charged;
    guint n_sinks;
    guint n_sinks_max;
    guint timer; /* while there is a sink */
    void (*ended)(MnSink *sink, gpointer data);
    gpointer data;
};

MnSinks *mn_sinks_new(void (*ended)(MnSink *sink, gpointer data), gpointer data) {
    MnSinks *self = g_new0(MnSinks, 1);
    guint n_files = mn_file_limit_raise(); /* each eventfd costs one, and each process one more */

    self->processes = g_hash_table_new(NULL, NULL);
    self->users = g_hash_table_new(NULL, NULL);
    self->n_sinks_max = n_files > DESCRIPTORS_RESERVED ? n_files - DESCRIPTORS_RESERVED : 0;
    self->ended = ended;
    self->data = data;
    return self;
}

void mn_sinks_free(MnSinks *self) {
    if (!self)
        return;
    g_assert(self->n_sinks == 0);
    g_hash_table_unref(self->processes);
    g_hash_table_unref(self->users);
    g_free(self);
}

static void process_free(Process *process) {
    g_hash_table_remove(process->sinks->processes, GINT_TO_POINTER(process->pid));
    g_hash_table_unref(process->by_id);
    g_source_remove(process->source);
    close(process->pidfd);
    g_free(process);
}

static void user_free(MnSinks *self, User *user) {
    g_hash_table_remove(self->users, GUINT_TO_POINTER(user->uid));
    g_free(user);
}

static void end(MnSinks *self, MnSink *sink) {
    Process *process = sink->process;
    User *user = sink->user;

    self->n_charged -= sink->n_charged;
    user->n_charged -= sink->n_charged;
    self->ended(sink, self->data);
    close(sink->fd);

    g_queue_unlink(&user->sinks, &sink->link);
    if (g_queue_is_empty(&user->sinks))
        user_free(self, user);

    g_hash_table_remove(process->by_id, &sink->eventfd_id);
    if (g_hash_table_size(process->by_id) == 0)
        process_free(process);

    g_free(sink);
    if (--self->n_sinks == 0) {
        g_source_remove(self->timer);
        self->timer = 0;
    }
}

static void end_process(MnSinks *self, Process *process) {
    g_autoptr(GList) sinks = g_hash_table_get_values(process->by_id);

    for (GList *sink = sinks; sink; sink = sink->next) /* the last one frees the process */
        end(self, sink->data);
}

static gboolean on_process_end(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
                               gpointer data) {
    Process *process = data;

    end_process(process->sinks, process);
    return G_SOURCE_CONTINUE; /* the source has been removed */
}

/* What cannot be looked at, as a process that has become another user's, is taken to be there. */
static gboolean is_still_there(MnSink *sink) {
    MnDescriptor descriptor;
    int r;

    r = mn_client_look(sink->process->pid, sink->number, &descriptor);
    if (r == -EPERM || (r == 0 && descriptor.is_eventfd && descriptor.eventfd_id == sink->eventfd_id))
        return TRUE;
    return mn_client_find_eventfd(sink->process->pid, sink->eventfd_id, &sink->number) != -ENOENT;
}

/* Looks at the `n` sinks of a user that were looked at longest ago. */
static void check_user(MnSinks *self, User *user, guint n) {
    for (n = MIN(n, g_queue_get_length(&user->sinks)); n > 0; n--) {
        GList *link = g_queue_peek_head_link(&user->sinks);
        gboolean is_last = g_queue_get_length(&user->sinks) == 1;

        g_queue_unlink(&user->sinks, link);
        g_queue_push_tail_link(&user->sinks, link);
        if (!is_still_there(link->data)) {
            end(self, link->data);
            if (is_last) /* the user has gone with it */
                return;
        }
    }
}

static gboolean on_check(gpointer data) {
    MnSinks *self = data;
    g_autoptr(GList) users = g_hash_table_get_values(self->users);

    for (GList *user = users; user; user = user->next)
        check_user(self, user->data,
                   MAX(CHECKED_WITH_PERIOD_MIN, ((User *)user->data)->sinks.length / 16));
    return self->n_sinks > 0; /* else the source has been removed */
}

static gboolean has_room(const MnSinks *self, const User *user) {
    return self->n_charged < MN_REGISTRATIONS_MAX &&
           (!user || user->uid == 0 || user->n_charged < MN_REGISTRATIONS_PER_USER_MAX);
}

/* Pays for what is registered: looks at a few sinks of the user, at more if he has too many. */
static int check_quota(MnSinks *self, uid_t uid) {
    User *user = g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid));

    if (user)
        check_user(self, user, has_room(self, user) ? CHECKED_WITH_CHARGE : CHECKED_AT_QUOTA);
    user = g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid));
    return has_room(self, user) ? 0 : -EDQUOT;
}

static User *get_user(MnSinks *self, uid_t uid) {
    User *user = g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid));

    if (!user) {
        user = g_new0(User, 1);
        user->uid = uid;
        g_hash_table_insert(self->users, GUINT_TO_POINTER(uid), user);
    }
    return user;
}

static gboolean has_ended(const Process *process) {
    struct pollfd pollfd = { .fd = process->pidfd, .events = POLLIN };

    return poll(&pollfd, 1, 0) > 0;
}

/* The process of that pid. Another one that had the pid before may have ended unnoticed as yet. */
static int get_process(MnSinks *self, pid_t pid, Process **ret) {
    Process *process = g_hash_table_lookup(self->processes, GINT_TO_POINTER(pid));
    int pidfd, r;

    if (process && has_ended(process)) {
        end_process(self, process);
        process = NULL;
    }
    if (!process) {
        r = mn_client_open(pid, &pidfd);
        if (r < 0)
            return r;
        process = g_new0(Process, 1);
        *process = (Process){ .sinks = self, .pid = pid, .pidfd = pidfd };
        process->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
        process->source = g_unix_fd_add(pidfd, G_IO_IN, on_process_end, process);
        g_hash_table_insert(self->processes, GINT_TO_POINTER(pid), process);
    }
    *ret = process;
    return 0;
}

static int take(MnSinks *self, Process *process, const MnSinkKey *key, MnSink **ret) {
    MnSink *sink;
    int fd, r;

    if (self->n_sinks + g_hash_table_size(self->processes) >= self->n_sinks_max)
        return -ENFILE;
    r = mn_client_take_eventfd(process->pidfd, key->number, key->eventfd_id, &fd);
    if (r < 0)
        return r;

    sink = g_new0(MnSink, 1);
    *sink = (MnSink){ .fd = fd,
                      .eventfd_id = key->eventfd_id,
                      .number = key->number,
                      .process = process,
                      .user = get_user(self, key->uid) };
    sink->link.data = sink;
    g_hash_table_insert(process->by_id, &sink->eventfd_id, sink);
    g_queue_push_tail_link(&sink->user->sinks, &sink->link);
    if (self->n_sinks++ == 0)
        self->timer = g_timeout_add(CHECK_PERIOD_MS, on_check, self);

    *ret = sink;
    return 0;
}

int mn_sinks_charge(MnSinks *self, const MnSinkKey *key, MnSink **ret) {
    Process *process;
    MnSink *sink;
    int r;

    r = check_quota(self, key->uid);
    if (r < 0)
        return r;
    r = get_process(self, key->pid, &process);
    if (r < 0)
        return r;

    sink = g_hash_table_lookup(process->by_id, &key->eventfd_id);
    if (!sink) {
        r = take(self, process, key, &sink);
        if (r < 0) {
            if (g_hash_table_size(process->by_id) == 0)
                process_free(process);
            return r;
        }
    }

    sink->number = key->number;
    sink->n_charged++;
    sink->user->n_charged++;
    self->n_charged++;
    *ret = sink;
    return 0;
}

void mn_sinks_refund(MnSinks *self, MnSink *sink) {
    sink->n_charged--;
    sink->user->n_charged--;
    self->n_charged--;
    if (sink->n_charged == 0)
        end(self, sink);
}

void mn_sinks_end_all(MnSinks *self) {
    g_autoptr(GList) processes = g_hash_table_get_values(self->processes);

    for (GList *process = processes; process; process = process->next)
        end_process(self, process->data);
}

guint mn_sinks_get_n_registrations(const MnSinks *self) {
    return self->n_charged;
}
