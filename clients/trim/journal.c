/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "memnotify-trim"
#define PRIORITY "<30>" /* LOG_DAEMON | LOG_INFO */
#define TEXT_MAX 512

static struct stat error_at_start;
static bool has_error;

void journal_init(void) {
    has_error = fstat(STDERR_FILENO, &error_at_start) == 0;
}

/* The program's, which is not this thread's: its description is shared, so that the offset is moved for both. -1 if
 * the kernel or a sandbox does not give it. Nobody has to be waited for: the process is this one. */
static int get_error_fd(void) {
    int pid_fd = (int)syscall(SYS_pidfd_open, getpid(), 0), fd;

    if (pid_fd < 0)
        return -1;
    fd = (int)syscall(SYS_pidfd_getfd, pid_fd, STDERR_FILENO, 0);
    close(pid_fd);
    return fd;
}

/* Whether it can be written to without waiting for who reads it: a pipe that says so takes a line as a whole. */
static bool is_writable(int fd) {
    struct pollfd writer = { .fd = fd, .events = POLLOUT };

    return poll(&writer, 1, 0) == 1 && (writer.revents & POLLOUT);
}

static bool is_as_at_start(int fd) {
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_dev == error_at_start.st_dev && st.st_ino == error_at_start.st_ino;
}

/* Whether it is what it was; one that nobody reads has not heard it then. */
static bool say_on_error(const char *line, size_t len) {
    int fd = has_error ? get_error_fd() : -1;
    bool is_said;

    if (fd < 0)
        return false;
    is_said = is_as_at_start(fd) && (!is_writable(fd) || write(fd, line, len) == (ssize_t)len);
    close(fd);
    return is_said;
}

static void say_to_syslog(const char *line, size_t len) {
    const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    sendto(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&address, sizeof address);
    close(fd);
}

static void say(const char *format, va_list arguments) {
    char text[TEXT_MAX], line[TEXT_MAX + 64];
    int len = vsnprintf(text, sizeof text, format, arguments);

    if (len < 0)
        return;
    len = snprintf(line, sizeof line, NAME ": %.32s[%d]: %s\n", program_invocation_short_name, (int)getpid(), text);
    if (say_on_error(line, (size_t)len))
        return;
    len = snprintf(line, sizeof line, PRIORITY NAME "[%d]: %s", (int)getpid(), text);
    say_to_syslog(line, (size_t)len);
}

void journal_say(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}
