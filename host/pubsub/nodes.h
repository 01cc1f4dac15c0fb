/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other nodes, behind the backend: their processes, which say every few seconds
 * that they are there, and what they send.
 */
#ifndef PUBSUB_NODES_H
#define PUBSUB_NODES_H

struct hub;

void	nodes_init(struct hub *);
void	nodes_close(struct hub *);

#endif
