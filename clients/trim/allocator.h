/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The allocators that the program has, as far as they can be asked to give back what they hold. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <stddef.h>

/* Which ones there are is looked up when they are asked, among the symbols that all of the program sees: an allocator that
 * is linked in with names of its own, as in most programs of Rust, is not found. From any thread; what other threads hold
 * in their own caches stays with them. May wait for the allocators' locks. Writes the names of those that were asked,
 * "jemalloc, glibc", or "" where there is none; `size` is that of `ret_names`. */
void allocators_give_back(char *ret_names, size_t size);

#endif
