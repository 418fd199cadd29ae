/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exam.h"

#include "size.h"
#include "where.h"

#include <errno.h>
#include <memnotifyfs/contract.h>

static void finding_free(gpointer data) {
    CmdFinding *finding = data;

    g_free(finding->text);
    g_free(finding->remedy);
    g_free(finding);
}

void cmd_exam_add(CmdExam *self, const char *id, CmdSeverity severity, char *text, char *remedy) {
    CmdFinding *finding = g_new0(CmdFinding, 1);

    *finding = (CmdFinding){ .id = id, .severity = severity, .text = text, .remedy = remedy };
    g_ptr_array_add(self->findings, finding);
}

char *cmd_exam_command(const CmdExam *self, const char *words) {
    if (self->named_by && self->named_by[0] == '-')
        return g_strdup_printf("'memnotify %s --at %s'", words, self->named);
    return g_strdup_printf("'memnotify %s'", words);
}

gboolean cmd_exam_is_silent(const CmdSight *sight) {
    return sight->error == -ETIMEDOUT || sight->files[CMD_FILE_METRICS].error == -ETIMEDOUT ||
           (sight->socket_error == 0 && sight->client_error == -ETIMEDOUT);
}

static void read_figures(CmdExam *self) {
    const GString *text = self->served->files[CMD_FILE_METRICS].text;

    self->has_figures = self->served->files[CMD_FILE_METRICS].error == 0 &&
                        cmd_figures_parse(text->str, text->len, (guint)cmd_page_bytes(), &self->figures) == 0;
}

/* One with files is better than one with a socket alone, as it is for programs. */
static void choose(CmdExam *self) {
    for (guint i = 0; i < self->n_sights && !self->served; i++)
        if (cmd_sight_is_served(&self->sights[i]))
            self->served = &self->sights[i];
    for (guint i = 0; i < self->n_sights && !self->served; i++)
        if (self->sights[i].client_error == 0)
            self->served = &self->sights[i];
}

static void find_server(CmdExam *self) {
    for (guint i = 0; i < self->n_sights && self->server.pid == 0; i++)
        if (&self->sights[i] == self->served || (!self->served && cmd_exam_is_silent(&self->sights[i])))
            cmd_server_find(self->sights[i].path, &self->server);
}

int cmd_exam_init(CmdExam *self, const char *place) {
    const char *environment = g_getenv(MEMNOTIFYFS_ENVIRONMENT);
    g_autofree struct places *places = g_new0(struct places, 1);
    int r = cmd_where_list(place, places);

    *self = (CmdExam){ .findings = g_ptr_array_new_with_free_func(finding_free) };
    if (r < 0)
        return r;
    if (place && *place) {
        self->named = place;
        self->named_by = "--at";
    } else if (environment && *environment) {
        self->named = environment;
        self->named_by = "$" MEMNOTIFYFS_ENVIRONMENT;
    }
    for (guint i = 0; i < places->n; i++)
        cmd_sight_init(&self->sights[self->n_sights++], places->paths[i]);
    choose(self);
    find_server(self);
    if (self->served)
        read_figures(self);
    return 0;
}

void cmd_exam_clear(CmdExam *self) {
    for (guint i = 0; i < self->n_sights; i++)
        cmd_sight_clear(&self->sights[i]);
    self->n_sights = 0;
    cmd_figures_clear(&self->figures);
    g_clear_pointer(&self->findings, g_ptr_array_unref);
}
