/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name is asked for once, and not waited for: a second monitor that takes over when the first ends, perhaps days later, is
 * nothing that anybody expects. */
#include "levelbus.h"

#include "message.h"
#include "verb.h"

#include "kernel/process.h"

#include <gio/gio.h>

#define PATH "/org/freedesktop/LowMemoryMonitor"
#define SIGNAL "LowMemoryWarning"

static const char introspection[] = "<node><interface name='" LEVEL_BUS_NAME "'>"
                                    "<signal name='" SIGNAL "'><arg name='level' type='y'/></signal>"
                                    "</interface></node>";

/* What the bus answers who asks for a name. */
#define REQUEST_NAME_REPLY_PRIMARY_OWNER 1

struct LevelBus {
    GDBusConnection *connection;
    guint object;
    gulong closed;
    void (*lost)(gpointer data);
    gpointer data;
};

/* --- the bus itself --- */

static GVariant *ask_bus(LevelBus *self, const char *method, GVariant *arguments, const char *type, GError **error) {
    return g_dbus_connection_call_sync(self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", method, arguments, G_VARIANT_TYPE(type),
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
}

static char *find_owner(LevelBus *self) {
    g_autoptr(GVariant) answer = ask_bus(self, "GetNameOwner", g_variant_new("(s)", LEVEL_BUS_NAME), "(s)", NULL);
    char *owner = NULL;

    if (answer)
        g_variant_get(answer, "(s)", &owner);
    return owner;
}

/* 0: the bus does not know it. */
static pid_t find_process(LevelBus *self, const char *owner) {
    g_autoptr(GVariant) answer = ask_bus(self, "GetConnectionUnixProcessID", g_variant_new("(s)", owner), "(u)", NULL);
    guint32 pid = 0;

    if (answer)
        g_variant_get(answer, "(u)", &pid);
    return (pid_t)pid;
}

static int say_taken(LevelBus *self) {
    g_autofree char *owner = find_owner(self);
    char comm[MN_COMM_MAX + 1];
    pid_t pid = owner ? find_process(self, owner) : 0;

    if (!owner)
        cmd_warn("'" LEVEL_BUS_NAME "' is another's on this bus; there can be one");
    else if (pid == 0)
        cmd_warn("'" LEVEL_BUS_NAME "' is %s on this bus; there can be one", owner);
    else if (mn_process_read_comm(pid, comm) < 0)
        cmd_warn("'" LEVEL_BUS_NAME "' is %s on this bus, process %d; there can be one", owner, (int)pid);
    else
        cmd_warn("'" LEVEL_BUS_NAME "' is %s on this bus, process %d (%s); there can be one", owner, (int)pid, comm);
    return LEVEL_BUS_TAKEN;
}

static int own_name(LevelBus *self) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        ask_bus(self, "RequestName",
                g_variant_new("(su)", LEVEL_BUS_NAME, (guint32)G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE), "(u)", &error);
    guint32 reply;

    if (!answer) {
        g_dbus_error_strip_remote_error(error);
        return cmd_fail("cannot be '" LEVEL_BUS_NAME "' on this bus: %s", error->message);
    }
    g_variant_get(answer, "(u)", &reply);
    return reply == REQUEST_NAME_REPLY_PRIMARY_OWNER ? CMD_OK : say_taken(self);
}

/* --- our object on it --- */

/* There is nothing but the signal; without methods none of these is called. */
static const GDBusInterfaceVTable nothing;

static void show_object(LevelBus *self) {
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(introspection, NULL);

    self->object =
        g_dbus_connection_register_object(self->connection, PATH, node->interfaces[0], &nothing, NULL, NULL, NULL);
    g_assert(self->object > 0);
}

static void on_closed(GDBusConnection *connection G_GNUC_UNUSED, gboolean vanished G_GNUC_UNUSED,
                      GError *error G_GNUC_UNUSED, gpointer data) {
    LevelBus *self = data;

    self->lost(self->data);
}

int level_bus_new(gboolean is_session, void (*lost)(gpointer data), gpointer data, LevelBus **ret) {
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_bus_get_sync(is_session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM, NULL, &error);
    g_autoptr(LevelBus) self = NULL;
    int status;

    if (!connection)
        return cmd_fail("cannot connect to the %s bus: %s", is_session ? "session" : "system", error->message);
    g_dbus_connection_set_exit_on_close(connection, FALSE); /* GLib would raise SIGTERM */
    self = g_new0(LevelBus, 1);
    self->connection = connection;
    self->lost = lost;
    self->data = data;
    self->closed = g_signal_connect(connection, "closed", G_CALLBACK(on_closed), self);
    show_object(self); /* before the name: who waits for that may look at once */
    status = own_name(self);
    if (status == CMD_OK)
        *ret = g_steal_pointer(&self);
    return status;
}

void level_bus_free(LevelBus *self) {
    if (!self)
        return;
    g_signal_handler_disconnect(self->connection, self->closed);
    if (self->object > 0)
        g_dbus_connection_unregister_object(self->connection, self->object);
    g_dbus_connection_close_sync(self->connection, NULL, NULL);
    g_object_unref(self->connection);
    g_free(self);
}

/* It fails where the connection is closed, of which lost() tells. */
void level_bus_send(LevelBus *self, Level level) {
    g_dbus_connection_emit_signal(self->connection, NULL, PATH, LEVEL_BUS_NAME, SIGNAL,
                                  g_variant_new("(y)", (guchar)level), NULL);
}
