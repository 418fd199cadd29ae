/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: our own options are taken out, libfuse's mount options are left to it. */
#include "options.h"

#include "probe/proc.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* From SIGTERM to SIGKILL: as long as a program may take to save its work. */
#define OOM_GRACE_MS 3000
#define OOM_GRACE_MS_MAX 600000

enum {
    KEY_FOREGROUND,
    KEY_SIMULATE,
    KEY_HELP,
    KEY_VERSION,
    KEY_PROC,
    KEY_REPLAY,
    KEY_REPLAY_WORD,
    KEY_SOURCE,
    KEY_DEVICE,
    KEY_CGROUP,
    KEY_THRESHOLDS,
    KEY_SOCKET,
    KEY_SOCKET_AT,
    KEY_ACK,
    KEY_OOM,
    KEY_OOM_LIMIT,
    KEY_OOM_GRACE,
    KEY_ALLOW_OTHER,
    KEY_NONEMPTY,
    KEY_IGNORED,
    KEY_PARAMETER,
};

static const struct fuse_opt specification[] = {
    FUSE_OPT_KEY("-f", KEY_FOREGROUND),
    FUSE_OPT_KEY("--foreground", KEY_FOREGROUND),
    FUSE_OPT_KEY("--simulate", KEY_SIMULATE),
    FUSE_OPT_KEY("simulate", KEY_SIMULATE),
    FUSE_OPT_KEY("--proc=", KEY_PROC),
    FUSE_OPT_KEY("proc=", KEY_PROC),
    FUSE_OPT_KEY("--replay=", KEY_REPLAY),
    FUSE_OPT_KEY("replay=", KEY_REPLAY),
    FUSE_OPT_KEY("speed=", KEY_REPLAY_WORD),
    FUSE_OPT_KEY("start=", KEY_REPLAY_WORD),
    FUSE_OPT_KEY("--source=", KEY_SOURCE),
    FUSE_OPT_KEY("source=", KEY_SOURCE),
    FUSE_OPT_KEY("--cgroup=", KEY_CGROUP),
    FUSE_OPT_KEY("cgroup=", KEY_CGROUP),
    FUSE_OPT_KEY("--thresholds=", KEY_THRESHOLDS),
    FUSE_OPT_KEY("thresholds=", KEY_THRESHOLDS),
    FUSE_OPT_KEY("--socket=", KEY_SOCKET_AT),
    FUSE_OPT_KEY("socket=", KEY_SOCKET_AT),
    FUSE_OPT_KEY("--socket", KEY_SOCKET),
    FUSE_OPT_KEY("socket", KEY_SOCKET),
    FUSE_OPT_KEY("device=", KEY_DEVICE),
    FUSE_OPT_KEY("ack=", KEY_ACK),
    FUSE_OPT_KEY("oom=", KEY_OOM),
    FUSE_OPT_KEY("oom_limit=", KEY_OOM_LIMIT),
    FUSE_OPT_KEY("oom_grace=", KEY_OOM_GRACE),
    FUSE_OPT_KEY("allow_other", KEY_ALLOW_OTHER),
    FUSE_OPT_KEY("nonempty", KEY_NONEMPTY),
    FUSE_OPT_KEY("default_permissions", KEY_IGNORED), /* always on */
    FUSE_OPT_KEY("update_period=", KEY_PARAMETER),
    FUSE_OPT_KEY("max_update_period=", KEY_PARAMETER),
    FUSE_OPT_KEY("update_space=", KEY_PARAMETER),
    FUSE_OPT_KEY("fill_rate=", KEY_PARAMETER),
    FUSE_OPT_KEY("-h", KEY_HELP),
    FUSE_OPT_KEY("--help", KEY_HELP),
    FUSE_OPT_KEY("-V", KEY_VERSION),
    FUSE_OPT_KEY("--version", KEY_VERSION),
    FUSE_OPT_END,
};

/* What the callback of fuse_opt_parse() fills in. */
typedef struct Parsing {
    MnOptions *options;
    GError **error;
} Parsing;

G_GNUC_PRINTF(2, 3)
static int fail(Parsing *parsing, const char *format, ...) {
    va_list arguments;
    g_autofree char *message = NULL;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(parsing->error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);
    return -1;
}

static int take_path(Parsing *parsing, const char *path) {
    MnOptions *options = parsing->options;

    if (options->source)
        return fail(parsing, "unexpected argument '%s'; see --help", path);
    if (options->mountpoint)
        options->source = g_steal_pointer(&options->mountpoint);
    options->mountpoint = g_strdup(path);
    return 0;
}

/* Options with a value are known by their "NAME=". */
static const char *value_of(const char *argument) {
    const char *sign = strchr(argument, '=');

    g_assert(sign);
    return sign + 1;
}

static int take_parameter(Parsing *parsing, const char *argument) {
    const char *value = value_of(argument);
    const MnParameter *parameter = mn_parameter_find(argument, value - 1 - argument);

    if (mn_parameters_set(&parsing->options->parameters, parameter, value, strlen(value), NULL) < 0)
        return fail(parsing,
                    "bad value in '%s': a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " is needed",
                    argument, parameter->min, parameter->max);
    return 0;
}

/* "auto", "system", "cgroup" or "cgroup=DIR" */
static int take_source(Parsing *parsing, const char *argument) {
    const char *value = value_of(argument);
    MnOptions *options = parsing->options;

    g_clear_pointer(&options->cgroup_directory, g_free);
    if (strcmp(value, "auto") == 0) {
        options->subject = MN_SUBJECT_AUTO;
    } else if (strcmp(value, "system") == 0) {
        options->subject = MN_SUBJECT_SYSTEM;
    } else if (strcmp(value, "cgroup") == 0) {
        options->subject = MN_SUBJECT_CGROUP;
    } else if (g_str_has_prefix(value, "cgroup=") && value[strlen("cgroup=")] != '\0') {
        options->subject = MN_SUBJECT_CGROUP;
        options->cgroup_directory = g_strdup(value + strlen("cgroup="));
    } else {
        return fail(parsing, "bad value in '%s': 'auto', 'system', 'cgroup' or 'cgroup=DIR' is needed", argument);
    }
    return 0;
}

static int take_file(Parsing *parsing, const char *argument, char **ret) {
    const char *value = value_of(argument);

    if (*value == '\0')
        return fail(parsing, "bad value in '%s': a file is needed", argument);
    g_free(*ret);
    *ret = g_canonicalize_filename(value, NULL);
    return 0;
}

/* "0:57" */
static int take_device(Parsing *parsing, const char *argument) {
    guint major, minor;
    int end = 0;

    if (sscanf(argument, "device=%u:%u%n", &major, &minor, &end) != 2 || argument[end] != '\0')
        return fail(parsing, "bad value in '%s': MAJOR:MINOR is needed", argument);
    parsing->options->device = makedev(major, minor);
    return 0;
}

static int take_ack(Parsing *parsing, const char *argument) {
    const char *value = value_of(argument);

    if (strcmp(value, "poll") != 0 && strcmp(value, "read") != 0)
        return fail(parsing, "bad value in '%s': 'ack=read' or 'ack=poll' is needed", argument);
    parsing->options->poll_acknowledges = strcmp(value, "poll") == 0;
    return 0;
}

static int take_oom(Parsing *parsing, const char *argument) {
    static const char *const modes[] = { [MN_OOM_ADJUST] = "adj", [MN_OOM_KILL] = "kill", [MN_OOM_OFF] = "off" };
    const char *value = value_of(argument);

    for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
        if (strcmp(value, modes[i]) == 0) {
            parsing->options->oom_mode = i;
            return 0;
        }
    return fail(parsing, "bad value in '%s': 'oom=adj', 'oom=kill' or 'oom=off' is needed", argument);
}

static int take_oom_grace(Parsing *parsing, const char *argument) {
    const char *value = value_of(argument);

    if (!g_ascii_string_to_unsigned(value, 10, 0, OOM_GRACE_MS_MAX, &parsing->options->oom_grace_ms, NULL))
        return fail(parsing, "bad value in '%s': milliseconds from 0 to %d are needed", argument, OOM_GRACE_MS_MAX);
    return 0;
}

/* Where it is a mount option its words are options of their own, since commas separate those. */
static int take_replay(Parsing *parsing, const char *argument, int key) {
    MnReplayOption *replay = &parsing->options->replay;
    const char *reason;
    gboolean is_good = key == KEY_REPLAY ? mn_replay_option_take(replay, value_of(argument), &reason)
                                         : mn_replay_option_take_word(replay, argument, &reason);

    return is_good ? 0 : fail(parsing, "bad value in '%s': %s", argument, reason);
}

/* A replay has its own machine and its own group. */
static int check_replay(Parsing *parsing) {
    const MnOptions *options = parsing->options;

    if (!options->replay.path)
        return options->replay.has_words ? fail(parsing, "speed= and start= are only for replay=") : 0;
    if (options->proc_directory || options->cgroup_directory || options->memcg_directory)
        return fail(parsing, "--replay does not go with a directory of --proc, --source or --cgroup: "
                             "it shows what was recorded");
    return 0;
}

static int check_oom(Parsing *parsing) {
    const MnOptions *options = parsing->options;

    if (options->oom_mode == MN_OOM_KILL && !options->oom_limit)
        return fail(parsing, "oom=kill needs a limit, such as 'oom_limit=available<2%%'");
    if (options->oom_mode != MN_OOM_KILL && options->oom_limit)
        return fail(parsing, "oom_limit= is only for oom=kill");
    return 0;
}

/* The options that are there or not; NULL for others. */
static gboolean *flag_of(MnOptions *options, int key) {
    switch (key) {
    case KEY_FOREGROUND:
        return &options->foreground;
    case KEY_SIMULATE:
        return &options->may_simulate;
    case KEY_ALLOW_OTHER:
        return &options->allow_other;
    case KEY_NONEMPTY:
        return &options->nonempty;
    case KEY_HELP:
        return &options->show_help;
    case KEY_VERSION:
        return &options->show_version;
    default:
        return NULL;
    }
}

/* The options whose value is kept as it is; NULL for others. */
static char **text_of(MnOptions *options, int key) {
    switch (key) {
    case KEY_OOM_LIMIT: /* understood when it is known which meters there are */
        return &options->oom_limit;
    case KEY_PROC:
        return &options->proc_directory;
    case KEY_CGROUP:
        return &options->memcg_directory;
    default:
        return NULL;
    }
}

static int take_argument(void *data, const char *argument, int key, struct fuse_args *fuse_args G_GNUC_UNUSED) {
    Parsing *parsing = data;
    MnOptions *options = parsing->options;
    gboolean *flag = flag_of(options, key);
    char **text = text_of(options, key);

    if (flag) {
        *flag = TRUE;
        return 0;
    }
    if (text) {
        g_free(*text);
        *text = g_strdup(value_of(argument));
        return 0;
    }
    switch (key) {
    case FUSE_OPT_KEY_NONOPT:
        return take_path(parsing, argument);
    case KEY_PARAMETER:
        return take_parameter(parsing, argument);
    case KEY_ACK:
        return take_ack(parsing, argument);
    case KEY_OOM:
        return take_oom(parsing, argument);
    case KEY_OOM_GRACE:
        return take_oom_grace(parsing, argument);
    case KEY_REPLAY:
    case KEY_REPLAY_WORD:
        return take_replay(parsing, argument, key);
    case KEY_SOURCE:
        return take_source(parsing, argument);
    case KEY_THRESHOLDS:
        return take_file(parsing, argument, &options->presets_path);
    case KEY_SOCKET_AT:
        return take_file(parsing, argument, &options->socket_path);
    case KEY_SOCKET:
        if (!options->socket_path)
            options->socket_path = g_strdup("");
        return 0;
    case KEY_DEVICE:
        return take_device(parsing, argument);
    case KEY_IGNORED:
        return 0;
    default: /* libfuse's; but a word like --nonsense is nobody's */
        if (g_str_has_prefix(argument, "-") && !g_str_has_prefix(argument, "-o"))
            return fail(parsing, "unknown option '%s'; see --help", argument);
        return 1;
    }
}

gboolean mn_options_parse(int argc, char **argv, MnOptions *ret, GError **error) {
    Parsing parsing = { .options = ret, .error = error };
    int r;

    *ret = (MnOptions){ .fuse_args = FUSE_ARGS_INIT(argc, argv), .oom_grace_ms = OOM_GRACE_MS };
    mn_parameters_init(&ret->parameters);
    mn_replay_option_init(&ret->replay);

    r = fuse_opt_parse(&ret->fuse_args, &parsing, specification, take_argument);
    if (r < 0) {
        if (error && !*error)
            fail(&parsing, "cannot read the command line; see --help");
        return FALSE;
    }
    if (ret->show_help || ret->show_version)
        return TRUE;
    if (!ret->mountpoint) {
        fail(&parsing, "no mount point given; see --help");
        return FALSE;
    }
    if (check_oom(&parsing) < 0 || check_replay(&parsing) < 0)
        return FALSE;

    if (!ret->proc_directory)
        ret->proc_directory = g_strdup(MN_PROC_DIRECTORY);
    return TRUE;
}

void mn_options_clear(MnOptions *self) {
    fuse_opt_free_args(&self->fuse_args);
    g_clear_pointer(&self->source, g_free);
    g_clear_pointer(&self->mountpoint, g_free);
    g_clear_pointer(&self->proc_directory, g_free);
    mn_replay_option_clear(&self->replay);
    g_clear_pointer(&self->oom_limit, g_free);
    g_clear_pointer(&self->cgroup_directory, g_free);
    g_clear_pointer(&self->memcg_directory, g_free);
    g_clear_pointer(&self->presets_path, g_free);
    g_clear_pointer(&self->socket_path, g_free);
}

void mn_options_print_help(const char *program) {
    printf("usage: %s [OPTIONS] [SOURCE] MOUNTPOINT\n"
           "Serves memory meters to read and memory thresholds to poll.\n\n"
           "  -f, --foreground   do not go to the background\n"
           "  --proc=DIR         read vmstat, zoneinfo and meminfo below DIR instead of /proc\n"
           "  --replay=FILE[,speed=N][,start=now]\n"
           "                     play a recording, or a scenario, in the place of /proc; N times as fast,\n"
           "                     or 'max'; from now on, not from when the first client waits\n"
           "  --source=WHOSE     whose memory: 'system'; 'cgroup', that of our own group, or 'cgroup=DIR';\n"
           "                     'auto' (preset): our own group's if it has a limit, else the system's\n"
           "  --cgroup=DIR       the memory cgroup that memcg/ shows, instead of the program's own\n"
           "  --thresholds=FILE  make the thresholds of FILE: NAME LIMITS a line; SIGHUP reads it again\n"
           "  --socket[=PATH]    serve a socket, too (MOUNTPOINT.sock): see memnotifyfs-socket(7)\n"
           "  --simulate         offer the file 'simulate', which fixes meters at chosen values\n"
           "  -o ack=poll        memnotify: a poll that reports an event consumes it\n"
           "  -o oom=adj         listed in 'oom': the kernel's OOM killer takes them first (preset)\n"
           "  -o oom=kill        they are ended when a limit is reached:\n"
           "     oom_limit=LIMIT   this one, such as 'available<2%%'\n"
           "     oom_grace=N       ms from SIGTERM to SIGKILL (3000)\n"
           "  -o oom=off         nobody can be listed\n"
           "  -o allow_other     let other users in (preset where permitted to root)\n"
           "  -o nonempty        mount over a directory that is not empty\n"
           "  -h, --help         this text\n"
           "  -V, --version      the version\n",
           program);
    for (guint i = 0; i < MN_N_PARAMETERS; i++)
        printf("  -o %s=N  %s (%" G_GUINT64_FORMAT ")\n", mn_parameters[i].name, mn_parameters[i].help,
               mn_parameters[i].preset);
    printf("\nOther mount options are those of mount.fuse3(8). See memnotifyfs(8) and memnotifyfs(5).\n");
}
