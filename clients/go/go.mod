// SPDX-License-Identifier: LGPL-2.1-or-later
module memnotifyfs

go 1.19
