/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of what is served. */
#include "files.h"

static void (*const files[])(MnTree *tree, MnFilesContext *context) = {
    mn_memnotify_add,   /* memnotify */
    mn_meters_add,      /* meters/NAME */
    mn_thresholds_add,  /* thresholds/NAME */
    mn_events_add,      /* events */
    mn_parameters_add,  /* parameters/NAME */
    mn_oom_notify_add,  /* oom_notify, oom_notify_critical */
    mn_mem_notify_add,  /* mem_notify */
    mn_zoneinfo_add,    /* zoneinfo */
    mn_oom_add,         /* oom */
    mn_oom_ranking_add, /* oom_ranking */
    mn_memcg_add,       /* memcg/ */
    mn_simulate_add,    /* simulate, where allowed */
};

void mn_files_add_all(MnTree *tree, MnFilesContext *context) {
    for (guint i = 0; i < G_N_ELEMENTS(files); i++)
        files[i](tree, context);
}
