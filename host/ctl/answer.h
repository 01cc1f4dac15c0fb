/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of what the master answers; one that is not there, as an older one
 * leaves it out, is 0 or a mark in its place. */
#ifndef CTL_ANSWER_H
#define CTL_ANSWER_H

#include <stdint.h>
#include <jansson.h>

static inline int64_t
num_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static inline const char *
text_of(const json_t *o, const char *key, const char *absent)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : absent;
}

#endif
