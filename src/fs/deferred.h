/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests whose operation has returned MN_LATER: they are answered by mn_open_finish(). An open file has at most
 * one. */
#pragma once

#include "fs/open.h"

struct fuse_file_info;

/* To be called before the operation that writes `len` bytes: charges for them until it is answered. -EBUSY: a request
 * of this open file waits; or an error of the charge. Then nothing is to be answered below. */
int mn_open_begin_writing(MnOpen *self, gsize len) G_GNUC_WARN_UNUSED_RESULT;

/* Answers the opening of a file, or its writing, with what the operation has returned; MN_LATER puts the request
 * aside. The open file is freed where it was not to be, or nobody got it. */
void mn_open_answer_opening(MnOpen *self, MnTree *tree, struct fuse_req *req, const struct fuse_file_info *info, int r);
void mn_open_answer_writing(MnOpen *self, struct fuse_req *req, gsize len, int r);
