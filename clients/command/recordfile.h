/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "script/recorder.h"

/* The file that a recording is written to. */
typedef struct CmdRecordFile {
    const char *path; /* for what is said; NULL for standard output */
    int fd;
    int signals_fd;   /* which ends the waiting for who reads a pipe */
    gboolean is_last; /* it has ended: who reads has CMD_RECORD_PATIENCE_MS for the rest */
    gint64 complete;  /* bytes up to the end of what can be read; -1 where it cannot be cut */
} CmdRecordFile;

#define CMD_RECORD_PATIENCE_MS 1000

/* Opens a recording to go on with, or makes one, which no other recorder may write to then; "-" is standard output. FALSE: it
 * was said why not. */
gboolean cmd_record_file_open(CmdRecordFile *self, const char *path);

/* Writes what the recorder has, which is whole moments: after a flush, or the end of a frame. FALSE: it was said why not, and
 * what is there stays readable. */
gboolean cmd_record_file_write(CmdRecordFile *self, MnRecorder *recorder);

/* FALSE: what was written may not be there; it was said. */
gboolean cmd_record_file_close(CmdRecordFile *self);
