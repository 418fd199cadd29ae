/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify status --why: what hinders memnotifyfs, or those who would use it. */
#pragma once

#include "exam.h"
#include "options.h"

/* Looks at everything and prints what it has found. Returns the exit status: CMD_FAILED when something hinders. */
int cmd_doctor_run(const CmdOptions *options);

/* The checks. Each adds what it finds. */

/* Where a server may be: there is none, or one that cannot be used. */
void cmd_doctor_check_places(CmdExam *exam);
void cmd_doctor_check_sockets(CmdExam *exam);

/* What stands in the way of starting one. */
void cmd_doctor_check_mounting(CmdExam *exam);

/* Whose memory it shows, and whether the values are real. */
void cmd_doctor_check_simulation(CmdExam *exam);
void cmd_doctor_check_group(CmdExam *exam);

/* Limits that can never be reached, or always are. */
void cmd_doctor_check_limits(CmdExam *exam);

/* What the kernel and the server do for those who wait. */
void cmd_doctor_check_pressure(CmdExam *exam);
void cmd_doctor_check_protection(CmdExam *exam);
void cmd_doctor_check_quotas(CmdExam *exam);
