/* SPDX-License-Identifier: BSD-2-Clause */
/* Redis Cluster: which slot a key or channel is in, and which node has it. */
#ifndef REDIS_SLOTS_H
#define REDIS_SLOTS_H

#include <stddef.h>
#include <stdint.h>
#include <hiredis/hiredis.h>

#define REDIS_SLOTS	16384
#define REDIS_NODES	1000	/* masters; a cluster has no more */
#define REDIS_NOBODY	UINT16_MAX

struct redis_node_addr {
	char host[256];
	uint32_t port;
};

struct redis_slots {
	struct redis_node_addr *nodes;
	uint16_t nnodes;
	uint16_t nowned;		/* slots that somebody has */
	uint16_t owner[REDIS_SLOTS];	/* index into nodes, or REDIS_NOBODY */
};

/* The slot of a key; of one with "{tag}", that of the tag. */
uint16_t redis_slot(const void *key, size_t n);

/*
 * Fill the map from an answer to CLUSTER SLOTS.  Where the cluster does not
 * know a node's address it is that of the one who was asked: self.
 * 0, or -1 with a reason in *why; then there is nothing to free.
 */
int	redis_slots_parse(struct redis_slots *, const redisReply *,
	    const char *self, const char **why);
void	redis_slots_free(struct redis_slots *);

/*
 * Where "MOVED slot host:port" or "ASK slot host:port" leads; without a host,
 * to another port of the one who was asked: self.  0, or -1: it is none.
 */
int	redis_redirect_parse(const redisReply *, const char *self,
	    struct redis_node_addr *);

#endif
