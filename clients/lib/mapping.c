/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapping.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BYTES sizeof(struct memnotifyfs_page)

/* A file that becomes shorter would be SIGBUS to who reads. */
static bool is_safe(int fd) {
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat file;

    return seals >= 0 && (seals & F_SEAL_SHRINK) && fstat(fd, &file) == 0 && file.st_size >= (off_t)BYTES;
}

static bool is_known(const struct memnotifyfs_page *page) {
    return page->version == MEMNOTIFYFS_PAGE_VERSION && page->bytes >= BYTES &&
           page->n_meters <= MEMNOTIFYFS_PAGE_METERS_MAX;
}

int mapping_renew(int fd, const struct memnotifyfs_page **page) {
    void *mapped;

    if (!is_safe(fd))
        return -EPROTO;
    mapped = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        return -errno;
    if (!is_known(mapped)) {
        munmap(mapped, BYTES);
        return -EPROTO;
    }
    /* Exchanged under the lock of the address space: who reads meanwhile finds one or the other. */
    if (*page && mremap(mapped, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)*page) == MAP_FAILED) {
        int error = errno;

        munmap(mapped, BYTES);
        return -error;
    }
    if (!*page)
        *page = mapped;
    return 0;
}

void mapping_clear(const struct memnotifyfs_page **page) {
    if (*page)
        munmap((void *)*page, BYTES);
    *page = NULL;
}
