/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics, metrics.prom: what there is to know, for those who collect and store it.
 *
 * A text is made for each reading and is of that moment; thresholds for which nobody waits are brought up to date for it.
 * What is not known at that moment is left out: 0 would be taken for a measurement. All that clients can make it longer
 * by are thresholds, which publiclimits.c bounds. */
#include "board/board.h"
#include "config.h"
#include "core/number.h"
#include "files/files.h"
#include "files/publiclimits.h"
#include "fs/open.h"
#include "loop/clock.h"
#include "memcg/registration.h"
#include "socket/server.h"

typedef struct MetricsFile {
    MnTree *tree;
    MnExpositionFormat format;
    MnBoard *board;
    MnThresholds *thresholds;
    MnRegistrations *registrations;
    MnServer *server;
    guint64 sized_serial; /* of the moment of which the length is known */
    guint sized_files;    /* and how many thresholds there were */
    gsize sized_len;
} MetricsFile;

/* A text that is being made. */
typedef struct Scrape {
    const MetricsFile *file;
    const MnMoment *moment;
    guint page_bytes;
    MnPublicLimits limits;
    MnExposition exposition;
} Scrape;

static void add_value(const Scrape *self, guint64 value) {
    mn_exposition_add(&self->exposition, NULL, 0, value);
}

static void add_labelled(const Scrape *self, const char *name, const char *value, guint64 number) {
    MnLabel label = { .name = name, .value = value };

    mn_exposition_add(&self->exposition, &label, 1, number);
}

/* --- the program, and what it shows --- */

static void add_build(const Scrape *self) {
    add_labelled(self, "version", MN_VERSION, 1);
}

static void add_source(const Scrape *self) {
    gboolean has_group = mn_probe_has_group(mn_board_get_probe(self->file->board));

    add_labelled(self, "kind", has_group ? "cgroup" : "system", 1);
}

static void add_presence(const Scrape *self) {
    add_value(self, !self->moment->is_gone);
}

static void add_meters(Scrape *self) {
    guint offered = mn_board_get_machine(self->file->board)->offered;

    for (guint id = 0; id < MN_N_METERS; id++) {
        const MnMetric metric = { mn_meters[id].name, MN_METRIC_GAUGE, "bytes", mn_meters[id].help };

        if (!(offered & MN_METER_BIT(id)) || self->moment->is_gone)
            continue;
        mn_exposition_begin(&self->exposition, &metric);
        add_value(self, mn_multiply(self->moment->reading.pages[id], self->page_bytes));
    }
}

/* --- thresholds --- */

static guint64 reached_of(const Scrape *self G_GNUC_UNUSED, const MnThresholdLimit *limit) {
    return limit->is_reached;
}

static guint64 crossings_of(const Scrape *self G_GNUC_UNUSED, const MnThresholdLimit *limit) {
    return limit->n_crossings;
}

static guint64 limit_of(const Scrape *self, const MnThresholdLimit *limit) {
    return mn_multiply(limit->pages, self->page_bytes);
}

static void add_limits(const Scrape *self, guint64 (*number_of)(const Scrape *, const MnThresholdLimit *)) {
    const GArray *limits = self->limits.limits;

    for (guint i = 0; i < limits->len && !self->moment->is_gone; i++) {
        const MnPublicLimit *shown = &g_array_index(limits, MnPublicLimit, i);
        MnThresholdLimit limit = mn_threshold_get_limit(shown->threshold, shown->i);
        const MnLabel labels[] = { { "threshold", mn_threshold_get_name(shown->threshold) },
                                   { "meter", mn_meters[limit.meter].name },
                                   { "op", mn_op_names[limit.op] } };

        mn_exposition_add(&self->exposition, labels, G_N_ELEMENTS(labels), number_of(self, &limit));
    }
}

static void add_reached(const Scrape *self) {
    add_limits(self, reached_of);
}

static void add_crossings(const Scrape *self) {
    add_limits(self, crossings_of);
}

static void add_places(const Scrape *self) {
    add_limits(self, limit_of);
}

static void add_left_out(const Scrape *self) {
    add_value(self, self->limits.n_left_out);
}

/* --- what the program does --- */

static void add_samples(const Scrape *self) {
    add_value(self, mn_board_get_looks(self->file->board)->all);
}

static void add_failures(const Scrape *self) {
    add_value(self, mn_board_get_looks(self->file->board)->failed);
}

static guint64 opens_of(const MnNode *kind) {
    return kind->n_opens;
}

static guint64 wakeups_of(const MnNode *kind) {
    return kind->n_wakeups;
}

static void add_kinds(const Scrape *self, guint64 (*number_of)(const MnNode *kind)) {
    const GPtrArray *kinds = mn_tree_get_root(self->file->tree)->children;

    for (guint i = 0; i < kinds->len; i++) {
        const MnNode *kind = g_ptr_array_index(kinds, i);

        add_labelled(self, "file", kind->name, number_of(kind));
    }
}

static void add_opens(const Scrape *self) {
    add_kinds(self, opens_of);
}

static void add_wakeups(const Scrape *self) {
    add_kinds(self, wakeups_of);
}

static void add_signals(const Scrape *self) {
    add_value(self,
              mn_registrations_get_n_signals(self->file->registrations) + mn_server_get_n_signals(self->file->server));
}

static void add_connections(const Scrape *self) {
    add_value(self, mn_server_get_n_connections(self->file->server));
}

static void add_refusals(const Scrape *self) {
    const MnQuota *quota = mn_tree_get_quota(self->file->tree);

    for (guint resource = 0; resource < MN_N_RESOURCES; resource++)
        add_labelled(self, "resource", mn_resource_get_name(resource), mn_quota_get_refused(quota, resource));
}

static void add_cpu(const Scrape *self) {
    mn_exposition_add_us(&self->exposition, NULL, 0, (guint64)mn_cpu_used_us());
}

/* --- all of it --- */

static const struct {
    MnMetric metric;
    void (*add)(const Scrape *self);
} rows[] = {
    { { "build", MN_METRIC_INFO, NULL, "The version of memnotifyfs." }, add_build },
    { { "source", MN_METRIC_INFO, NULL, "Whose memory is shown: that of the system or of a cgroup." }, add_source },
    { { "source_present", MN_METRIC_GAUGE, NULL, "0 while the cgroup whose memory is shown is removed." },
      add_presence },
    { { "threshold_reached", MN_METRIC_GAUGE, NULL, "Whether the limit of a named threshold is reached." },
      add_reached },
    { { "threshold_crossings", MN_METRIC_COUNTER, NULL, "How often it was seen to be reached or left." },
      add_crossings },
    { { "threshold_limit", MN_METRIC_GAUGE, "bytes", "Where it is." }, add_places },
    { { "threshold_limits_left_out", MN_METRIC_GAUGE, NULL, "Limits of named thresholds that are too many to show." },
      add_left_out },
    { { "samples", MN_METRIC_COUNTER, NULL, "How often memory was looked at." }, add_samples },
    { { "sample_failures", MN_METRIC_COUNTER, NULL, "How often of these it could not be read." }, add_failures },
    { { "open_files", MN_METRIC_GAUGE, NULL, "Open files, by what is in the root of the mount." }, add_opens },
    { { "connections", MN_METRIC_GAUGE, NULL, "Clients of the socket." }, add_connections },
    { { "wakeups", MN_METRIC_COUNTER, NULL, "How often who waits for a file was woken: by poll, read or signal." },
      add_wakeups },
    { { "eventfd_signals", MN_METRIC_COUNTER, NULL, "How often an eventfd was signalled, of memcg or of the socket." },
      add_signals },
    { { "refusals", MN_METRIC_COUNTER, NULL, "Requests that were refused because of a quota, by what they wanted." },
      add_refusals },
    { { "cpu", MN_METRIC_COUNTER, "seconds", "CPU time of the program, without its helper processes." }, add_cpu },
};

/* While something is played. */
static void add_replay(Scrape *self) {
    static const MnMetric seconds = { "replay_time", MN_METRIC_GAUGE, "seconds",
                                      "Since the first moment of what is played." };
    static const MnMetric ended = { "replay_ended", MN_METRIC_GAUGE, NULL, "Whether it has no further moment." };
    const MnReplay *replay = mn_probe_get_replay(mn_board_get_probe(self->file->board));

    if (!replay)
        return;
    mn_exposition_begin(&self->exposition, &seconds);
    mn_exposition_add_us(&self->exposition, NULL, 0, (guint64)self->moment->time_us);
    mn_exposition_begin(&self->exposition, &ended);
    add_value(self, mn_replay_has_ended(replay));
}

static MnNode *thresholds_of(const MetricsFile *file) {
    return mn_node_find_child(mn_tree_get_root(file->tree), MEMNOTIFYFS_THRESHOLDS);
}

/* Reading first: thresholds are brought up to date by the same moment, and it may find that the group has gone. */
static void make_text(const MetricsFile *file, GString *text) {
    g_auto(MnPublicLimits) limits = { 0 };
    Scrape scrape = { .file = file,
                      .page_bytes = mn_board_get_machine(file->board)->page_bytes,
                      .exposition = { .text = text, .format = file->format } };

    mn_board_hold(file->board, MN_BOARD_ALL_METERS);
    (void)mn_board_read(file->board);
    mn_thresholds_update(file->thresholds);
    mn_board_release(file->board, MN_BOARD_ALL_METERS);
    mn_public_limits_init(&limits, thresholds_of(file));
    scrape.moment = mn_board_get_moment(file->board);
    scrape.limits = limits;

    add_meters(&scrape);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        mn_exposition_begin(&scrape.exposition, &rows[i].metric);
        rows[i].add(&scrape);
    }
    add_replay(&scrape);
    mn_exposition_end(&scrape.exposition);
}

static int metrics_read(MnOpen *open, GString *text) {
    make_text(open->node->data, text);
    return 0;
}

/* Found out once for a moment: whoever lists the directory asks for it, and does not read. */
static gsize metrics_size(const MnNode *node) {
    MetricsFile *file = node->data;
    guint n_files = thresholds_of(file)->children->len;
    g_autoptr(GString) text = NULL;

    (void)mn_board_read(file->board);
    if (mn_board_get_moment(file->board)->serial != file->sized_serial || n_files != file->sized_files) {
        text = g_string_new(NULL);
        make_text(file, text);
        file->sized_serial = mn_board_get_moment(file->board)->serial;
        file->sized_files = n_files;
        file->sized_len = text->len;
    }
    return mn_node_size_for(file->sized_len);
}

static const MnFileOps metrics_ops = {
    .size_now = metrics_size,
    .is_of_now = TRUE,
    .read = metrics_read,
    .free_data = g_free,
};

void mn_metrics_add(MnTree *tree, const char *name, MnExpositionFormat format, MnBoard *board, MnThresholds *thresholds,
                    MnRegistrations *registrations, MnServer *server) {
    MetricsFile *file = g_new0(MetricsFile, 1);

    *file = (MetricsFile){ .tree = tree,
                           .format = format,
                           .board = board,
                           .thresholds = thresholds,
                           .registrations = registrations,
                           .server = server };
    mn_tree_add_file(tree, mn_tree_get_root(tree), name, 0444, &metrics_ops, file);
}
