/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify serve: starts the server of this user where there is none. */
#include "options.h"
#include "message.h"
#include "sight.h"

#include "kernel/mount.h"
#include "kernel/sibling.h"

#include <errno.h>
#include <memnotifyfs/contract.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER "memnotifyfs"
#define PLAIN_LETTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._-+:@,"

typedef struct Serve {
    CmdOptions options;
    gboolean simulates;
    char *path;        /* where to mount */
    gboolean is_usual; /* programs look there by themselves */
    gboolean has_made; /* the directory */
} Serve;

/* The path as a word that a shell takes, to be freed. */
static char *quote(const char *path) {
    return path[strspn(path, PLAIN_LETTERS)] ? g_shell_quote(path) : g_strdup(path);
}

/* --- where --- */

static gboolean find_usual_place(char **ret) {
    const char *runtime_dir = g_getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0) {
        *ret = g_strdup(MEMNOTIFYFS_MOUNT);
        return TRUE;
    }
    if (!runtime_dir || !*runtime_dir) {
        cmd_fail("$XDG_RUNTIME_DIR is not set, below which a user's mount is; name another place with --at");
        return FALSE;
    }
    *ret = g_build_filename(runtime_dir, MEMNOTIFYFS_MOUNT_OF_USER, NULL);
    return TRUE;
}

static gboolean find_place(Serve *self) {
    const char *environment = g_getenv(MEMNOTIFYFS_ENVIRONMENT);
    gboolean is_told = self->options.place && *self->options.place;
    const char *named = is_told ? self->options.place : environment;
    g_autofree char *usual = NULL;

    if (!named || !*named) {
        if (!find_usual_place(&usual))
            return FALSE;
        named = usual;
    }
    self->is_usual = !is_told;
    self->path = mn_mount_resolve(named);
    return TRUE;
}

/* Its mode is that of any directory: who may come in is for the mount to say. */
static gboolean make_directory(Serve *self) {
    if (mkdir(self->path, 0755) == 0) {
        self->has_made = TRUE;
        return TRUE;
    }
    if (errno == EEXIST)
        return TRUE;
    cmd_fail("cannot make the directory '%s': %s; name another place with --at", self->path, g_strerror(errno));
    return FALSE;
}

/* --- the server --- */

static G_GNUC_NORETURN void execute(char **argv) {
    int r = mn_sibling_execute(SERVER, argv);

    _exit(cmd_fail("cannot execute %s: %s; install it, or put its directory into PATH", SERVER, g_strerror(-r)));
}

static char **make_arguments(const Serve *self) {
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    g_ptr_array_add(words, g_strdup(SERVER));
    if (strlen(self->path) + strlen(MEMNOTIFYFS_SOCKET_SUFFIX) < sizeof((struct sockaddr_un){ 0 }).sun_path)
        g_ptr_array_add(words, g_strdup("--socket"));
    else
        cmd_warn("there is no socket: '%s' is too long for one; name a shorter place with --at", self->path);
    if (self->simulates)
        g_ptr_array_add(words, g_strdup("--simulate"));
    for (char **word = self->options.arguments; *word; word++)
        g_ptr_array_add(words, g_strdup(*word));
    g_ptr_array_add(words, g_strdup(self->path));
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_steal(words, NULL);
}

/* Returns when it serves, from the background, or has ended; whether it could start. */
static gboolean start(const Serve *self) {
    g_auto(GStrv) words = make_arguments(self);
    int status = 0;
    pid_t pid, r;

    signal(SIGCHLD, SIG_DFL); /* ignored, children cannot be waited for */
    pid = fork();
    if (pid == 0)
        execute(words);
    if (pid < 0) {
        cmd_fail("cannot start %s: %s", SERVER, g_strerror(errno));
        return FALSE;
    }
    do
        r = waitpid(pid, &status, 0);
    while (r < 0 && errno == EINTR);
    if (r > 0 && WIFSIGNALED(status))
        cmd_warn("%s was killed by signal %d", SERVER, WTERMSIG(status));
    return r > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- what there is to say --- */

static void print_place(const Serve *self, const CmdSight *sight, const char *already) {
    g_autofree char *path = quote(self->path);

    printf("memnotifyfs is %smounted at %s", already, path);
    if (sight->socket_error == 0) {
        g_autofree char *socket = quote(sight->socket);

        printf(", and served by the socket %s", socket);
    }
    printf("\nend it with '%s %s'\n", geteuid() == 0 ? "umount" : "fusermount3 -u", path);
    if (!self->is_usual)
        printf("programs find it with " MEMNOTIFYFS_ENVIRONMENT "=%s in their environment\n", path);
}

/* CMD_OK: there is one, which will do. */
static int use_present(const Serve *self, const CmdSight *sight) {
    if (self->simulates && sight->files[CMD_FILE_SIMULATE].error == -ENOENT)
        return cmd_fail("memnotifyfs at '%s' was started without --simulate; unmount it first", self->path);
    print_place(self, sight, "already ");
    return CMD_OK;
}

static int begin(Serve *self) {
    g_auto(CmdSight) before = { 0 }, after = { 0 };

    cmd_sight_init(&before, self->path);
    if (cmd_sight_is_served(&before))
        return use_present(self, &before);
    if (before.error == -ETIMEDOUT || before.files[CMD_FILE_METRICS].error == -ETIMEDOUT)
        return cmd_fail("what is mounted at '%s' does not answer; see 'memnotify status --why'", self->path);
    if (before.kind == S_IFSOCK)
        return cmd_fail("'%s' is a socket; name the directory to mount at", self->path);
    if (!make_directory(self))
        return CMD_FAILED;
    if (!start(self)) {
        if (self->has_made)
            rmdir(self->path);
        return CMD_FAILED;
    }

    cmd_sight_init(&after, self->path);
    if (cmd_sight_is_ours(&after)) /* not after --foreground, or --help */
        print_place(self, &after, "");
    else if (self->has_made)
        rmdir(self->path);
    return CMD_OK;
}

static int serve_run(char ***argv) {
    Serve serve = { 0 };
    const GOptionEntry own[] = {
        { "simulate", 0, 0, G_OPTION_ARG_NONE, &serve.simulates, "Let memory look as 'memnotify simulate' says", NULL },
        { 0 },
    };
    CmdParsed parsed = cmd_options_parse(&cmd_serve, own, 0, G_MAXUINT, argv, &serve.options);
    const char *first;
    int status;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    first = serve.options.arguments[0];
    if (first && first[0] != '-')
        return cmd_misuse("serve: what is '%s'? Options of memnotifyfs stand behind '--'", first);
    if (!find_place(&serve))
        return CMD_FAILED;
    status = begin(&serve);
    g_free(serve.path);
    return status;
}

const CmdVerb cmd_serve = {
    .name = "serve",
    .arguments = "[-- OPTION...]",
    .summary = "start memnotifyfs for this user",
    .run = serve_run,
};
