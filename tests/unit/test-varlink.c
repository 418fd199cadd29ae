/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages that memnotify-oomd takes and gives. */
#include "varlink.h"

#include "runner.h"

static void test_calls(void) {
    static const struct {
        const char *text;
        const char *method; /* NULL: it is no call */
        const char *cgroup;
        gboolean is_oneway;
    } rows[] = {
        { "{\"method\":\"a.B\",\"parameters\":{\"cgroup\":\"/user.slice\"}}", "a.B", "/user.slice", FALSE },
        { " { \"parameters\" : {} , \"method\" : \"a.B\" } ", "a.B", NULL, FALSE },
        { "{\"method\":\"a.B\"}", "a.B", NULL, FALSE },
        { "{\"method\":\"a.B\",\"parameters\":null}", "a.B", NULL, FALSE },
        { "{\"method\":\"a.B\",\"oneway\":true,\"more\":false,\"of later\":[1,{}]}", "a.B", NULL, TRUE },
        { "{\"method\":\"a.B\",\"oneway\":1}", "a.B", NULL, FALSE },
        { "{\"method\":\"a.B\",\"parameters\":{\"cgroup\":5}}", "a.B", NULL, FALSE },
        { "{\"method\":\"a.B\",\"parameters\":{\"cgroup\":[\"/\"]}}", "a.B", NULL, FALSE },
        { "{\"method\":\"a.B\",\"parameters\":{\"cgroup\":\"/\\u00e4\\\"\"}}", "a.B", "/\303\244\"", FALSE },
        { "{\"method\":\"a.B\",\"parameters\":5}", NULL, NULL, FALSE },
        { "{\"method\":5}", NULL, NULL, FALSE },
        { "{\"parameters\":{}}", NULL, NULL, FALSE },
        { "[]", NULL, NULL, FALSE },
        { "\"method\"", NULL, NULL, FALSE },
        { "{\"method\":\"a.B\"", NULL, NULL, FALSE },
        { "{\"method\":\"\xff\"}", NULL, NULL, FALSE },
        { "", NULL, NULL, FALSE },
        { "GET / HTTP/1.1", NULL, NULL, FALSE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(VarlinkCall) call = { 0 };
        gboolean is_call = varlink_call_parse(rows[i].text, strlen(rows[i].text), &call);

        CHECK(is_call == (rows[i].method != NULL), "row %u", i);
        CHECK(g_strcmp0(call.method, rows[i].method) == 0, "row %u: %s", i, call.method);
        if (!is_call)
            continue;
        CHECK(g_strcmp0(varlink_call_get_string(&call, "cgroup"), rows[i].cgroup) == 0, "row %u", i);
        CHECK(call.is_oneway == rows[i].is_oneway, "row %u", i);
    }
}

/* A text that is no JSON to the parser may be very deep. */
static void test_depth(void) {
    g_autoptr(GString) text = g_string_new("{\"method\":\"a\",\"parameters\":");
    g_auto(VarlinkCall) call = { 0 };

    for (guint i = 0; i < 60000; i++)
        g_string_append_c(text, '[');
    CU_ASSERT_FALSE(varlink_call_parse(text->str, text->len, &call));
}

static void test_answers(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(JsonBuilder) builder = json_builder_new();

    varlink_reply(text, NULL);
    CU_ASSERT_EQUAL(text->len, strlen("{\"parameters\":{}}") + 1);
    CU_ASSERT_STRING_EQUAL(text->str, "{\"parameters\":{}}");
    g_string_truncate(text, 0);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "a");
    json_builder_add_int_value(builder, 5);
    json_builder_end_object(builder);
    varlink_reply(text, builder);
    CU_ASSERT_STRING_EQUAL(text->str, "{\"parameters\":{\"a\":5}}");
    g_string_truncate(text, 0);
    varlink_fail(text, "a.B", "method", "x\"\n");
    CU_ASSERT_STRING_EQUAL(text->str, "{\"error\":\"a.B\",\"parameters\":{\"method\":\"x\\\"\\n\"}}");
    CU_ASSERT_EQUAL(text->str[text->len - 1], '\0');
}

static CU_TestInfo tests[] = {
    { "calls", test_calls },
    { "a call that is very deep", test_depth },
    { "answers", test_answers },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "varlink", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
