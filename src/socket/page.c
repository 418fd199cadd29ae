/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One page for all clients, of shared memory that nobody but us can write to, not even the one who has our descriptor:
 * it is sealed against it once we have mapped it.
 *
 * That we have ended, also by SIGKILL, the kernel tells the readers, by what it does for robust futexes: where a thread
 * ends it sets FUTEX_OWNER_DIED in each word of a list of its own that has the thread's id in it (get_robust_list(2)). The
 * list has one entry, which is ours; the word is in the page. */
#include "page.h"

#include "kernel/ourselves.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <memnotifyfs/page.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

G_STATIC_ASSERT(MN_N_METERS <= MEMNOTIFYFS_PAGE_METERS_MAX);
G_STATIC_ASSERT(MEMNOTIFYFS_PAGE_ENDED == FUTEX_OWNER_DIED);

/* Linux 5.1; what <linux/fcntl.h> has, which <fcntl.h> does not get on with. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

struct MnPage {
    MnSubscriber subscriber; /* the board's while somebody has the page: so that there are moments */
    MnWitness witness;
    MnBoard *board;
    struct memnotifyfs_page *memory;
    int fd; /* for reading */
    guint n_holders;
    MnMeterId meters[MEMNOTIFYFS_PAGE_METERS_MAX]; /* in the order of the names */
    struct robust_list entry;
    struct robust_list_head robust;
};

/* The bank that no reader is sent to is written, and then they are. Of the values of the moment before last, which it
 * had, nobody has read half once he sees that `sequence` is the same. */
static void write_values(MnPage *self, const MnMoment *moment) {
    struct memnotifyfs_page *page = self->memory;
    guint32 sequence = page->sequence + 1, state = moment->is_gone ? MEMNOTIFYFS_PAGE_GONE : 0;
    struct memnotifyfs_page_bank *bank = &page->banks[sequence & 1];

    if (mn_probe_has_group(mn_board_get_probe(self->board)))
        state |= MEMNOTIFYFS_PAGE_GROUP;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&bank->time_us, moment->time_us, __ATOMIC_RELAXED);
    __atomic_store_n(&bank->state, state, __ATOMIC_RELAXED);
    for (guint i = 0; i < page->n_meters; i++)
        __atomic_store_n(&bank->pages[i], moment->reading.pages[self->meters[i]], __ATOMIC_RELAXED);
    __atomic_store_n(&page->sequence, sequence, __ATOMIC_RELEASE);
}

static void on_shown(MnWitness *witness, const MnMoment *moment) {
    MnPage *self = (MnPage *)(void *)((char *)witness - G_STRUCT_OFFSET(MnPage, witness));

    if (self->n_holders > 0)
        write_values(self, moment);
}

/* The witness sees more than moments that are due: also what is simulated, and that the group has gone. */
static void on_told(MnSubscriber *subscriber G_GNUC_UNUSED, const MnMoment *moment G_GNUC_UNUSED) {
}

static void fill_in(MnPage *self) {
    struct memnotifyfs_page *page = self->memory;
    const MnMachine *machine = mn_board_get_machine(self->board);

    g_assert(page); /* it was made */
    page->version = MEMNOTIFYFS_PAGE_VERSION;
    page->bytes = sizeof *page;
    page->page_bytes = machine->page_bytes;
    page->period_ms = MN_PAGE_PERIOD_MS;
    for (guint id = 0; id < MN_N_METERS; id++)
        if (machine->offered & MN_METER_BIT(id)) {
            self->meters[page->n_meters] = id;
            g_strlcpy(page->names[page->n_meters++], mn_meters[id].name, MEMNOTIFYFS_PAGE_NAME_MAX + 1);
        }
}

/* The offset leads from the entry to the word. GLib and libc have no use for the list, which is one for each thread; it
 * would be for mutexes that are shared with other processes. */
static int promise_to_tell(MnPage *self) {
    self->entry.next = &self->robust.list;
    self->robust.list.next = &self->entry;
    self->robust.futex_offset = (char *)&self->memory->server - (char *)&self->entry;
    if (syscall(SYS_set_robust_list, &self->robust, sizeof self->robust) < 0)
        return -errno;
    self->memory->server = (guint32)syscall(SYS_gettid);
    return 0;
}

/* Maps it, and seals it for all others. What there is when it fails mn_page_free() takes back. */
static int make_memory(MnPage *self, int fd) {
    void *memory;

    if (ftruncate(fd, sizeof *self->memory) < 0)
        return -errno;
    memory = mmap(NULL, sizeof *self->memory, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return -errno;
    self->memory = memory;
    if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        return -errno;
    return mn_reopen_for_reading(fd, &self->fd);
}

int mn_page_new(MnBoard *board, MnPage **ret) {
    g_autoptr(MnPage) self = g_new0(MnPage, 1);
    int fd, r;

    self->board = board;
    self->fd = -1;
    fd = memfd_create("memnotifyfs-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    r = make_memory(self, fd);
    close(fd);
    if (r == 0)
        r = promise_to_tell(self);
    if (r < 0)
        return r;

    fill_in(self);
    self->subscriber.told = on_told;
    self->subscriber.period_ms = MN_PAGE_PERIOD_MS;
    self->witness.shown = on_shown;
    mn_board_add_witness(board, &self->witness);
    *ret = g_steal_pointer(&self);
    return 0;
}

/* Says that we end before the list goes, which the kernel would say by. */
void mn_page_free(MnPage *self) {
    if (!self)
        return;
    g_assert(self->n_holders == 0);
    syscall(SYS_set_robust_list, NULL, sizeof self->robust);
    if (self->memory) {
        __atomic_or_fetch(&self->memory->server, MEMNOTIFYFS_PAGE_ENDED, __ATOMIC_RELAXED);
        munmap(self->memory, sizeof *self->memory);
    }
    if (self->fd >= 0)
        close(self->fd);
    g_free(self);
}

int mn_page_get_fd(const MnPage *self) {
    return self->fd;
}

void mn_page_hold(MnPage *self) {
    if (self->n_holders++ > 0)
        return;
    mn_board_hold(self->board, MN_BOARD_ALL_METERS);
    write_values(self, mn_board_get_moment(self->board));
    mn_board_subscribe(self->board, &self->subscriber);
}

void mn_page_release(MnPage *self) {
    if (--self->n_holders > 0)
        return;
    mn_board_unsubscribe(self->board, &self->subscriber);
    mn_board_release(self->board, MN_BOARD_ALL_METERS);
}
