/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* user-oom MOUNTPOINT LIMIT [COUNT]: keeps the list of processes to sacrifice up to date while memory
 * is short.
 *
 *   user-oom /run/memnotify 'available<5%' 10
 *
 * The program that was promised with /proc/oom in 2005, which had to look at /proc/meminfo again and
 * again. This one sleeps in poll() on a threshold of its own. While LIMIT is reached it writes the
 * COUNT (10) worst of oom_ranking to oom, and once more every ten seconds because processes come and
 * go; when memory is back it clears the list. It lists neither itself nor what has a negative
 * oom_score_adj nor, unless it runs as root, what is not its user's. SIGTERM ends it and takes the threshold and the list away. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT 10
#define COUNT_MAX 1000
#define REFRESH_MS 10000
#define TRIES 10

static volatile sig_atomic_t has_to_end;

static void on_signal(int number) {
    (void)number;
    has_to_end = 1;
}

static int fail(const char *what) {
    fprintf(stderr, "user-oom: %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

/* Who has been given a negative score is not to be sacrificed: sshd, say. */
static int is_protected(int pid) {
    char path[40];
    int score = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%d", &score) != 1)
        score = 0;
    fclose(file);
    return score < 0;
}

static int is_candidate(int pid) {
    char path[32];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d", pid);
    return pid != getpid() && stat(path, &st) == 0 && (geteuid() == 0 || st.st_uid == geteuid()) && !is_protected(pid);
}

/* The first `count` candidates of the ranking: "11 22 33 \n". */
static int read_ranking(char *list, size_t size, int count) {
    char line[512];
    size_t len = 0;
    FILE *ranking;

    ranking = fopen("oom_ranking", "re");
    if (!ranking)
        return -1;
    while (count > 0 && fgets(line, sizeof line, ranking)) {
        int pid = atoi(line);

        if (is_candidate(pid)) {
            len += snprintf(list + len, size - len, "%d ", pid);
            count--;
        }
    }
    fclose(ranking);
    snprintf(list + len, size - len, "\n");
    return 0;
}

static int write_list(const char *list) {
    ssize_t n;
    int fd;

    fd = open("oom", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    n = write(fd, list, strlen(list));
    close(fd);
    return n < 0 ? -1 : 0;
}

/* A process that ends between ranking and writing makes the whole write fail: then rank again. */
static int list_worst(int count) {
    char list[COUNT_MAX * 12 + 2];
    int r = -1;

    for (int i = 0; i < TRIES && r < 0; i++) {
        if (read_ranking(list, sizeof list, count) < 0)
            return -1;
        r = write_list(list);
        if (r < 0 && errno != ESRCH && errno != EPERM)
            return -1;
    }
    return r;
}

/* The directory is everybody's: a name that can be guessed may have been taken by somebody whose file we
 * would then watch. Returns a descriptor of a new file that is ours, and its name; -1 on failure. */
static int create_threshold(char *ret_name, size_t size) {
    unsigned long long number;
    struct stat st;
    int fd = -1;

    for (int i = 0; i < TRIES && fd < 0; i++) {
        if (getrandom(&number, sizeof number, 0) != sizeof number)
            return -1;
        snprintf(ret_name, size, "thresholds/user-oom.%d.%llx", getpid(), number);
        fd = open(ret_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0 && errno != EEXIST)
            return -1;
    }
    if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_uid != geteuid())) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

/* Takes the name away, if nobody has removed it and given it to another file. */
static void remove_threshold(int threshold, const char *name) {
    struct stat own, named;

    if (fstat(threshold, &own) == 0 && fstatat(AT_FDCWD, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        own.st_dev == named.st_dev && own.st_ino == named.st_ino)
        (void)unlink(name);
    close(threshold);
}

/* Whether any limit of the threshold is reached; reading also says that we have seen it. */
static int is_reached(int threshold) {
    char text[4096];
    ssize_t n;

    n = pread(threshold, text, sizeof text - 1, 0);
    if (n < 0)
        return -1;
    text[n] = '\0';
    return strstr(text, " reached=1 ") != NULL;
}

/* Until a signal comes. Signals are blocked but while it sleeps. */
static int watch(int threshold, int count, const sigset_t *while_asleep) {
    struct timespec refresh = { .tv_sec = REFRESH_MS / 1000 };
    struct pollfd entry = { .fd = threshold, .events = POLLIN };
    int reached = 0;

    while (!has_to_end) {
        if (ppoll(&entry, 1, reached ? &refresh : NULL, while_asleep) < 0) {
            if (errno == EINTR)
                continue;
            return fail("cannot wait");
        }
        if (entry.revents & (POLLERR | POLLHUP)) {
            errno = ENODEV; /* unmounted, or somebody has removed the threshold */
            return fail("the threshold is gone");
        }
        reached = is_reached(threshold);
        if (reached < 0)
            return fail("cannot read the threshold");
        if ((reached ? list_worst(count) : write_list("\n")) < 0)
            (void)fail("cannot write the list"); /* and try again */
    }
    (void)write_list("\n");
    return EXIT_SUCCESS;
}

static void prepare_signals(sigset_t *ret_while_asleep) {
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, ret_while_asleep);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv) {
    int threshold, count = argc > 3 ? atoi(argv[3]) : COUNT, status;
    sigset_t while_asleep;
    char name[64];

    if (argc < 3 || argc > 4 || count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: user-oom MOUNTPOINT LIMIT [COUNT], such as user-oom /run/memnotify 'available<5%%'\n");
        return 2;
    }
    if (chdir(argv[1]) < 0)
        return fail(argv[1]);
    prepare_signals(&while_asleep);
    (void)mlockall(MCL_CURRENT | MCL_FUTURE); /* it is needed when there is no memory to be had */

    threshold = create_threshold(name, sizeof name);
    if (threshold < 0)
        return fail("cannot make a threshold");
    status = write(threshold, argv[2], strlen(argv[2])) < 0 ? fail(argv[2]) : watch(threshold, count, &while_asleep);
    remove_threshold(threshold, name);
    return status;
}
