/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The largest write that reaches us in one piece, and so the largest that can be refused whole. */
#define MN_FS_WRITE_BYTES_MAX (128 * 1024)

/* The operations of the filesystem, whose userdata is its MnTree. */
extern const struct fuse_lowlevel_ops mn_fs_operations;
