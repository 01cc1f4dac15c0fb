/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block checked against rows of `struct hostd_key`: the same rows describe
 * the host's own keys and a plugin's.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>
#include "config/tree.h"

struct conf_block;

/* One key's value: parsed, or the default. */
struct conf_val {
	const struct hostd_key *key;
	struct conf_pos pos;	/* of the value; of the block for a default */
	int is_set;		/* written in the file */
	int64_t num;		/* INT, BOOL, DURATION, SIZE, ENUM's index */
	char *text;		/* STRING, ENUM, SECRET; NULL: none */
	char **items;		/* LIST */
	size_t nitems;
	struct conf_block *blocks; /* BLOCK */
	size_t nblocks;
};

struct conf_values {
	struct conf_val *vals;	/* in the order of the rows */
	size_t n;
	struct conf_pos pos;	/* of the block */
	struct hostd_conf view;	/* what a plugin sees of it, if it is shown
				   to one */
};

/* One of a plugin's own blocks. */
struct conf_block {
	char *title;		/* NULL: none */
	struct conf_values values;
};

/*
 * Check block's keys against rows (NULL-ended) and fill *out.  Keys named in
 * also (NULL-ended list, may be NULL) are somebody else's and skipped; nested
 * blocks whose name is not in also are errors.  An unknown key is an error
 * with the nearest known key as a hint; a key given twice is an error naming
 * both places.  Returns the number of mistakes: the errors added, and keys
 * without a value, of which the parser has told.
 */
int	conf_check(const struct conf_node *block,
	    const struct hostd_key *const *rows, const char *const *also,
	    struct conf_values *out, struct conf_errors *);
void	conf_values_free(struct conf_values *);

/* Keys that every plugin's block has, besides the plugin's own; NULL-ended. */
extern const char *const conf_plugin_keys[];
int	conf_is_plugin_key(const char *name);

/* What is in the blocks that a row of type BLOCK describes. */
const struct hostd_key *const *conf_rows_within(const struct hostd_key *);

/* By name; NULL when there is no such row. */
const struct conf_val *conf_val(const struct conf_values *, const char *name);

/* The word of list (NULL-ended) nearest to word by edit distance, or NULL
 * when none is near. */
const char *conf_nearest(const char *word, const char *const *list);

/*
 * Are the rows themselves sound (names, types, defaults that pass their own
 * check)?  For plugins' rows.  Returns the number of errors added.
 */
int	conf_rows_check(const struct hostd_key *const *rows, const char *owner,
	    struct conf_errors *);

/* Of HOSTD_KEY_*: "int", "duration" and so on. */
const char *conf_type_name(uint32_t type);

#endif
