/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runner.h"

void cmd_runner_init(CmdRunner *self, gint64 cooldown_us) {
    *self = (CmdRunner){ .cooldown_us = cooldown_us };
}

void cmd_runner_add(CmdRunner *self, const CmdCause *cause) {
    self->last = *cause;
    self->is_wanted = TRUE;
}

const CmdCause *cmd_runner_get_due(const CmdRunner *self, gint64 now_us) {
    return cmd_runner_get_wake_us(self) <= now_us ? &self->last : NULL;
}

void cmd_runner_begin(CmdRunner *self) {
    self->is_running = TRUE;
    self->is_wanted = FALSE;
}

void cmd_runner_end(CmdRunner *self, gint64 now_us) {
    self->is_running = FALSE;
    self->free_us = now_us + self->cooldown_us;
}

void cmd_runner_revoke(CmdRunner *self) {
    self->is_running = FALSE;
    self->is_wanted = TRUE;
}

gint64 cmd_runner_get_wake_us(const CmdRunner *self) {
    return self->is_wanted && !self->is_running ? self->free_us : G_MAXINT64;
}
