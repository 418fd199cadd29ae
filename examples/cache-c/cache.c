/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cache.h"

#include <memnotifyfs/client.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    size_t size;
    char bytes[];
};

struct cache {
    memnotifyfs *client;
    struct block *blocks;
    size_t size;
};

struct cache *cache_new(const char *limits) {
    struct cache *self = calloc(1, sizeof *self);

    if (self && memnotifyfs_open(NULL, &self->client) == 0 && memnotifyfs_set_limits(self->client, limits) == 0)
        return self;
    cache_free(self);
    return NULL;
}

static void give_up_all(struct cache *self) {
    while (self->blocks) {
        struct block *block = self->blocks;

        self->blocks = block->next;
        free(block);
    }
    self->size = 0;
}

void cache_free(struct cache *self) {
    if (!self)
        return;
    give_up_all(self);
    memnotifyfs_close(self->client);
    free(self);
}

int cache_add(struct cache *self, const void *bytes, size_t size) {
    struct block *block = malloc(sizeof *block + size);

    if (!block)
        return -1;
    memcpy(block->bytes, bytes, size);
    block->size = size;
    block->next = self->blocks;
    self->blocks = block;
    self->size += size;
    return 0;
}

size_t cache_get_size(const struct cache *self) {
    return self->size;
}

int cache_get_fd(const struct cache *self) {
    return memnotifyfs_get_fd(self->client);
}

void cache_react(struct cache *self) {
    struct memnotifyfs_event event;

    while (memnotifyfs_next(self->client, &event) > 0)
        if (event.kind == MEMNOTIFYFS_REACHED)
            give_up_all(self);
}
