/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What CUnit's own interfaces lack: short output, and a judgement by failure records. A suite that
 * cannot be set up has no failed test, but it has a failure record. */
#include "runner.h"

#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>

static void print_failures(const CU_pTest test, const CU_pSuite suite, CU_pFailureRecord failure) {
    for (; failure; failure = failure->pNext)
        printf("%s:%u: %s: %s: %s\n", failure->strFileName ? failure->strFileName : "?", failure->uiLineNumber,
               suite ? suite->pName : "?", test ? test->pName : "?",
               failure->strCondition ? failure->strCondition : "?");
}

static void print_suite_failure(const CU_pSuite suite) {
    printf("suite '%s' could not be set up or cleaned up\n", suite->pName);
}

void check_row(gboolean holds, const char *file, guint line, const char *condition, const char *format, ...) {
    g_autofree char *row = NULL, *message = NULL;
    va_list args;

    if (!holds) {
        va_start(args, format);
        row = g_strdup_vprintf(format, args);
        va_end(args);
        message = g_strdup_printf("%s in row '%s'", condition, row);
    }
    CU_assertImplementation(holds, line, message ? message : condition, file, "", CU_FALSE);
}

int run_suites(CU_SuiteInfo *suites) {
    guint n_run, n_failed, n_failures;

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
        printf("cannot register the tests: %s\n", CU_get_error_msg());
        return EXIT_FAILURE;
    }
    CU_set_test_complete_handler(print_failures);
    CU_set_suite_init_failure_handler(print_suite_failure);
    CU_set_suite_cleanup_failure_handler(print_suite_failure);
    CU_run_all_tests();

    n_run = CU_get_number_of_tests_run();
    n_failed = CU_get_number_of_tests_failed();
    n_failures = CU_get_number_of_failure_records();
    if (n_failures > 0 && n_failed == 0)
        n_failed = CU_get_number_of_suites_failed();
    CU_cleanup_registry();

    printf("%u passed, %u failed\n", n_run - MIN(n_failed, n_run), n_failed);
    return n_failures == 0 && n_run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
