/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* Of hostd: "1.2.3".  In the program it stands here only. */
extern const char version_text[];

#endif
