/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong at the places where a server may be. */
#include "doctor.h"

#include <errno.h>
#include <memnotifyfs/contract.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first directory on the way to the path that this user may not go through, to be freed; NULL: none is. The path
 * itself is not asked. */
static char *find_closed(const char *path) {
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        g_autofree char *directory = g_strndup(path, (gsize)(slash - path));

        if (access(directory, X_OK) < 0 && errno == EACCES)
            return g_steal_pointer(&directory);
    }
    return NULL;
}

/* A fault if programs find no other. */
static CmdSeverity weigh(const CmdExam *exam) {
    return exam->served ? CMD_HINT : CMD_FAULT;
}

/* --- each place --- */

static void add_dead(CmdExam *exam, const CmdSight *sight) {
    const char *umount = geteuid() == 0 ? "umount -l" : "fusermount3 -uz";

    cmd_exam_add(exam, "dead_daemon", weigh(exam),
                 g_strdup_printf("memnotifyfs at '%s' has ended, and its mount was left behind", sight->path),
                 g_strdup_printf("'memnotify serve --at %s' clears it and starts another; '%s %s' only clears it",
                                 sight->path, umount, sight->path));
}

static void add_silent(CmdExam *exam, const CmdSight *sight) {
    int pid = (int)exam->server.pid;

    if (pid > 0 && (exam->server.state == 'T' || exam->server.state == 't'))
        cmd_exam_add(
            exam, "stopped_daemon", weigh(exam),
            g_strdup_printf("memnotifyfs at '%s' does not answer: its process %d is stopped", sight->path, pid),
            g_strdup_printf("'kill -CONT %d' lets it go on; end the debugger, if one holds it", pid));
    else if (pid > 0)
        cmd_exam_add(exam, "silent_daemon", weigh(exam),
                     g_strdup_printf("memnotifyfs at '%s' does not answer within 2 s: its process %d hangs, or has no "
                                     "CPU",
                                     sight->path, pid),
                     g_strdup_printf("look at it with 'top -p %d'; 'kill -9 %d' ends it, 'memnotify serve --at %s' "
                                     "starts another",
                                     pid, pid, sight->path));
    else
        cmd_exam_add(exam, "silent_daemon", weigh(exam),
                     g_strdup_printf("what is at '%s' does not answer within 2 s", sight->path),
                     g_strdup("its process cannot be found from here: look for it where it was started, and end it"));
}

static void add_denied(CmdExam *exam, const CmdSight *sight) {
    g_autofree char *closed = find_closed(sight->path);
    long owner = cmd_sight_get_owner(sight);

    if (closed)
        cmd_exam_add(
            exam, "closed_directory", weigh(exam),
            g_strdup_printf("'%s' cannot be reached: this user may not enter '%s'", sight->path, closed),
            g_strdup_printf("let him with 'chmod +x %s', or start one of your own with 'memnotify serve'", closed));
    else if (owner >= 0)
        cmd_exam_add(
            exam, "closed_mount", weigh(exam),
            g_strdup_printf("memnotifyfs at '%s' belongs to user %ld, and lets no other in", sight->path, owner),
            g_strdup("start one of your own with 'memnotify serve', or that one with '-o allow_other'"));
    else
        cmd_exam_add(exam, "closed_mount", weigh(exam),
                     g_strdup_printf("'%s' may not be used by this user: %s", sight->path, g_strerror(EACCES)),
                     g_strdup("start one of your own with 'memnotify serve'"));
}

static void add_full(CmdExam *exam, const CmdSight *sight) {
    cmd_exam_add(
        exam, "quota", CMD_FAULT,
        g_strdup_printf("memnotifyfs at '%s' refuses this user, who has too many files open there", sight->path),
        g_strdup("end programs of yours that hold them; 'users' there tells its owner who holds what"));
}

/* --- the one that somebody has named --- */

static void add_misnamed(CmdExam *exam, const CmdSight *sight) {
    const char *by = exam->named_by;
    g_autofree char *serve = g_strdup_printf("'memnotify serve --at %s' starts one there", exam->named);

    if (sight->error == -ENOENT || sight->error == -ENOTDIR)
        cmd_exam_add(exam, "no_place", CMD_FAULT, g_strdup_printf("'%s', named by %s, does not exist", exam->named, by),
                     g_steal_pointer(&serve));
    else if (sight->kind == S_IFSOCK)
        cmd_exam_add(exam, "no_server", CMD_FAULT,
                     g_strdup_printf("the socket '%s', named by %s, is served by nobody: %s", exam->named, by,
                                     g_strerror(-sight->socket_error)),
                     g_strdup("start its memnotifyfs again, or name another place"));
    else if (sight->error < 0)
        cmd_exam_add(
            exam, "bad_place", CMD_FAULT,
            g_strdup_printf("'%s', named by %s, cannot be looked at: %s", exam->named, by, g_strerror(-sight->error)),
            g_strdup("name another place"));
    else if (sight->kind != S_IFDIR)
        cmd_exam_add(exam, "no_directory", CMD_FAULT,
                     g_strdup_printf("'%s', named by %s, is not a directory, and no socket", exam->named, by),
                     g_strdup("name the directory that memnotifyfs is mounted at, or its socket"));
    else if (sight->mount.type)
        cmd_exam_add(
            exam, "other_filesystem", CMD_FAULT,
            g_strdup_printf("'%s', named by %s, is another file system: %s", exam->named, by, sight->mount.type),
            g_strdup("name the directory that memnotifyfs is mounted at"));
    else
        cmd_exam_add(
            exam, "plain_directory", CMD_FAULT,
            g_strdup_printf("'%s', named by %s, is a plain directory: nothing is mounted there", exam->named, by),
            g_steal_pointer(&serve));
}

static void add_absence(CmdExam *exam) {
    g_autoptr(GString) places = g_string_new(NULL);

    for (guint i = 0; i < exam->n_sights; i++)
        g_string_append_printf(places, "%s'%s'", i > 0 ? " nor at " : "", exam->sights[i].path);
    cmd_exam_add(exam, "no_mount", CMD_FAULT,
                 g_strdup_printf("there is no memnotifyfs at %s%s", places->str,
                                 exam->n_sights == 1 ? ", and $XDG_RUNTIME_DIR names no other place" : ""),
                 g_strdup("'memnotify serve' starts one; one that is elsewhere is named by $" MEMNOTIFYFS_ENVIRONMENT));
}

void cmd_doctor_check_places(CmdExam *exam) {
    for (guint i = 0; i < exam->n_sights; i++) {
        const CmdSight *sight = &exam->sights[i];
        int error = sight->error < 0 ? sight->error : sight->files[CMD_FILE_METRICS].error;

        if (sight == exam->served)
            continue;
        if (cmd_sight_is_dead(sight))
            add_dead(exam, sight);
        else if (cmd_exam_is_silent(sight))
            add_silent(exam, sight);
        else if (error == -EACCES || error == -EPERM)
            add_denied(exam, sight);
        else if (error == -EDQUOT)
            add_full(exam, sight);
        else if (exam->named)
            add_misnamed(exam, sight);
    }
    if (!exam->served && exam->findings->len == 0)
        add_absence(exam);
}

/* --- sockets --- */

static void check_served_socket(CmdExam *exam, const CmdSight *sight) {
    g_autofree char *closed = NULL;

    if (sight->files[CMD_FILE_SOCKET].error == -ENOENT) {
        cmd_exam_add(exam, "no_socket", CMD_HINT,
                     g_strdup_printf("memnotifyfs at '%s' serves no socket; programs use its files", sight->path),
                     g_strdup("for containers and for reading without system calls start it with --socket"));
    } else if (sight->socket_error == -EACCES) {
        closed = find_closed(sight->socket);
        cmd_exam_add(
            exam, "closed_socket", CMD_HINT,
            g_strdup_printf("the socket '%s' may not be used by this user%s%s", sight->socket,
                            closed ? ", who may not enter " : "", closed ? closed : ""),
            g_strdup_printf("let him with 'chmod %s %s'", closed ? "+x" : "a+rw", closed ? closed : sight->socket));
    } else if (sight->socket_error == -ENOENT || sight->socket_error == -ECONNREFUSED) {
        cmd_exam_add(exam, "lost_socket", CMD_HINT,
                     g_strdup_printf("the socket '%s' was removed or replaced; programs use the files", sight->socket),
                     g_strdup("end memnotifyfs and start it again"));
    }
}

void cmd_doctor_check_sockets(CmdExam *exam) {
    for (guint i = 0; i < exam->n_sights; i++) {
        const CmdSight *sight = &exam->sights[i];

        if (cmd_sight_is_served(sight))
            check_served_socket(exam, sight);
        else if (sight->kind != S_IFSOCK && sight->socket_error == -ECONNREFUSED)
            cmd_exam_add(exam, "stale_socket", CMD_HINT,
                         g_strdup_printf("the socket '%s' was left behind by a server that has ended", sight->socket),
                         g_strdup("the next memnotifyfs with --socket that is mounted there replaces it"));
    }
}
