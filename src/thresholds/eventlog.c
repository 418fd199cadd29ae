/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One array with the lines of all users in the order in which they came. Which of them are kept is
 * counted for each user by himself; the others stay where they are until they are as many as those that
 * are kept, and are then squeezed out. So appending takes the same time in the long run, whoever has how
 * many lines, and a reader finds its place by bisection. */
#include "eventlog.h"

#include <string.h>

typedef struct User {
    uid_t uid;
    guint n_limits;
    guint room;    /* how many of his lines are kept */
    guint64 first; /* of his own numbering: the first line that is kept */
    guint64 end;   /* how many he has had */
    GList link;    /* in `left`, while he has no limits */
} User;

typedef struct Line {
    User *user;
    guint64 number; /* of the user's numbering */
    guint64 serial; /* of all */
    MnEvent event;
    char name[MEMNOTIFYFS_NAME_MAX + 1]; /* empty: not of a threshold */
} Line;

struct MnEventLog {
    GHashTable *users;    /* uid: User */
    GQueue left;          /* of those users, who left first at the head */
    GPtrArray *forgotten; /* users of whom nothing is kept, but who are still named in the array */
    User all;             /* to whom belongs what is no user's; in no list, and with room of its own */
    guint room;           /* of all users */
    gboolean is_read;
    Line *lines;
    guint capacity; /* at least twice the room */
    guint n_lines;
    guint n_kept;
    guint64 end;    /* how many were ever appended */
    gint64 time_us; /* of the last of them */
};

MnEventLog *mn_event_log_new(void) {
    MnEventLog *self = g_new0(MnEventLog, 1);

    self->users = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    self->forgotten = g_ptr_array_new_with_free_func(g_free);
    self->all.room = MN_EVENT_LOG_LINES_FOR_ALL;
    return self;
}

void mn_event_log_free(MnEventLog *self) {
    if (!self)
        return;
    g_ptr_array_unref(self->forgotten);
    g_hash_table_unref(self->users);
    g_free(self->lines);
    g_free(self);
}

static User *find_user(MnEventLog *self, uid_t uid) {
    return g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid));
}

static User *add_user(MnEventLog *self, uid_t uid) {
    User *user = g_new0(User, 1);

    user->uid = uid;
    user->link.data = user;
    g_queue_push_tail_link(&self->left, &user->link);
    g_hash_table_insert(self->users, GUINT_TO_POINTER(uid), user);
    return user;
}

static void forget_user(MnEventLog *self, User *user) {
    g_queue_unlink(&self->left, &user->link);
    (void)g_hash_table_steal(self->users, GUINT_TO_POINTER(user->uid));
    self->room -= user->room;
    self->n_kept -= (guint)(user->end - user->first);
    user->first = user->end;
    if (user->end > 0 && self->n_lines > 0)
        g_ptr_array_add(self->forgotten, user);
    else
        g_free(user); /* without a line in the array that would see to it */
}

void mn_event_log_end(MnEventLog *self) {
    GHashTableIter iter;
    gpointer user;

    self->is_read = FALSE;
    self->n_lines = self->n_kept = self->capacity = 0;
    g_clear_pointer(&self->lines, g_free);
    g_ptr_array_set_size(self->forgotten, 0);

    self->all.first = self->all.end;
    g_hash_table_iter_init(&iter, self->users);
    while (g_hash_table_iter_next(&iter, NULL, &user))
        ((User *)user)->first = ((User *)user)->end;
    while (self->left.length > 0)
        forget_user(self, self->left.head->data);
}

/* Not by realloc(), which may copy what was never used, and so make it take memory. */
static void grow(MnEventLog *self) {
    guint capacity = 2 * MAX(self->room + MN_EVENT_LOG_LINES_FOR_ALL, MN_EVENT_LOG_LINES);
    Line *lines;

    if (capacity <= self->capacity || !self->is_read)
        return;
    self->capacity = MAX(capacity, 2 * self->capacity);
    lines = g_new(Line, self->capacity);
    if (self->n_lines > 0)
        memcpy(lines, self->lines, self->n_lines * sizeof *lines);
    g_free(self->lines);
    self->lines = lines;
}

void mn_event_log_begin(MnEventLog *self) {
    self->is_read = TRUE;
    grow(self);
}

static gboolean has_room(const MnEventLog *self, guint more) {
    return self->room + more <= MN_EVENT_LOG_LINES_OF_ALL;
}

static void give_room(MnEventLog *self, User *user) {
    guint room = MAX(2 * user->n_limits, MN_EVENT_LOG_LINES);

    while (room > user->room && !has_room(self, room - user->room) && self->left.length > 0)
        forget_user(self, self->left.head->data);
    if (room > user->room && !has_room(self, room - user->room))
        room = MAX(2 * user->n_limits, MN_EVENT_LOG_LINES_AT_LEAST);
    if (room <= user->room)
        return;

    self->room += room - user->room;
    user->room = room;
    grow(self);
}

void mn_event_log_add_limits(MnEventLog *self, uid_t uid, gint n_limits) {
    User *user = find_user(self, uid);

    if (n_limits == 0)
        return;
    if (!user)
        user = add_user(self, uid);
    if (user->n_limits == 0)
        g_queue_unlink(&self->left, &user->link);

    g_assert((gint)user->n_limits + n_limits >= 0);
    user->n_limits += (guint)n_limits;
    if (user->n_limits > 0)
        give_room(self, user);
    else
        g_queue_push_tail_link(&self->left, &user->link);
    if (user->n_limits == 0 && !self->is_read)
        forget_user(self, user);
}

static gboolean is_kept(const Line *line) {
    return line->number >= line->user->first;
}

static void squeeze_out(MnEventLog *self) {
    guint n = 0;

    for (guint i = 0; i < self->n_lines; i++)
        if (is_kept(&self->lines[i]))
            self->lines[n++] = self->lines[i];
    self->n_lines = n;
    g_ptr_array_set_size(self->forgotten, 0);
}

static void append(MnEventLog *self, User *user, const MnEvent *event, const char *name) {
    Line *line;

    if (!self->is_read)
        return;
    if (user->end - user->first == user->room) {
        user->first++;
        self->n_kept--;
    }
    if (self->n_lines - self->n_kept >= MAX(self->n_kept, MN_EVENT_LOG_LINES))
        squeeze_out(self);

    line = &self->lines[self->n_lines++];
    *line = (Line){ .user = user, .number = user->end++, .serial = self->end++, .event = *event };
    g_strlcpy(line->name, name, sizeof line->name);
    self->n_kept++;
    self->time_us = event->time_us;
}

void mn_event_log_append(MnEventLog *self, uid_t uid, const MnEvent *event, const char *name) {
    User *user = find_user(self, uid);

    g_assert(user && user->room > 0);
    append(self, user, event, name);
}

void mn_event_log_append_for_all(MnEventLog *self, const MnEvent *event) {
    append(self, &self->all, event, "");
}

guint64 mn_event_log_get_end(const MnEventLog *self) {
    return self->end;
}

/* The first line from `serial` on that is kept, or NULL. */
static const Line *find_line(const MnEventLog *self, guint64 serial) {
    guint low = 0, high = self->n_lines;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (self->lines[middle].serial < serial)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < self->n_lines && !is_kept(&self->lines[low]))
        low++;
    return low < self->n_lines ? &self->lines[low] : NULL;
}

gsize mn_event_log_next(const MnEventLog *self, guint64 *cursor, char line[MEMNOTIFYFS_EVENT_LINE_MAX]) {
    const Line *found = *cursor < self->end ? find_line(self, *cursor) : NULL;
    guint64 next = found ? found->serial : self->end;
    gint64 time_us = found ? found->event.time_us : self->time_us;
    MnEvent lost = { .time_us = time_us, .word = MN_EVENT_LOST, .value_pages = next - *cursor };

    if (*cursor == self->end)
        return 0;
    if (*cursor < next) {
        *cursor = next;
        return mn_event_print(&lost, "", line);
    }
    g_assert(found); /* else `next` were the end, and that was not reached */
    *cursor += 1;
    return mn_event_print(&found->event, found->name, line);
}
