/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* managed-oom SOCKET PROPERTY=GROUP[:PERCENT]...: stands in for process 1 of a machine with systemd, as far as
 * systemd-oomd asks anything of it: which groups are to be watched.
 *
 * That is one call by varlink (JSON, each message ended by a NUL), io.systemd.ManagedOOM.SubscribeManagedOOMCGroups,
 * which is answered with all groups and stays open for what changes. Here nothing changes: the groups have to be there
 * before systemd-oomd starts. GROUP is a path below the root of cgroup v2, and PERCENT a limit of
 * ManagedOOMMemoryPressure. An answer, in one line:
 *
 *     {"parameters":{"cgroups":[{"mode":"kill","path":"/","property":"ManagedOOMSwap"}]},"continues":true}
 */
#include "fatal.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define METHOD "\"io.systemd.ManagedOOM.SubscribeManagedOOMCGroups\""
#define NO_METHOD "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{}}"

/* "ManagedOOMMemoryPressure=/user.slice:50": a limit is sent as a part of UINT32_MAX. */
static void print_group(FILE *answer, const char *group) {
    char property[64], path[256];
    unsigned percent;
    int fields = sscanf(group, "%63[A-Za-z]=%255[^:]:%u", property, path, &percent);

    if (fields < 2 || (fields == 3 && percent > 100))
        fatal("not PROPERTY=GROUP[:PERCENT]: '%s'", group);
    fprintf(answer, "{\"mode\":\"kill\",\"path\":\"%s\",\"property\":\"%s\"", path, property);
    if (fields == 3)
        fprintf(answer, ",\"limit\":%u", (unsigned)((uint64_t)UINT32_MAX * percent / 100));
    fputc('}', answer);
}

static char *format_answer(char **groups) {
    char *text = NULL;
    size_t len;
    FILE *answer = open_memstream(&text, &len);

    if (!answer)
        fatal("no memory for the answer");
    fputs("{\"parameters\":{\"cgroups\":[", answer);
    for (char **group = groups; *group; group++) {
        print_group(answer, *group);
        if (group[1])
            fputc(',', answer);
    }
    fputs("]},\"continues\":true}", answer);
    fclose(answer);
    return text;
}

static int listen_at(const char *path) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        fatal("the name of the socket is too long: '%s'", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
        fatal("cannot listen at '%s'", path);
    return fd;
}

/* A message, without its NUL. False when the client has gone. */
static bool receive(int client, char *message, size_t size) {
    for (size_t len = 0; len < size; len++) {
        if (read(client, message + len, 1) != 1)
            return false;
        if (message[len] == '\0')
            return true;
    }
    return false;
}

static void serve(int client, const char *answer) {
    char message[4096];

    while (receive(client, message, sizeof message)) {
        bool is_known = strstr(message, METHOD);
        const char *reply = is_known ? answer : NO_METHOD;

        if (write(client, reply, strlen(reply) + 1) < 0)
            return;
        fprintf(stderr, "managed-oom: %s %s\n", is_known ? "told" : "does not know", is_known ? reply : message);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: managed-oom SOCKET PROPERTY=GROUP[:PERCENT]...\n");
        return 2;
    }

    char *answer = format_answer(argv + 2);
    int fd = listen_at(argv[1]);

    for (;;) {
        int client = accept(fd, NULL, NULL);

        if (client < 0)
            fatal("cannot accept");
        serve(client, answer);
        close(client);
    }
}
