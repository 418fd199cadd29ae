/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ordered limits: which of them does a new reading cross, and how far away is the nearest?
 *
 * Each meter has a lane for each direction: one sequence of limits, ordered by where they are
 * reached, which is also the order in which they are left again. All limits up to the meter are
 * reached; those above it by less than the hysteresis may be, if the meter has come down from
 * there. So the only candidates are the lowest limit that waits and the highest that is reached.
 * Their places and keys are kept: a reading that crosses nothing costs two comparisons a lane,
 * however many limits there are, and one that crosses walks along the sequence from there. No
 * limit ever changes its place.
 *
 * A "<" lane is a ">=" lane seen in a mirror: its keys and its meter are complemented, so that in
 * all that follows a limit is reached at or above enter_key and left below leave_key. */
#include "crossing.h"

typedef struct Lane {
    MnMeterId meter;
    MnOp op;
    GSequence *edges;
    guint n_relative;       /* edges whose keys depend on totals: per cents, and those left below a ceiling */
    GSequenceIter *lowest;  /* the first that is not reached; NULL when there is none */
    GSequenceIter *highest; /* the last that is reached; NULL when there is none */
    guint64 lowest_enter;   /* G_MAXUINT64 when there is none */
    guint64 highest_leave;  /* 0, which no meter is below, when there is none */
} Lane;

struct MnCrossing {
    Lane lanes[MN_N_VALUES][2];  /* [meter][op] */
    Lane *used[2 * MN_N_VALUES]; /* those that have limits, in this order */
    guint n_used;
    MnWatch *changed; /* those to be told, in the order in which they crossed */
    MnWatch **changed_end;
    MnScale scale;
};

static guint64 mirror(MnOp op, guint64 pages) {
    return op == MN_OP_BELOW ? ~pages : pages;
}

static guint64 lane_value(const Lane *lane, const MnReading *reading) {
    return mirror(lane->op, reading->pages[lane->meter]);
}

static gboolean lane_is_empty(const Lane *lane) {
    return !lane->lowest && !lane->highest;
}

static int compare_enter(gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED) {
    const MnEdge *left = a, *right = b;

    return left->enter_key < right->enter_key ? -1 : left->enter_key > right->enter_key;
}

MnWatch *mn_watch_new(const MnLimitSet *set, void (*crossed)(MnWatch *, const MnReading *), gpointer owner) {
    MnWatch *watch = g_malloc0(sizeof(MnWatch) + set->n * sizeof(MnEdge));

    watch->crossed = crossed;
    watch->owner = owner;
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

static gboolean edge_is_relative(const MnEdge *edge) {
    return edge->limit.micropercent > 0 || edge->limit.op == MN_OP_BELOW;
}

static Lane *edge_lane(MnCrossing *self, const MnEdge *edge) {
    return &self->lanes[edge->limit.meter][edge->limit.op];
}

static MnEdge *edge_at(GSequenceIter *place) {
    return g_sequence_get(place);
}

/* The first edge from `place` on that is not reached, or NULL. */
static GSequenceIter *next_waiting(GSequenceIter *place) {
    while (!g_sequence_iter_is_end(place) && edge_is_reached(edge_at(place)))
        place = g_sequence_iter_next(place);
    return g_sequence_iter_is_end(place) ? NULL : place;
}

/* The last edge before `place` that is reached, or NULL. */
static GSequenceIter *previous_reached(GSequenceIter *place) {
    while (!g_sequence_iter_is_begin(place)) {
        place = g_sequence_iter_prev(place);
        if (edge_is_reached(edge_at(place)))
            return place;
    }
    return NULL;
}

/* Of two places, either of which may be NULL. */
static GSequenceIter *lower_place(GSequenceIter *a, GSequenceIter *b) {
    return !a || (b && g_sequence_iter_compare(b, a) < 0) ? b : a;
}

static GSequenceIter *higher_place(GSequenceIter *a, GSequenceIter *b) {
    return !a || (b && g_sequence_iter_compare(b, a) > 0) ? b : a;
}

static void lane_set_ends(Lane *lane, GSequenceIter *lowest, GSequenceIter *highest) {
    lane->lowest = lowest;
    lane->highest = highest;
    lane->lowest_enter = lowest ? edge_at(lowest)->enter_key : G_MAXUINT64;
    lane->highest_leave = highest ? edge_at(highest)->leave_key : 0;
}

static void lane_find_ends(Lane *lane) {
    lane_set_ends(lane, next_waiting(g_sequence_get_begin_iter(lane->edges)),
                  previous_reached(g_sequence_get_end_iter(lane->edges)));
}

static void lane_insert(Lane *lane, MnEdge *edge) {
    edge->place = g_sequence_insert_sorted(lane->edges, edge, compare_enter, NULL);
    lane->n_relative += edge_is_relative(edge);
    if (edge_is_reached(edge))
        lane_set_ends(lane, lane->lowest, higher_place(lane->highest, edge->place));
    else
        lane_set_ends(lane, lower_place(lane->lowest, edge->place), lane->highest);
}

static void lane_remove(Lane *lane, MnEdge *edge) {
    GSequenceIter *lowest = lane->lowest, *highest = lane->highest;

    if (edge->place == lowest)
        lowest = next_waiting(g_sequence_iter_next(lowest));
    if (edge->place == highest)
        highest = previous_reached(highest);
    g_sequence_remove(edge->place);
    lane->n_relative -= edge_is_relative(edge);
    lane_set_ends(lane, lowest, highest);
}

/* To be called when a lane got its first limit or lost its last. */
static void list_used(MnCrossing *self) {
    self->n_used = 0;
    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++)
            if (!lane_is_empty(&self->lanes[meter][op]))
                self->used[self->n_used++] = &self->lanes[meter][op];
}

MnCrossing *mn_crossing_new(void) {
    MnCrossing *self = g_new0(MnCrossing, 1);

    self->changed_end = &self->changed;
    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++) {
            Lane *lane = &self->lanes[meter][op];

            *lane = (Lane){ .meter = meter, .op = op, .edges = g_sequence_new(NULL) };
            lane_find_ends(lane);
        }
    return self;
}

void mn_crossing_free(MnCrossing *self) {
    if (!self)
        return;
    g_assert(mn_crossing_is_empty(self));

    for (guint meter = 0; meter < MN_N_VALUES; meter++)
        for (guint op = 0; op < 2; op++)
            g_sequence_free(self->lanes[meter][op].edges);
    g_free(self);
}

/* Whether the edges are still in order. */
static gboolean rescale_edges(Lane *lane, const MnScale *scale) {
    gboolean is_ordered = TRUE;
    guint64 last = 0;

    for (GSequenceIter *place = g_sequence_get_begin_iter(lane->edges); !g_sequence_iter_is_end(place);
         place = g_sequence_iter_next(place)) {
        MnEdge *edge = edge_at(place);

        edge_scale(edge, scale);
        is_ordered = is_ordered && edge->enter_key >= last;
        last = edge->enter_key;
    }
    return is_ordered;
}

void mn_crossing_set_scale(MnCrossing *self, const MnScale *scale) {
    gboolean has_new_space = scale->space_pages != self->scale.space_pages;

    if (scale->total_pages == self->scale.total_pages && scale->swap_pages == self->scale.swap_pages && !has_new_space)
        return;
    self->scale = *scale;

    for (guint i = 0; i < self->n_used; i++) {
        Lane *lane = self->used[i];

        if (lane->n_relative == 0 && !has_new_space)
            continue;
        if (!rescale_edges(lane, scale))
            g_sequence_sort(lane->edges, compare_enter, NULL);
        lane_find_ends(lane);
    }
}

static void settle(MnEdge *edge, const MnReading *reading) {
    guint32 bit = edge_bit(edge);
    MnWatch *watch = edge->watch;

    if (watch->known & bit)
        return;
    watch->known |= bit;
    if (mirror(edge->limit.op, reading->pages[edge->limit.meter]) >= edge->enter_key)
        watch->reached |= bit;
    else
        watch->reached &= ~bit;
}

void mn_crossing_add(MnCrossing *self, MnWatch *watch, const MnReading *reading) {
    g_assert(!watch->indexed);

    watch->indexed = TRUE;
    for (guint i = 0; i < watch->n_edges; i++) {
        MnEdge *edge = &watch->edges[i];
        Lane *lane = edge_lane(self, edge);
        gboolean is_first = lane_is_empty(lane);

        edge_scale(edge, &self->scale);
        settle(edge, reading);
        lane_insert(lane, edge);
        if (is_first)
            list_used(self);
    }
}

void mn_crossing_remove(MnCrossing *self, MnWatch *watch) {
    if (!watch->indexed)
        return;

    watch->indexed = FALSE;
    for (guint i = 0; i < watch->n_edges; i++) {
        Lane *lane = edge_lane(self, &watch->edges[i]);

        lane_remove(lane, &watch->edges[i]);
        if (lane_is_empty(lane))
            list_used(self);
    }
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

/* Reaches all that wait at or below `value`, in ascending order. */
static void lane_rise(MnCrossing *self, Lane *lane, guint64 value) {
    GSequenceIter *place = lane->lowest;

    for (; !g_sequence_iter_is_end(place) && edge_at(place)->enter_key <= value; place = g_sequence_iter_next(place))
        if (!edge_is_reached(edge_at(place)))
            note_change(self, edge_at(place));
    lane_set_ends(lane, next_waiting(place), higher_place(lane->highest, g_sequence_iter_prev(place)));
}

/* Leaves all that are reached and to be left above `value`, in descending order. */
static void lane_fall(MnCrossing *self, Lane *lane, guint64 value) {
    GSequenceIter *place = lane->highest, *left = NULL;

    for (; edge_at(place)->leave_key > value; place = g_sequence_iter_prev(place)) {
        if (edge_is_reached(edge_at(place))) {
            note_change(self, edge_at(place));
            left = place;
        }
        if (g_sequence_iter_is_begin(place))
            break;
    }
    lane_set_ends(lane, lower_place(lane->lowest, left), previous_reached(left));
}

static void lane_advance(MnCrossing *self, Lane *lane, guint64 value) {
    if (lane->lowest && value >= lane->lowest_enter)
        lane_rise(self, lane, value);
    if (value < lane->highest_leave)
        lane_fall(self, lane, value);
}

guint mn_crossing_advance(MnCrossing *self, const MnReading *reading) {
    MnWatch *changed;
    guint n = 0;

    for (guint i = 0; i < self->n_used; i++)
        lane_advance(self, self->used[i], lane_value(self->used[i], reading));

    changed = g_steal_pointer(&self->changed);
    self->changed_end = &self->changed;
    while (changed) {
        MnWatch *watch = changed;

        changed = watch->next_changed;
        watch->crossed(watch, reading);
        watch->changed = 0;
        n++;
    }
    return n;
}

guint64 mn_crossing_distance(const MnCrossing *self, const MnReading *reading) {
    guint64 distance = G_MAXUINT64;

    for (guint i = 0; i < self->n_used; i++) {
        const Lane *lane = self->used[i];
        guint64 value = lane_value(lane, reading);

        if (lane->lowest)
            distance = MIN(distance, lane->lowest_enter > value ? lane->lowest_enter - value : 1);
    }
    return distance;
}

guint64 mn_crossing_approach(const MnCrossing *self, const MnReading *from, const MnReading *to) {
    guint64 furthest = 0;

    for (guint i = 0; i < self->n_used; i++) {
        guint64 before = lane_value(self->used[i], from), now = lane_value(self->used[i], to);

        if (now > before)
            furthest = MAX(furthest, now - before);
    }
    return furthest;
}

gboolean mn_crossing_is_reached(const MnCrossing *self) {
    for (guint i = 0; i < self->n_used; i++)
        if (self->used[i]->highest)
            return TRUE;
    return FALSE;
}

guint mn_crossing_meters(const MnCrossing *self) {
    guint meters = 0;

    for (guint i = 0; i < self->n_used; i++)
        meters |= MN_METER_BIT(self->used[i]->meter);
    return meters;
}

gboolean mn_crossing_is_empty(const MnCrossing *self) {
    return self->n_used == 0;
}
