/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "size.h"

#include "core/number.h"

#include <unistd.h>

guint64 cmd_page_bytes(void) {
    return (guint64)sysconf(_SC_PAGESIZE);
}

/* Three digits. */
const char *cmd_size_print_bytes(guint64 bytes, char text[CMD_SIZE_BYTES]) {
    static const char units[] = "KMGTPE";
    guint unit = 0;
    double amount = (double)bytes / 1024;

    while (amount >= 999.5 && units[unit + 1]) {
        amount /= 1024;
        unit++;
    }
    if (bytes == 0)
        g_strlcpy(text, "0", CMD_SIZE_BYTES);
    else
        g_snprintf(text, CMD_SIZE_BYTES, "%.*f%c", amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0, amount, units[unit]);
    return text;
}

const char *cmd_size_print(guint64 pages, CmdUnit unit, char text[CMD_SIZE_BYTES]) {
    switch (unit) {
    case CMD_UNIT_PAGES:
        g_snprintf(text, CMD_SIZE_BYTES, "%" G_GUINT64_FORMAT, pages);
        break;
    case CMD_UNIT_BYTES:
        g_snprintf(text, CMD_SIZE_BYTES, "%" G_GUINT64_FORMAT, mn_multiply(pages, cmd_page_bytes()));
        break;
    default:
        cmd_size_print_bytes(mn_multiply(pages, cmd_page_bytes()), text);
    }
    return text;
}
