/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inodes: names, numbers and how long they live. */
#include "fs/node.h"
#include "hand-clock.h"
#include "loop/clock.h"
#include "runner.h"

#include <errno.h>

static guint n_freed;
static const MnNode *last_unlinked;

static void free_data(gpointer data) {
    CU_ASSERT_PTR_NOT_NULL(data);
    n_freed++;
}

static void on_unlinked(MnNode *dir G_GNUC_UNUSED, MnNode *node) {
    CU_ASSERT_FALSE(node->is_linked);
    CU_ASSERT_PTR_NULL(mn_node_find_child(dir, node->name));
    last_unlinked = node;
}

static const MnFileOps file_ops = { .free_data = free_data };
static const MnFileOps large_ops = { .size = 65536 };
static const MnFileOps now_ops = { .is_of_now = TRUE };
static const MnDirOps dir_ops = { .unlinked = on_unlinked };

static MnNode *add_file(MnTree *tree, const char *name) {
    return mn_tree_add_file(tree, mn_tree_get_root(tree), name, 0644, &file_ops, tree);
}

static void test_root(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 11, 22);
    MnNode *root = mn_tree_get_root(tree);
    struct stat stat;

    CU_ASSERT_PTR_EQUAL(mn_tree_find(tree, MN_ROOT_INO), root);
    CU_ASSERT_PTR_EQUAL(root->parent, root);
    mn_node_get_stat(root, &stat);
    CU_ASSERT_EQUAL(stat.st_ino, MN_ROOT_INO);
    CU_ASSERT_EQUAL(stat.st_mode, S_IFDIR | 0755);
    CU_ASSERT_EQUAL(stat.st_nlink, 2);
    CU_ASSERT_EQUAL(stat.st_uid, 11);
    CU_ASSERT_EQUAL(stat.st_gid, 22);
}

static void test_stat(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *root = mn_tree_get_root(tree);
    struct stat stat;

    mn_tree_add_dir(tree, root, "one", 0755, NULL, NULL);
    mn_tree_add_dir(tree, root, "two", 01777, &dir_ops, NULL);
    mn_node_get_stat(root, &stat);
    CU_ASSERT_EQUAL(stat.st_nlink, 4);

    mn_node_get_stat(add_file(tree, "small"), &stat);
    CU_ASSERT_EQUAL(stat.st_mode, S_IFREG | 0644);
    CU_ASSERT_EQUAL(stat.st_nlink, 1);
    CU_ASSERT_EQUAL(stat.st_size, 4096);

    mn_node_get_stat(mn_tree_add_file(tree, root, "large", 0444, &large_ops, NULL), &stat);
    CU_ASSERT_EQUAL(stat.st_size, 65536);

    mn_node_get_stat(root, &stat);
    CU_ASSERT_EQUAL(stat.st_nlink, 4); /* files do not count */
}

static gboolean is_before(struct timespec a, struct timespec b) {
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

static void test_times(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *now = mn_tree_add_file(tree, mn_tree_get_root(tree), "now", 0444, &now_ops, NULL),
           *then = add_file(tree, "a");
    struct timespec added_at = mn_date_now();
    struct stat stat;

    mn_node_get_stat(then, &stat);
    CU_ASSERT_FALSE(is_before(added_at, stat.st_mtim));
    mn_node_get_stat(now, &stat);
    CU_ASSERT_FALSE(is_before(stat.st_mtim, added_at));
    CU_ASSERT_FALSE(is_before(mn_date_now(), stat.st_mtim));
}

static void test_kinds(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *root = mn_tree_get_root(tree);
    MnNode *dir = mn_tree_add_dir(tree, root, "dir", 0755, NULL, NULL);
    MnNode *below = mn_tree_add_dir(tree, dir, "below", 0755, NULL, NULL);
    MnNode *file = add_file(tree, "a");
    MnNode *inner = mn_tree_add_file(tree, below, "a", 0644, &file_ops, tree);

    CU_ASSERT_PTR_EQUAL(mn_node_get_kind(file), file);
    CU_ASSERT_PTR_EQUAL(mn_node_get_kind(dir), dir);
    CU_ASSERT_PTR_EQUAL(mn_node_get_kind(inner), dir);
    inner->n_lookups = 1;
    mn_tree_unlink(tree, inner);
    CU_ASSERT_PTR_EQUAL(mn_node_get_kind(inner), dir);
}

static void test_names(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *dir = mn_tree_add_dir(tree, mn_tree_get_root(tree), "dir", 0755, NULL, NULL);
    MnNode *a = add_file(tree, "a");
    MnNode *inner = mn_tree_add_file(tree, dir, "a", 0644, &file_ops, tree);

    CU_ASSERT_PTR_EQUAL(mn_node_find_child(mn_tree_get_root(tree), "a"), a);
    CU_ASSERT_PTR_EQUAL(mn_node_find_child(dir, "a"), inner);
    CU_ASSERT_PTR_NULL(mn_node_find_child(dir, "A"));
    CU_ASSERT_PTR_NULL(mn_node_find_child(dir, ""));
    CU_ASSERT_PTR_NULL(mn_tree_find(tree, 0));
    CU_ASSERT_PTR_NULL(mn_tree_find(tree, 999));
}

static int on_rename(MnNode *dir G_GNUC_UNUSED, MnNode *node G_GNUC_UNUSED, const char *name) {
    return *name == '.' ? -EINVAL : 0;
}

static void test_renaming(void) {
    static const MnDirOps renaming_ops = { .rename = on_rename, .unlinked = on_unlinked };
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *dir = mn_tree_add_dir(tree, mn_tree_get_root(tree), "dir", 01777, &renaming_ops, NULL);
    MnNode *a = mn_tree_add_file(tree, dir, "a", 0644, &file_ops, tree);
    MnNode *b = mn_tree_add_file(tree, dir, "b", 0644, &file_ops, tree);
    guint64 ino = a->ino;

    last_unlinked = NULL;
    CU_ASSERT_EQUAL(mn_tree_rename(tree, dir, "other"), -EPERM); /* nobody may in the root */
    CU_ASSERT_EQUAL(mn_tree_rename(tree, a, ".a"), -EINVAL);
    CU_ASSERT_EQUAL(mn_tree_rename(tree, a, "a"), 0);
    CU_ASSERT_PTR_EQUAL(mn_node_find_child(dir, "a"), a);
    CU_ASSERT_PTR_NULL(last_unlinked);

    CU_ASSERT_EQUAL(mn_tree_rename(tree, a, "c"), 0);
    CU_ASSERT_PTR_NULL(mn_node_find_child(dir, "a"));
    CU_ASSERT_PTR_EQUAL(mn_node_find_child(dir, "c"), a);
    CU_ASSERT_STRING_EQUAL(a->name, "c");
    CU_ASSERT_EQUAL(a->ino, ino);

    CU_ASSERT_EQUAL(mn_tree_rename(tree, a, "b"), 0);
    CU_ASSERT_PTR_EQUAL(last_unlinked, b);
    CU_ASSERT_PTR_EQUAL(mn_node_find_child(dir, "b"), a);
    CU_ASSERT_EQUAL(dir->children->len, 1);
}

static void test_numbers_are_not_used_again(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    guint64 first = add_file(tree, "a")->ino;

    mn_tree_unlink(tree, mn_tree_find(tree, first));
    CU_ASSERT_PTR_NULL(mn_tree_find(tree, first));
    CU_ASSERT_NOT_EQUAL(add_file(tree, "a")->ino, first);
}

static void test_unlinked_lives_while_somebody_holds_it(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *dir = mn_tree_add_dir(tree, mn_tree_get_root(tree), "dir", 01777, &dir_ops, NULL);
    MnNode *node = mn_tree_add_file(tree, dir, "a", 0644, &file_ops, tree);
    guint64 ino = node->ino;
    struct stat stat;

    n_freed = 0;
    node->n_lookups = 2;
    node->opens = (MnOpen *)&n_freed; /* only asked whether it is there */

    mn_tree_unlink(tree, node);
    CU_ASSERT_PTR_EQUAL(last_unlinked, node);
    CU_ASSERT_PTR_EQUAL(mn_tree_find(tree, ino), node);
    mn_node_get_stat(node, &stat);
    CU_ASSERT_EQUAL(stat.st_nlink, 0);

    node->n_lookups = 0;
    mn_tree_release_unused(tree, node);
    CU_ASSERT_EQUAL(n_freed, 0);

    node->opens = NULL;
    node->n_lookups = 1;
    mn_tree_release_unused(tree, node);
    CU_ASSERT_EQUAL(n_freed, 0);

    node->n_lookups = 0;
    mn_tree_release_unused(tree, node);
    CU_ASSERT_EQUAL(n_freed, 1);
    CU_ASSERT_PTR_NULL(mn_tree_find(tree, ino));
}

static void test_linked_lives_without_holders(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *node = add_file(tree, "a");

    n_freed = 0;
    mn_tree_release_unused(tree, node);
    CU_ASSERT_EQUAL(n_freed, 0);
    CU_ASSERT_PTR_EQUAL(mn_node_find_child(mn_tree_get_root(tree), "a"), node);
}

static void test_the_tree_frees_all(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    MnTree *tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *node = add_file(tree, "a");

    add_file(tree, "b");
    node->n_lookups = 1;
    mn_tree_unlink(tree, node);
    n_freed = 0;
    mn_tree_free(tree);
    CU_ASSERT_EQUAL(n_freed, 2);
    mn_tree_free(NULL);
}

static void count_visit(MnNode *node) {
    node->n_lookups++;
}

static void test_foreach(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnTree) tree = mn_tree_new(outbox, NULL, 0, 0);
    MnNode *a = add_file(tree, "a"), *b = add_file(tree, "b");

    mn_tree_foreach(tree, count_visit);
    CU_ASSERT_EQUAL(a->n_lookups, 1);
    CU_ASSERT_EQUAL(b->n_lookups, 1);
    CU_ASSERT_EQUAL(mn_tree_get_root(tree)->n_lookups, 1);
}

static CU_TestInfo tests[] = {
    { "the root", test_root },
    { "stat", test_stat },
    { "times", test_times },
    { "kinds are what is in the root", test_kinds },
    { "a name is looked for in its directory", test_names },
    { "a file gets another name", test_renaming },
    { "numbers are not used again", test_numbers_are_not_used_again },
    { "an unlinked node lives while somebody holds it", test_unlinked_lives_while_somebody_holds_it },
    { "a linked node needs no holder", test_linked_lives_without_holders },
    { "the tree frees all nodes", test_the_tree_frees_all },
    { "each node is visited once", test_foreach },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "node", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
