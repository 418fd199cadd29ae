/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients' eventfds: how long they live, and how many a user may have.
 *
 * The kernel's registrations end when the last reference to the eventfd is closed. Our own copy
 * hides that from us, and nothing tells how many references there are; so the helper looks whether the
 * client still has the eventfd: its end wakes us (pidfd), and a close is noticed the next time
 * somebody looks. That is done a few sinks at a time: before each registration of the same user, so
 * that who registers and closes in a loop pays for it himself, and every two seconds. */
#include "sink.h"

#include "kernel/client.h"
#include "kernel/ends.h"
#include "kernel/ourselves.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define CHECK_PERIOD_MS 2000
#define CHECKED_WITH_CHARGE 4 /* closed sinks are at most a third of the user's open ones */
#define CHECKED_AT_QUOTA 64
#define CHECKED_WITH_PERIOD_MIN 32

typedef struct MnSinkProcess {
    MnSinks *sinks;
    pid_t pid;
    int pidfd;
    MnAccount *account; /* that is charged for the pidfd */
    GHashTable *by_id;  /* eventfd_id -> MnSink */
} Process;

typedef struct MnSinkUser {
    MnSinks *owner;
    uid_t uid;
    MnAccount *account;
    GQueue sinks;     /* the one looked at longest ago is first */
    MnHelperJob *job; /* some of them are being looked at */
} User;

struct MnSinks {
    MnQuota *quota;
    MnHelper *helper;
    MnEnds *ends;
    GHashTable *processes; /* pid -> Process */
    GHashTable *users;     /* uid -> User */
    guint n_charged;
    guint n_sinks;
    guint timer; /* while there is a sink */
    void (*ended)(MnSink *sink, gpointer data);
    gpointer data;
};

void mn_sink_key_clear(MnSinkKey *self) {
    if (self->pidfd >= 0)
        close(self->pidfd);
    if (self->fd >= 0)
        close(self->fd);
    self->pidfd = self->fd = -1;
}

static void process_free(Process *process) {
    g_hash_table_remove(process->sinks->processes, GINT_TO_POINTER(process->pid));
    g_hash_table_unref(process->by_id);
    mn_ends_remove(process->sinks->ends, process->pidfd, process);
    close(process->pidfd);
    mn_account_refund(process->account, MN_RESOURCE_DESCRIPTORS, 1);
    mn_account_give_back(process->account);
    g_free(process);
}

static void user_free(MnSinks *self, User *user) {
    g_hash_table_remove(self->users, GUINT_TO_POINTER(user->uid));
    if (user->job)
        mn_helper_forget(user->job);
    mn_account_give_back(user->account);
    g_free(user);
}

static void sink_end(MnSinks *self, MnSink *sink) {
    Process *process = sink->process;
    User *user = sink->user;

    self->n_charged -= sink->n_charged;
    self->ended(sink, self->data);
    close(sink->fd);
    mn_account_refund(user->account, MN_RESOURCE_REGISTRATIONS, sink->n_charged);
    mn_account_refund(user->account, MN_RESOURCE_DESCRIPTORS, 1);

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
        sink_end(self, sink->data);
}

static void on_process_end(gpointer process, gpointer data) {
    end_process(data, process);
}

int mn_sinks_new(MnQuota *quota, MnHelper *helper, void (*ended)(MnSink *sink, gpointer data), gpointer data,
                 MnSinks **ret) {
    g_autoptr(MnSinks) self = g_new0(MnSinks, 1);
    int r;

    self->quota = quota;
    self->helper = helper;
    self->processes = g_hash_table_new(NULL, NULL);
    self->users = g_hash_table_new(NULL, NULL);
    self->ended = ended;
    self->data = data;
    r = mn_ends_new(on_process_end, NULL, self, &self->ends);
    if (r < 0)
        return r;

    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_sinks_free(MnSinks *self) {
    if (!self)
        return;
    g_assert(self->n_sinks == 0);
    g_hash_table_unref(self->processes);
    g_hash_table_unref(self->users);
    mn_ends_free(self->ends);
    g_free(self);
}

/* --- whether clients still have them --- */

/* Question and answer: one eventfd. */
typedef struct Look {
    pid_t pid;
    guint64 eventfd_id;
    guint64 number;
    int r; /* of mn_client_look_again() */
} Look;

static int run_look(MnParcel *question, MnParcel *answer) {
    Look *looks = (Look *)(void *)question->bytes->data;
    guint n = question->bytes->len / sizeof *looks;

    for (guint i = 0; i < n; i++)
        looks[i].r = mn_client_look_again(looks[i].pid, looks[i].eventfd_id, &looks[i].number);
    mn_parcel_add(answer, looks, n * sizeof *looks);
    return 0;
}

static const MnTask look_task = { .name = "look for eventfds", .limit_ms = MN_HELPER_LIMIT_MS, .run = run_look };

/* What cannot be looked at, as a process that has become another user's, is taken to be there. */
static void judge_look(MnSinks *self, const Look *look) {
    Process *process = g_hash_table_lookup(self->processes, GINT_TO_POINTER(look->pid));
    MnSink *sink = process ? g_hash_table_lookup(process->by_id, &look->eventfd_id) : NULL;

    if (sink && look->r == -ENOENT)
        sink_end(self, sink);
    else if (sink)
        sink->number = look->number;
}

static void on_looked(int r, MnParcel *answer, gpointer data) {
    MnSinks *self = ((User *)data)->owner;
    const Look *looks = (const Look *)(void *)answer->bytes->data;

    ((User *)data)->job = NULL; /* he goes with his last sink */
    for (guint i = 0; r == 0 && i < answer->bytes->len / sizeof *looks; i++)
        judge_look(self, &looks[i]);
}

/* Has the `n` sinks of a user looked at that were looked at longest ago. */
static void look_at(MnSinks *self, User *user, guint n) {
    g_autoptr(GByteArray) looks = NULL;

    if (user->job)
        return;
    looks = g_byte_array_new();
    for (n = MIN(n, g_queue_get_length(&user->sinks)); n > 0; n--) {
        GList *link = g_queue_pop_head_link(&user->sinks);
        const MnSink *sink = link->data;
        Look look = { .pid = sink->process->pid, .eventfd_id = sink->eventfd_id, .number = sink->number };

        g_queue_push_tail_link(&user->sinks, link);
        g_byte_array_append(looks, (const guint8 *)&look, sizeof look);
    }
    if (mn_helper_ask(self->helper, &look_task, user->uid, looks->data, looks->len, NULL, 0, on_looked, user,
                      &user->job) < 0)
        user->job = NULL; /* another time */
}

static gboolean on_check(gpointer data) {
    MnSinks *self = data;
    GHashTableIter iter;
    gpointer user;

    g_hash_table_iter_init(&iter, self->users);
    while (g_hash_table_iter_next(&iter, NULL, &user))
        look_at(self, user, MAX(CHECKED_WITH_PERIOD_MIN, ((User *)user)->sinks.length / 16));
    return G_SOURCE_CONTINUE;
}

void mn_sinks_look(MnSinks *self, uid_t uid) {
    User *user = g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid));

    if (user)
        look_at(self, user,
                mn_account_check(user->account, MN_RESOURCE_REGISTRATIONS, 1) == 0 ? CHECKED_WITH_CHARGE
                                                                                   : CHECKED_AT_QUOTA);
}

static User *get_user(MnSinks *self, uid_t uid) {
    User *user = g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid));

    if (!user) {
        user = g_new0(User, 1);
        user->owner = self;
        user->uid = uid;
        user->account = mn_quota_get_account(self->quota, uid);
        g_hash_table_insert(self->users, GUINT_TO_POINTER(uid), user);
    }
    return user;
}

static gboolean has_ended(const Process *process) {
    struct pollfd pollfd = { .fd = process->pidfd, .events = POLLIN };

    return poll(&pollfd, 1, 0) > 0;
}

static int process_new(MnSinks *self, MnSinkKey *key, MnAccount *account, Process **ret) {
    Process *process;
    int r;

    r = mn_account_charge(account, MN_RESOURCE_DESCRIPTORS, 1);
    if (r < 0)
        return r;
    process = g_new0(Process, 1);
    r = mn_ends_add(self->ends, key->pidfd, process);
    if (r < 0) {
        mn_account_refund(account, MN_RESOURCE_DESCRIPTORS, 1);
        g_free(process);
        return r;
    }
    *process = (Process){ .sinks = self, .pid = key->pid, .pidfd = key->pidfd, .account = mn_account_keep(account) };
    key->pidfd = -1;
    process->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_hash_table_insert(self->processes, GINT_TO_POINTER(key->pid), process);
    *ret = process;
    return 0;
}

/* The process of the key. Another one that had the pid before may have ended unnoticed as yet. */
static int get_process(MnSinks *self, MnSinkKey *key, MnAccount *account, Process **ret) {
    Process *process = g_hash_table_lookup(self->processes, GINT_TO_POINTER(key->pid));

    if (process && has_ended(process)) {
        end_process(self, process);
        process = NULL;
    }
    if (!process)
        return process_new(self, key, account, ret);
    *ret = process;
    return 0;
}

static int sink_new(MnSinks *self, Process *process, MnSinkKey *key, MnAccount *account, MnSink **ret) {
    MnSink *sink;
    int r;

    r = mn_account_charge(account, MN_RESOURCE_DESCRIPTORS, 1);
    if (r < 0)
        return r;
    sink = g_new0(MnSink, 1);
    *sink =
        (MnSink){ .fd = key->fd, .eventfd_id = key->eventfd_id, .process = process, .user = get_user(self, key->uid) };
    key->fd = -1;
    sink->link.data = sink;
    g_hash_table_insert(process->by_id, &sink->eventfd_id, sink);
    g_queue_push_tail_link(&sink->user->sinks, &sink->link);
    if (self->n_sinks++ == 0)
        self->timer = g_timeout_add(CHECK_PERIOD_MS, on_check, self);
    *ret = sink;
    return 0;
}

static int get_sink(MnSinks *self, MnSinkKey *key, MnAccount *account, MnSink **ret) {
    Process *process;
    int r;

    r = get_process(self, key, account, &process);
    if (r < 0)
        return r;
    *ret = g_hash_table_lookup(process->by_id, &key->eventfd_id);
    if (*ret)
        return 0;
    r = sink_new(self, process, key, account, ret);
    if (r < 0 && g_hash_table_size(process->by_id) == 0)
        process_free(process);
    return r;
}

/* A sink stays its first user's, whoever the process is by now. */
int mn_sinks_charge(MnSinks *self, MnSinkKey *key, MnSink **ret) {
    MnAccount *account = mn_quota_get_account(self->quota, key->uid);
    MnSink *sink;
    int r;

    r = get_sink(self, key, account, &sink);
    mn_account_give_back(account);
    if (r < 0)
        return r;
    r = mn_account_charge(sink->user->account, MN_RESOURCE_REGISTRATIONS, 1);
    if (r < 0) {
        if (sink->n_charged == 0)
            sink_end(self, sink);
        return r;
    }
    sink->number = key->number;
    sink->n_charged++;
    self->n_charged++;
    *ret = sink;
    return 0;
}

void mn_sinks_refund(MnSinks *self, MnSink *sink) {
    mn_account_refund(sink->user->account, MN_RESOURCE_REGISTRATIONS, 1);
    sink->n_charged--;
    self->n_charged--;
    if (sink->n_charged == 0)
        sink_end(self, sink);
}

void mn_sinks_end_all(MnSinks *self) {
    g_autoptr(GList) processes = g_hash_table_get_values(self->processes);

    for (GList *process = processes; process; process = process->next)
        end_process(self, process->data);
}

guint mn_sinks_get_n_registrations(const MnSinks *self) {
    return self->n_charged;
}
