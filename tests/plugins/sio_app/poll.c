/* SPDX-License-Identifier: BSD-2-Clause */
/* A question to many, and the answers: their attachments are one row. */
#include <stdlib.h>
#include <string.h>
#include "app.h"

#define BINS_MAX	64

struct poll {
	hostd_sio_ack ack;
	struct hostd_json answers;
	hostd_buf bins[BINS_MAX];
	uint32_t nbins;
};

struct poll *
poll_new(hostd_sio_ack ack)
{
	struct poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		return NULL;
	poll->ack = ack;
	hostd_json_begin(&poll->answers, '[');
	return poll;
}

void
poll_free(struct poll *poll)
{
	uint32_t i;

	for (i = 0; i < poll->nbins; i++)
		free((char *)(uintptr_t)poll->bins[i].p);
	hostd_json_free(&poll->answers);
	free(poll);
}

/* A place of its own in the row. */
static void
put_bytes(struct poll *poll, hostd_buf bytes)
{
	char *p = malloc(bytes.n + 1);

	if (p == NULL || poll->nbins == BINS_MAX) {
		free(p);
		hostd_json_str(&poll->answers, NULL);
		return;
	}
	if (bytes.n > 0)
		memcpy(p, bytes.p, bytes.n);
	hostd_json_placeholder(&poll->answers, poll->nbins);
	poll->bins[poll->nbins++] = (hostd_buf){p, bytes.n};
}

static void	put(struct poll *, hostd_buf value,
		    const struct hostd_sio_args *);

static void
put_object(struct poll *poll, hostd_buf object,
    const struct hostd_sio_args *args)
{
	struct hostd_json_walk w = hostd_json_walk(object);
	hostd_buf key, value;

	hostd_json_begin(&poll->answers, '{');
	while (hostd_json_next_member(&w, &key, &value)) {
		hostd_json_raw(&poll->answers, key);
		hostd_json_bytes(&poll->answers, ":", 1);
		put(poll, value, args);
	}
	hostd_json_end(&poll->answers, '}');
}

static void
put_array(struct poll *poll, hostd_buf array, const struct hostd_sio_args *args)
{
	struct hostd_json_walk w = hostd_json_walk(array);
	hostd_buf value;

	hostd_json_begin(&poll->answers, '[');
	while (hostd_json_next(&w, &value))
		put(poll, value, args);
	hostd_json_end(&poll->answers, ']');
}

static void
put(struct poll *poll, hostd_buf value, const struct hostd_sio_args *args)
{
	int64_t num;

	if (hostd_json_is(hostd_json_get(value, "_placeholder"), "true") &&
	    hostd_json_int(hostd_json_get(value, "num"), &num) && num >= 0 &&
	    num < args->nbins)
		put_bytes(poll, args->bins[num]);
	else if (hostd_json_is_object(value))
		put_object(poll, value, args);
	else if (hostd_json_is_array(value))
		put_array(poll, value, args);
	else
		hostd_json_raw(&poll->answers, value);
}

void
poll_came(struct hostd_inst *in, void *arg, const struct hostd_sio_args *args)
{
	struct poll *poll = arg;

	(void)in;
	if (args != NULL && args->n > 0)
		put(poll, args->v[0], args);
	else
		hostd_json_str(&poll->answers, NULL);
}

void
poll_done(struct hostd_inst *in, void *arg, int32_t status, uint32_t n_asked,
    uint32_t n_answered)
{
	struct poll *poll = arg;
	hostd_buf list;
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = &list, .bins = poll->bins, .nbins = poll->nbins};

	(void)n_asked;
	(void)n_answered;
	hostd_json_end(&poll->answers, ']');
	list = hostd_json_done(&poll->answers);
	ack_status(in->sio, poll->ack, status, &args);
	poll_free(poll);
}
