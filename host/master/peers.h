/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers hear of each other. */
#ifndef MASTER_PEERS_H
#define MASTER_PEERS_H

struct child;

/*
 * Give a worker that was just started, and every other one there is, a socket
 * to each other: the bus of their channels.
 */
void	peers_connect(struct child *);

#endif
