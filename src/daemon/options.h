/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/parameter.h"
#include "daemon/replayoption.h"
#include "oom/oomlist.h"

#define FUSE_USE_VERSION 35
#include <fuse_opt.h>

/* Whose memory the meters show. */
typedef enum MnSubject {
    MN_SUBJECT_AUTO, /* the cgroup's where it has a limit, else the machine's */
    MN_SUBJECT_SYSTEM,
    MN_SUBJECT_CGROUP,
} MnSubject;

/* What the command line says. */
typedef struct MnOptions {
    struct fuse_args fuse_args; /* mount options that are libfuse's */
    char *source;               /* NULL for none given */
    char *mountpoint;
    char *proc_directory;
    MnReplayOption replay;
    MnSubject subject;
    char *cgroup_directory; /* NULL for our own group */
    dev_t device;           /* st_dev of a mount that we cannot see; 0 where it can be looked up */
    char *memcg_directory;  /* NULL for none given: see main.c */
    char *socket_path;      /* absolute; empty for the one beside the mount point, NULL for none */
    char *presets_path;     /* of the file of thresholds, absolute; NULL for none */
    MnParameters parameters;
    MnOomMode oom_mode;
    char *oom_limit; /* the text; NULL unless oom_mode is MN_OOM_KILL */
    guint64 oom_grace_ms;
    gboolean foreground;
    gboolean may_simulate;
    gboolean poll_acknowledges;
    gboolean allow_other;
    gboolean nonempty;
    gboolean show_help;
    gboolean show_version;
} MnOptions;

/* Reads the command line: `memnotifyfs [OPTIONS] [SOURCE] MOUNTPOINT`. FALSE with an error that says
 * what to do. *ret is to be cleared in any case. */
gboolean mn_options_parse(int argc, char **argv, MnOptions *ret, GError **error);
void mn_options_clear(MnOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnOptions, mn_options_clear)

void mn_options_print_help(const char *program);
