/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts allocations, those of libraries too: by standing in front of the C library's allocator, or
 * by a hook where a sanitizer stands there already. Needs G_SLICE=always-malloc, since GLib's slices
 * are handed out without asking the allocator each time. */
#include "allocations.h"

#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER
#endif

static guint64 n_allocations;

#ifdef HAS_SANITIZER

int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
                                              void (*free_hook)(const volatile void *));

static void count(const volatile void *block G_GNUC_UNUSED, size_t size G_GNUC_UNUSED) {
    n_allocations++;
}

static void ignore(const volatile void *block G_GNUC_UNUSED) {
}

__attribute__((constructor)) static void install_hooks(void) {
    if (__sanitizer_install_malloc_and_free_hooks(count, ignore) == 0)
        abort();
}

#else

/* What the C library's own allocator is called by those who stand in front of it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t size);

void *malloc(size_t size) {
    n_allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    n_allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *block, size_t size) {
    n_allocations++;
    return __libc_realloc(block, size);
}

#endif

guint64 allocations(void) {
    return n_allocations;
}
