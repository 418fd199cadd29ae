/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"

/* A text longer than this is refused by the kernel (one page). */
#define MN_EVENT_CONTROL_TEXT_MAX 4096

/* What a client writes to cgroup.event_control: two of its descriptors, and an argument that the
 * file behind the second one understands. */
typedef struct MnEventControl {
    guint64 eventfd;
    guint64 control;
    const char *argument; /* within the text; may be empty */
    gsize argument_len;
} MnEventControl;

/* How bad reclaim has to be for a listener of memory.pressure_level. */
typedef enum MnPressure {
    MN_PRESSURE_LOW,
    MN_PRESSURE_MEDIUM,
    MN_PRESSURE_CRITICAL,
    MN_N_PRESSURES
} MnPressure;

extern const char *const mn_pressure_names[MN_N_PRESSURES];

/* Parses "5 7 50M\n": `<eventfd> <control>[ <argument>]`, by the rules of the kernel's own
 * parser. White space around the whole and everything from a NUL on is dropped; one blank stands
 * after the first number and, if an argument follows, one after the second; the argument is what
 * is left, verbatim. A number may be missing before a blank, and is 0 then. -EINVAL for anything
 * else, of which `fault`, which may be NULL, then says what is wrong; -E2BIG over MN_EVENT_CONTROL_TEXT_MAX bytes. *ret is
 * written on success only. */
int mn_event_control_parse(const char *text, gsize len, MnFault *fault, MnEventControl *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Parses the argument of a usage threshold: bytes, decimal, 0x hexadecimal or 0 octal, with one
 * of the suffixes K M G T P E (1024s, small letters too); "-1" is the highest there is and
 * nothing is 0. In pages, rounded down. A number beyond 64 bits wraps round, as in the kernel.
 * -EINVAL for anything else. */
int mn_event_control_parse_threshold(const char *argument, gsize len, guint page_bytes, guint64 *ret_pages)
    G_GNUC_WARN_UNUSED_RESULT;

/* The highest threshold there is. Also what memory.limit_in_bytes shows, in bytes, for no limit. */
guint64 mn_event_control_max_pages(guint page_bytes);

/* Parses the argument of a pressure listener: "medium" or "low,hierarchy"; the modes are default,
 * hierarchy and local, what follows a second comma does not matter. -EINVAL for anything else. */
int mn_event_control_parse_pressure(const char *argument, gsize len, MnPressure *ret) G_GNUC_WARN_UNUSED_RESULT;
