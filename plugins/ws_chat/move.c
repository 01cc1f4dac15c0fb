/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection that goes on in another worker takes along, as one JSON object,
 * what only its worker knows of it: {"prefix": what the names of channels start
 * with, "name", "rooms", "stale", "history" and "members": rooms that it has
 * asked about, "mails": what is on its way to it}.
 *
 * Nobody is told that it has left or joined: it has not.
 */
#include "chat.h"

#define VERSION	1

static int32_t
save(struct hostd_inst *in, hostd_ws ws, void *d,
    int32_t (*put)(void *, hostd_buf), void *arg)
{
	json_t *o = json_pack("{s:s%}", "prefix", (const char *)in->prefix.p,
	    in->prefix.n);
	char *text = NULL;
	int32_t rc = HOSTD_E_NOMEM;

	if (member_pack(d, o) == 0 && questions_pack(in, ws, o) == 0 &&
	    mails_pack(in, ws, o) == 0)
		text = json_dumps(o, JSON_COMPACT);
	if (text != NULL)
		rc = put(arg, hostd_str(text));
	free(text);
	json_decref(o);
	return rc;
}

/* Its channels are those that a room has by our configuration, too. */
static int
is_of_our_prefix(const struct hostd_inst *in, const json_t *o)
{
	const json_t *s = json_object_get(o, "prefix");

	return json_string_length(s) == in->prefix.n &&
	    memcmp(json_string_value(s), in->prefix.p, in->prefix.n) == 0;
}

static int32_t
unpack(struct hostd_inst *in, hostd_ws ws, struct member *m, const json_t *o)
{
	int32_t rc;

	if (!is_of_our_prefix(in, o))
		return HOSTD_E_NOTSUP;
	if ((rc = member_unpack(in, m, o)) != HOSTD_OK ||
	    (rc = questions_unpack(in, ws, o)) != HOSTD_OK)
		return rc;
	return mails_unpack(in, ws, o);
}

static int32_t
load(struct hostd_inst *in, hostd_ws ws, void *d, uint32_t from_version,
    hostd_buf state)
{
	json_t *o;
	int32_t rc;

	if (from_version != VERSION)
		return HOSTD_E_NOTSUP;
	o = json_loadb(state.p, state.n, JSON_REJECT_DUPLICATES, NULL);
	rc = json_is_object(o) ? unpack(in, ws, d, o) : HOSTD_E_INVAL;
	if (rc != HOSTD_OK)
		member_forget(in, d);
	json_decref(o);
	return rc;
}

static void
moved(struct hostd_inst *in, hostd_ws ws, void *d)
{
	(void)ws;
	member_forget(in, d);
}

const struct hostd_p_ws_state move_table = {
	.struct_size = sizeof(move_table), .version = VERSION, .save = save,
	.load = load, .moved = moved
};
