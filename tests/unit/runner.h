/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <glib.h>

/* Runs the suites, ended by CU_SUITE_INFO_NULL. Prints one line for each assertion that failed and
 * at last "N passed, N failed", counted in test functions. Returns the exit status of the program. */
int run_suites(CU_SuiteInfo *suites);

/* CU_ASSERT() for a row of a table: the printf-like rest says which row it was. */
#define CHECK(condition, ...) check_row((condition) ? TRUE : FALSE, __FILE__, __LINE__, #condition, __VA_ARGS__)

void check_row(gboolean holds, const char *file, guint line, const char *condition, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
