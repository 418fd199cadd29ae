/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random system calls on random files below a mount point. */
#pragma once

/* Once, before there is a life: their record is shared by all. TRACE_PATH becomes a ring of lines of their last calls. */
void calls_prepare(const char *mount, const char *trace_path);

/* For a life: nothing is open, and what else they need is there. */
void calls_begin(void);

/* Chooses a call and makes it; what it returns. */
long call_some(void);

/* To be asked now and then: numbers of children that have ended may soon be others'. */
void calls_forget_ended(void);

/* On SIGBUS and SIGSEGV: does not return if a call reads a mapping, which may have no page. */
void calls_leave_page(void);

/* " calls N NAME N ...": all, and those of each that have succeeded. */
void calls_print(void);
