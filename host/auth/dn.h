/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of certificates' subjects, as RFC 2253 writes them. */
#ifndef AUTH_DN_H
#define AUTH_DN_H

struct buf;

/*
 * Append what the attribute of that type says, "CN" for instance: 0, or -1 and
 * nothing was appended, when there is none, more than one, whose would be
 * chosen by whoever wrote them, or one that is no text, or has control
 * characters.
 */
int	dn_find(const char *dn, const char *type, struct buf *out);

#endif
