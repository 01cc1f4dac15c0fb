/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts with places for what an event says.
 *
 *	$0 ... $9	an argument
 *	$@		all of them, as an array
 *	$id $user $nsp $event	of the socket, and of the event
 *	$auth $data	what the client said when it connected; set_data's
 *	$1.name.0	what is in an object or an array, of the arguments, auth
 *			and data
 *	$$		a dollar
 *
 * Of JSON: in a string a place takes what is a string or a number, else any
 * value; what is not there is null.  Of plain texts: strings and numbers only.
 * So what a client says never leaves the place that it was given.  Pure.
 */
#ifndef SOCKETIO_RULES_TEMPLATE_H
#define SOCKETIO_RULES_TEMPLATE_H

#include <hostd/json_write.h>
#include <hostd/socketio.h>

enum place {
	PLACE_NONE,		/* text as it is */
	PLACE_ARG,
	PLACE_ALL,
	PLACE_ID,
	PLACE_USER,
	PLACE_NSP,
	PLACE_EVENT,
	PLACE_AUTH,
	PLACE_DATA
};

struct piece {
	enum place place;
	uint32_t arg;
	int is_inner;		/* within a string */
	hostd_buf text;		/* as it is; or the path of members, "a.b" */
};

struct template {
	struct piece *pieces;
	uint32_t n;
};

/* What places stand for. */
struct values {
	const hostd_buf *args;
	uint32_t nargs;
	hostd_buf event;
	hostd_buf id, user, nsp;	/* texts; p NULL: none */
	hostd_buf auth, data;		/* JSON */
};

/* text stays where it is.  0, or -1 and a reason; template_free either way. */
int	template_read(struct template *, hostd_buf text, int is_json,
	    char *why, size_t size);
void	template_free(struct template *);

/* A JSON value, behind what is in out.  0, or -1: something does not fit in a
 * string; out may have a part of it. */
int	template_json(const struct template *, const struct values *,
	    struct hostd_json *out);
/* A text, with a NUL: its length; -1: something is not there or does not
 * fit. */
int64_t	template_text(const struct template *, const struct values *,
	    char *room, size_t size);

#endif
