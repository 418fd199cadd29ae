/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program.h"

#include "message.h"
#include "verb.h"

#include "core/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SHELL "/bin/sh"
#define SHOWN_BYTES_MAX 80

/* As a shell has it. */
enum {
    NOT_EXECUTABLE = 126,
    NOT_FOUND = 127
};

static char *show(char **argv) {
    g_autofree char *text = g_strjoinv(" ", argv);
    const char *at = text;
    GString *shown = g_string_new(NULL);
    char one[MN_TEXT_SHOWN_BYTES];

    while (*at && shown->len < SHOWN_BYTES_MAX) {
        gsize len = mn_text_show_next(&at, one);

        g_string_append_len(shown, one, (gssize)len);
    }
    if (*at)
        g_string_append(shown, "...");
    return g_string_free(shown, FALSE);
}

/* "/bin/sh", the path, and what follows the name of the program. */
static char **make_script(const char *path, char **argv) {
    guint n = g_strv_length(argv);
    char **script = g_new0(char *, n + 2);

    script[0] = g_strdup(SHELL);
    script[1] = g_strdup(path);
    for (guint i = 1; i < n; i++)
        script[i + 1] = g_strdup(argv[i]);
    return script;
}

int cmd_program_init(CmdProgram *self, char **argv) {
    g_autofree char *path = g_find_program_in_path(argv[0]);

    if (!path && strchr(argv[0], '/') && g_file_test(argv[0], G_FILE_TEST_EXISTS)) {
        cmd_warn("'%s' may not be executed; see its permissions", argv[0]);
        return NOT_EXECUTABLE;
    }
    if (!path) {
        cmd_warn("there is no program '%s'%s", argv[0], strchr(argv[0], '/') ? "" : " in $PATH");
        return NOT_FOUND;
    }
    *self = (CmdProgram){ .argv = g_strdupv(argv), .script = make_script(path, argv), .shown = show(argv) };
    self->path = g_steal_pointer(&path);
    return CMD_OK;
}

int cmd_program_init_text(CmdProgram *self, const char *text) {
    char *argv[] = { (char *)SHELL, (char *)"-c", (char *)text, NULL }, *shown[] = { (char *)text, NULL };
    int status = cmd_program_init(self, argv);

    if (status == CMD_OK) {
        g_free(self->shown);
        self->shown = show(shown);
    }
    return status;
}

void cmd_program_clear(CmdProgram *self) {
    g_clear_pointer(&self->path, g_free);
    g_clear_pointer(&self->argv, g_strfreev);
    g_clear_pointer(&self->script, g_strfreev);
    g_clear_pointer(&self->shown, g_free);
}

int cmd_program_execute(const CmdProgram *self, char **environment) {
    int error;

    execve(self->path, self->argv, environment);
    error = errno;
    if (error == ENOEXEC) {
        execve(SHELL, self->script, environment);
        error = errno;
    }
    cmd_warn("cannot execute '%s': %s", self->path, g_strerror(error));
    return error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

/* --- the environment --- */

typedef enum Variable {
    VARIABLE_METER,
    VARIABLE_VALUE,
    VARIABLE_LIMIT,
    VARIABLE_STATE,
    VARIABLE_TIME,
    N_VARIABLES,
} Variable;

static const char *const names[N_VARIABLES] = {
    [VARIABLE_METER] = "MEMNOTIFY_METER=", [VARIABLE_VALUE] = "MEMNOTIFY_VALUE=", [VARIABLE_LIMIT] = "MEMNOTIFY_LIMIT=",
    [VARIABLE_STATE] = "MEMNOTIFY_STATE=", [VARIABLE_TIME] = "MEMNOTIFY_TIME=",
};

/* A name, and the longest of the values: a meter's. */
#define VARIABLE_BYTES (sizeof "MEMNOTIFY_METER=" + MEMNOTIFYFS_PAGE_NAME_MAX)

struct CmdEnvironment {
    char **inherited; /* of ours; owns its strings */
    char **block;     /* those, and `variables` */
    char variables[N_VARIABLES][VARIABLE_BYTES];
};

static gboolean is_variable(const char *entry) {
    for (guint i = 0; i < N_VARIABLES; i++)
        if (g_str_has_prefix(entry, names[i]))
            return TRUE;
    return FALSE;
}

CmdEnvironment *cmd_environment_new(void) {
    CmdEnvironment *self = g_new0(CmdEnvironment, 1);
    guint n = 0;

    self->inherited = g_strdupv(environ);
    self->block = g_new0(char *, g_strv_length(environ) + N_VARIABLES + 1);
    for (char **entry = self->inherited; *entry; entry++)
        if (!is_variable(*entry))
            self->block[n++] = *entry;
    for (guint i = 0; i < N_VARIABLES; i++)
        self->block[n++] = self->variables[i];
    return self;
}

void cmd_environment_free(CmdEnvironment *self) {
    if (!self)
        return;
    g_strfreev(self->inherited);
    g_free(self->block);
    g_free(self);
}

static void write_variable(CmdEnvironment *self, Variable variable, const char *value) {
    char *text = self->variables[variable];

    g_strlcpy(text, names[variable], VARIABLE_BYTES);
    g_strlcat(text, value, VARIABLE_BYTES);
}

static void write_bytes(CmdEnvironment *self, Variable variable, guint64 bytes) {
    char text[24];

    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, bytes);
    write_variable(self, variable, text);
}

char **cmd_environment_fill(CmdEnvironment *self, const CmdCause *cause) {
    char seconds[32];

    g_snprintf(seconds, sizeof seconds, "%" G_GINT64_FORMAT ".%06d", cause->date_us / G_USEC_PER_SEC,
               (int)(cause->date_us % G_USEC_PER_SEC));
    write_variable(self, VARIABLE_METER, cause->meter);
    write_bytes(self, VARIABLE_VALUE, cause->value_bytes);
    write_bytes(self, VARIABLE_LIMIT, cause->limit_bytes);
    write_variable(self, VARIABLE_STATE, cause->is_left ? "left" : "reached");
    write_variable(self, VARIABLE_TIME, seconds);
    return self->block;
}
