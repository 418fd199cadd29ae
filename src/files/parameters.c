/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* parameters/NAME: the driver's module parameters and ours, for everybody to read and for the owner
 * of the mount to change. */
#include "board/board.h"
#include "files/files.h"
#include "fs/open.h"

typedef struct ParameterFile {
    MnBoard *board;
    const MnParameter *parameter;
} ParameterFile;

/* "250\n" */
static int parameter_read(MnOpen *open, GString *text) {
    ParameterFile *file = open->node->data;
    const MnParameters *parameters = mn_board_get_parameters(file->board);

    g_string_append_printf(text, "%" G_GUINT64_FORMAT "\n", mn_parameters_get(parameters, file->parameter));
    return 0;
}

static int parameter_write(MnOpen *open, const MnWrite *write) {
    ParameterFile *file = open->node->data;
    MnParameters parameters = *mn_board_get_parameters(file->board);
    int r;

    r = mn_parameters_set(&parameters, file->parameter, write->text, write->len, write->fault);
    if (r < 0)
        return r;
    mn_board_set_parameters(file->board, &parameters);
    return 0;
}

static const MnFileOps parameter_ops = {
    .read = parameter_read,
    .write = parameter_write,
    .free_data = g_free,
};

void mn_parameters_add(MnTree *tree, MnBoard *board) {
    MnNode *dir = mn_tree_add_dir(tree, mn_tree_get_root(tree), MEMNOTIFYFS_PARAMETERS, 0755, NULL, NULL);

    for (guint i = 0; i < MN_N_PARAMETERS; i++) {
        ParameterFile *file = g_new0(ParameterFile, 1);

        *file = (ParameterFile){ .board = board, .parameter = &mn_parameters[i] };
        mn_tree_add_file(tree, dir, mn_parameters[i].name, 0644, &parameter_ops, file);
    }
}
