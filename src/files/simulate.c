/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* simulate: fixes meters and stalls at chosen values, and makes the machine look short of memory to whoever waits for
 * that, so that a program's answer to a shortage can be tested without one. Only there with --simulate, and only the owner of the mount may write. */
#include "board/board.h"
#include "files/files.h"
#include "fs/open.h"

/* "used 4945632\n", "stall_some 20%\n" or "low\n", a line for each that is fixed or lasts. */
static int simulate_read(MnOpen *open, GString *text) {
    const MnSimulate *simulate = mn_board_get_simulate(open->node->data);

    for (guint id = 0; id < MN_N_METERS; id++)
        if (simulate->fixed & MN_METER_BIT(id))
            g_string_append_printf(text, "%s %" G_GUINT64_FORMAT "\n", mn_meters[id].name, simulate->values.pages[id]);
    for (MnStallKind kind = 0; kind < MN_N_STALLS; kind++)
        if (simulate->stalls.chosen & MN_STALL_BIT(kind))
            g_string_append_printf(text, "%s %u%%\n", mn_stall_share_names[kind], simulate->stalls.percent[kind]);
    for (MnCondition condition = 0; condition < MN_N_CONDITIONS; condition++)
        if (simulate->plight.conditions & MN_CONDITION_BIT(condition))
            g_string_append_printf(text, "%s\n", mn_condition_names[condition]);
    return 0;
}

static int simulate_write(MnOpen *open, const MnWrite *write) {
    MnBoard *board = open->node->data;
    MnOverride override;
    int r;

    r = mn_override_parse(write->text, write->len, mn_board_get_machine(board), write->fault, &override);
    if (r < 0)
        return r;
    mn_board_override(board, &override);
    return 0;
}

static const MnFileOps simulate_ops = {
    .read = simulate_read,
    .write = simulate_write,
};

void mn_simulate_add(MnTree *tree, MnBoard *board) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_SIMULATE, 0644, &simulate_ops, board);
}
