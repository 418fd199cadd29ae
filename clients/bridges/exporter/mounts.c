/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scrape is one object with a task for each mount, which its thread carries out and gives back by the main loop. It is
 * answered when the last has come, or its time is over; tasks that come later find that there is nothing left to do but to
 * say that their mount is there again. */
#include "mounts.h"

#include "families.h"
#include "message.h"
#include "verb.h"
#include "where.h"

#include <errno.h>
#include <memnotifyfs/contract.h>
#include <string.h>

/* Prometheus waits 10 s for all. */
#define PATIENCE_MS 4000

#define NAME_MAX_BYTES 64

/* Of one mount. */
typedef struct Part {
    gboolean is_awaited;
    ExpFamilies *families; /* NULL: they have not come, or cannot be had */
} Part;

typedef struct Scrape {
    gint n_refs; /* one until it has been answered, and one for each task */
    MnExpositionFormat format;
    ExpMounts *mounts;
    Part *parts;
    guint n_left;
    guint timer;
    GArray *askers; /* NULL: they were answered */
} Scrape;

typedef struct Asker {
    ExpScraped scraped;
    gpointer data;
} Asker;

typedef struct Task {
    Scrape *scrape;
    guint i; /* of the mount */
    ExpFamilies *families;
} Task;

static void unref(Scrape *self) {
    if (--self->n_refs > 0)
        return;
    for (guint i = 0; i < self->mounts->n; i++)
        exp_families_free(self->parts[i].families);
    g_free(self->parts);
    g_free(self);
}

/* --- in the main loop --- */

static GBytes *print(const Scrape *self) {
    g_autoptr(ExpFamilies) families = exp_families_new(self->format);
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < self->mounts->n; i++) {
        const ExpFamilies *own = self->parts[i].families;

        if (own)
            exp_families_add(families, own);
        exp_families_add_up(families, self->mounts->mounts[i].name, own != NULL);
    }
    exp_families_print(families, all);
    return g_string_free_to_bytes(all);
}

static void begin(ExpMounts *self, MnExpositionFormat format);

static void answer(Scrape *self) {
    ExpScrapes *scrapes = &self->mounts->scrapes[self->format];
    g_autoptr(GArray) askers = g_steal_pointer(&self->askers);
    g_autoptr(GBytes) metrics = print(self);

    if (self->timer != 0)
        g_source_remove(self->timer);
    scrapes->is_busy = FALSE;
    if (scrapes->waiting)
        begin(self->mounts, self->format);
    for (guint i = 0; i < askers->len; i++) {
        const Asker *asker = &g_array_index(askers, Asker, i);

        asker->scraped(g_bytes_ref(metrics), asker->data);
    }
    unref(self);
}

static gboolean on_late(gpointer data) {
    Scrape *self = data;

    self->timer = 0;
    for (guint i = 0; i < self->mounts->n; i++)
        if (self->parts[i].is_awaited)
            self->mounts->mounts[i].is_late = TRUE;
    answer(self);
    return G_SOURCE_REMOVE;
}

static gboolean on_read(gpointer data) {
    Task *task = data;
    Scrape *scrape = task->scrape;

    scrape->mounts->mounts[task->i].is_late = FALSE;
    scrape->parts[task->i] = (Part){ .families = task->families };
    scrape->n_left--;
    if (scrape->n_left == 0 && scrape->askers)
        answer(scrape);
    unref(scrape);
    g_free(task);
    return G_SOURCE_REMOVE;
}

/* --- in the thread of a mount --- */

static GString *read_metrics(const char *place, const char *file) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *path = NULL;
    struct mount mount;
    int r = cmd_where_find_mount(place, &mount, &path);

    if (r < 0)
        return NULL;
    r = cmd_where_read(&mount, file, text);
    mount_close(&mount);
    return r < 0 ? NULL : g_steal_pointer(&text);
}

static void carry_out(gpointer data, gpointer user_data) {
    Task *task = data;
    const ExpMount *mount = user_data;
    MnExpositionFormat format = task->scrape->format;
    g_autoptr(GString) text = read_metrics(
        mount->place, format == MN_EXPOSITION_OPENMETRICS ? MEMNOTIFYFS_METRICS : MEMNOTIFYFS_METRICS_PROM);

    if (text)
        task->families = exp_families_read(format, text->str, text->len, mount->name);
    g_idle_add_full(G_PRIORITY_DEFAULT, on_read, task, NULL);
}

/* --- */

/* For those who wait. */
static void begin(ExpMounts *self, MnExpositionFormat format) {
    ExpScrapes *scrapes = &self->scrapes[format];
    Scrape *scrape = g_new0(Scrape, 1);

    *scrape = (Scrape){ .n_refs = 1, .format = format, .mounts = self, .askers = g_steal_pointer(&scrapes->waiting) };
    scrapes->is_busy = TRUE;
    scrape->parts = g_new0(Part, self->n);
    for (guint i = 0; i < self->n; i++) {
        Task *task;

        if (self->mounts[i].is_late)
            continue;
        task = g_new0(Task, 1);
        *task = (Task){ .scrape = scrape, .i = i };
        scrape->parts[i].is_awaited = TRUE;
        scrape->n_refs++;
        scrape->n_left++;
        g_thread_pool_push(self->mounts[i].reader, task, NULL); /* waits until there is a thread */
    }
    scrape->timer = g_timeout_add(scrape->n_left > 0 ? PATIENCE_MS : 0, on_late, scrape);
}

void exp_mounts_scrape(ExpMounts *self, MnExpositionFormat format, ExpScraped scraped, gpointer data) {
    ExpScrapes *scrapes = &self->scrapes[format];
    Asker asker = { .scraped = scraped, .data = data };

    if (!scrapes->waiting)
        scrapes->waiting = g_array_new(FALSE, FALSE, sizeof(Asker));
    g_array_append_val(scrapes->waiting, asker);
    if (!scrapes->is_busy)
        begin(self, format);
}

/* --- the command line --- */

/* What can be a label without being escaped, and nobody takes for something else. */
static gboolean is_name(const char *name, gsize len) {
    return len > 0 && len <= NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@/-") >= len;
}

static gboolean has_name(const ExpMounts *self, const char *name) {
    for (guint i = 0; i < self->n; i++)
        if (self->mounts[i].name && strcmp(self->mounts[i].name, name) == 0)
            return TRUE;
    return FALSE;
}

static void add(ExpMounts *self, const char *name, const char *place) {
    self->mounts[self->n++] = (ExpMount){ .name = name, .place = place };
}

int exp_mounts_init(ExpMounts *self, char **texts, const char *place) {
    guint n = texts ? g_strv_length(texts) : 0;

    *self = (ExpMounts){ .mounts = g_new0(ExpMount, n + 1), .texts = texts };
    if (n > 0 && place)
        return cmd_misuse("there is --at or --mount, not both");
    for (guint i = 0; i < n; i++) {
        char *equals = strchr(texts[i], '=');

        if (!equals || equals[1] == '\0' || !is_name(texts[i], (gsize)(equals - texts[i])))
            return cmd_misuse("--mount: '%s' is not NAME=PATH, with letters, digits and _.:@/- in the name", texts[i]);
        *equals = '\0';
        if (has_name(self, texts[i]))
            return cmd_misuse("--mount: there are two of the name '%s'", texts[i]);
        add(self, texts[i], equals + 1);
    }
    if (n == 0)
        add(self, NULL, place);
    for (guint i = 0; i < self->n; i++)
        self->mounts[i].reader = g_thread_pool_new(carry_out, &self->mounts[i], 1, FALSE, NULL);
    return CMD_OK;
}
