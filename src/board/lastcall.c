/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes are concerned the helper finds out. Meanwhile clients come and go, so its answer is numbers, and whoever has
 * one of them then is told. */
#include "lastcall.h"

#include "kernel/membership.h"

struct MnLastCall {
    MnBoard *board;
    MnHelper *helper;
    GQueue members; /* of MnMember */
};

struct MnCalling {
    MnLastCall *last_call;
    MnHelperJob *job;
    MnCalled made;
    gpointer data;
};

MnLastCall *mn_last_call_new(MnBoard *board, MnHelper *helper) {
    MnLastCall *self = g_new0(MnLastCall, 1);

    *self = (MnLastCall){ .board = board, .helper = helper };
    return self;
}

void mn_last_call_free(MnLastCall *self) {
    g_free(self);
}

void mn_last_call_add(MnLastCall *self, MnMember *member) {
    member->link.data = member;
    g_queue_push_tail_link(&self->members, &member->link);
}

void mn_last_call_remove(MnLastCall *self, MnMember *member) {
    g_queue_unlink(&self->members, &member->link);
}

int mn_last_call_prepare(MnLastCall *self) {
    return mn_helper_prepare(self->helper);
}

static int tell_all(MnLastCall *self, const GByteArray *answer) {
    MnEvent event = mn_event_of_last_call(mn_clock_now_us(mn_board_get_clock(self->board)));
    const pid_t *pids = (const pid_t *)(const void *)answer->data;
    g_autoptr(GHashTable) concerned = g_hash_table_new(NULL, NULL);
    int n = 0;

    for (gsize i = 0; i < answer->len / sizeof *pids; i++)
        g_hash_table_add(concerned, GINT_TO_POINTER(pids[i]));
    for (GList *link = self->members.head; link; link = link->next) {
        MnMember *member = link->data;

        if (g_hash_table_contains(concerned, GINT_TO_POINTER(*member->pid)) && member->called(member, &event))
            n++;
    }
    return n;
}

static void on_found(int r, MnParcel *answer, gpointer data) {
    MnCalling *self = data;

    self->made(r < 0 ? r : tell_all(self->last_call, answer->bytes), self->data);
    g_free(self);
}

int mn_last_call_make(MnLastCall *self, uid_t uid, const char *group, MnCalled made, gpointer data, MnCalling **ret) {
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    g_autoptr(GHashTable) asked = g_hash_table_new(NULL, NULL); /* a process may be there a thousand times */
    MnCalling *calling = g_new0(MnCalling, 1);
    int r;

    for (GList *link = self->members.head; link; link = link->next) {
        const MnMember *member = link->data;

        if (*member->pid > 0 && g_hash_table_add(asked, GINT_TO_POINTER(*member->pid)))
            g_array_append_val(pids, *member->pid);
    }
    *calling = (MnCalling){ .last_call = self, .made = made, .data = data };
    r = mn_membership_ask(self->helper, uid, group, (const pid_t *)(const void *)pids->data, pids->len, on_found,
                          calling, &calling->job);
    if (r < 0)
        g_free(calling);
    else
        *ret = calling;
    return r;
}

void mn_calling_forget(MnCalling *self) {
    mn_helper_forget(self->job);
    g_free(self);
}
