/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each connection that is kept has a slot, whose number is in the name that the manager knows it by, and its record in a
 * file without a name that the manager keeps as well: so that a server that is killed leaves all of it. A record says what
 * the client has been told, since he will not be told by us what he was not. */
#include "store.h"

#include "loop/alarm.h"
#include "socket/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_OF_RECORDS "memnotifyfs-records"
#define NAME_OF_CLIENT "memnotifyfs-client-"
#define NAME_BYTES 48

/* So many are kept as soon as they wait for something, and the others after that time, when as many again may be: who comes
 * and goes all the time is not to be much work for the manager. */
#define KEPT_AT_ONCE 16
#define KEEP_AFTER_US G_TIME_SPAN_SECOND

struct MnStore {
    const MnManager *manager;
    const MnQuota *quota;
    const MnClock *clock;
    guint n_slots;
    MnConnection **slots;   /* NULL for one that is free; number 0 is nobody's */
    GHashTable *n_of_users; /* uid -> how many are kept */
    GQueue waiting;         /* of connections that are to be kept */
    guint n_at_once;        /* that were, since the alarm has rung */
    MnAlarm *alarm;
    int records; /* -1 before the first is kept */
};

static void print_name(guint slot, char name[NAME_BYTES]) {
    snprintf(name, NAME_BYTES, NAME_OF_CLIENT "%u", slot);
}

/* 0: it is no name of a slot. */
static guint parse_name(const MnStore *self, const char *name) {
    guint64 slot = 0;

    if (!g_str_has_prefix(name, NAME_OF_CLIENT) ||
        !g_ascii_string_to_unsigned(name + strlen(NAME_OF_CLIENT), 10, 1, self->n_slots - 1, &slot, NULL))
        return 0;
    return (guint)slot;
}

/* --- how many --- */

static guint n_of(const MnStore *self, const MnConnection *connection) {
    return GPOINTER_TO_UINT(
        g_hash_table_lookup(self->n_of_users, GUINT_TO_POINTER(mn_account_get_uid(connection->account))));
}

static void count(MnStore *self, const MnConnection *connection, gint more) {
    gpointer uid = GUINT_TO_POINTER(mn_account_get_uid(connection->account));
    guint n = n_of(self, connection) + (guint)more;

    if (n > 0)
        g_hash_table_insert(self->n_of_users, uid, GUINT_TO_POINTER(n));
    else
        g_hash_table_remove(self->n_of_users, uid);
}

static gboolean may_have_more(const MnStore *self, const MnConnection *connection) {
    return mn_quota_is_free(self->quota, mn_account_get_uid(connection->account)) ||
           n_of(self, connection) < MN_KEPT_PER_USER_MAX;
}

/* --- slots --- */

static guint find_free_slot(const MnStore *self) {
    for (guint slot = 1; slot < self->n_slots; slot++)
        if (!self->slots[slot])
            return slot;
    return 0;
}

static void occupy(MnStore *self, MnConnection *connection, guint slot) {
    connection->slot = slot;
    self->slots[slot] = connection;
    count(self, connection, 1);
}

static void vacate(MnStore *self, MnConnection *connection) {
    count(self, connection, -1);
    self->slots[connection->slot] = NULL;
    connection->slot = 0;
}

static gboolean write_record(const MnStore *self, guint slot, const char text[MN_RECORD_BYTES]) {
    return pwrite(self->records, text, MN_RECORD_BYTES, (off_t)slot * MN_RECORD_BYTES) == MN_RECORD_BYTES;
}

static gboolean has_records(MnStore *self) {
    if (self->records >= 0)
        return TRUE;
    self->records = memfd_create(NAME_OF_RECORDS, MFD_CLOEXEC);
    if (self->records >= 0 && mn_manager_keep(self->manager, NAME_OF_RECORDS, self->records))
        return TRUE;
    if (self->records >= 0)
        close(self->records);
    self->records = -1;
    return FALSE;
}

/* The record first: who finds the connection finds it, too. What cannot be done now is done with the next change. */
static gboolean keep(MnStore *self, MnConnection *connection) {
    char text[MN_RECORD_BYTES] = "", name[NAME_BYTES];
    guint slot = find_free_slot(self);

    if (slot == 0 || !mn_record_print(connection, text) || !may_have_more(self, connection) || !has_records(self))
        return FALSE;
    print_name(slot, name);
    if (!write_record(self, slot, text) || !mn_manager_keep(self->manager, name, connection->wire.fd))
        return FALSE;
    occupy(self, connection, slot);
    return TRUE;
}

static void let_go(MnStore *self, MnConnection *connection) {
    char text[MN_RECORD_BYTES] = "", name[NAME_BYTES];

    print_name(connection->slot, name);
    if (!write_record(self, connection->slot, text) || !mn_manager_forget(self->manager, name))
        g_debug("a connection that is not kept any more could not be taken back");
    vacate(self, connection);
}

static void keep_waiting(gpointer data) {
    MnStore *self = data;
    GList *link;

    self->n_at_once = 0;
    while ((link = g_queue_pop_head_link(&self->waiting))) {
        MnConnection *connection = link->data;

        connection->is_to_be_kept = FALSE;
        (void)keep(self, connection);
    }
}

static gboolean keep_at_once(MnStore *self, MnConnection *connection) {
    if (self->n_at_once == KEPT_AT_ONCE || !keep(self, connection))
        return FALSE;
    self->n_at_once++;
    return TRUE;
}

void mn_store_note(MnStore *self, MnConnection *connection) {
    char text[MN_RECORD_BYTES] = "";

    if (connection->slot > 0) {
        if (!mn_record_print(connection, text) || !write_record(self, connection->slot, text))
            let_go(self, connection);
        return;
    }
    if (connection->is_to_be_kept)
        return;
    if (g_queue_is_empty(&self->waiting) && self->n_at_once == 0)
        mn_alarm_set(self->alarm, mn_clock_now_us(self->clock) + KEEP_AFTER_US);
    if (keep_at_once(self, connection))
        return;
    connection->kept_link = (GList){ .data = connection };
    g_queue_push_tail_link(&self->waiting, &connection->kept_link);
    connection->is_to_be_kept = TRUE;
}

void mn_store_forget(MnStore *self, MnConnection *connection) {
    if (connection->is_to_be_kept)
        g_queue_unlink(&self->waiting, &connection->kept_link);
    connection->is_to_be_kept = FALSE;
    if (connection->slot > 0)
        let_go(self, connection);
}

/* --- what was kept --- */

gboolean mn_store_adopt(MnStore *self, const char *name, int fd) {
    if (strcmp(name, NAME_OF_RECORDS) != 0)
        return FALSE;
    if (self->records >= 0)
        close(self->records);
    self->records = fd;
    return TRUE;
}

int mn_store_resume(MnStore *self, const char *name, MnConnection *connection) {
    char text[MN_RECORD_BYTES] = "";
    guint slot = parse_name(self, name);
    int r;

    if (slot == 0 || self->slots[slot] || self->records < 0)
        return -ENOENT;
    if (pread(self->records, text, sizeof text - 1, (off_t)slot * MN_RECORD_BYTES) < 0)
        return -errno;
    occupy(self, connection, slot);
    r = mn_record_resume(text, connection);
    mn_store_note(self, connection);
    return r;
}

/* --- the store --- */

MnStore *mn_store_new(const MnManager *manager, const MnQuota *quota, const MnClock *clock, guint n_slots) {
    MnStore *self = g_new0(MnStore, 1);

    *self = (MnStore){ .manager = manager, .quota = quota, .clock = clock, .n_slots = n_slots, .records = -1 };
    self->slots = g_new0(MnConnection *, n_slots);
    self->n_of_users = g_hash_table_new(NULL, NULL);
    self->alarm = mn_alarm_new(clock, "store", keep_waiting, self);
    return self;
}

void mn_store_free(MnStore *self) {
    if (!self)
        return;
    keep_waiting(self);
    mn_alarm_free(self->alarm);
    g_hash_table_unref(self->n_of_users);
    g_free(self->slots);
    if (self->records >= 0)
        close(self->records);
    g_free(self);
}
