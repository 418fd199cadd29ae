/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* glibc's own is asked last and always: what has taken its place serves malloc(), and the C library may hold something
 * from before that. */
#include "allocator.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

/* A function may have any type that a symbol has; C has no cast for it. */
typedef union Symbol {
    void *address;
    int (*mallctl)(const char *, void *, size_t *, void *, size_t);
    void (*release)(void);
    void (*collect)(bool);
    int (*trim)(size_t);
} Symbol;

/* MALLCTL_ARENAS_ALL of jemalloc 5. Before, the number of arenas stood for all of them. */
static void purge_jemalloc(Symbol symbol) {
    unsigned n_arenas;
    size_t size = sizeof n_arenas;
    char name[48];

    if (symbol.mallctl("arena.4096.purge", NULL, NULL, NULL, 0) == 0 ||
        symbol.mallctl("arenas.narenas", &n_arenas, &size, NULL, 0) != 0)
        return;
    snprintf(name, sizeof name, "arena.%u.purge", n_arenas);
    symbol.mallctl(name, NULL, NULL, NULL, 0);
}

static void release_tcmalloc(Symbol symbol) {
    symbol.release();
}

static void collect_mimalloc(Symbol symbol) {
    symbol.collect(true);
}

static void trim_glibc(Symbol symbol) {
    symbol.trim(0);
}

static const struct {
    const char *name;
    const char *symbol;
    void (*give_back)(Symbol symbol);
} allocators[] = {
    { "jemalloc", "mallctl", purge_jemalloc },
    { "tcmalloc", "MallocExtension_ReleaseFreeMemory", release_tcmalloc },
    { "mimalloc", "mi_collect", collect_mimalloc },
    { "glibc", "malloc_trim", trim_glibc },
};
#define N_ALLOCATORS (sizeof allocators / sizeof *allocators)

static Symbol found[N_ALLOCATORS]; /* of each, or NULL */

void allocators_find(void) {
    for (size_t i = 0; i < N_ALLOCATORS; i++)
        found[i].address = dlsym(RTLD_DEFAULT, allocators[i].symbol);
}

void allocators_give_back(char *ret_names, size_t size) {
    size_t len = 0;

    *ret_names = '\0';
    for (size_t i = 0; i < N_ALLOCATORS; i++) {
        if (!found[i].address)
            continue;
        allocators[i].give_back(found[i]);
        if (len < size)
            len += snprintf(ret_names + len, size - len, "%s%s", len > 0 ? ", " : "", allocators[i].name);
    }
}
