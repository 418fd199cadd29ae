/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ordered limits: which of them does a new reading cross, and how far away is the nearest?
 *
 * Each meter has a lane for each direction. In a lane two sequences hold the limits that wait to be
 * reached and those that are; both are ordered by where the limit is reached, which is also the
 * order in which limits are left again. So the only candidates are the lowest that waits and the
 * highest that is reached, and their keys are kept beside the sequences: a reading that crosses
 * nothing costs two comparisons a lane, however many limits there are.
 *
 * A "<" lane is a ">=" lane seen in a mirror: its keys and its meter are complemented, so that in
 * all that follows a limit is reached at or above enter_key and left below leave_key. */
#include "crossing.h"

typedef struct Lane {
    GSequence *waiting;
    GSequence *reached;
    guint n_waiting;
    guint n_reached;
    guint64 lowest_enter;  /* of waiting; G_MAXUINT64 when there is none */
    guint64 highest_leave; /* of reached; 0, which no meter is below, when there is none */
} Lane;

struct MnCrossing {
    Lane lanes[MN_N_VALUES][2]; /* [meter][op] */
    MnWatch *changed; /* those to be told, in the order in which they crossed */
    MnWatch **changed_end;
    MnScale scale;
};

static guint64 mirror(MnOp op, guint64 pages) {
    return op == MN_OP_BELOW ? ~pages : pages;
}

static int compare_enter(gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED) {
    const MnEdge *left = a, *right = b;

    return left->enter_key < right->enter_key ? -1 : left->enter_key > right->enter_key;
}

MnWatch *mn_watch_new(const MnLimitSet *set, void (*notify)(MnWatch *, const MnReading *),
                      gpointer observer) {
    MnWatch *watch = g_malloc0(sizeof(MnWatch) + set->n * sizeof(MnEdge));

    watch->notify = notify;
    watch->observer = observer;
    watch->n_edges = set->n;
    for (guint i = 0; i < set->n; i++)
        watch->edges[i] = (MnEdge){ .limit = set->limits[i], .watch = watch };
    return watch;
}

void mn_watch_free(MnWatch *watch) {
    if (!watch)
        return;
    g_assert(!watch->indexed);
    g_free(watch);
}

static guint32 edge_bit(const MnEdge *edge) {
    return 1U << (edge - edge->watch->edges);
}

static gboolean edge_is_reached(const MnEdge *edge) {
    return (edge->watch->reached & edge_bit(edge)) != 0;
}

/* The most that a meter can be. */
static guint64 ceiling_pages(const MnScale *scale, guint meter) {
    switch (mn_meters[meter].part) {
    case MN_PART_SWAP:
        return scale->swap_pages;
    case MN_PART_MEMORY:
        return scale->total_pages - MIN(scale->swap_pages, scale->total_pages);
    default:
        return scale->total_pages;
    }
}

static void edge_scale(MnEdge *edge, const MnScale *scale) {
    guint64 enter = mn_limit_pages(&edge->limit, scale->total_pages);
    guint64 space = edge->limit.is_exact ? 0 : scale->space_pages;

    edge->enter_pages = enter;
    if (edge->limit.op == MN_OP_AT_LEAST) {
        edge->enter_key = enter;
        edge->leave_key = enter - MIN(space, enter / 2);
    } else {
        guint64 ceiling = ceiling_pages(scale, edge->limit.meter);
        guint64 room = ceiling > enter ? ceiling - enter : 0;
        guint64 leave = enter + MIN(space, room / 2);

        /* Reached below `enter` = at or above its complement plus one; left at or above `leave`. */
        edge->enter_key = enter > 0 ? ~enter + 1 : G_MAXUINT64;
        edge->leave_key = leave > 0 ? ~leave + 1 : G_MAXUINT64;
    }
}

static Lane *edge_lane(MnCrossing *self, const MnEdge *edge) {
    return &self->lanes[edge->limit.meter][edge->limit.op];
}

static MnEdge *lowest(GSequence *edges) {
    return g_sequence_get(g_sequence_get_begin_iter(edges));
}

static MnEdge *highest(GSequence *edges) {
    return g_sequence_get(g_sequence_iter_prev(g_sequence_get_end_iter(edges)));
}

static void lane_refresh(Lane *lane) {
    lane->n_waiting = g_sequence_get_length(lane->waiting);
    lane->n_reached = g_sequence_get_length(lane->reached);
    lane->lowest_enter = lane->n_waiting > 0 ? lowest(lane->waiting)->enter_key : G_MAXUINT64;
    lane->highest_leave = lane->n_reached > 0 ? highest(lane->reached)->leave_key : 0;
}

MnCrossing *mn_crossing_new(void) {
    MnCrossing *self = g_new0(MnCrossing, 1);

    self->changed_end = &self->changed;
    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++) {
            self->lanes[meter][op].waiting = g_sequence_new(NULL);
            self->lanes[meter][op].reached = g_sequence_new(NULL);
            lane_refresh(&self->lanes[meter][op]);
        }
    return self;
}

void mn_crossing_free(MnCrossing *self) {
    if (!self)
        return;
    g_assert(mn_crossing_is_empty(self));

    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++) {
            g_sequence_free(self->lanes[meter][op].waiting);
            g_sequence_free(self->lanes[meter][op].reached);
        }
    g_free(self);
}

static void rescale_edge(gpointer data, gpointer user_data) {
    MnCrossing *self = user_data;

    edge_scale(data, &self->scale);
}

void mn_crossing_set_scale(MnCrossing *self, const MnScale *scale) {
    if (scale->total_pages == self->scale.total_pages &&
        scale->swap_pages == self->scale.swap_pages &&
        scale->space_pages == self->scale.space_pages)
        return;
    self->scale = *scale;

    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++) {
            Lane *lane = &self->lanes[meter][op];

            g_sequence_foreach(lane->waiting, rescale_edge, self);
            g_sequence_sort(lane->waiting, compare_enter, NULL);
            g_sequence_foreach(lane->reached, rescale_edge, self);
            g_sequence_sort(lane->reached, compare_enter, NULL);
            lane_refresh(lane);
        }
}

void mn_crossing_settle(const MnCrossing *self, MnWatch *watch, const MnReading *reading) {
    g_assert(!watch->indexed);

    watch->reached = 0;
    for (guint i = 0; i < watch->n_edges; i++) {
        MnEdge *edge = &watch->edges[i];

        edge_scale(edge, &self->scale);
        if (mirror(edge->limit.op, reading->pages[edge->limit.meter]) >= edge->enter_key)
            watch->reached |= edge_bit(edge);
    }
}

void mn_crossing_add(MnCrossing *self, MnWatch *watch) {
    g_assert(!watch->indexed);

    watch->indexed = TRUE;
    for (guint i = 0; i < watch->n_edges; i++) {
        MnEdge *edge = &watch->edges[i];
        Lane *lane = edge_lane(self, edge);

        edge_scale(edge, &self->scale);
        edge->place = g_sequence_insert_sorted(edge_is_reached(edge) ? lane->reached : lane->waiting,
                                               edge, compare_enter, NULL);
        lane_refresh(lane);
    }
}

void mn_crossing_remove(MnCrossing *self, MnWatch *watch) {
    if (!watch->indexed)
        return;

    watch->indexed = FALSE;
    for (guint i = 0; i < watch->n_edges; i++) {
        g_sequence_remove(watch->edges[i].place);
        lane_refresh(edge_lane(self, &watch->edges[i]));
    }
}

/* Where an edge belongs in a sequence, by halving. g_sequence_search() would allocate. */
static GSequenceIter *find_place(GSequence *sequence, const MnEdge *edge) {
    GSequenceIter *begin = g_sequence_get_begin_iter(sequence);
    GSequenceIter *end = g_sequence_get_end_iter(sequence);

    while (begin != end) {
        GSequenceIter *middle = g_sequence_range_get_midpoint(begin, end);

        if (compare_enter(g_sequence_get(middle), edge, NULL) <= 0)
            begin = g_sequence_iter_next(middle);
        else
            end = middle;
    }
    return end;
}

/* Edges are reached in ascending order and left in descending order, so that a place is mostly at
 * the end where the one before it went. */
static GSequenceIter *find_place_of_reached(Lane *lane, const MnEdge *edge) {
    if (lane->n_reached == 0 || compare_enter(highest(lane->reached), edge, NULL) <= 0)
        return g_sequence_get_end_iter(lane->reached);
    return find_place(lane->reached, edge);
}

static GSequenceIter *find_place_of_left(Lane *lane, const MnEdge *edge) {
    if (lane->n_waiting == 0 || compare_enter(lowest(lane->waiting), edge, NULL) > 0)
        return g_sequence_get_begin_iter(lane->waiting);
    return find_place(lane->waiting, edge);
}

static void note_change(MnCrossing *self, MnEdge *edge) {
    MnWatch *watch = edge->watch;

    watch->reached ^= edge_bit(edge);
    if (watch->changed == 0) {
        watch->next_changed = NULL;
        *self->changed_end = watch;
        self->changed_end = &watch->next_changed;
    }
    watch->changed ^= edge_bit(edge);
}

/* g_sequence_move() keeps the node: no allocation. */
static void reach(MnCrossing *self, Lane *lane, MnEdge *edge) {
    g_sequence_move(edge->place, find_place_of_reached(lane, edge));
    lane->n_waiting--;
    lane->n_reached++;
    note_change(self, edge);
}

static void leave(MnCrossing *self, Lane *lane, MnEdge *edge) {
    g_sequence_move(edge->place, find_place_of_left(lane, edge));
    lane->n_reached--;
    lane->n_waiting++;
    note_change(self, edge);
}

static void lane_advance(MnCrossing *self, Lane *lane, guint64 value) {
    MnEdge *edge;

    if ((lane->n_waiting == 0 || value < lane->lowest_enter) && value >= lane->highest_leave)
        return;

    while (lane->n_waiting > 0 && (edge = lowest(lane->waiting))->enter_key <= value)
        reach(self, lane, edge);
    while (lane->n_reached > 0 && (edge = highest(lane->reached))->leave_key > value)
        leave(self, lane, edge);
    lane_refresh(lane);
}

guint mn_crossing_advance(MnCrossing *self, const MnReading *reading) {
    MnWatch *changed;
    guint n = 0;

    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++)
            lane_advance(self, &self->lanes[meter][op], mirror(op, reading->pages[meter]));

    changed = g_steal_pointer(&self->changed);
    self->changed_end = &self->changed;
    while (changed) {
        MnWatch *watch = changed;

        changed = watch->next_changed;
        watch->notify(watch, reading);
        watch->changed = 0;
        n++;
    }
    return n;
}

guint64 mn_crossing_distance(const MnCrossing *self, const MnReading *reading) {
    guint64 distance = G_MAXUINT64;

    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++) {
            const Lane *lane = &self->lanes[meter][op];
            guint64 value = mirror(op, reading->pages[meter]);

            if (lane->n_waiting == 0)
                continue;
            distance = MIN(distance, lane->lowest_enter > value ? lane->lowest_enter - value : 1);
        }
    return distance;
}

gboolean mn_crossing_is_reached(const MnCrossing *self) {
    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++)
            if (self->lanes[meter][op].n_reached > 0)
                return TRUE;
    return FALSE;
}

guint mn_crossing_meters(const MnCrossing *self) {
    guint meters = 0;

    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++)
            if (self->lanes[meter][op].n_waiting + self->lanes[meter][op].n_reached > 0)
                meters |= MN_METER_BIT(meter);
    return meters;
}

gboolean mn_crossing_is_empty(const MnCrossing *self) {
    return mn_crossing_meters(self) == 0;
}
