/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmemnotifyfs in a C++ program, beside the header that needs no library: every function is called. */
#include <memnotifyfs/client.h>
#include <memnotifyfs/memnotifyfs.h>

#include <cstdio>

int main() {
    memnotifyfs *client = nullptr;
    const struct memnotifyfs_page *page = nullptr;
    struct memnotifyfs_event event;
    uint64_t pages;
    unsigned column;
    int r = memnotifyfs_open("/nonexistent", &client);

    if (r == 0) { // which it is not, but may be for all that the compiler knows
        memnotifyfs_set_limits(client, "used 80%");
        memnotifyfs_get_fd(client);
        while (memnotifyfs_next(client, &event) > 0 && memnotifyfs_is_reached(client, event.meter))
            if (event.kind == MEMNOTIFYFS_LEFT)
                std::puts(memnotifyfs_get_error(client, &column));
        memnotifyfs_get_meter(client, "used", &pages);
        memnotifyfs_get_page(client, &page);
    }
    memnotifyfs_close(client);
    bool is_well = r == -ENOENT && memnotifyfs_watch("/nonexistent", "used 80%") == -ENOENT;
    std::printf("%d passed, %d failed\n", is_well, !is_well);
    return !is_well;
}
