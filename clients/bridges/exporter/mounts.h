/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/exposition.h"

/* The mounts that are served. */
typedef struct ExpMount {
    const char *name;  /* for the label; NULL: there is one, which has none */
    const char *place; /* NULL: the usual ones */
    GThreadPool *reader;
    gboolean is_late; /* it has not answered in time, and still has not */
} ExpMount;

/* Those of one format. */
typedef struct ExpScrapes {
    gboolean is_busy;
    GArray *waiting; /* those who have asked meanwhile */
} ExpScrapes;

typedef struct ExpMounts {
    guint n;
    ExpMount *mounts;
    char **texts; /* that they were made of */
    ExpScrapes scrapes[MN_EXPOSITION_TEXT + 1];
} ExpMounts;

/* Makes them of the texts "NAME=PLACE" of a command line, which are theirs from then on and end with NULL; where that is NULL,
 * of one at `place`. Says on stderr what is wrong, and returns the exit status. They live as long as the program. */
int exp_mounts_init(ExpMounts *self, char **texts, const char *place);

/* What somebody has asked for who waits for metrics. */
typedef void (*ExpScraped)(GBytes *metrics, gpointer data);

/* Reads all mounts, each in a thread of its own, as one may hang, and calls scraped() by the main loop with what they have
 * shown within four seconds; the reference is scraped()'s. One that did not answer in time is not waited for again until it
 * has. Who asks while they are being read is answered together with others of his kind by the next reading. */
void exp_mounts_scrape(ExpMounts *self, MnExpositionFormat format, ExpScraped scraped, gpointer data);
