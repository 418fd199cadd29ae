/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that does what may wait: what it answers, what becomes of one that does not, and who pays for it. No
 * test waits for a clock, but for what happens when a limit of milliseconds has passed; where users take turns, time
 * passes when the test says so. */
#include "descriptors.h"
#include "hand-clock.h"
#include "kernel/helper.h"
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT_MS 20
#define LONG_MS 60000
#define PATIENCE_MS 50
#define PROCESSES_MAX 32
#define ROOT 0
#define USER 1000
#define OTHER_USER 1001

static MnHelper *helper;
static guint n_before; /* descriptors, without a helper */
static guint n_messages;

/* What the answers were, in their order. */
typedef struct Answers {
    guint n;
    int r[64];
    char text[64];
    pid_t pid;
    int fd;
} Answers;

static Answers answers;
static MnQuota *quota;

static GLogWriterOutput count_message(GLogLevelFlags level G_GNUC_UNUSED, const GLogField *fields G_GNUC_UNUSED,
                                      gsize n G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED) {
    n_messages++;
    return G_LOG_WRITER_HANDLED;
}

static void set_up_with(const MnClock *clock) {
    (void)g_main_context_default(); /* has a descriptor of its own */
    n_before = open_descriptors("");
    n_messages = 0;
    answers = (Answers){ .fd = -1 };
    quota = mn_quota_new(0, 0);
    helper = mn_helper_new(clock, quota);
}

static void set_up(void) {
    set_up_with(&mn_machine_clock);
}

static HandClock hand = HAND_CLOCK;

static void set_up_by_hand(void) {
    set_up_with(&hand.clock);
}

static void skip_ms(guint ms) {
    hand.now_us += ms * G_TIME_SPAN_MILLISECOND;
}

static void tear_down(void) {
    mn_helper_free(helper);
    g_clear_pointer(&quota, mn_quota_free);
    if (answers.fd >= 0)
        close(answers.fd);
    CU_ASSERT_EQUAL(open_descriptors(""), n_before);
}

/* --- what it does --- */

static int echo(MnParcel *question, MnParcel *answer) {
    mn_parcel_add(answer, question->bytes->data, question->bytes->len);
    for (guint i = 0; i < question->fds->len; i++)
        mn_parcel_add_fd(answer, mn_parcel_steal_fd(question, i));
    return 0;
}

static int fail(MnParcel *question G_GNUC_UNUSED, MnParcel *answer G_GNUC_UNUSED) {
    return -ENXIO;
}

static int tell_pid(MnParcel *question G_GNUC_UNUSED, MnParcel *answer) {
    pid_t pid = getpid();

    mn_parcel_add(answer, &pid, sizeof pid);
    return 0;
}

/* 1 when it has nothing open but the standard descriptors and its socket, without the one that is being read. */
static int count_open(MnParcel *question G_GNUC_UNUSED, MnParcel *answer G_GNUC_UNUSED) {
    return open_descriptors("") == 3 + 1 + 1;
}

static int hang(MnParcel *question G_GNUC_UNUSED, MnParcel *answer G_GNUC_UNUSED) {
    return pause();
}

static int wait_for_gate(MnParcel *question, MnParcel *answer G_GNUC_UNUSED) {
    eventfd_t value;

    return eventfd_read(mn_parcel_get_fd(question, 0), &value);
}

static int die(MnParcel *question G_GNUC_UNUSED, MnParcel *answer G_GNUC_UNUSED) {
    return raise(SIGKILL);
}

static const MnTask echo_task = { .name = "echo", .limit_ms = LONG_MS, .run = echo };
static const MnTask fail_task = { .name = "fail", .limit_ms = LONG_MS, .run = fail };
static const MnTask pid_task = { .name = "tell its pid", .limit_ms = LONG_MS, .run = tell_pid };
static const MnTask open_task = { .name = "count what is open", .limit_ms = LONG_MS, .run = count_open };
static const MnTask hang_task = { .name = "hang", .limit_ms = SHORT_MS, .run = hang };
static const MnTask stay_task = { .name = "stay", .limit_ms = LONG_MS, .run = hang };
static const MnTask wait_task = { .name = "wait", .limit_ms = LONG_MS, .run = wait_for_gate };
static const MnTask urgent_task = { .name = "fail at once", .limit_ms = LONG_MS, .run = fail, .is_urgent = TRUE };
static const MnTask die_task = { .name = "die", .limit_ms = LONG_MS, .run = die };

static void note(int r, MnParcel *answer, gpointer data) {
    g_assert_true(data == &answers);
    answers.r[answers.n++] = r;
    if (answer->bytes->len == sizeof answers.pid)
        memcpy(&answers.pid, answer->bytes->data, sizeof answers.pid);
    else if (answer->bytes->len > 0)
        g_strlcpy(answers.text, (const char *)answer->bytes->data, sizeof answers.text);
    if (answer->fds->len > 0)
        answers.fd = mn_parcel_steal_fd(answer, 0);
}

static int ask(const MnTask *task, uid_t uid) {
    MnHelperJob *job;

    return mn_helper_ask(helper, task, uid, NULL, 0, NULL, 0, note, &answers, &job);
}

static pid_t ask_pid(void) {
    answers.pid = 0;
    CU_ASSERT_EQUAL(ask(&pid_task, ROOT), 0);
    mn_helper_settle(helper);
    return answers.pid;
}

static gboolean has_children(void) {
    siginfo_t info = { 0 };

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void test_questions_and_answers(void) {
    int fd = eventfd(7, 0);
    eventfd_t value = 0;
    MnHelperJob *job;

    CU_ASSERT_EQUAL(mn_helper_ask(helper, &echo_task, USER, "hello", 6, &fd, 1, note, &answers, &job), 0);
    CU_ASSERT_EQUAL(answers.n, 0); /* not from within */
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.n, 1);
    CU_ASSERT_EQUAL(answers.r[0], 0);
    CU_ASSERT_STRING_EQUAL(answers.text, "hello");
    CU_ASSERT_NOT_EQUAL(answers.fd, fd);
    CU_ASSERT_EQUAL(eventfd_read(answers.fd, &value), 0);
    CU_ASSERT_EQUAL(value, 7);
    CU_ASSERT_NOT_EQUAL(fcntl(fd, F_GETFD), -1); /* it stays ours */
    close(fd);

    CU_ASSERT_EQUAL(ask(&fail_task, USER), 0);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.r[1], -ENXIO);
}

static void test_nothing_is_started_before_it_is_needed(void) {
    CU_ASSERT(!has_children());
    CU_ASSERT_EQUAL(ask(&echo_task, USER), 0);
    CU_ASSERT(has_children());
    mn_helper_settle(helper);
    mn_helper_dismiss(helper);
    CU_ASSERT(!has_children());
    CU_ASSERT_NOT_EQUAL(ask_pid(), 0);
}

/* In a table that is full, too; and one that goes is replaced before it is asked. */
static void test_it_can_be_there_beforehand(void) {
    struct rlimit limit, none;
    int fd = eventfd(7, 0), next;
    MnHelperJob *job;
    pid_t first;

    CU_ASSERT_EQUAL(mn_helper_prepare(helper), 0);
    next = dup(fd);
    close(next);
    CU_ASSERT(has_children());
    getrlimit(RLIMIT_NOFILE, &limit);
    none = (struct rlimit){ .rlim_cur = next, .rlim_max = limit.rlim_max };
    setrlimit(RLIMIT_NOFILE, &none);
    CU_ASSERT_EQUAL(mn_helper_ask(helper, &fail_task, USER, NULL, 0, &fd, 1, note, &answers, &job), 0);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.r[0], -ENXIO);
    setrlimit(RLIMIT_NOFILE, &limit);
    close(fd);

    first = ask_pid();
    kill(first, SIGKILL);
    while (n_messages < 1)
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT(has_children());
    CU_ASSERT_NOT_EQUAL(ask_pid(), first);
}

static void test_it_has_nothing_open(void) {
    int secret = open("/dev/null", O_RDWR); /* as /dev/fuse, and without close-on-exec */

    CU_ASSERT_EQUAL(ask(&open_task, USER), 0);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.r[0], 1);
    close(secret);
}

static void test_one_after_the_other(void) {
    static const MnTask *const order[] = { &echo_task, &fail_task, &echo_task, &fail_task };

    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        CU_ASSERT_EQUAL(ask(order[i], i), 0);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL_FATAL(answers.n, G_N_ELEMENTS(order));
    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        CHECK(answers.r[i] == (order[i] == &fail_task ? -ENXIO : 0), "%u", i);
}

static void test_what_takes_too_long_is_given_up(void) {
    pid_t first = ask_pid();

    CU_ASSERT_EQUAL(ask(&hang_task, USER), 0);
    CU_ASSERT_EQUAL(ask(&pid_task, OTHER_USER), 0);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.n, 3);
    CU_ASSERT_EQUAL(answers.r[1], -EBUSY);
    CU_ASSERT_EQUAL(answers.r[2], 0); /* by another process */
    CU_ASSERT_NOT_EQUAL(answers.pid, first);
    CU_ASSERT_EQUAL(n_messages, 1);
}

static void test_one_that_is_killed(void) {
    pid_t first = ask_pid();

    CU_ASSERT_EQUAL(ask(&die_task, USER), 0);
    CU_ASSERT_EQUAL(ask(&echo_task, USER), 0); /* nobody is to blame */
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.r[1], -EIO);
    CU_ASSERT_EQUAL(answers.r[2], 0);
    CU_ASSERT_NOT_EQUAL(ask_pid(), first);
    CU_ASSERT_EQUAL(n_messages, 1);

    kill(ask_pid(), SIGKILL); /* while it does nothing */
    while (n_messages < 2)
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_NOT_EQUAL(ask_pid(), 0);
}

static void test_what_is_forgotten_is_not_answered(void) {
    MnHelperJob *first, *second;

    CU_ASSERT_EQUAL(mn_helper_ask(helper, &echo_task, USER, NULL, 0, NULL, 0, note, &answers, &first), 0);
    CU_ASSERT_EQUAL(mn_helper_ask(helper, &echo_task, USER, NULL, 0, NULL, 0, note, &answers, &second), 0);
    mn_helper_forget(first);  /* under way */
    mn_helper_forget(second); /* waiting */
    CU_ASSERT_EQUAL(ask(&fail_task, USER), 0);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.n, 1);
    CU_ASSERT_EQUAL(answers.r[0], -ENXIO);
}

static void ask_again(int r G_GNUC_UNUSED, MnParcel *answer G_GNUC_UNUSED, gpointer data) {
    CU_ASSERT_EQUAL(ask(&fail_task, USER), GPOINTER_TO_INT(data));
}

static void test_an_answer_may_ask(void) {
    MnHelperJob *job;

    CU_ASSERT_EQUAL(mn_helper_ask(helper, &echo_task, USER, NULL, 0, NULL, 0, ask_again, NULL, &job), 0);
    CU_ASSERT_EQUAL(ask(&echo_task, USER), 0);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.n, 2);
    CU_ASSERT_EQUAL(answers.r[0], 0);
    CU_ASSERT_EQUAL(answers.r[1], -ENXIO);
}

static void test_everybody_is_answered_at_the_end(void) {
    MnHelperJob *job;

    CU_ASSERT_EQUAL(ask(&stay_task, USER), 0);
    CU_ASSERT_EQUAL(ask(&echo_task, USER), 0);
    CU_ASSERT_EQUAL(
        mn_helper_ask(helper, &echo_task, USER, NULL, 0, NULL, 0, ask_again, GINT_TO_POINTER(-ENOTCONN), &job), 0);
    mn_helper_free(helper);
    CU_ASSERT_EQUAL(answers.n, 2);
    CU_ASSERT_EQUAL(answers.r[0], -ENOTCONN);
    CU_ASSERT_EQUAL(answers.r[1], -ENOTCONN);
    while (waitpid(-1, NULL, 0) > 0) /* it was killed */
        continue;
    helper = mn_helper_new(&mn_machine_clock, quota);
}

/* --- taking turns, by a clock set by hand --- */

static void wait_for_answers(guint n) {
    while (answers.n < n)
        g_main_context_iteration(NULL, TRUE);
}

/* Has the user's hanging job given up. */
static void hang_once(uid_t uid) {
    guint n = answers.n;

    CU_ASSERT_EQUAL(ask(&hang_task, uid), 0);
    skip_ms(SHORT_MS);
    wait_for_answers(n + 1);
    CU_ASSERT_EQUAL(answers.r[n], -EBUSY);
}

/* For the same, until it has ended and some time has passed. Others are not kept waiting, nor is root. */
static void test_who_asked_for_it_has_to_wait(void) {
    hang_once(OTHER_USER);
    hang_once(ROOT);
    hang_once(ROOT);
    hang_once(USER);
    CU_ASSERT_EQUAL(ask(&hang_task, USER), -EBUSY);
    CU_ASSERT_EQUAL(ask(&echo_task, USER), 0);
    mn_helper_settle(helper);
    mn_helper_dismiss(helper);
    while (has_children())
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(ask(&hang_task, USER), -EBUSY);
    skip_ms(10 * SHORT_MS - 1);
    CU_ASSERT_EQUAL(ask(&hang_task, USER), -EBUSY);
    skip_ms(1);
    hang_once(USER);
}

/* However long one takes: others get as many answers as they like meanwhile, by one more process. */
static void test_a_slow_one_is_set_aside(void) {
    pid_t second;

    CU_ASSERT_EQUAL(ask(&stay_task, USER), 0);
    CU_ASSERT_EQUAL(ask(&pid_task, OTHER_USER), 0);
    skip_ms(PATIENCE_MS);
    wait_for_answers(1);
    second = answers.pid;
    for (guint i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(ask(&pid_task, i % 2 ? ROOT : OTHER_USER), 0);
        wait_for_answers(i + 2);
        CU_ASSERT_EQUAL(answers.pid, second);
    }
    CU_ASSERT_EQUAL(n_messages, 0);
}

static void test_a_slow_one_may_still_be_answered(void) {
    int gate = eventfd(0, 0);
    MnHelperJob *job;

    CU_ASSERT_EQUAL(mn_helper_ask(helper, &wait_task, USER, NULL, 0, &gate, 1, note, &answers, &job), 0);
    skip_ms(PATIENCE_MS);
    CU_ASSERT_EQUAL(ask(&fail_task, OTHER_USER), 0);
    wait_for_answers(1);
    CU_ASSERT_EQUAL(answers.r[0], -ENXIO);
    CU_ASSERT_EQUAL(eventfd_write(gate, 1), 0);
    wait_for_answers(2);
    CU_ASSERT_EQUAL(answers.r[1], 0);
    close(gate);
}

/* Nobody has to be patient with who is alone, and his own wait for him. */
static void test_a_users_own_wait_for_his_slow_one(void) {
    CU_ASSERT_EQUAL(ask(&hang_task, USER), 0);
    CU_ASSERT_EQUAL(ask(&fail_task, USER), 0);
    skip_ms(SHORT_MS - 1);
    CU_ASSERT_EQUAL(ask(&echo_task, OTHER_USER), 0);
    skip_ms(1);
    wait_for_answers(3);
    CU_ASSERT_EQUAL(answers.r[0], -EBUSY);
    CU_ASSERT_EQUAL(answers.r[1], 0);
    CU_ASSERT_EQUAL(answers.r[2], -ENXIO);
}

/* What waits behind one that was given up does not hang as well. */
static void test_the_same_again_is_refused_when_its_turn_comes(void) {
    CU_ASSERT_EQUAL(ask(&hang_task, USER), 0);
    CU_ASSERT_EQUAL(ask(&hang_task, USER), 0);
    CU_ASSERT_EQUAL(ask(&echo_task, USER), 0);
    skip_ms(SHORT_MS);
    wait_for_answers(3);
    CU_ASSERT_EQUAL(answers.r[0], -EBUSY);
    CU_ASSERT_EQUAL(answers.r[1], -EBUSY);
    CU_ASSERT_EQUAL(answers.r[2], 0);
    CU_ASSERT_EQUAL(n_messages, 1);
}

static void test_a_flood_costs_others_one_turn(void) {
    for (guint i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(ask(&echo_task, USER), 0);
    CU_ASSERT_EQUAL(ask(&fail_task, OTHER_USER), 0);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(answers.r[1], -ENXIO); /* the first was under way */
}

static void test_there_are_no_more_than_so_many(void) {
    guint n = 0;

    for (uid_t uid = USER; n < PROCESSES_MAX; uid++, n++) {
        CU_ASSERT_EQUAL(ask(&stay_task, uid), 0);
        skip_ms(PATIENCE_MS);
    }
    CU_ASSERT_EQUAL(ask(&fail_task, USER + n), 0); /* waits */
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    CU_ASSERT_EQUAL(answers.n, 0);
    CU_ASSERT_EQUAL(ask(&echo_task, ROOT), 0); /* does not */
    wait_for_answers(1);
    CU_ASSERT_EQUAL(answers.r[0], 0);
    skip_ms(LONG_MS);
    wait_for_answers(1 + n + 1);
    CU_ASSERT_EQUAL(answers.r[n], -EBUSY);
    CU_ASSERT_EQUAL(answers.r[n + 1], -EBUSY);
}

static int burn(MnParcel *question G_GNUC_UNUSED, MnParcel *answer G_GNUC_UNUSED) {
    gint64 end_us = mn_cpu_used_us() + 510 * G_TIME_SPAN_MILLISECOND;

    while (mn_cpu_used_us() < end_us)
        continue;
    return 0;
}

/* Uses up what a user may use at once. */
static void use_share(uid_t uid) {
    static const MnTask burn_task = { .name = "use a CPU", .limit_ms = LONG_MS, .run = burn };

    for (guint i = 0; i < 2; i++) {
        guint n = answers.n;

        CU_ASSERT_EQUAL(ask(&burn_task, uid), 0);
        wait_for_answers(n + 1);
    }
}

/* He is not refused, others do not notice, and root has as much as he wants. */
static void test_who_has_used_up_his_share_waits(void) {
    use_share(ROOT);
    use_share(USER);
    CU_ASSERT_EQUAL(ask(&fail_task, USER), 0);
    for (guint i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(ask(&echo_task, i % 2 ? ROOT : OTHER_USER), 0);
        wait_for_answers(5 + i);
        CU_ASSERT_EQUAL(answers.r[4 + i], 0);
    }
    skip_ms(10000);
    wait_for_answers(15);
    CU_ASSERT_EQUAL(answers.r[14], -ENXIO);
}

/* Somebody asks in the moment between that at which it is the other's turn again and that at which the loop sees it. */
static void test_no_turn_is_forgotten(void) {
    use_share(USER);
    CU_ASSERT_EQUAL(ask(&fail_task, USER), 0);
    skip_ms(1000);
    CU_ASSERT_EQUAL(ask(&echo_task, OTHER_USER), 0);
    wait_for_answers(4);
}

static void test_what_is_urgent_does_not(void) {
    use_share(USER);
    CU_ASSERT_EQUAL(ask(&urgent_task, USER), 0);
    wait_for_answers(3);
    CU_ASSERT_EQUAL(answers.r[2], -ENXIO);
}

static CU_TestInfo turn_tests[] = {
    { "who asked for it has to wait", test_who_asked_for_it_has_to_wait },
    { "a slow one is set aside", test_a_slow_one_is_set_aside },
    { "a slow one may still be answered", test_a_slow_one_may_still_be_answered },
    { "a user's own wait for his slow one", test_a_users_own_wait_for_his_slow_one },
    { "the same again is refused when its turn comes", test_the_same_again_is_refused_when_its_turn_comes },
    { "a flood costs others one turn", test_a_flood_costs_others_one_turn },
    { "there are no more than so many", test_there_are_no_more_than_so_many },
    { "who has used up his share waits", test_who_has_used_up_his_share_waits },
    { "no turn is forgotten", test_no_turn_is_forgotten },
    { "what is urgent does not", test_what_is_urgent_does_not },
    CU_TEST_INFO_NULL,
};

static CU_TestInfo tests[] = {
    { "questions and answers", test_questions_and_answers },
    { "nothing is started before it is needed", test_nothing_is_started_before_it_is_needed },
    { "it can be there beforehand", test_it_can_be_there_beforehand },
    { "it has nothing open", test_it_has_nothing_open },
    { "one after the other", test_one_after_the_other },
    { "what takes too long is given up", test_what_takes_too_long_is_given_up },
    { "one that is killed", test_one_that_is_killed },
    { "what is forgotten is not answered", test_what_is_forgotten_is_not_answered },
    { "an answer may ask", test_an_answer_may_ask },
    { "everybody is answered at the end", test_everybody_is_answered_at_the_end },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "helper", NULL, NULL, set_up, tear_down, tests },
                              { "turns", NULL, NULL, set_up_by_hand, tear_down, turn_tests },
                              CU_SUITE_INFO_NULL };

    g_log_set_writer_func(count_message, NULL, NULL);
    return run_suites(suites);
}
