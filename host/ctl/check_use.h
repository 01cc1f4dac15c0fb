/* SPDX-License-Identifier: BSD-2-Clause */
/* One of everything that a plugin provides, for the cases that are about
 * something else. */
#ifndef CTL_CHECK_USE_H
#define CTL_CHECK_USE_H

#include "ctl/fake.h"

/* What struct check.kinds is made of. */
unsigned check_kinds(const struct module *);
/* And exts. */
unsigned check_exts(const struct module *);
/* All of its commands, which must answer: check_commands.c. */
void	check_command_use(struct fake *);
/* One client of Socket.IO: check_sio.c. */
void	sio_use(struct fake *);
/* A GET and a POST, a WebSocket, a word for other nodes, a command. */
void	check_use(struct fake *);
/* The same with two instances by turns. */
void	check_use_both(struct fake *, struct fake *);

#endif
