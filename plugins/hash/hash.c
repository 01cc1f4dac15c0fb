/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By any part of a request: what has the same key goes to the same server, as
 * long as it is there, whichever worker or machine balances.  With a
 * load_factor no server gets more than that of the mean of all; what is beyond
 * goes to the one that is next for that key.
 */
#include <math.h>
#include <hostd/easy.h>
#include <balance/servers.h>
#include "key.h"

#define FULL_SHARE	256u

struct hostd_inst {
	HOSTD_EASY_HEAD;
	struct key key;
	uint64_t load_factor;	/* percent; 0: any load */
};

static int32_t
update(struct hostd_inst *in, void *d, const struct hostd_peer *const *peers)
{
	(void)in;
	return servers_set(d, peers);
}

static void
close_group(struct hostd_inst *in, void *d)
{
	(void)in;
	servers_free(d);
}

static int32_t
key(struct hostd_inst *in, void *d, const struct hostd_request *rq, char *room,
    hostd_buf *out)
{
	uint64_t hash;

	(void)d;
	if (!key_hash(&in->key, rq, &hash))
		return HOSTD_PASS;
	memcpy(room, &hash, sizeof(hash));
	out->p = room;
	out->n = sizeof(hash);
	return HOSTD_OK;
}

/* A connection has nothing but its client's address. */
static int
hash_of(const struct hostd_pick *k, uint64_t *hash)
{
	if (k->key.n == sizeof(*hash)) {
		memcpy(hash, k->key.p, sizeof(*hash));
		return 1;
	}
	if ((k->flags & HOSTD_PICK_STREAM) == 0 || k->client.n == 0)
		return 0;
	*hash = hash_mix(hash_add(HASH_START, k->client.p, k->client.n));
	return 1;
}

/* Leave of the chosen those that are below their bound: there is always one. */
static void
choose_bounded(struct hostd_inst *in, struct servers *s)
{
	uint64_t requests = 1, takes = 0, i;

	hostd_peer_loads(in, s, s->ids, s->n, s->loads);
	for (i = 0; i < s->n; i++)
		if (s->v[i].chosen) {
			requests += s->loads[i].inflight;
			takes += s->v[i].takes;
		}
	/* inflight < factor * requests * takes of it / takes of all */
	for (i = 0; i < s->n; i++)
		if (s->v[i].chosen && (double)s->loads[i].inflight * 100 *
		    (double)takes >= (double)(in->load_factor * requests) *
		    (double)s->v[i].takes)
			s->v[i].chosen = 0;
}

/* During a slow start some keys are taken, and always the same. */
static int
takes_key(const struct server *v, uint64_t hash)
{
	return v->takes >= (uint64_t)v->weight * FULL_SHARE ||
	    (hash & (FULL_SHARE - 1)) * v->weight < v->takes;
}

/*
 * When the server would have the key: at a random time, the same on all
 * machines, that comes the earlier on average the more weight it has.  Of
 * exponentially distributed times each is the first as often as its rate is a
 * part of all.
 */
static double
time_of(const struct server *v, uint64_t hash)
{
	uint64_t random = hash_mix(hash ^ v->hash) >> 11;

	return -log(((double)random + 0.5) * 0x1p-53) / v->weight;
}

/* Who has it first, of the chosen. */
static int32_t
pick_first(const struct servers *s, uint64_t hash, int slow, uint32_t *id)
{
	double least = INFINITY, at;
	const struct server *v;
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		v = &s->v[i];
		if (!v->chosen || (slow && !takes_key(v, hash)))
			continue;
		at = time_of(v, hash);
		if (at < least) {
			least = at;
			*id = v->id;
		}
	}
	return least < INFINITY ? HOSTD_OK : HOSTD_E_FULL;
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	struct servers *s = d;
	uint64_t hash;

	if (servers_choose(s, k) == 0)
		return HOSTD_E_FULL;
	if (!hash_of(k, &hash))
		return servers_turn(s, id);
	if (in->load_factor != 0)
		choose_bounded(in, s);
	if (pick_first(s, hash, 1, id) == HOSTD_OK)
		return HOSTD_OK;
	return pick_first(s, hash, 0, id);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	hostd_buf text = { NULL, 0 };
	int64_t factor = 0;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	(void)conf->get_str(conf, "key", &text);
	(void)conf->get_int(conf, "load_factor", &factor);
	in->load_factor = (uint64_t)factor;
	rc = key_parse(&in->key, text, err);
	if (rc == HOSTD_OK && factor != 0 && factor <= 100)
		rc = hostd_fail(err, HOSTD_E_INVAL, "load_factor: is a "
		    "percentage of the mean load, above 100, or 0");
	if (rc != HOSTD_OK) {
		free(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_key key_key = {
	.struct_size = sizeof(key_key), .type = HOSTD_KEY_STRING,
	.name = "key", .dflt = "$remote_addr", .min = 1, .max = 1024,
	.help = "What requests are told apart by: text with $uri, "
	    "$request_uri, $args, $arg_NAME, $host, $http_NAME, $cookie_NAME, "
	    "$remote_addr and $request_method; those that have nothing of it "
	    "go to one server after the other.",
};
static const struct hostd_key factor_key = {
	.struct_size = sizeof(factor_key), .type = HOSTD_KEY_INT,
	.name = "load_factor", .dflt = "0", .min = 0, .max = 1000,
	.help = "No server gets more than so many percent of the mean load of "
	    "all, 125 for instance; 0: keys stay with their server however "
	    "busy it is.",
};
static const struct hostd_key *const keys[] = { &key_key, &factor_key, NULL };

static const struct hostd_balancer_ops ops = {
	.struct_size = sizeof(ops), .data_size = sizeof(struct servers),
	.update = update, .close = close_group, .key = key, .pick = pick,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_BALANCER,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "hash",
	.version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.keys = keys,
	.create = create,
	.destroy = destroy,
};
