/* SPDX-License-Identifier: BSD-2-Clause */
/* Words under names, that all nodes see: the keys "<key>-node:<name>". */
#include <stdlib.h>
#include <string.h>
#include "adapter.h"

#define NAME_MAX_LEN	128

static const hostd_buf nothing = { NULL, 0 };

struct asker {
	LIST_ENTRY(asker) link;
	const struct redis_client *client;
	void (*done)(void *, int32_t, hostd_buf);
	void *arg;
};

/* Returns its length; 0: the name is too long. */
static size_t
key_of(const struct hostd_inst *in, hostd_buf name, char *room)
{
	static const char kind[] = "-node:";
	size_t n = in->key.n;

	if (name.n > NAME_MAX_LEN)
		return 0;
	memcpy(room, in->key.p, n);
	memcpy(room + n, kind, sizeof(kind) - 1);
	n += sizeof(kind) - 1;
	memcpy(room + n, name.p, name.n);
	return n + name.n;
}

static void
set_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	struct hostd_inst *in = arg;

	(void)c;
	if (r != NULL && r->type == REDIS_REPLY_ERROR)
		hostd_logf(in->host, HOSTD_LOG_ERROR, "Redis refuses SET: %s",
		    r->str);
}

int32_t
words_set(struct hostd_inst *in, hostd_buf name, hostd_buf value,
    uint32_t ttl_ms)
{
	char key[KEY_MAX + NAME_MAX_LEN + 8], ttl[16];
	const char *argv[5] = { "SET", key, value.p, "PX", ttl };
	size_t lens[5] = { 3, key_of(in, name, key), value.n, 2, 0 };
	struct node *n;

	if (lens[1] == 0 || ttl_ms == 0)
		return HOSTD_E_INVAL;
	lens[4] = (size_t)snprintf(ttl, sizeof(ttl), "%u", ttl_ms);
	return (n = node_of_key(in, hostd_json_slice(key, key + lens[1]))) ==
	    NULL ? HOSTD_E_STATE : redis_command(n->pub, set_answered, in, 5,
	    argv, lens);
}

static void
asker_ends(struct asker *a, int32_t status, hostd_buf value)
{
	LIST_REMOVE(a, link);
	a->done(a->arg, status, value);
	free(a);
}

void
words_gone(struct hostd_inst *in, const struct redis_client *c)
{
	struct asker *a, *next;

	for (a = LIST_FIRST(&in->askers); a != NULL; a = next) {
		next = LIST_NEXT(a, link);
		if (a->client == c)
			asker_ends(a, HOSTD_E_GONE, nothing);
	}
}

void
words_free(struct hostd_inst *in)
{
	while (!LIST_EMPTY(&in->askers))
		asker_ends(LIST_FIRST(&in->askers), HOSTD_E_GONE, nothing);
}

static void
get_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	hostd_buf value = { NULL, 0 };
	int32_t status = HOSTD_E_GONE;

	(void)c;
	if (r != NULL && r->type == REDIS_REPLY_STRING) {
		value.p = r->str;
		value.n = r->len;
		status = HOSTD_OK;
	}
	asker_ends(arg, status, value);
}

int32_t
words_get(struct hostd_inst *in, hostd_buf name,
    void (*done)(void *, int32_t, hostd_buf), void *arg)
{
	char key[KEY_MAX + NAME_MAX_LEN + 8];
	const char *argv[2] = { "GET", key };
	size_t lens[2] = { 3, key_of(in, name, key) };
	struct node *n = node_of_key(in, hostd_json_slice(key, key + lens[1]));
	struct asker *a;
	int32_t rc;

	if (lens[1] == 0)
		return HOSTD_E_INVAL;
	if (n == NULL)
		return HOSTD_E_STATE;
	if ((a = malloc(sizeof(*a))) == NULL)
		return HOSTD_E_NOMEM;
	a->done = done;
	a->arg = arg;
	a->client = n->pub;
	rc = redis_command(n->pub, get_answered, a, 2, argv, lens);
	if (rc < 0) {
		free(a);
		return rc;
	}
	LIST_INSERT_HEAD(&in->askers, a, link);
	return HOSTD_OK;
}
