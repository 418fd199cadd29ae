/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader.h"

#include "client.h"
#include "patience.h"
#include "message.h"
#include "where.h"

#include "probe/probe.h"

#include <errno.h>
#include <string.h>

struct CmdReader {
    CmdWay way;
    char *place;
    int error;
    struct mount mount;  /* by files */
    GString *text;       /* of the file that was read last */
    memnotifyfs *client; /* by a socket */
    MnProbe *probe;      /* without a server */
    gboolean is_of_group;
};

CmdWay cmd_reader_get_way(const CmdReader *self) {
    return self->way;
}

const char *cmd_reader_get_place(const CmdReader *self) {
    return self->place;
}

int cmd_reader_get_error(const CmdReader *self) {
    return self->error;
}

const char *cmd_reader_get_lack(const CmdReader *self) {
    if (self->way != CMD_WAY_PROC)
        return NULL;
    switch (self->error) {
    case -ENOTCONN:
    case -ECONNREFUSED:
        return "memnotifyfs has ended here";
    case -EACCES:
    case -EPERM:
        return "memnotifyfs may not be used by this user";
    default:
        return "There is no memnotifyfs here";
    }
}

/* --- by files --- */

static int read_file(CmdReader *self, const char *name) {
    g_string_truncate(self->text, 0);
    return cmd_where_read(&self->mount, name, self->text);
}

static int look_at_files(CmdReader *self, CmdFigures *ret) {
    int r = read_file(self, MEMNOTIFYFS_METRICS);

    if (r == 0)
        r = cmd_figures_parse(self->text->str, self->text->len, (guint)cmd_page_bytes(), ret);
    if (r < 0)
        return r;
    ret->has_stalls = read_file(self, MEMNOTIFYFS_PRESSURE) == 0 &&
                      mn_stalls_parse(self->text->str, self->text->len, &ret->stalls) == 0;
    ret->is_simulated = read_file(self, MEMNOTIFYFS_SIMULATE) == 0 && self->text->len > 0;
    return 0;
}

/* --- by a socket --- */

static int look_at_page(CmdReader *self, CmdFigures *ret) {
    const struct memnotifyfs_page *page;
    struct memnotifyfs_page_bank bank;
    CmdFigures figures = { 0 };
    struct memnotifyfs_event event;
    int r;

    while (memnotifyfs_next(self->client, &event) > 0) /* so a server that came back is found */
        continue;
    r = memnotifyfs_get_page(self->client, &page);
    if (r < 0)
        return r;
    if (memnotifyfs_page_has_ended(page))
        return -ENOTCONN;

    memnotifyfs_page_copy(page, &bank);
    for (guint i = 0; i < page->n_meters && i < MEMNOTIFYFS_PAGE_METERS_MAX; i++) {
        int id = mn_meter_find(page->names[i], strnlen(page->names[i], sizeof page->names[i]));

        if (id >= 0) {
            figures.offered |= MN_METER_BIT(id);
            figures.reading.pages[id] = bank.pages[i];
        }
    }
    figures.is_of_group = (bank.state & MEMNOTIFYFS_PAGE_GROUP) != 0;
    figures.is_gone = (bank.state & MEMNOTIFYFS_PAGE_GONE) != 0;
    *ret = figures;
    return 0;
}

/* --- without a server --- */

/* Of the group that limits us, where there is one, as a server would show it that we start. */
static int choose_group(CmdReader *self) {
    g_autoptr(MnGroup) group = NULL;
    const char *name;

    if (mn_group_new_own(&group) < 0 || !mn_group_is_limited(group))
        return 0;
    self->is_of_group = TRUE;
    return mn_probe_set_group(self->probe, g_steal_pointer(&group), &name);
}

static int look_at_proc(CmdReader *self, CmdFigures *ret) {
    const MnMachine *machine = mn_probe_get_machine(self->probe);
    MnNeeds needs = { 0 };
    MnMoment moment = { 0 };
    CmdFigures figures = { .offered = machine->offered, .is_of_group = self->is_of_group };
    int r;

    for (guint id = 0; id < MN_N_METERS; id++)
        if (machine->offered & MN_METER_BIT(id))
            needs.meters |= mn_probe_meter_sources(self->probe, id);
    if (machine->offers_stalls)
        needs.meters |= MN_SOURCE_PRESSURE;
    r = mn_probe_look(self->probe, &needs, &moment);
    if (r < 0)
        return r;

    figures.reading = moment.measured;
    figures.is_gone = moment.is_gone;
    figures.has_stalls = machine->offers_stalls;
    figures.stalls = moment.measured_stalls;
    *ret = figures;
    return 0;
}

static CmdReader *reader_make(void) {
    CmdReader *self = g_new0(CmdReader, 1);

    self->mount.root_fd = -1;
    self->text = g_string_new(NULL);
    return self;
}

int cmd_reader_new_without_server(int error, CmdReader **ret) {
    g_autoptr(CmdReader) self = reader_make();
    const char *name = NULL;
    int r = mn_probe_new(MN_PROC_DIRECTORY, &self->probe, &name);

    if (r == 0)
        r = choose_group(self);
    if (r < 0)
        return cmd_fail("cannot read " MN_PROC_DIRECTORY "/%s: %s", name ? name : "", g_strerror(-r));
    self->way = CMD_WAY_PROC;
    self->place = g_strdup(MN_PROC_DIRECTORY);
    self->error = error;
    *ret = g_steal_pointer(&self);
    return CMD_OK;
}

/* --- which of them --- */

static int try_socket(CmdReader *self, const char *path) {
    const struct memnotifyfs_page *page;
    g_autoptr(memnotifyfs) client = NULL;
    int r = memnotifyfs_open(path, &client);

    if (r == 0)
        r = memnotifyfs_get_page(client, &page);
    if (r < 0)
        return r;
    self->way = CMD_WAY_SOCKET;
    self->client = g_steal_pointer(&client);
    self->place = g_strdup(path);
    return 0;
}

/* Where there are no files, or none that may be read. */
static int find_socket(CmdReader *self, const char *place) {
    g_autofree struct places *places = g_new0(struct places, 1);
    int r = cmd_where_list(place, places);

    if (r < 0)
        return r;
    for (guint i = 0; i < places->n; i++) {
        r = try_socket(self, places->paths[i]);
        if (r == 0)
            break;
    }
    return r;
}

int cmd_reader_find(const char *place, CmdReader **ret) {
    g_autoptr(CmdReader) self = reader_make();
    int by_files = cmd_where_find_mount(place, &self->mount, &self->place), by_socket;

    if (by_files == 0) {
        self->way = CMD_WAY_FILES;
    } else {
        by_socket = find_socket(self, place);
        if (by_socket < 0)
            return by_files == -ENOENT || by_files == -ENOTDIR ? by_socket : by_files;
    }
    *ret = g_steal_pointer(&self);
    return 0;
}

int cmd_reader_new(const char *place, CmdReader **ret) {
    g_autoptr(CmdPatience) patience G_GNUC_UNUSED = cmd_patience_new(place);
    int r = cmd_reader_find(place, ret);

    if (r == 0)
        return CMD_OK;
    return cmd_where_is_named(place) ? cmd_client_fail_open(place, r) : cmd_reader_new_without_server(r, ret);
}

void cmd_reader_free(CmdReader *self) {
    if (!self)
        return;
    mount_close(&self->mount);
    memnotifyfs_close(self->client);
    mn_probe_free(self->probe);
    g_string_free(self->text, TRUE);
    g_free(self->place);
    g_free(self);
}

int cmd_reader_look(CmdReader *self, CmdFigures *ret) {
    switch (self->way) {
    case CMD_WAY_FILES:
        return look_at_files(self, ret);
    case CMD_WAY_SOCKET:
        return look_at_page(self, ret);
    default:
        return look_at_proc(self, ret);
    }
}
