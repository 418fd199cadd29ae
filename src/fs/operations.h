/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The operations of the filesystem, whose userdata is its MnTree. */
extern const struct fuse_lowlevel_ops mn_fs_operations;
