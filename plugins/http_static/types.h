/* SPDX-License-Identifier: BSD-2-Clause */
/* Content types by the end of a file's name. */
#ifndef HTTP_STATIC_TYPES_H
#define HTTP_STATIC_TYPES_H

/* "application/octet-stream" for one that is not known. */
const char *type_of(const char *path);

#endif
