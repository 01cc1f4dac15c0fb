/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in the directory of a new plugin of a kind.  In the texts, @NAME@
 * stands for the plugin's name.  They come in parts, since no compiler has to
 * take a string of more than 4095 bytes; NULL behind the last.
 */
#ifndef CTL_PLUGIN_NEW_H
#define CTL_PLUGIN_NEW_H

#define NEW_PARTS	5

struct new_kind {
	const char *kind;
	const char *source[NEW_PARTS], *test[NEW_PARTS], *readme[NEW_PARTS];
};

/* Parts of several kinds: how a test begins, how it ends where there is a key
 * greeting, and how a README says what make does. */
extern const char new_test_head[], new_test_greeting[], new_readme_make[];

extern const struct new_kind new_route;		/* new_route.c */
extern const struct new_kind new_ws;		/* new_ws.c */
extern const struct new_kind new_backend;	/* new_backend.c */
extern const struct new_kind new_balancer;	/* new_balancer.c */
extern const struct new_kind new_store;		/* new_store.c */
extern const struct new_kind new_sio;		/* new_sio.c */

#endif
