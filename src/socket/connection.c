/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of the socket.
 *
 * He is answered one command at a time, and no further one while he has not made room for what he was sent: so he
 * cannot make us keep more than one answer. Lines of events come between answers. What is sent to him, and not read, costs
 * him lines and nobody else anything. */
#include "connection.h"

#include "socket/answer.h"
#include "socket/refusal.h"

#include <errno.h>
#include <string.h>

#define LINES_AT_ONCE_BYTES 1024

/* --- what he is told --- */

void mn_connection_send_lines(MnConnection *self) {
    char text[LINES_AT_ONCE_BYTES];
    gsize len, n;

    do {
        for (len = 0; len + MEMNOTIFYFS_EVENT_LINE_MAX <= sizeof text; len += n) {
            n = mn_backlog_take(&self->backlog, text + len);
            if (n == 0)
                break;
        }
        mn_wire_send(&self->wire, text, len);
        self->was_told = self->was_told || len > 0;
    } while (len > 0 && mn_wire_flush(&self->wire));
}

/* One byte that he has not read says as much as two; other lines that he has not read do not. */
static void send_stall(MnConnection *self) {
    if (!self->has_stalled)
        return;
    if (!self->has_unread_stall || mn_wire_is_read(&self->wire))
        mn_wire_send(&self->wire, "\n", 1);
    self->has_unread_stall = TRUE;
    self->has_stalled = FALSE;
}

/* TRUE when he has been sent all that there is. */
static gboolean send_all(MnConnection *self) {
    if (!mn_wire_flush(&self->wire))
        return FALSE;
    mn_connection_send_lines(self);
    send_stall(self);
    if (!mn_wire_flush(&self->wire))
        return FALSE;
    if (self->is_ending)
        mn_wire_shut_down(&self->wire);
    if (self->was_told)
        self->services->changed(self);
    self->was_told = FALSE;
    return TRUE;
}

static void tell(MnNotice *notice) {
    MnConnection *self = MN_NOTICE_OWNER(notice, MnConnection);

    if (!send_all(self))
        self->services->needs_room(self);
}

void mn_connection_tell_later(MnConnection *self) {
    mn_outbox_put(mn_board_get_outbox(self->services->board), &self->notice);
}

void mn_connection_tell(MnConnection *self, const MnEvent *event) {
    if (!self->limits.watch)
        return;
    mn_backlog_add(&self->backlog, event);
    mn_connection_tell_later(self);
}

static gboolean on_called(MnMember *member, const MnEvent *event) {
    MnConnection *self = (MnConnection *)(void *)((char *)member - G_STRUCT_OFFSET(MnConnection, member));

    mn_connection_tell(self, event);
    return self->limits.watch != NULL;
}

/* --- his commands --- */

static void forget_input(MnConnection *self) {
    if (!self->input)
        return;
    g_string_free(self->input, TRUE);
    self->input = NULL;
    mn_account_refund(self->account, MN_RESOURCE_BYTES, MEMNOTIFYFS_REQUEST_MAX);
}

/* After what was sent. What comes in from now on is read, so that he does not wait for room, and not looked at. */
static void end(MnConnection *self) {
    mn_answer_forget(self);
    forget_input(self);
    self->is_ending = TRUE;
    if (mn_wire_flush(&self->wire))
        mn_wire_shut_down(&self->wire);
}

static void refuse(MnConnection *self, const char *reason) {
    g_autofree char *line = g_strdup_printf("error EPROTO: %s\n", reason);

    mn_wire_send(&self->wire, line, strlen(line));
    end(self);
}

static void execute(MnConnection *self, const MnCommand *command) {
    MnAnswer answer = mn_answer_find(command->verb);
    MnFault fault = { 0 };
    int r;

    if (command->verb == MN_VERB_QUIT)
        end(self);
    if (command->verb == MN_VERB_UNKNOWN)
        refuse(self, "there is no such request; there are watch, read, eventfd, page, some, full and quit");
    if (command->verb == MN_VERB_TOO_LONG)
        refuse(self, "the request is too long, or lacks its newline");
    if (!answer)
        return;
    r = answer(self, command, &fault);
    if (r < 0 && command->len > 0) /* else it may go on */
        mn_refusal_send(&self->wire, r, &fault, command->argument_at);
}

/* A whole command is done and taken out of the input. */
static MnProgress serve_input(MnConnection *self) {
    MnCommand command = mn_command_find(self->input->str, self->input->len, self->is_all_in);

    if (mn_answer_gives_descriptor(command.verb) && !mn_wire_is_read(&self->wire))
        return MN_PROGRESS_STUCK;
    execute(self, &command);
    if (!self->input)
        return MN_PROGRESS_MORE;
    g_string_erase(self->input, 0, (gssize)command.len);
    if (self->input->len == 0)
        forget_input(self);
    return command.len > 0 ? MN_PROGRESS_MORE : MN_PROGRESS_NONE;
}

static int take_in(MnConnection *self, const char *bytes, gsize len) {
    int r = self->input ? 0 : mn_account_charge(self->account, MN_RESOURCE_BYTES, MEMNOTIFYFS_REQUEST_MAX);

    if (r < 0)
        return r;
    if (!self->input)
        self->input = g_string_new(NULL);
    g_string_append_len(self->input, bytes, (gssize)len);
    return 0;
}

/* He is not told again, whose connection ends already. */
static MnProgress refuse_descriptors(MnConnection *self) {
    if (!self->is_ending)
        refuse(self, "descriptors are not taken");
    mn_wire_cut_off(&self->wire);
    return MN_PROGRESS_FOUL;
}

/* As much as a command may have is kept, so that one which is too long is known to be. */
static MnProgress receive(MnConnection *self) {
    char bytes[MEMNOTIFYFS_REQUEST_MAX];
    gssize n = mn_wire_receive(&self->wire, bytes, sizeof bytes - (self->input ? self->input->len : 0));
    int r;

    if (n == -EPERM)
        return refuse_descriptors(self);
    self->is_all_in = n <= 0 && n != -EAGAIN;
    if (n <= 0)
        return self->is_all_in && self->input ? MN_PROGRESS_MORE : MN_PROGRESS_NONE;
    if (self->is_ending)
        return MN_PROGRESS_MORE;
    r = take_in(self, bytes, (gsize)n);
    if (r < 0) {
        mn_refusal_send(&self->wire, r, NULL, 0);
        end(self);
    }
    return MN_PROGRESS_MORE;
}

MnProgress mn_connection_serve(MnConnection *self) {
    MnProgress progress = MN_PROGRESS_NONE;

    if (!send_all(self))
        return MN_PROGRESS_STUCK;
    if (self->input)
        progress = serve_input(self);
    if (progress == MN_PROGRESS_NONE && !self->is_all_in)
        progress = receive(self);
    if (progress == MN_PROGRESS_FOUL || progress == MN_PROGRESS_STUCK)
        return progress;
    if (!send_all(self))
        return MN_PROGRESS_STUCK;
    return progress == MN_PROGRESS_NONE && (self->is_refused || self->has_hung_up) ? MN_PROGRESS_OVER : progress;
}

void mn_connection_refuse(MnConnection *self, int error) {
    mn_refusal_send(&self->wire, error, NULL, 0);
    end(self);
    self->is_refused = TRUE;
}

void mn_connection_hang_up(MnConnection *self) {
    if (!self->is_ending)
        end(self);
    self->has_hung_up = TRUE;
}

/* --- the connection --- */

static int charge(MnAccount *account) {
    int r;

    r = mn_account_charge(account, MN_RESOURCE_OPENS, 1);
    if (r < 0)
        return r;
    r = mn_account_charge(account, MN_RESOURCE_DESCRIPTORS, 1);
    if (r < 0)
        mn_account_refund(account, MN_RESOURCE_OPENS, 1);
    return r;
}

MnConnection *mn_connection_new(MnConnectionServices *services, int fd, uid_t uid) {
    MnConnection *self = g_new0(MnConnection, 1);
    int r;

    self->services = services;
    self->account = mn_quota_get_account(services->quota, uid);
    self->notice.tell = tell;
    self->turn = (MnTurn){ .uid = mn_account_get_uid(self->account), .is_free = TRUE }; /* no share of time applies */
    self->link.data = self;
    mn_wire_init(&self->wire, fd);
    self->pid = mn_wire_find_process(&self->wire);
    self->member = (MnMember){ .pid = &self->pid, .called = on_called };
    mn_last_call_add(services->last_call, &self->member);
    r = charge(self->account);
    self->is_charged = r == 0;
    if (r < 0)
        mn_connection_refuse(self, r);
    return self;
}

void mn_connection_free(MnConnection *self) {
    if (!self)
        return;
    mn_last_call_remove(self->services->last_call, &self->member);
    mn_answer_forget(self);
    forget_input(self);
    mn_outbox_take_back(mn_board_get_outbox(self->services->board), &self->notice);
    mn_wire_clear(&self->wire);
    if (self->is_charged) {
        mn_account_refund(self->account, MN_RESOURCE_OPENS, 1);
        mn_account_refund(self->account, MN_RESOURCE_DESCRIPTORS, 1);
    }
    mn_account_give_back(self->account);
    g_free(self);
}
