/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenariohead.h"

#include "core/number.h"
#include "script/scenariowords.h"

#define PRESET_PAGES (G_GUINT64_CONSTANT(8) << 18) /* 8 GiB */
#define PAGES_LEAST 4096                           /* 16 MiB, with less of which zones make no sense */
#define GROUP_PAGES_LEAST 256

static int declare_node(MnCursor *cursor, MnScenarioPlan *plan, const char *at) {
    MnScenarioNodes *nodes = &plan->nodes;
    guint64 number;
    int r;

    r = mn_scenario_take_number(cursor, MN_SCENARIO_NODES_MAX - 1, &number);
    if (r < 0)
        return r;
    if (number == 0 || number != MAX(nodes->n, 1))
        return mn_cursor_refuse_at(cursor, at, "nodes are numbered from 1; what they do not have is node 0");
    nodes->n = (guint)number + 1;
    nodes->nodes[number].free = G_MAXUINT64;
    return mn_scenario_take_size(cursor, PAGES_LEAST, &nodes->nodes[number].pages);
}

/* "node 1 4G", not "node 1 free 1G". */
static gboolean is_declared_node(MnCursor *cursor) {
    const char *at = cursor->at;
    guint64 number;

    if (!mn_scenario_word_take_if(cursor, "node"))
        return FALSE;
    if (mn_scenario_take_number(cursor, G_MAXUINT64, &number) == 0 && mn_scenario_word_take_if(cursor, "free")) {
        cursor->at = at;
        return FALSE;
    }
    cursor->at = at;
    return mn_scenario_word_take_if(cursor, "node");
}

static int set_machine(MnScenarioPlan *plan, guint64 pages, gboolean is_group) {
    guint64 swap = plan->machine.swap_total, arc = plan->machine.arc;

    if (is_group)
        plan->host_pages = plan->host_pages > 0 ? plan->host_pages : plan->machine.total;
    mn_scenario_machine_init(&plan->machine, is_group, pages);
    plan->machine.swap_total = swap;
    plan->machine.arc = arc;
    return 0;
}

/* 1 when it was something that a machine has. */
static int declare(MnCursor *cursor, MnScenarioPlan *plan) {
    const char *at = cursor->at;
    guint64 pages = 0;
    int r = 0;

    if (mn_scenario_word_take_if(cursor, "memory")) {
        r = mn_scenario_take_size(cursor, PAGES_LEAST, &pages);
        if (r == 0 && plan->machine.is_group)
            plan->host_pages = pages;
        else if (r == 0)
            r = set_machine(plan, pages, FALSE);
    } else if (mn_scenario_word_take_if(cursor, "group")) {
        r = plan->machine.is_group ? mn_cursor_refuse_at(cursor, at, "there is a group already")
                                   : mn_scenario_take_size(cursor, GROUP_PAGES_LEAST, &pages);
        if (r == 0)
            r = set_machine(plan, pages, TRUE);
    } else if (mn_scenario_word_take_if(cursor, "swap")) {
        r = mn_scenario_take_size(cursor, 0, &plan->machine.swap_total);
    } else if (mn_scenario_word_take_if(cursor, "arc")) {
        plan->has_arc = TRUE;
        r = mn_scenario_take_size(cursor, 0, &plan->machine.arc);
    } else if (is_declared_node(cursor)) {
        r = declare_node(cursor, plan, at);
    } else {
        return 0;
    }
    return r < 0 ? r : 1;
}

static int check_machine(MnCursor *cursor, MnScenarioPlan *plan, const char *at) {
    guint64 others = 0, host;

    if (plan->machine.is_group && (plan->has_arc || plan->nodes.n > 1))
        return mn_cursor_refuse_at(cursor, at, "nodes and the cache of ZFS are a machine's, not a group's");
    for (guint i = 1; i < plan->nodes.n; i++)
        others += plan->nodes.nodes[i].pages;
    host = plan->machine.is_group ? plan->host_pages : plan->machine.total;
    if (mn_subtract(host, others) < PAGES_LEAST)
        return mn_cursor_refuse_at(cursor, at, "the nodes have more than there is");
    plan->nodes.nodes[0] = (MnScenarioNode){ host - others, G_MAXUINT64 };
    plan->nodes.n = MAX(plan->nodes.n, 1);
    return mn_scenario_machine_settle(&plan->machine)
               ? 0
               : mn_cursor_refuse_at(cursor, at, "what it has is more than its memory");
}

int mn_scenario_parse_machine(MnCursor *cursor, MnScenarioPlan *plan) {
    const char *at = cursor->at;
    int r;

    mn_scenario_machine_init(&plan->machine, FALSE, PRESET_PAGES);
    while ((r = declare(cursor, plan)) > 0)
        continue;
    return r < 0 ? r : check_machine(cursor, plan, at);
}
