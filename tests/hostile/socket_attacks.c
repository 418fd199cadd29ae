/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* socket_attacks NAME PATH: one user takes all that he can get from the socket, in one way of the table, by connections
 * that never wait. Says "attacking" when he begins, and goes on until he is killed. To be refused is what he expects. */
#include "attacker.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONNECTIONS 4000 /* more than one user may have */
#define FEW 50

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int fds[CONNECTIONS];
static int n_fds, next;

static int try_connect(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static ssize_t try_send(int fd, const char *text, size_t len) {
    return send(fd, text, len, MSG_NOSIGNAL);
}

static void ignore(ssize_t result __attribute__((unused))) {
}

/* One of `n` connections, which are made as they are needed; -1 while one cannot be had. */
static int one_of(int n) {
    next = (next + 1) % n;
    if (next >= n_fds) {
        fds[n_fds] = try_connect();
        next = n_fds;
        if (fds[n_fds] < 0)
            return -1;
        n_fds++;
    }
    return fds[next];
}

static void replace(int place) {
    close(fds[place]);
    fds[place] = fds[--n_fds];
}

/* Again and again as much of a text as there is room for, and a new connection where one has ended. */
static void flood(int n, const char *text, size_t len) {
    int fd = one_of(n);

    if (fd >= 0 && try_send(fd, text, len) < 0 && errno != EAGAIN)
        replace(next);
}

static void flood_and_read(int n, const char *text, size_t len) {
    static char answers[65536];

    flood(n, text, len);
    if (next < n_fds && recv(fds[next], answers, sizeof answers, 0) == 0)
        replace(next);
}

/* ---- */

static void connect_and_close(void) {
    close(try_connect());
}

static void connect_and_close_in_the_middle(void) {
    static const char text[] =
        "watch used 5000 active 5000\nread\neventfd used 5000\npage\nsome 150000 1000000\nquit\n";
    int fd = try_connect();

    ignore(try_send(fd, text, rand() % sizeof text));
    close(fd);
}

/* As many as there can be, and all of them closed when there can be no more. */
static void connect_many(void) {
    if (n_fds < CONNECTIONS && one_of(CONNECTIONS) >= 0)
        return;
    while (n_fds > 0)
        close(fds[--n_fds]);
}

static void ask_and_never_read(void) {
    static const char text[] = "watch used 5000 active 5000 free 5000\nread\nread\nread\nread\nread\nread\nread\n";

    flood(CONNECTIONS, text, sizeof text - 1);
}

static void never_receive(void) {
    static const char text[] = "eventfd used 5000\npage\neventfd active 5000\npage\neventfd free 5000\nread\n";

    flood(CONNECTIONS, text, sizeof text - 1);
}

/* Which takes the room for a whole one. */
static void send_half_lines(void) {
    if (n_fds == CONNECTIONS)
        while (n_fds > 0)
            close(fds[--n_fds]);
    fds[n_fds] = try_connect();
    if (fds[n_fds] < 0)
        return;
    ignore(try_send(fds[n_fds], "watch used 5000", 15));
    n_fds++;
}

static void send_junk(void) {
    char junk[4096];

    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (char)rand();
    flood(FEW, junk, sizeof junk);
}

static void send_without_end(void) {
    static char text[1 << 20];

    memset(text, 'x', sizeof text);
    flood(FEW, text, sizeof text);
}

static void send_nothing(void) {
    static const char text[4096] = "\n\n\n";

    flood(FEW, text, sizeof text);
}

static void ask_and_read(void) {
    static const char text[] = "read\nread\nread\nread\nread\nread\nread\nread\n";

    flood_and_read(FEW, text, sizeof text - 1);
}

static void change_limits(void) {
    static const char text[] = "watch used 5000 active 5000\nwatch free 5000\nwatch nonsense\neventfd used 5x\nwatch\n"
                               "some 150000 1000000\nfull 150000 1000000\nsome 1\n";

    flood_and_read(FEW, text, sizeof text - 1);
}

static void receive_and_close(void) {
    static const char text[] = "page\neventfd used 5000 active 5000\n";
    static char answers[65536];
    int fd = one_of(FEW);

    if (fd < 0)
        return;
    ignore(try_send(fd, text, sizeof text - 1));
    if (recv(fd, answers, sizeof answers, 0) >= 0) /* which closes what comes with it */
        replace(next);
}

/* ---- */

static const struct Attack {
    const char *name;
    void (*act)(void); /* again and again */
} attacks[] = {
    { "connects", connect_and_close },
    { "middle", connect_and_close_in_the_middle },
    { "many", connect_many },
    { "deaf", ask_and_never_read },
    { "unreceived", never_receive },
    { "halves", send_half_lines },
    { "junk", send_junk },
    { "endless", send_without_end },
    { "empty", send_nothing },
    { "reads", ask_and_read },
    { "limits", change_limits },
    { "descriptors", receive_and_close },
};

int main(int argc, char **argv) {
    const struct Attack *attack = NULL;
    struct rlimit limit;

    demand_arguments(argc, 2, "socket_attacks NAME PATH");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[2]);
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        if (strcmp(attacks[i].name, argv[1]) == 0)
            attack = &attacks[i];
    if (!attack)
        fail(argv[1]);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    say("attacking");
    for (;;)
        attack->act();
}
