/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chance, and what it makes of the grammars of memnotifyfs: the files there are, names, and texts to write. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TEXT_BYTES_MAX (192 * 1024) /* more than one write request carries */

/* What the texts of a file look like. */
typedef enum {
    TEXT_NONE,
    TEXT_LIMITS,
    TEXT_LIMIT, /* of a meter whose name is known */
    TEXT_NUMBER,
    TEXT_PIDS,
    TEXT_SIGNAL,
    TEXT_REGISTRATION,
    TEXT_MOVES,
    TEXT_TRIGGER,
    TEXT_GROUP,
    N_TEXTS
} TextKind;

typedef struct {
    const char *name; /* below the mount point */
    TextKind kind;
} File;

extern const File files[];
extern const unsigned n_files;

/* Numbers that texts may name: descriptors and processes of the fuzzer's own. */
typedef struct {
    int (*get_eventfd)(void);
    int (*get_file)(void);
    int (*get_process)(void);
} Own;

void chance_begin(uint64_t seed);

/* From 0 to n - 1; 0 for n = 0. */
unsigned chance(unsigned n);

/* Of a table. */
#define ONE_OF(table) ((table)[chance(sizeof(table) / sizeof *(table))])

/* A name for a threshold, mostly one of a few and a good one, never "..": at most 299 bytes with its NUL. */
void make_name(char *ret);

/* A text for a file of that kind, mostly a good one, into TEXT_BYTES_MAX bytes; how long it is. */
size_t make_text(TextKind kind, const Own *own, char *ret);
