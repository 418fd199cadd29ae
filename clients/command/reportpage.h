/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the page of `report`: private to its files. */
#pragma once

#include "incident.h"
#include "size.h"

/* So many lines of what happened are shown at most: half of them from the beginning, and half from the end. */
#define CMD_REPORT_LINES 1000

/* The whole page. `title` is what was read, and `group` the memory of its group, or NULL. */
char *cmd_report_page(const char *title, const CmdIncident *machine, const CmdIncident *group);

/* What its values and charts are called in the page. */
const char *cmd_report_name(const CmdIncident *incident);

/* Of local time at the beginning, by which all times of the page go: what is between that and UTC, and the date, which is 0
 * where there is none. */
gint64 cmd_report_offset_s(const CmdIncident *incident);
gint64 cmd_report_local_us(const CmdIncident *incident);

/* "2026-11-27 12:44:45" of a time, or "12.5 s" or "3:25:45 h" where there is no date; to be freed. */
char *cmd_report_time(const CmdIncident *incident, gint64 time_us);

/* Appends "482M" of pages of that machine. */
const char *cmd_report_size(const CmdIncident *incident, guint64 pages, char text[CMD_SIZE_BYTES]);

void cmd_report_append_charts(GString *page, const CmdIncident *incident);
void cmd_report_append_growers(GString *page, const CmdIncident *incident);
void cmd_report_append_growers_chart(GString *page, const CmdIncident *incident);
void cmd_report_append_happenings(GString *page, const CmdIncident *incident);
void cmd_report_append_meters(GString *page, const CmdIncident *incident);

/* What the page's script knows, as JSON. */
char *cmd_report_data(const CmdIncident *machine, const CmdIncident *group);
