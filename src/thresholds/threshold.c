/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named thresholds.
 *
 * A threshold's watch waits while somebody has it open. Else it is parked with the board, and followed while somebody
 * listens to the events of all. In between it keeps its state, so that what crossed meanwhile is seen, once, by
 * the next who comes. */
#include "threshold.h"

#include "core/name.h"

#include <errno.h>

#define FIRST_GENERATION 1

struct MnThresholds {
    MnWitness witness;
    MnBoard *board;
    MnQuota *quota;
    MnEventLog *log;
    GPtrArray *all; /* not owned */
    guint n_listeners;
    void (*appended)(gpointer data);
    gpointer appended_data;
};

struct MnThreshold {
    MnThresholds *thresholds;
    char *name;
    MnAccount *account;
    MnWatch *watch; /* its owner is the threshold; always there and with the board, perhaps without a limit */
    guint64 crossings[MN_N_METERS];
    guint64 generation;
    guint n_waiters;
    void (*changed)(gpointer data);
    gpointer changed_data;
};

static void tell_changed(const MnThreshold *self) {
    if (self->changed)
        self->changed(self->changed_data);
}

static void tell_all(MnThresholds *self, const MnEvent *event) {
    mn_event_log_append_for_all(self->log, event);
    if (self->appended)
        self->appended(self->appended_data);
}

/* The limits stay as they are. */
static void on_presence(MnWitness *witness, const MnMoment *moment) {
    MnThresholds *self = (MnThresholds *)witness;
    MnEvent event = mn_event_of_presence(moment->is_gone, moment->time_us);

    tell_all(self, &event);
    for (guint i = 0; i < self->all->len; i++)
        tell_changed(g_ptr_array_index(self->all, i));
}

static void on_total(MnWitness *witness, const MnMoment *moment, guint64 before) {
    MnEvent event = mn_event_of_total(&moment->reading, before, moment->time_us);

    tell_all((MnThresholds *)witness, &event);
}

MnThresholds *mn_thresholds_new(MnBoard *board, MnQuota *quota) {
    MnThresholds *self = g_new0(MnThresholds, 1);

    self->board = board;
    self->quota = quota;
    self->witness = (MnWitness){ .presence_changed = on_presence, .total_changed = on_total };
    mn_board_add_witness(board, &self->witness);
    self->log = mn_event_log_new();
    self->all = g_ptr_array_new();
    return self;
}

void mn_thresholds_free(MnThresholds *self) {
    if (!self)
        return;
    g_assert(self->all->len == 0);
    g_ptr_array_unref(self->all);
    mn_event_log_free(self->log);
    g_free(self);
}

/* Puts the watch where it belongs. */
static void place(MnThreshold *self) {
    MnBoard *board = self->thresholds->board;

    mn_board_unwatch(board, self->watch);
    if (self->n_waiters > 0)
        mn_board_watch(board, self->watch);
    else
        mn_board_park(board, self->watch);
}

void mn_thresholds_listen(MnThresholds *self) {
    if (self->n_listeners++ > 0)
        return;
    mn_board_read(self->board); /* what has changed before is no event */
    mn_event_log_begin(self->log);
    mn_board_follow_parked(self->board, TRUE);
}

void mn_thresholds_unlisten(MnThresholds *self) {
    if (--self->n_listeners > 0)
        return;
    mn_board_follow_parked(self->board, FALSE);
    mn_event_log_end(self->log);
}

void mn_thresholds_update(MnThresholds *self) {
    mn_board_update_parked(self->board);
}

const MnEventLog *mn_thresholds_get_log(const MnThresholds *self) {
    return self->log;
}

void mn_thresholds_set_appended(MnThresholds *self, void (*appended)(gpointer data), gpointer data) {
    self->appended = appended;
    self->appended_data = data;
}

static void change(MnThreshold *self) {
    self->generation++;
    tell_changed(self);
}

static void log_crossing(MnThreshold *self, const MnEdge *edge, gboolean reached, const MnReading *reading) {
    MnThresholds *thresholds = self->thresholds;
    MnEvent event = mn_event_of_edge(edge, reached, reading, mn_board_get_moment(thresholds->board)->time_us);

    mn_event_log_append(thresholds->log, mn_account_get_uid(self->account), &event, self->name);
}

static void on_crossing(MnWatch *watch, const MnReading *reading) {
    MnThreshold *self = watch->owner;
    MnThresholds *thresholds = self->thresholds;

    for (guint i = 0; i < watch->n_edges; i++)
        if (watch->changed & (1U << i)) {
            self->crossings[watch->edges[i].limit.meter]++;
            log_crossing(self, &watch->edges[i], (watch->reached >> i) & 1, reading);
        }

    change(self);
    if (thresholds->appended)
        thresholds->appended(thresholds->appended_data);
}

int mn_threshold_new(MnThresholds *thresholds, const char *name, uid_t uid, MnThreshold **ret) {
    static const MnLimitSet empty;
    MnAccount *account;
    MnThreshold *self;
    int r;

    r = mn_name_check(name);
    if (r < 0)
        return r;
    account = mn_quota_get_account(thresholds->quota, uid);
    r = mn_account_charge(account, MN_RESOURCE_THRESHOLDS, 1);
    if (r < 0) {
        mn_account_give_back(account);
        return r;
    }

    self = g_new0(MnThreshold, 1);
    self->thresholds = thresholds;
    self->name = g_strdup(name);
    self->account = account;
    self->generation = FIRST_GENERATION;
    self->watch = mn_watch_new(&empty, on_crossing, self);
    place(self);
    g_ptr_array_add(thresholds->all, self);

    *ret = self;
    return 0;
}

void mn_threshold_free(MnThreshold *self) {
    if (!self)
        return;
    mn_board_unwatch(self->thresholds->board, self->watch);
    mn_event_log_add_limits(self->thresholds->log, mn_account_get_uid(self->account), -(gint)self->watch->n_edges);
    while (self->n_waiters-- > 0)
        mn_board_release(self->thresholds->board, MN_BOARD_ALL_METERS);
    g_ptr_array_remove_fast(self->thresholds->all, self);
    mn_account_refund(self->account, MN_RESOURCE_LIMITS, self->watch->n_edges);
    mn_account_refund(self->account, MN_RESOURCE_THRESHOLDS, 1);
    mn_account_give_back(self->account);
    mn_watch_free(self->watch);
    g_free(self->name);
    g_free(self);
}

int mn_threshold_rename(MnThreshold *self, const char *name) {
    int r;

    r = mn_name_check(name);
    if (r < 0)
        return r;
    g_free(self->name);
    self->name = g_strdup(name);
    return 0;
}

void mn_threshold_set_changed(MnThreshold *self, void (*changed)(gpointer data), gpointer data) {
    self->changed = changed;
    self->changed_data = data;
}

/* Adds the limits that `set` does not name, from the present watch. Returns those of them that are
 * reached, as bits of the set. */
static guint32 keep_unnamed(const MnThreshold *self, MnLimitSet *set) {
    guint32 reached = 0;

    for (guint i = 0; i < self->watch->n_edges; i++) {
        const MnLimit *limit = &self->watch->edges[i].limit;

        if (set->named & MN_METER_BIT(limit->meter))
            continue;
        reached |= ((self->watch->reached >> i) & 1) << set->n;
        set->limits[set->n++] = *limit;
    }
    return reached;
}

/* Puts a watch for `set` in the place of the present one. Its first `n_fresh` limits begin with the
 * state of this moment, silently; the others go on from `reached`, so that what they cross is told. */
static void replace_watch(MnThreshold *self, const MnLimitSet *set, guint n_fresh, guint32 reached) {
    mn_board_unwatch(self->thresholds->board, self->watch);
    mn_event_log_add_limits(self->thresholds->log, mn_account_get_uid(self->account),
                            (gint)set->n - self->watch->n_edges);
    mn_watch_free(self->watch);
    self->watch = mn_watch_new(set, on_crossing, self);
    self->watch->known = ~((1U << n_fresh) - 1);
    self->watch->reached = reached;
    place(self);
}

/* With `add` what the set does not name stays. */
static int take_limits(MnThreshold *self, const MnLimitSet *limits, gboolean add) {
    MnLimitSet set = *limits;
    guint32 reached = 0;
    int r;

    if (mn_threshold_is_gone(self))
        return -ENODEV;
    if (add)
        reached = keep_unnamed(self, &set);
    r = mn_account_change(self->account, MN_RESOURCE_LIMITS, self->watch->n_edges, set.n);
    if (r < 0)
        return r;

    for (guint id = 0; id < MN_N_METERS; id++)
        if (!add || (set.named & MN_METER_BIT(id)))
            self->crossings[id] = 0;
    replace_watch(self, &set, limits->n, reached);
    change(self);
    return 0;
}

int mn_threshold_write(MnThreshold *self, const char *text, gsize len, gboolean add, MnFault *fault) {
    MnLimitSet set;
    int r;

    r = mn_limit_set_parse(text, len, mn_board_get_machine(self->thresholds->board), fault, &set);
    return r < 0 ? r : take_limits(self, &set, add);
}

int mn_threshold_set_limits(MnThreshold *self, const MnLimitSet *limits) {
    return take_limits(self, limits, FALSE);
}

/* Without limits there is nothing else that would change it. */
gboolean mn_threshold_was_written(const MnThreshold *self) {
    return self->generation > FIRST_GENERATION;
}

gboolean mn_threshold_is_gone(const MnThreshold *self) {
    return mn_board_is_gone(self->thresholds->board);
}

const char *mn_threshold_get_name(const MnThreshold *self) {
    return self->name;
}

uid_t mn_threshold_get_payer(const MnThreshold *self) {
    return mn_account_get_uid(self->account);
}

guint mn_threshold_get_n_limits(const MnThreshold *self) {
    return self->watch->n_edges;
}

MnThresholdLimit mn_threshold_get_limit(const MnThreshold *self, guint i) {
    const MnEdge *edge = &self->watch->edges[i];

    return (MnThresholdLimit){ .meter = edge->limit.meter,
                               .op = edge->limit.op,
                               .pages = edge->enter_pages,
                               .is_reached = (self->watch->reached >> i) & 1,
                               .n_crossings = self->crossings[edge->limit.meter] };
}

int mn_threshold_render(MnThreshold *self, GString *text) {
    const MnReading *reading = mn_board_read(self->thresholds->board);

    if (mn_threshold_is_gone(self))
        return -ENODEV;
    for (guint i = 0; i < self->watch->n_edges; i++) {
        MnThresholdLimit limit = mn_threshold_get_limit(self, i);

        g_string_append_printf(text,
                               "%s value=%" G_GUINT64_FORMAT " op=%s limit=%" G_GUINT64_FORMAT
                               " reached=%d crossings=%" G_GUINT64_FORMAT "\n",
                               mn_meters[limit.meter].name, reading->pages[limit.meter], mn_op_names[limit.op],
                               limit.pages, limit.is_reached, limit.n_crossings);
    }
    return 0;
}

guint64 mn_threshold_get_generation(const MnThreshold *self) {
    return self->generation;
}

void mn_threshold_wait(MnThreshold *self) {
    mn_board_hold(self->thresholds->board, MN_BOARD_ALL_METERS); /* he may render it */
    if (self->n_waiters++ == 0)
        place(self);
}

void mn_threshold_unwait(MnThreshold *self) {
    mn_board_release(self->thresholds->board, MN_BOARD_ALL_METERS);
    if (--self->n_waiters == 0)
        place(self);
}
