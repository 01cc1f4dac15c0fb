/* SPDX-License-Identifier: BSD-2-Clause */
/* What the builders of the model's blocks share; nobody else's business. */
#ifndef CONFIG_BUILDER_H
#define CONFIG_BUILDER_H

#include <stddef.h>
#include <stdint.h>
#include "config/model.h"
#include "config/schema.h"

struct builder {
	struct conf *conf;
	struct conf_errors *errs;
	const char *main_file;
	const struct map *files;
	struct conf_values vals;	/* of the present block */
};

/* Values of the present block, by key. */
const char *text_of(const struct builder *, const char *key);
int64_t	num_of(const struct builder *, const char *key);
/* A text that is a share, from 0 to 1, in parts of RATIO_ONE; 0 and an error
 * when it is none. */
int64_t	ratio_of(struct builder *, const char *key);
int	is_set(const struct builder *, const char *key);
const struct conf_pos *pos_of(const struct builder *, const char *key);
/* Copies; NULL for an unset text. */
char	*copy_text(const struct builder *, const char *key);
char	*path_of(const struct builder *, const char *key);
char	**copy_list(const struct builder *, const char *key, size_t *n);
/* What stands for that file in a generation, or NULL: nothing does. */
const char *copy_of(const struct builder *, const char *file);

/*
 * What is in the file that a key of the present block, or a list's item, names:
 * its path, as it is then, is freed with the text.  A generation will have a
 * copy.  0, or -1 after an error.
 */
int	take_text(struct builder *, const char *key, const char *file,
	    size_t max, struct conf_text *);
/* As above, unless the key is not set. */
int	take_key_text(struct builder *, const char *key, size_t max,
	    struct conf_text *);
void	free_text(struct conf_text *);
void	free_secret_text(struct conf_text *);
/* A private key, or what is as good as one, that only who has to can read: 0,
 * or -1 after an error that says how to get there. */
int	check_private(struct builder *, const char *key,
	    const struct conf_text *);

/* An error: there is no such thing; with the nearest of names (NULL-ended) as a
 * hint. */
void	no_such(struct builder *, const struct conf_pos *, const char *what,
	    const char *name, const char *const *names);
/* NULL stands for the first one, and so does one that is not there, after an
 * error. */
struct conf_pool *find_pool(struct builder *, const char *name,
	    const struct conf_pos *);
/* NULL and an error when there is none. */
struct conf_upstream *find_upstream(struct builder *, const char *name,
	    const struct conf_pos *);
struct conf_tls *find_tls(struct builder *, const char *name,
	    const struct conf_pos *);
struct conf_plugin *find_plugin(struct builder *, const char *name,
	    const struct conf_pos *);
struct conf_auth *find_auth(struct builder *, const char *name,
	    const struct conf_pos *);
struct conf_session *find_session(struct builder *, const char *name,
	    const struct conf_pos *);
/* A plugin without a block of its own: all keys are at their defaults. */
struct conf_plugin *add_bare_plugin(struct builder *, const char *name,
	    char *file, const struct conf_pos *);

/* The plugin block of that name, or else one without a block, of the module of
 * that name in plugin_dir.  NULL stands for none. */
struct conf_plugin *plugin_or_module(struct builder *, const char *name,
	    const struct conf_pos *);

/* The block of that name among parent's children, which has no title and comes
 * once; NULL when it is not there. */
const struct conf_node *block_only(struct builder *,
	    const struct conf_node *parent, const char *name);
/* Build the top level's only block of that name, from defaults if it is not
 * there. */
void	conf_block_only(struct builder *, const char *name,
	    void (*build)(struct builder *));

/* Check a nested block's keys; they are the present block's until the next
 * call. */
void	enter_block(struct builder *, const struct conf_node *,
	    const char *const *also);

void	build_pool(struct builder *, const struct conf_node *);
void	build_certificate(struct builder *, const struct conf_node *);
void	free_certificate(struct conf_certificate *);
void	build_tls(struct builder *, const struct conf_node *);
void	free_tls(struct conf_tls *);
void	build_listen(struct builder *, const struct conf_node *);
void	build_upstream(struct builder *, const struct conf_node *);
/* What hands have changed of a group since. */
void	build_upstream_changes(struct builder *, const struct conf_node *);
/* The present block's keys. */
void	take_upstream_tls(struct builder *, struct conf_upstream_tls *);
void	free_upstream_tls(struct conf_upstream_tls *);
/* "1.2" and "1.3", or one of them. */
void	take_versions(struct builder *, const char *key, int *least, int *most);
/* When all plugins and all changes are known. */
void	finish_upstreams(struct builder *);
/* The same. */
void	finish_controllers(struct builder *);
void	build_auth(struct builder *, const struct conf_node *);
void	free_auth(struct conf_auth *);
void	build_access(struct builder *, struct conf_access *);
void	build_budget(struct builder *);
/* The networks that key lists. */
void	build_networks(struct builder *, const char *key, struct cidrs *);
void	build_limit_req(struct builder *, const struct conf_node *);
void	build_limit_conn(struct builder *, const struct conf_node *);
void	free_limit(struct conf_limit *);
/* The keys limit_req and limit_conn of the present block, where they are
 * set. */
void	build_limits(struct builder *, struct conf_limits *reqs,
	    struct conf_limits *conns);
void	build_session(struct builder *, const struct conf_node *);
/* When all plugins are known. */
void	finish_sessions(struct builder *);
/* A route's own keys about them. */
void	build_route_session(struct builder *, struct conf_route *);
void	build_real_ip(struct builder *);
void	build_sandbox(struct builder *);
void	build_trace(struct builder *);
void	build_access_log(struct builder *, const struct conf_node *);
void	free_access_log(struct conf_access_log *);
/* What the top level says of it. */
char	*build_error_log(struct builder *);
/* "200", "200-399" or "4xx": 0 or -1. */
int	span_parse(char *text, int *from, int *to);
void	build_websocket(struct builder *);
void	build_pubsub(struct builder *);
/* A block within a route: what it says differs for this one. */
void	build_route_websocket(struct builder *, const struct conf_node *route,
	    struct conf_route *);

#endif
