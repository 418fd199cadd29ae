/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linked into what is built with -Db_coverage=true, by the linker's --wrap: what a process has executed is written when
 * it exits, but a helper process is killed, and a child of a test ends by _exit(). So it is written before each answer of
 * a helper, and before each _exit(). */
#include <glib.h>
#include <gcov.h>
#include <unistd.h>

int __real_mn_parcel_send(int socket, gint64 word, gconstpointer data, gsize len, const int *fds, guint n_fds,
                          int flags);
int __wrap_mn_parcel_send(int socket, gint64 word, gconstpointer data, gsize len, const int *fds, guint n_fds,
                          int flags);
G_NORETURN void __real__exit(int status);
G_NORETURN void __wrap__exit(int status);

static pid_t program;

__attribute__((constructor)) static void note_program(void) {
    program = getpid();
}

static void dump(void) {
    __gcov_dump();
    __gcov_reset(); /* else the next one adds the same again */
}

int __wrap_mn_parcel_send(int socket, gint64 word, gconstpointer data, gsize len, const int *fds, guint n_fds,
                          int flags) {
    if (getpid() != program)
        dump();
    return __real_mn_parcel_send(socket, word, data, len, fds, n_fds, flags);
}

void __wrap__exit(int status) {
    dump();
    __real__exit(status);
}
