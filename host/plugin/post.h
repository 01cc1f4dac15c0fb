/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that any thread asks for and the loop makes. */
#ifndef PLUGIN_POST_H
#define PLUGIN_POST_H

#include <stdint.h>

struct hostd_inst;
struct instance;
struct plugins;

void	post_init(struct plugins *);
int32_t	post_add(struct instance *, void (*fn)(struct hostd_inst *, void *),
	    void *arg);
/* Forget what is queued for in. */
void	post_forget(struct instance *in);
void	post_close(struct plugins *);

#endif
