/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "doctor.h"

#include "json.h"
#include "message.h"
#include "style.h"

#include <memnotifyfs/contract.h>
#include <stdio.h>

/* What matters most comes first. */
static void (*const checks[])(CmdExam *exam) = {
    cmd_doctor_check_places,     cmd_doctor_check_mounting, cmd_doctor_check_group,
    cmd_doctor_check_simulation, cmd_doctor_check_sockets,  cmd_doctor_check_limits,
    cmd_doctor_check_quotas,     cmd_doctor_check_pressure, cmd_doctor_check_protection,
};

static guint count(const CmdExam *exam, CmdSeverity severity) {
    guint n = 0;

    for (guint i = 0; i < exam->findings->len; i++) {
        const CmdFinding *finding = g_ptr_array_index(exam->findings, i);

        n += finding->severity == severity;
    }
    return n;
}

static void print_findings(const CmdExam *exam, CmdSeverity severity) {
    g_autoptr(GString) line = g_string_new(NULL);

    for (guint i = 0; i < exam->findings->len; i++) {
        const CmdFinding *finding = g_ptr_array_index(exam->findings, i);

        if (finding->severity != severity)
            continue;
        if (severity == CMD_FAULT)
            cmd_style_append(line, CMD_COLOUR_RED, "fault");
        else
            cmd_style_append(line, CMD_COLOUR_YELLOW, "hint");
        g_string_append_printf(line, "%s%s\n       %s", severity == CMD_FAULT ? "  " : "   ", finding->text,
                               finding->remedy);
        puts(line->str);
        g_string_truncate(line, 0);
    }
}

static void print_health(const CmdExam *exam) {
    const CmdSight *served = exam->served;

    printf("%s: memnotifyfs %s at %s", exam->findings->len == 0 ? "all is well" : "nothing hinders",
           exam->has_figures ? "is mounted and answers" : "answers", served->path);
    if (exam->server.pid > 0)
        printf(", as process %d", (int)exam->server.pid);
    putchar('\n');
    if (served->socket_error == 0)
        printf("  its socket %s answers, too\n", served->socket);
    if (exam->has_figures)
        printf("  the memory of %s is shown, with %u limits of thresholds\n",
               exam->figures.is_of_group ? "a control group" : "the machine", exam->figures.limits->len);
    puts("  looked at: places, sockets, rights, control group, simulation, limits, quotas, pressure, protection");
}

static void print_for_people(const CmdExam *exam) {
    if (count(exam, CMD_FAULT) == 0 && exam->served)
        print_health(exam);
    print_findings(exam, CMD_FAULT);
    print_findings(exam, CMD_HINT);
}

static void add_findings(JsonBuilder *builder, const CmdExam *exam, CmdSeverity severity) {
    for (guint i = 0; i < exam->findings->len; i++) {
        const CmdFinding *finding = g_ptr_array_index(exam->findings, i);

        if (finding->severity != severity)
            continue;
        json_builder_begin_object(builder);
        cmd_json_add_string(builder, "id", finding->id);
        cmd_json_add_string(builder, "severity", severity == CMD_FAULT ? "fault" : "hint");
        cmd_json_add_string(builder, "text", finding->text);
        cmd_json_add_string(builder, "remedy", finding->remedy);
        json_builder_end_object(builder);
    }
}

static void print_json(const CmdExam *exam) {
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_array(builder);
    add_findings(builder, exam, CMD_FAULT);
    add_findings(builder, exam, CMD_HINT);
    json_builder_end_array(builder);
    cmd_json_print(builder);
}

int cmd_doctor_run(const CmdOptions *options) {
    g_auto(CmdExam) exam = { 0 };
    int r = cmd_exam_init(&exam, options->place);

    if (r < 0)
        return cmd_fail("the place is longer than any path: %s", g_strerror(-r));
    for (guint i = 0; i < G_N_ELEMENTS(checks); i++)
        checks[i](&exam);
    if (options->wants_json)
        print_json(&exam);
    else
        print_for_people(&exam);
    return count(&exam, CMD_FAULT) > 0 ? CMD_FAILED : CMD_OK;
}
