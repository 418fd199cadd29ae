/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The helper reads what is left, which leaves nothing for who closes the connection. What it cannot do now, because it has
 * waited too long for the same user, is asked again every second: until then he pays for the connection. */
#include "disposal.h"

#include <errno.h>
#include <sys/socket.h>

#define RETRY_US G_TIME_SPAN_SECOND

struct MnDisposal {
    MnHelper *helper;
    const MnClock *clock;
    MnAlarm *alarm;
    GQueue waiting; /* of connections that are to be asked for again */
    void (*done)(MnConnection *connection);
};

/* --- in the helper --- */

static int run_discard(MnParcel *question, MnParcel *answer G_GNUC_UNUSED) {
    int fd = mn_parcel_get_fd(question, 0);
    char bytes[4096];
    ssize_t n;

    if (fd < 0)
        return -EMFILE;
    do
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (n > 0 || (n < 0 && errno == EINTR));
    return 0;
}

static const MnTask discard_task = { .name = "let go of descriptors that were sent",
                                     .limit_ms = MN_HELPER_LIMIT_MS,
                                     .run = run_discard };

/* --- for the main loop --- */

static void put_off(MnDisposal *self, MnConnection *connection) {
    if (g_queue_is_empty(&self->waiting))
        mn_alarm_set(self->alarm, mn_clock_now_us(self->clock) + RETRY_US);
    connection->disposal_link = (GList){ .data = connection };
    g_queue_push_tail_link(&self->waiting, &connection->disposal_link);
}

static void on_answered(int r, MnParcel *answer G_GNUC_UNUSED, gpointer data) {
    MnConnection *connection = data;
    MnDisposal *self = connection->disposal;

    connection->disposal_job = NULL;
    if (r < 0)
        put_off(self, connection);
    else
        self->done(connection);
}

void mn_disposal_add(MnDisposal *self, MnConnection *connection) {
    uid_t uid = mn_account_get_uid(connection->account);

    connection->disposal = self;
    if (mn_helper_ask(self->helper, &discard_task, uid, NULL, 0, &connection->wire.fd, 1, on_answered, connection,
                      &connection->disposal_job) < 0)
        put_off(self, connection);
}

/* Those who wait again come behind. */
static void on_alarm(gpointer data) {
    MnDisposal *self = data;

    for (guint n = self->waiting.length; n > 0; n--) {
        GList *link = g_queue_pop_head_link(&self->waiting);

        mn_disposal_add(self, link->data);
    }
    if (!g_queue_is_empty(&self->waiting))
        mn_alarm_set(self->alarm, mn_clock_now_us(self->clock) + RETRY_US);
}

void mn_disposal_remove(MnDisposal *self, MnConnection *connection) {
    if (connection->disposal_job)
        mn_helper_forget(connection->disposal_job);
    else
        g_queue_unlink(&self->waiting, &connection->disposal_link);
    connection->disposal_job = NULL;
}

MnDisposal *mn_disposal_new(MnHelper *helper, const MnClock *clock, void (*done)(MnConnection *connection)) {
    MnDisposal *self = g_new0(MnDisposal, 1);

    *self = (MnDisposal){ .helper = helper, .clock = clock, .done = done };
    self->alarm = mn_alarm_new(clock, "disposal", on_alarm, self);
    return self;
}

void mn_disposal_free(MnDisposal *self) {
    if (!self)
        return;
    g_assert(g_queue_is_empty(&self->waiting));
    mn_alarm_free(self->alarm);
    g_free(self);
}
