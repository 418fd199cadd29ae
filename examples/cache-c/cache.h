/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Blocks that could be read again, and are given up when memory is short. */
struct cache;

/* NULL: there is no memory, or no memnotifyfs. */
struct cache *cache_new(const char *limits);
void cache_free(struct cache *self);

/* Keeps a copy; 0, or -1. */
int cache_add(struct cache *self, const void *bytes, size_t size);
size_t cache_get_size(const struct cache *self);

/* To be polled for POLLIN: then cache_react() is to be called, which may give up what there is. */
int cache_get_fd(const struct cache *self);
void cache_react(struct cache *self);
