/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines for the log, made on the stack: the OOM killer writes some when there is no memory to be had. */
#include "log.h"

#include "core/text.h"
#include "loop/clock.h"

#include <limits.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define ELLIPSIS "..."

/* What is written by one call up to this length cannot get mixed with what others write. */
#define LINE_BYTES PIPE_BUF

void mn_log_init(MnLog *self, int fd) {
    *self = (MnLog){ .name = "standard error" };
    mn_outlet_init(&self->outlet, fd);
}

void mn_log_enter_background(MnLog *self, const char *path) {
    mn_outlet_clear(&self->outlet);
    tzset(); /* reads a file, and does not again */
    self->name = "the system's log";
    self->pid = getpid();
    mn_outlet_init_log(&self->outlet, path);
}

/* "memnotifyfs: " or "<12>Nov 24 12:00:00 memnotifyfs[4711]: " */
static gsize begin_line(const MnLog *self, int priority, char line[LINE_BYTES]) {
    time_t now = mn_date_now().tv_sec;
    char date[32] = "";
    struct tm local;

    if (self->pid == 0)
        return g_strlcpy(line, "memnotifyfs: ", LINE_BYTES);
    if (localtime_r(&now, &local))
        strftime(date, sizeof date, "%b %e %H:%M:%S ", &local);
    return g_snprintf(line, LINE_BYTES, "<%d>%smemnotifyfs[%d]: ", LOG_USER | priority, date, self->pid);
}

/* Leaves room for a newline. */
static gsize append_shown(char line[LINE_BYTES], gsize len, const char *text) {
    const gsize room = LINE_BYTES - strlen(ELLIPSIS "\n");

    while (*text) {
        char shown[MN_TEXT_SHOWN_BYTES];
        gsize n = mn_text_show_next(&text, shown);

        if (len + n > room) {
            memcpy(line + len, ELLIPSIS, strlen(ELLIPSIS));
            return len + strlen(ELLIPSIS);
        }
        memcpy(line + len, shown, n);
        len += n;
    }
    return len;
}

static int write_line(MnLog *self, int priority, const char *text) {
    char line[LINE_BYTES];
    gsize len = append_shown(line, begin_line(self, priority, line), text);

    if (self->pid == 0)
        line[len++] = '\n';
    return mn_outlet_write(&self->outlet, line, len);
}

static int tell_lost(MnLog *self) {
    char text[256];
    int r;

    if (self->n_lost == 0)
        return 0;
    g_snprintf(text, sizeof text, "%u message%s lost: cannot write to %s: %s", self->n_lost,
               self->n_lost == 1 ? "" : "s", self->lost_to, g_strerror(self->lost_error));
    r = write_line(self, LOG_WARNING, text);
    if (r == 0)
        self->n_lost = 0;
    return r;
}

void mn_log_write(MnLog *self, int priority, const char *text) {
    int r;

    r = tell_lost(self);
    if (r == 0)
        r = write_line(self, priority, text);
    if (r < 0) {
        self->n_lost++;
        self->lost_to = self->name;
        self->lost_error = -r;
    }
}

void mn_log_clear(MnLog *self) {
    (void)tell_lost(self);
    mn_outlet_clear(&self->outlet);
}

static int priority_of(GLogLevelFlags level) {
    return level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? LOG_ERR
           : level & G_LOG_LEVEL_WARNING                      ? LOG_WARNING
           : level & G_LOG_LEVEL_MESSAGE                      ? LOG_NOTICE
           : level & G_LOG_LEVEL_INFO                         ? LOG_INFO
                                                              : LOG_DEBUG;
}

GLogWriterOutput mn_log_write_glib(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer log) {
    for (gsize i = 0; i < n_fields; i++)
        if (g_strcmp0(fields[i].key, "MESSAGE") == 0)
            mn_log_write(log, priority_of(level), fields[i].value);
    return G_LOG_WRITER_HANDLED;
}
