/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other nodes, behind the backend: their processes, which say every few seconds
 * that they are there, and what they send.
 */
#ifndef PUBSUB_NODES_H
#define PUBSUB_NODES_H

#include <stdint.h>
#include <hostd/abi.h>

struct hub;

void	nodes_init(struct hub *);
void	nodes_close(struct hub *);
/* A process has not answered in time: until something is heard of it, nobody is
 * to wait for it again. */
void	remote_missed(struct hub *, uint64_t node, uint64_t process);
/* Can this be another node's answer to a question of that kind (QUERY_*)?  What
 * cannot is counted. */
int	remote_answer_ok(struct hub *, int kind, hostd_buf answer);

#endif
