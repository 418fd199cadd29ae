/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The allocators that the program has, as far as they can be asked to give back what they hold. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <stddef.h>

/* Looks up which ones there are, among the symbols that all of the program sees: one that is linked in with names of its
 * own, as in most programs of Rust, is not found. Before the program runs, since later another thread of it may load a
 * library, and wait for us. */
void allocators_find(void);

/* From any thread; what other threads hold
 * in their own caches stays with them. May wait for the allocators' locks. Writes the names of those that were asked,
 * "jemalloc, glibc", or "" where there is none; `size` is that of `ret_names`. */
void allocators_give_back(char *ret_names, size_t size);

#endif
