/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration text -> a tree of blocks and keys, every one of which knows
 * its file and line.  Knows nothing of what the keys mean.
 *
 *	# comment			// comment
 *	key = value
 *	list = {"a", "b"}		# or  list = "a"
 *	section { ... }
 *	section "title" { ... }
 *
 * Values are bare words ([A-Za-z0-9_./:*+@%,-]...) or "quoted", with \" \\ \$
 * \n \t and ${NAME} from the environment (also ${NAME:-default}); a variable
 * that is not set and has no default is an error.  Separators between
 * statements are white space or ";".
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <stddef.h>
#include <sys/queue.h>

struct conf_pos {
	const char *file;	/* display name; lives as long as the process */
	int line;
};

struct conf_value {
	char *text;
	struct conf_pos pos;
};

struct conf_node {
	TAILQ_ENTRY(conf_node) entry;
	struct conf_pos pos;
	char *name;
	int is_block;
	/* a block */
	char *title;		/* NULL: none */
	TAILQ_HEAD(conf_nodes, conf_node) children;
	/* a key */
	int is_list;		/* written with braces */
	struct conf_value *values;
	size_t nvalues;
};

/* Errors are collected, so that one run shows all. */
struct conf_error {
	TAILQ_ENTRY(conf_error) entry;
	char *text;		/* "file:line: what; what to do" */
};
TAILQ_HEAD(conf_errors, conf_error);

void	conf_errors_init(struct conf_errors *);
/* pos may be NULL. */
void	conf_error(struct conf_errors *, const struct conf_pos *,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void	conf_errors_free(struct conf_errors *);

/* A copy of name that lives as long as the process. */
const char *conf_intern(const char *name);
struct conf_node *conf_root_new(void);
/*
 * Parse text of len bytes into root's children.  After an error it goes on
 * at the next statement.  file is the display name and is interned.
 */
void	conf_parse(struct conf_node *root, const char *file, const char *text,
	    size_t len, struct conf_errors *);
void	conf_node_free(struct conf_node *);

#endif
