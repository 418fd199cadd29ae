/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page, by a process that writes it at full speed and others that read it so. MEMNOTIFYFS_TEST_ROUNDS says for how many
 * seconds. */
#include "runner.h"
#include "socket/page.h"
#include "world.h"

#include <fcntl.h>
#include <memnotifyfs/page.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALL_METERS                                                                                                     \
    "used %u active %u total %u free %u available %u anon %u file %u shmem %u slab_reclaimable %u mlocked %u "         \
    "dirty %u swap_total %u swap_free %u swap_used %u"
#define TIMES_14(n) (n), (n), (n), (n), (n), (n), (n), (n), (n), (n), (n), (n), (n), (n)
#define N_VALUES 64
#define N_READERS 2
#define MOMENTS_MIN 100 /* that a reader has to have seen */
#define WRITES_MAX 1000000000

static const struct memnotifyfs_page *map(int fd) {
    const struct memnotifyfs_page *page = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, fd, 0);

    g_assert_true(page != MAP_FAILED);
    return page;
}

static guint seconds(void) {
    const char *rounds = g_getenv("MEMNOTIFYFS_TEST_ROUNDS");

    return rounds ? (guint)atoi(rounds) : 2;
}

/* All meters are the same at each moment, and no moment comes before one that was seen. */
static gboolean is_whole(const struct memnotifyfs_page *page, const struct memnotifyfs_page_bank *bank) {
    for (guint i = 1; i < page->n_meters; i++)
        if (bank->pages[i] != bank->pages[0])
            return FALSE;
    return TRUE;
}

/* What the writer and the readers know of each other. */
typedef struct Shared {
    int is_over;
    guint n_moments[N_READERS]; /* that each has seen */
} Shared;

/* 0, or what is wrong. Who has found that needs to see no more. */
static int read_at_full_speed(const struct memnotifyfs_page *page, Shared *shared, guint reader) {
    struct memnotifyfs_page_bank bank, before = { 0 };

    while (!__atomic_load_n(&shared->is_over, __ATOMIC_RELAXED)) {
        memnotifyfs_page_copy(page, &bank);
        if (!is_whole(page, &bank) || bank.time_us < before.time_us) {
            __atomic_store_n(&shared->n_moments[reader], MOMENTS_MIN, __ATOMIC_RELAXED);
            return bank.time_us < before.time_us ? 2 : 1;
        }
        if (bank.pages[0] != before.pages[0])
            __atomic_add_fetch(&shared->n_moments[reader], 1, __ATOMIC_RELAXED);
        before = bank;
    }
    return 0;
}

static pid_t start_reader(int fd, Shared *shared, guint reader) {
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(read_at_full_speed(map(fd), shared, reader));
    }
    return pid;
}

static int status_of(pid_t pid) {
    int status;

    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Who has not read while it was written has shown nothing: on a busy machine that takes longer. */
static gboolean have_seen_enough(const Shared *shared) {
    for (guint i = 0; i < N_READERS; i++)
        if (__atomic_load_n(&shared->n_moments[i], __ATOMIC_RELAXED) < MOMENTS_MIN)
            return FALSE;
    return TRUE;
}

static void write_at_full_speed(MnBoard *board, const Shared *shared) {
    const MnMachine *machine = mn_board_get_machine(board);
    gint64 end_us = g_get_monotonic_time() + seconds() * G_TIME_SPAN_SECOND;
    MnOverride overrides[N_VALUES];

    for (guint i = 0; i < N_VALUES; i++) {
        g_autofree char *text = g_strdup_printf(ALL_METERS, TIMES_14(1000 + i));

        g_assert_cmpint(mn_override_parse(text, strlen(text), machine, NULL, &overrides[i]), ==, 0);
    }
    for (guint i = 0; g_get_monotonic_time() < end_us || (!have_seen_enough(shared) && i < WRITES_MAX); i++)
        mn_board_override(board, &overrides[i % N_VALUES]);
}

static void test_nobody_sees_half_a_moment(void) {
    g_autoptr(World) world = world_new("debian-6.1");
    MnPage *page = NULL;
    pid_t readers[N_READERS];
    Shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    g_assert_true(shared != MAP_FAILED);
    g_assert_cmpint(mn_page_new(world->board, &page), ==, 0);
    mn_page_hold(page);
    world_simulate(world,
                   "used 1000 active 1000 total 1000 free 1000 available 1000 anon 1000 file 1000 shmem 1000 "
                   "slab_reclaimable 1000 mlocked 1000 dirty 1000 swap_total 1000 swap_free 1000 swap_used 1000");
    for (guint i = 0; i < N_READERS; i++)
        readers[i] = start_reader(mn_page_get_fd(page), shared, i);
    write_at_full_speed(world->board, shared);
    CU_ASSERT_TRUE(have_seen_enough(shared));
    __atomic_store_n(&shared->is_over, TRUE, __ATOMIC_RELAXED);
    for (guint i = 0; i < N_READERS; i++)
        CHECK(status_of(readers[i]) == 0, "reader %u: 1 is half a moment, 2 an earlier one", i);
    mn_page_release(page);
    mn_page_free(page);
    munmap(shared, sizeof *shared);
}

static void test_the_layout(void) {
    g_autoptr(World) world = world_new("debian-6.1");
    MnPage *page = NULL;
    const struct memnotifyfs_page *memory;
    struct memnotifyfs_page_bank bank;
    int used;

    CU_ASSERT_EQUAL(sizeof *memory, 1600);
    CU_ASSERT_EQUAL(G_STRUCT_OFFSET(struct memnotifyfs_page, names), 32);
    CU_ASSERT_EQUAL(G_STRUCT_OFFSET(struct memnotifyfs_page, banks), 1056);
    CU_ASSERT_EQUAL(sizeof bank, 272);
    g_assert_cmpint(mn_page_new(world->board, &page), ==, 0);
    mn_page_hold(page);
    memory = map(mn_page_get_fd(page));
    CU_ASSERT_EQUAL(memory->version, MEMNOTIFYFS_PAGE_VERSION);
    CU_ASSERT_EQUAL(memory->bytes, sizeof *memory);
    CU_ASSERT_EQUAL(memory->page_bytes, (guint32)getpagesize());
    CU_ASSERT_EQUAL(memory->period_ms, MN_PAGE_PERIOD_MS);
    CU_ASSERT_EQUAL(memory->n_meters, 14);
    CU_ASSERT_EQUAL(memnotifyfs_page_find(memory, "nonsense"), -ENOENT);
    CU_ASSERT_EQUAL(memnotifyfs_page_find(memory, "use"), -ENOENT);
    used = memnotifyfs_page_find(memory, "used");
    world_simulate(world, "used 12345");
    CU_ASSERT_EQUAL(memnotifyfs_page_get(memory, used), 12345);
    memnotifyfs_page_copy(memory, &bank);
    CU_ASSERT_EQUAL(bank.pages[used], 12345);
    CU_ASSERT_EQUAL(bank.time_us, mn_board_get_moment(world->board)->time_us);
    CU_ASSERT_EQUAL(bank.state, 0);
    CU_ASSERT_FALSE(memnotifyfs_page_has_ended(memory));
    mn_page_release(page);
    mn_page_free(page);
    CU_ASSERT_TRUE(memnotifyfs_page_has_ended(memory));
    CU_ASSERT_EQUAL(memnotifyfs_page_get(memory, used), 12345);
    munmap((void *)memory, sizeof *memory);
}

/* What is held is what the next one finds, also where nobody has held it meanwhile. */
static void test_a_page_that_nobody_has(void) {
    g_autoptr(World) world = world_new("debian-6.1");
    MnPage *page = NULL;
    const struct memnotifyfs_page *memory;
    int used;

    g_assert_cmpint(mn_page_new(world->board, &page), ==, 0);
    memory = map(mn_page_get_fd(page));
    used = memnotifyfs_page_find(memory, "used");
    mn_page_hold(page);
    mn_page_hold(page);
    mn_page_release(page);
    world_simulate(world, "used 12345");
    CU_ASSERT_EQUAL(memnotifyfs_page_get(memory, used), 12345);
    mn_page_release(page);
    world_simulate(world, "used 54321");
    CU_ASSERT_EQUAL(memnotifyfs_page_get(memory, used), 12345);
    mn_page_hold(page);
    CU_ASSERT_EQUAL(memnotifyfs_page_get(memory, used), 54321);
    mn_page_release(page);
    mn_page_free(page);
    munmap((void *)memory, sizeof *memory);
}

/* It can be asked for again. */
static void test_without_descriptors(void) {
    g_autoptr(World) world = world_new("debian-6.1");
    struct rlimit limit, none;
    MnPage *page = NULL;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    CU_ASSERT_EQUAL(mn_page_new(world->board, &page), -EMFILE);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    CU_ASSERT_PTR_NULL(page);
}

static CU_TestInfo tests[] = {
    { "the layout", test_the_layout },
    { "a page that nobody has", test_a_page_that_nobody_has },
    { "without descriptors", test_without_descriptors },
    { "nobody sees half a moment", test_nobody_sees_half_a_moment },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "page", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
