/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SELF "/proc/self/exe"

/* As deep as the kernel goes with scripts whose interpreters are scripts. */
#define SCRIPTS_MAX 5

/* More than any program has by far. */
#define HEADERS_MAX 128

/* As execvp(3) finds it: the first that may be executed. 0 or -errno. */
static int find(const char *name, char ret[PATH_MAX]) {
    const char *directories = getenv("PATH");

    if (strchr(name, '/') || !directories)
        return snprintf(ret, PATH_MAX, "%s", name) < PATH_MAX ? 0 : -ENAMETOOLONG;
    for (;; directories++) {
        int len = (int)strcspn(directories, ":");
        struct stat st;

        if (snprintf(ret, PATH_MAX, "%.*s%s%s", len, directories, len > 0 ? "/" : "", name) < PATH_MAX &&
            stat(ret, &st) == 0 && S_ISREG(st.st_mode) && access(ret, X_OK) == 0)
            return 0;
        directories += len;
        if (*directories == '\0')
            return -ENOENT;
    }
}

/* "#!/usr/bin/env python3": /usr/bin/env. Whether `text`, ended by NUL, is such a line. */
static bool find_interpreter(const char *text, char ret[PATH_MAX]) {
    size_t len;

    if (strncmp(text, "#!", 2) != 0)
        return false;
    text += 2;
    text += strspn(text, " \t");
    len = strcspn(text, " \t\n");
    snprintf(ret, PATH_MAX, "%.*s", (int)len, text);
    return len > 0;
}

/* The path of the dynamic loader that the ELF file wants; "" for none. 0; -ENOEXEC for what is no program of the kind that
 * we are. */
static int read_loader(int fd, char ret[PATH_MAX]) {
    ElfW(Phdr) headers[HEADERS_MAX];
    ElfW(Ehdr) start;
    ssize_t len;

    if (pread(fd, &start, sizeof start, 0) != sizeof start || memcmp(start.e_ident, ELFMAG, SELFMAG) != 0 ||
        start.e_phentsize != sizeof *headers || start.e_phnum > HEADERS_MAX)
        return -ENOEXEC;
    len = (ssize_t)(start.e_phnum * sizeof *headers);
    if (pread(fd, headers, (size_t)len, (off_t)start.e_phoff) != len)
        return -ENOEXEC;

    *ret = '\0';
    for (size_t i = 0; i < start.e_phnum; i++) {
        if (headers[i].p_type != PT_INTERP)
            continue;
        if (headers[i].p_filesz == 0 || headers[i].p_filesz >= PATH_MAX)
            return -ENOEXEC;
        len = (ssize_t)headers[i].p_filesz;
        if (pread(fd, ret, (size_t)len, (off_t)headers[i].p_offset) != len)
            return -ENOEXEC;
        ret[len] = '\0';
    }
    return 0;
}

static ProgramKind compare_loader(int fd) {
    char theirs[PATH_MAX], ours[PATH_MAX] = "";
    int self_fd = open(SELF, O_RDONLY | O_CLOEXEC);

    if (self_fd >= 0) {
        if (read_loader(self_fd, ours) < 0)
            *ours = '\0';
        close(self_fd);
    }
    if (read_loader(fd, theirs) < 0)
        return PROGRAM_FOREIGN;
    if (*theirs == '\0')
        return PROGRAM_STATIC;
    return strcmp(theirs, ours) == 0 ? PROGRAM_LIKE_US : PROGRAM_FOREIGN;
}

/* Where a user is not mapped into this user namespace, the kernel does not heed the bits for him; he shows as another than
 * us, too. Rights too few are said then, not too many. */
static bool gets_rights(int fd) {
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    return ((st.st_mode & S_ISUID) && st.st_uid != getuid()) ||
           ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getgid()) ||
           fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

/* Whether it is a script, whose interpreter is then to be looked at. */
static bool look_at(const char *path, Program *program, char ret_interpreter[PATH_MAX]) {
    char text[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_script;

    if (fd < 0)
        return false;
    is_script = pread(fd, text, sizeof text - 1, 0) >= 2 && find_interpreter(text, ret_interpreter);
    if (!is_script) {
        program->has_rights = gets_rights(fd);
        program->kind = compare_loader(fd);
    }
    close(fd);
    return is_script;
}

Program program_look(const char *name) {
    Program program = { .kind = PROGRAM_UNKNOWN };
    char path[PATH_MAX], interpreter[PATH_MAX];

    if (find(name, path) < 0)
        return program;
    for (int i = 0; i < SCRIPTS_MAX && look_at(path, &program, interpreter); i++)
        memcpy(path, interpreter, sizeof path);
    return program;
}
