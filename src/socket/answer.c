/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients of the socket ask for. A new request is one function like these and one row, and a word in core/command.c. */
#include "answer.h"

#include "core/number.h"
#include "socket/bell.h"
#include "socket/record.h"

#include <errno.h>
#include <string.h>

#define OK "ok\n"

/* Of `read` as a rule. */
#define ANSWER_BYTES 512

static void on_crossing(MnWatch *watch, const MnReading *reading) {
    MnConnection *self = watch->owner;
    gint64 time_us = mn_board_get_moment(self->services->board)->time_us;

    for (guint i = 0; i < watch->n_edges; i++)
        if (watch->changed & (1U << i)) {
            MnEvent event = mn_event_of_edge(&watch->edges[i], (watch->reached & (1U << i)) != 0, reading, time_us);

            mn_backlog_add(&self->backlog, &event);
        }
    mn_connection_tell_later(self);
}

static void on_fired(MnArmedTrigger *armed) {
    MnConnection *self = armed->owner;

    self->has_stalled = TRUE;
    mn_connection_tell_later(self);
}

/* --- what he asks for --- */

static int parse_limits(const MnConnection *self, const MnCommand *command, MnFault *fault, MnLimitSet *ret) {
    return mn_limit_set_parse(command->argument, command->argument_len, mn_board_get_machine(self->services->board),
                              fault, ret);
}

static int make_room(MnConnection *self, guint n_limits) {
    gsize bytes = MAX(mn_backlog_bytes(n_limits), self->backlog_bytes);
    int r = mn_account_change(self->account, MN_RESOURCE_BYTES, self->backlog_bytes, bytes);

    if (r < 0)
        return r;
    self->backlog_bytes = bytes;
    mn_backlog_grow(&self->backlog, n_limits);
    return 0;
}

/* No more than a record has room for. */
static void note_asked(MnConnection *self, const MnCommand *command) {
    gboolean is_wanted = self->limits.watch && command->argument_len < MN_RECORD_BYTES;

    g_free(self->asked);
    self->asked = is_wanted ? g_strndup(command->argument, command->argument_len) : NULL;
    self->services->changed(self);
}

/* Room first: it is there when something is crossed. And who has been told "ok" is kept, if he can be, whatever becomes of
 * us. */
static int answer_watch(MnConnection *self, const MnCommand *command, MnFault *fault) {
    MnLimitSet set;
    int r;

    r = parse_limits(self, command, fault, &set);
    if (r == 0)
        r = make_room(self, set.n);
    if (r == 0)
        r = mn_limits_set(&self->limits, self->services->board, self->account, &set, on_crossing, self);
    if (r < 0)
        return r;
    note_asked(self, command);
    mn_wire_send(&self->wire, OK, strlen(OK));
    return 0;
}

int mn_answer_resume_watch(MnConnection *self, const MnCommand *command, guint reached) {
    MnLimitSet set;
    int r;

    r = parse_limits(self, command, NULL, &set);
    if (r == 0)
        r = make_room(self, set.n);
    if (r == 0)
        r = mn_limits_resume(&self->limits, self->services->board, self->account, &set, reached, on_crossing, self);
    if (r == 0)
        note_asked(self, command);
    return r;
}

static void append_number(GString *text, const char *word, guint64 number) {
    char digits[MN_NUMBER_DIGITS_MAX];

    g_string_append(text, word);
    g_string_append_c(text, ' ');
    g_string_append_len(text, digits, mn_number_put(digits, number, 1) - digits);
}

/* "available 123421 reached 131072\n" */
static void print_meter(const MnConnection *self, MnMeterId id, guint64 pages, GString *text) {
    const MnWatch *watch = self->limits.watch;

    append_number(text, mn_meters[id].name, pages);
    for (guint i = 0; watch && i < watch->n_edges; i++)
        if (watch->edges[i].limit.meter == id)
            append_number(text, watch->reached & (1U << i) ? " reached" : " limit", watch->edges[i].enter_pages);
    g_string_append_c(text, '\n');
}

/* Looking may bring events, which are of the moment that is read: they come first. That the group is there may take
 * another look, which is to be at all meters as well. */
static int answer_read(MnConnection *self, const MnCommand *command G_GNUC_UNUSED, MnFault *fault G_GNUC_UNUSED) {
    MnBoard *board = self->services->board;
    guint offered = mn_board_get_machine(board)->offered;
    g_autoptr(GString) text = g_string_sized_new(ANSWER_BYTES);
    const MnReading *reading;
    gboolean is_gone;

    mn_board_hold(board, MN_BOARD_ALL_METERS);
    reading = mn_board_read(board);
    is_gone = mn_board_is_gone(board);
    mn_board_release(board, MN_BOARD_ALL_METERS);
    if (is_gone)
        return -ENODEV;

    mn_connection_send_lines(self);
    for (guint id = 0; id < MN_N_METERS; id++)
        if (offered & MN_METER_BIT(id))
            print_meter(self, id, reading->pages[id], text);
    g_string_append(text, OK);
    mn_wire_send(&self->wire, text->str, text->len);
    return 0;
}

static int get_signaller(const MnConnection *self) {
    MnConnectionServices *services = self->services;
    int r;

    if (!services->signaller) {
        r = mn_signaller_new(mn_board_get_outbox(services->board), &services->signaller);
        if (r < 0)
            return r;
    }
    return mn_signaller_prepare(services->signaller);
}

static void free_bell(gpointer bell) {
    mn_bell_free(bell);
}

static int answer_eventfd(MnConnection *self, const MnCommand *command, MnFault *fault) {
    g_autoptr(MnBell) bell = NULL;
    MnLimitSet set;
    int r;

    r = parse_limits(self, command, fault, &set);
    if (r == 0)
        r = get_signaller(self);
    if (r == 0)
        r = mn_bell_new(self->services->board, self->account, self->services->signaller, &set, &bell);
    if (r == 0)
        r = mn_wire_send_fd(&self->wire, OK, strlen(OK), mn_bell_get_fd(bell));
    if (r < 0)
        return r;
    if (!self->bells)
        self->bells = g_ptr_array_new_with_free_func(free_bell);
    g_ptr_array_add(self->bells, g_steal_pointer(&bell));
    self->services->changed(self);
    return 0;
}

static int answer_page(MnConnection *self, const MnCommand *command G_GNUC_UNUSED, MnFault *fault G_GNUC_UNUSED) {
    MnConnectionServices *services = self->services;
    int r = services->page ? 0 : mn_page_new(services->board, &services->page);

    if (r == 0 && !self->has_page)
        mn_page_hold(services->page);
    self->has_page = self->has_page || r == 0;
    if (r == 0)
        services->changed(self);
    return r == 0 ? mn_wire_send_fd(&self->wire, OK, strlen(OK), mn_page_get_fd(services->page)) : r;
}

static void disarm(MnConnection *self) {
    if (!self->is_armed)
        return;
    mn_triggers_remove(self->services->triggers, &self->armed);
    mn_account_refund(self->account, MN_RESOURCE_TRIGGERS, 1);
    self->is_armed = self->has_stalled = FALSE;
}

static gboolean is_armed_with(const MnConnection *self, const MnTrigger *trigger) {
    const MnTrigger *armed = &self->armed.trigger;

    return self->is_armed && armed->kind == trigger->kind && armed->threshold_us == trigger->threshold_us &&
           armed->window_us == trigger->window_us;
}

/* One without an ending is a trigger as soon as it can be understood, and another if it goes on: it may have arrived in
 * pieces, or be complete. */
static int answer_trigger(MnConnection *self, const MnCommand *command, MnFault *fault) {
    MnTrigger trigger;
    int r;

    if (!self->services->triggers)
        return -EOPNOTSUPP;
    r = mn_trigger_parse(command->argument, command->argument_len, fault, &trigger);
    if (r < 0)
        return r;
    if (is_armed_with(self, &trigger))
        return 0;
    r = self->is_armed ? 0 : mn_account_charge(self->account, MN_RESOURCE_TRIGGERS, 1);
    if (r < 0)
        return r;
    if (self->is_armed)
        mn_triggers_remove(self->services->triggers, &self->armed);
    self->is_armed = TRUE;
    self->armed = (MnArmedTrigger){ .trigger = trigger, .owner = self, .fired = on_fired };
    mn_triggers_add(self->services->triggers, &self->armed);
    self->services->changed(self);
    return 0;
}

void mn_answer_forget(MnConnection *self) {
    disarm(self);
    mn_limits_clear(&self->limits, self->services->board, self->account);
    g_clear_pointer(&self->asked, g_free);
    mn_backlog_clear(&self->backlog);
    mn_account_refund(self->account, MN_RESOURCE_BYTES, self->backlog_bytes);
    self->backlog_bytes = 0;
    g_clear_pointer(&self->bells, g_ptr_array_unref);
    if (self->has_page)
        mn_page_release(self->services->page);
    self->has_page = FALSE;
}

static const struct {
    MnAnswer answer;
    gboolean gives_descriptor;
} answers[] = {
    [MN_VERB_WATCH] = { answer_watch, FALSE },     [MN_VERB_READ] = { answer_read, FALSE },
    [MN_VERB_EVENTFD] = { answer_eventfd, TRUE },  [MN_VERB_PAGE] = { answer_page, TRUE },
    [MN_VERB_TRIGGER] = { answer_trigger, FALSE }, [MN_VERB_TOO_LONG] = { NULL, FALSE },
};

MnAnswer mn_answer_find(MnVerb verb) {
    return answers[verb].answer;
}

gboolean mn_answer_gives_descriptor(MnVerb verb) {
    return answers[verb].gives_descriptor;
}
