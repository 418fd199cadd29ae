/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runner.h"

/* A command with all that is looked for and allocated to execute it, so that this needs nothing any more. */
typedef struct CmdProgram {
    char *path;
    char **argv;
    char **script; /* argv of a shell: what the kernel does not know how to execute is one, as everywhere */
    char *shown;   /* for messages: a line, and not too long */
} CmdProgram;

/* Looks for the program of `argv` in $PATH. Returns the exit status: CMD_OK, or as a shell has it 127 when there is none
 * and 126 when it may not be executed, and has said so. */
int cmd_program_init(CmdProgram *self, char **argv);

/* The same for a text that /bin/sh runs. */
int cmd_program_init_text(CmdProgram *self, const char *text);

void cmd_program_clear(CmdProgram *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CmdProgram, cmd_program_clear)

/* Becomes it. Returns only when that fails: the exit status, and has said why. */
int cmd_program_execute(const CmdProgram *self, char **environment);

/* Our environment, and in it what a command is told. */
typedef struct CmdEnvironment CmdEnvironment;

CmdEnvironment *cmd_environment_new(void);
void cmd_environment_free(CmdEnvironment *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdEnvironment, cmd_environment_free)

/* Writes it into what there is, and returns the block for execve(2), which stays ours. Allocates nothing. */
char **cmd_environment_fill(CmdEnvironment *self, const CmdCause *cause);
