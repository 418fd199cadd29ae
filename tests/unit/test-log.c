/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to those who do not read them, and then do. Where a write waited, a test would hang. */
#include "descriptors.h"
#include "daemon/log.h"
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <termios.h>
#include <unistd.h>

#define HEAD "memnotifyfs: "
#define LOST(n, where) HEAD n " lost: cannot write to " where ": Resource temporarily unavailable\n"
#define WORDS_MAX 100000 /* more than any buffer takes */

/* What can be read now. */
static char *drain(int fd) {
    GString *all = g_string_new(NULL);
    struct pollfd entry = { .fd = fd, .events = POLLIN };
    char text[65536];
    gssize n = 1;

    while (n > 0 && poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN)) {
        n = read(fd, text, sizeof text);
        g_string_append_len(all, text, MAX(n, 0));
    }
    return g_string_free(all, FALSE);
}

/* What is written to a terminal can be read only after a while. */
static void read_until(int fd, const char *suffix, GString *all) {
    while (!g_str_has_suffix(all->str, suffix)) {
        g_autofree char *text = drain(fd);

        g_string_append(all, text);
    }
}

static void expect(int fd, const char *expected) {
    g_autofree char *text = drain(fd);

    CHECK(strcmp(text, expected) == 0, "'%s' instead of '%s'", text, expected);
}

static void fill(int fd) {
    static const char nothing[4096];
    int flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (write(fd, nothing, sizeof nothing) > 0)
        continue;
    fcntl(fd, F_SETFL, flags);
}

static void test_a_line(void) {
    int ends[2];
    MnLog log;

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    mn_log_init(&log, ends[1]);
    mn_log_write(&log, LOG_WARNING, "it works");
    expect(ends[0], HEAD "it works\n");
    mn_log_write(&log, LOG_WARNING, "two\nlines\x1b[2J");
    expect(ends[0], HEAD "two\\nlines\\033[2J\n");
    mn_log_write(&log, LOG_WARNING, "");
    expect(ends[0], HEAD "\n");
    mn_log_clear(&log);
    close(ends[0]);
    close(ends[1]);
}

static void test_a_long_line_is_cut(void) {
    static const char *const pieces[] = { "x", "\x1b", "\u2028", "€" };

    for (guint i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) message = g_string_new(NULL);
        g_autofree char *text = NULL;
        int ends[2];
        MnLog log;

        for (guint k = 0; k < 2 * PIPE_BUF; k++)
            g_string_append(message, pieces[i]);
        CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
        mn_log_init(&log, ends[1]);
        mn_log_write(&log, LOG_WARNING, message->str);
        text = drain(ends[0]);
        CHECK(strlen(text) <= PIPE_BUF && strlen(text) > PIPE_BUF - 20, "%u: %zu bytes", i, strlen(text));
        CHECK(g_str_has_suffix(text, "...\n") && g_utf8_validate(text, -1, NULL), "%u", i);
        if (i == 1)
            CHECK(g_str_has_suffix(text, "\\033...\n"), "'%s'", text + strlen(text) - 20);
        mn_log_clear(&log);
        close(ends[0]);
        close(ends[1]);
    }
}

static void check_full_pipe(int ends[2], MnLog *log) {
    g_autofree char *filling = NULL;

    fill(ends[1]);
    mn_log_write(log, LOG_WARNING, "one");
    mn_log_write(log, LOG_WARNING, "two");
    CU_ASSERT_EQUAL(log->n_lost, 2);
    filling = drain(ends[0]);
    mn_log_write(log, LOG_WARNING, "three");
    expect(ends[0], LOST("2 messages", "standard error") HEAD "three\n");
    mn_log_write(log, LOG_WARNING, "four");
    expect(ends[0], HEAD "four\n");

    fill(ends[1]);
    mn_log_write(log, LOG_WARNING, "five");
    g_free(g_steal_pointer(&filling));
    filling = drain(ends[0]);
    mn_log_clear(log); /* tells, too */
    expect(ends[0], LOST("1 message", "standard error"));
    CU_ASSERT_EQUAL(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
}

static void test_a_pipe_that_nobody_reads(void) {
    int ends[2];
    MnLog log;

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    mn_log_init(&log, ends[1]);
    CU_ASSERT_NOT_EQUAL(log.outlet.fd, ends[1]);
    check_full_pipe(ends, &log);
    close(ends[0]);
    close(ends[1]);
}

/* As another user's. */
static void test_a_pipe_that_cannot_be_opened_again(void) {
    struct rlimit limit, none;
    int ends[2];
    MnLog log;

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    getrlimit(RLIMIT_NOFILE, &limit);
    none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
    setrlimit(RLIMIT_NOFILE, &none);
    mn_log_init(&log, ends[1]);
    setrlimit(RLIMIT_NOFILE, &limit);
    CU_ASSERT_EQUAL(log.outlet.fd, ends[1]);
    check_full_pipe(ends, &log);
    close(ends[0]);
    close(ends[1]);
}

static void test_a_socket_that_nobody_reads(void) {
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    int ends[2];
    guint n;
    MnLog log;

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    mn_log_init(&log, ends[1]);
    for (n = 0; n < WORDS_MAX && log.n_lost < 2; n++)
        mn_log_write(&log, LOG_WARNING, "word");
    CU_ASSERT_EQUAL(log.n_lost, 2);

    text = drain(ends[0]);
    lines = g_strsplit(text, "\n", -1);
    CU_ASSERT_EQUAL(g_strv_length(lines) - 1 + log.n_lost, n);
    mn_log_write(&log, LOG_WARNING, "again");
    expect(ends[0], LOST("2 messages", "standard error") HEAD "again\n");
    CU_ASSERT_EQUAL(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);

    close(ends[0]); /* no SIGPIPE */
    mn_log_write(&log, LOG_WARNING, "to nobody");
    CU_ASSERT_EQUAL(log.lost_error, EPIPE);
    mn_log_clear(&log);
    close(ends[1]);
}

static void open_terminal(int *ret_master, int *ret_slave) {
    struct termios raw;

    *ret_master = posix_openpt(O_RDWR | O_NOCTTY);
    CU_ASSERT_FATAL(*ret_master >= 0 && grantpt(*ret_master) == 0 && unlockpt(*ret_master) == 0);
    *ret_slave = open(ptsname(*ret_master), O_RDWR | O_NOCTTY);
    CU_ASSERT_FATAL(*ret_slave >= 0);
    tcgetattr(*ret_slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(*ret_slave, TCSANOW, &raw);
}

/* A terminal takes part of a line. What it has taken is a line of its own. */
static void test_a_terminal_that_nobody_reads(void) {
    g_autofree char *message = g_strnfill(PIPE_BUF - 100, 'x');
    g_autofree char *whole = g_strconcat(HEAD, message, NULL);
    g_autofree char *end = g_strconcat("unavailable\n", whole, "\n", NULL);
    g_autoptr(GString) all = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    guint n_whole = 0, n_told = 0, n_cut = 0, n;
    int master, slave;
    MnLog log;

    open_terminal(&master, &slave);
    mn_log_init(&log, slave);
    for (n = 0; n < WORDS_MAX && log.n_lost < 3; n++)
        mn_log_write(&log, LOG_WARNING, message);
    CU_ASSERT_EQUAL(log.n_lost, 3);
    for (; log.n_lost > 0; n++) { /* what is read makes room only after a while */
        g_autofree char *text = drain(master);

        g_string_append(all, text);
        mn_log_write(&log, LOG_WARNING, message);
    }
    read_until(master, end, all);

    lines = g_strsplit(all->str, "\n", -1);
    for (guint i = 0; i < g_strv_length(lines) - 1; i++)
        if (strcmp(lines[i], whole) == 0)
            n_whole++;
        else if (strstr(lines[i], " lost: "))
            n_told += atoi(lines[i] + strlen(HEAD));
        else
            n_cut += g_str_has_prefix(whole, lines[i]) ? 1 : n;
    CHECK(n_whole + n_told == n, "%u whole and %u lost of %u", n_whole, n_told, n);
    CHECK(n_cut <= n_told, "%u cut", n_cut);
    mn_log_clear(&log);
    close(slave);
    close(master);
}

static void test_a_terminal_that_was_stopped(void) {
    g_autoptr(GString) all = g_string_new(NULL);
    int master, slave;
    MnLog log;

    open_terminal(&master, &slave);
    mn_log_init(&log, slave);
    tcflow(slave, TCOOFF); /* as ^S does */
    mn_log_write(&log, LOG_WARNING, "unseen");
    CU_ASSERT_EQUAL(log.n_lost, 1);
    tcflow(slave, TCOON);
    mn_log_write(&log, LOG_WARNING, "seen");
    read_until(master, HEAD "seen\n", all);
    CU_ASSERT_STRING_EQUAL(all->str, LOST("1 message", "standard error") HEAD "seen\n");
    mn_log_clear(&log);
    close(slave);
    close(master);
}

/* Whoever writes to the same open file goes on behind us. */
static void test_a_file(void) {
    g_autofree char *name = NULL, *text = NULL;
    int fd = g_file_open_tmp("memnotifyfs-log.XXXXXX", &name, NULL);
    MnLog log;

    CU_ASSERT_FATAL(fd >= 0);
    mn_log_init(&log, fd);
    mn_log_write(&log, LOG_WARNING, "one");
    CU_ASSERT_EQUAL(write(fd, "other\n", 6), 6);
    mn_log_write(&log, LOG_WARNING, "two");
    mn_log_clear(&log);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), 0);
    CU_ASSERT(g_file_get_contents(name, &text, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(text, HEAD "one\nother\n" HEAD "two\n");
    close(fd);
    g_remove(name);
}

static void test_where_nothing_can_be_written(void) {
    int full = open("/dev/full", O_WRONLY), closed = dup(full);
    MnLog log;

    close(closed);
    mn_log_init(&log, full);
    mn_log_write(&log, LOG_WARNING, "one");
    mn_log_write(&log, LOG_WARNING, "two");
    CU_ASSERT(log.n_lost == 2 && log.lost_error == ENOSPC);
    mn_log_clear(&log);

    mn_log_init(&log, closed);
    mn_log_write(&log, LOG_WARNING, "one");
    CU_ASSERT(log.n_lost == 1 && log.lost_error == EBADF);
    mn_log_clear(&log);
    close(full);
}

/* --- the system's log -------------------------------------------------------------------------- */

typedef struct Syslog {
    char *directory;
    char *path;
    int fd;
    MnLog log;
} Syslog;

static void syslog_start(Syslog *self) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_strlcpy(address.sun_path, self->path, sizeof address.sun_path);
    self->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CU_ASSERT_EQUAL_FATAL(bind(self->fd, (struct sockaddr *)&address, sizeof address), 0);
}

static void syslog_stop(Syslog *self) {
    close(self->fd);
    g_remove(self->path);
}

/* The log was written to `fd` before. */
static void syslog_init(Syslog *self, int fd) {
    self->directory = g_dir_make_tmp("memnotifyfs-log.XXXXXX", NULL);
    self->path = g_build_filename(self->directory, "log", NULL);
    mn_log_init(&self->log, fd);
    mn_log_enter_background(&self->log, self->path);
}

static void syslog_clear(Syslog *self) {
    mn_log_clear(&self->log);
    g_rmdir(self->directory);
    g_free(self->directory);
    g_free(self->path);
}

/* The next message is this one, of this kind, from now and us. */
static void syslog_expect(Syslog *self, int priority, const char *expected) {
    g_autofree char *head = g_strdup_printf("<%d>", priority);
    g_autofree char *tail = g_strdup_printf(" memnotifyfs[%d]: %s", getpid(), expected);
    char text[PIPE_BUF + 1] = "";
    struct tm when;
    const char *end;

    CHECK(recv(self->fd, text, sizeof text - 1, 0) > 0, "%s", expected);
    CHECK(g_str_has_prefix(text, head), "'%s'", text);
    end = strptime(text + strlen(head), "%b %e %H:%M:%S", &when);
    CHECK(end && strcmp(end, tail) == 0 && end - text == (gssize)strlen(head) + 15, "'%s'", text);
}

static void test_levels(void) {
    static const struct {
        GLogLevelFlags level;
        int priority;
    } rows[] = {
        { G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL, LOG_USER | LOG_ERR },
        { G_LOG_LEVEL_CRITICAL, LOG_USER | LOG_ERR },
        { G_LOG_LEVEL_WARNING, LOG_USER | LOG_WARNING },
        { G_LOG_LEVEL_MESSAGE, LOG_USER | LOG_NOTICE },
        { G_LOG_LEVEL_INFO, LOG_USER | LOG_INFO },
        { G_LOG_LEVEL_DEBUG, LOG_USER | LOG_DEBUG },
    };
    const GLogField fields[] = { { "PRIORITY", "4", -1 }, { "MESSAGE", "it\x1b is so", -1 } };
    Syslog syslog;

    syslog_init(&syslog, STDERR_FILENO);
    syslog_start(&syslog);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CU_ASSERT_EQUAL(mn_log_write_glib(rows[i].level, fields, 2, &syslog.log), G_LOG_WRITER_HANDLED);
        syslog_expect(&syslog, rows[i].priority, "it\\033 is so");
    }
    syslog_stop(&syslog);
    syslog_clear(&syslog);
}

static void test_no_system_log_yet(void) {
    Syslog syslog;

    syslog_init(&syslog, STDERR_FILENO);
    mn_log_write(&syslog.log, LOG_WARNING, "one");
    mn_log_write(&syslog.log, LOG_WARNING, "two");
    syslog_start(&syslog);
    mn_log_write(&syslog.log, LOG_NOTICE, "three");
    syslog_expect(&syslog, LOG_USER | LOG_WARNING,
                  "2 messages lost: cannot write to the system's log: No such file or directory");
    syslog_expect(&syslog, LOG_USER | LOG_NOTICE, "three");
    syslog_stop(&syslog);
    syslog_clear(&syslog);
}

static void test_a_system_log_that_is_started_anew(void) {
    Syslog syslog;

    syslog_init(&syslog, STDERR_FILENO);
    syslog_start(&syslog);
    mn_log_write(&syslog.log, LOG_NOTICE, "one");
    syslog_expect(&syslog, LOG_USER | LOG_NOTICE, "one");
    syslog_stop(&syslog);
    syslog_start(&syslog);
    mn_log_write(&syslog.log, LOG_NOTICE, "two");
    syslog_expect(&syslog, LOG_USER | LOG_NOTICE, "two");
    close(syslog.fd); /* its socket stays, but nobody has it open */
    mn_log_write(&syslog.log, LOG_NOTICE, "three");
    CU_ASSERT(syslog.log.n_lost == 1 && syslog.log.lost_error == ECONNREFUSED);
    g_remove(syslog.path);
    syslog_clear(&syslog);
}

static void test_a_system_log_that_nobody_reads(void) {
    char text[PIPE_BUF];
    Syslog syslog;
    guint n, n_read = 0;

    syslog_init(&syslog, STDERR_FILENO);
    syslog_start(&syslog);
    for (n = 0; n < WORDS_MAX && syslog.log.n_lost < 2; n++)
        mn_log_write(&syslog.log, LOG_NOTICE, "word");
    CU_ASSERT_EQUAL(syslog.log.n_lost, 2);
    while (recv(syslog.fd, text, sizeof text, 0) > 0)
        n_read++;
    CU_ASSERT_EQUAL(n_read + 2, n);
    mn_log_write(&syslog.log, LOG_NOTICE, "again");
    syslog_expect(&syslog, LOG_USER | LOG_WARNING,
                  "2 messages lost: cannot write to the system's log: Resource temporarily unavailable");
    syslog_expect(&syslog, LOG_USER | LOG_NOTICE, "again");
    syslog_stop(&syslog);
    syslog_clear(&syslog);
}

/* Whoever waits for the end of the pipe that he has given us is not to wait for the daemon's. */
static void test_the_background_keeps_nothing_of_the_foreground(void) {
    struct pollfd entry = { .events = POLLIN };
    guint n = open_descriptors("");
    Syslog syslog;
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    syslog_init(&syslog, ends[1]);
    close(ends[1]);
    entry.fd = ends[0];
    CU_ASSERT_EQUAL(poll(&entry, 1, 0), 1);
    CU_ASSERT(entry.revents & POLLHUP);
    close(ends[0]);
    syslog_clear(&syslog);
    CU_ASSERT_EQUAL(open_descriptors(""), n);
}

static CU_TestInfo tests[] = {
    { "a line", test_a_line },
    { "a long line is cut", test_a_long_line_is_cut },
    { "a pipe that nobody reads", test_a_pipe_that_nobody_reads },
    { "a pipe that cannot be opened again", test_a_pipe_that_cannot_be_opened_again },
    { "a socket that nobody reads", test_a_socket_that_nobody_reads },
    { "a terminal that nobody reads", test_a_terminal_that_nobody_reads },
    { "a terminal that was stopped", test_a_terminal_that_was_stopped },
    { "a file", test_a_file },
    { "where nothing can be written", test_where_nothing_can_be_written },
    { "levels", test_levels },
    { "no system log yet", test_no_system_log_yet },
    { "a system log that is started anew", test_a_system_log_that_is_started_anew },
    { "a system log that nobody reads", test_a_system_log_that_nobody_reads },
    { "the background keeps nothing of the foreground", test_the_background_keeps_nothing_of_the_foreground },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "log", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
