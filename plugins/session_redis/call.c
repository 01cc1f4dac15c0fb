/* SPDX-License-Identifier: BSD-2-Clause */
/* One op: what is sent, to whom, and what the answers mean. */
#include "store.h"

#define TRIES_MAX	6	/* as slots move, and moved again meanwhile */
#define TRY_AGAIN_MS	50
#define SPARE_MAX	64
#define SPARE_SIZE	16384	/* larger texts are not kept */

/*
 * What is there is compared as a whole, not by a digest: so nobody has to
 * wonder whether two sessions can be made that have the same one, and Redis
 * and we need not compute it.  A key that is gone is not what was expected, and
 * stays gone.
 */
#define SCRIPT								\
	"if redis.call('GET',KEYS[1])==ARGV[1] then "			\
	"redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) return 1 end "	\
	"return 0"
/* How Redis names it: its SHA-1. */
#define SCRIPT_SHA1	"0373f3cd13620d9ad15a482d5951b5608b6caa3e"

static const char *const command_names[CALL_KINDS] = { "GET", "SET", "PEXPIRE",
	"DEL" };

static void	call_go(struct call *);

/* -- life -- */

static struct call *
call_new(struct hostd_inst *in, size_t size)
{
	struct call *k = LIST_FIRST(&in->spare);
	char *text;

	if (k != NULL) {
		LIST_REMOVE(k, link);
		in->nspare--;
	} else if ((k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	if (k->size < size) {
		if ((text = realloc(k->text, size)) == NULL) {
			free(k->text);
			free(k);
			return NULL;
		}
		k->text = text;
		k->size = size;
	}
	LIST_INSERT_HEAD(&in->calls, k, link);
	return k;
}

static void
call_drop(struct call *k)
{
	free(k->text);
	free(k);
}

static void
call_free(struct call *k)
{
	struct hostd_inst *in = k->in;
	char *text = k->text;
	size_t size = k->size;

	if (k->timer.id != 0)
		(void)in->redis.timers->stop(in->host, k->timer);
	if (k->is_waiting)
		STAILQ_REMOVE(&k->node->waiting, k, call, waits);
	LIST_REMOVE(k, link);
	if (in->nspare >= SPARE_MAX || size > SPARE_SIZE) {
		call_drop(k);
		return;
	}
	memset(k, 0, sizeof(*k));
	k->text = text;
	k->size = size;
	LIST_INSERT_HEAD(&in->spare, k, link);
	in->nspare++;
}

void
calls_close(struct hostd_inst *in)
{
	struct call *k;

	while ((k = LIST_FIRST(&in->calls)) != NULL)
		call_free(k);
	while ((k = LIST_FIRST(&in->spare)) != NULL) {
		LIST_REMOVE(k, link);
		call_drop(k);
	}
}

/* The host may ask for more before complete returns. */
static void
call_finish(struct call *k, int32_t status, hostd_buf result)
{
	struct hostd_inst *in = k->in;
	hostd_op op = k->op;

	metrics_called(in, k, status);
	call_free(k);
	(void)in->op->complete(in->host, op, status, result);
}

static void
call_fail(struct call *k, int32_t status)
{
	call_finish(k, status, hostd_str(NULL));
}

static hostd_buf
call_key(const struct call *k)
{
	hostd_buf b = { k->text, k->nkey };

	return b;
}

/* The key as the host knows it, which is not to be logged. */
static hostd_buf
call_id(const struct call *k)
{
	hostd_buf b = { k->text + k->in->prefix.n, k->nkey - k->in->prefix.n };

	return b;
}

static int
by_script(const struct call *k)
{
	return k->kind == CALL_SET && k->expect == EXPECT_VALUE;
}

/* -- what its answer means -- */

/* That is no answer to what was asked: the next ones may be other people's,
 * too. */
static void
call_confused(struct call *k, struct redis_client *c)
{
	state_refused(k->in, "Redis has given an answer of the wrong type, to",
	    command_names[k->kind], hostd_str(NULL));
	call_fail(k, HOSTD_E_IO);
	redis_client_drop(c, "an answer of the wrong type");
}

static void
got(struct call *k, struct redis_client *c, const redisReply *r)
{
	hostd_buf value = { r->str, r->len };

	if (r->type == REDIS_REPLY_STRING)
		call_finish(k, HOSTD_OK, value);
	else if (r->type == REDIS_REPLY_NIL)
		call_finish(k, HOSTD_OK, hostd_str(NULL));
	else
		call_confused(k, c);
}

static void
was_set(struct call *k, struct redis_client *c, const redisReply *r)
{
	if (by_script(k) && r->type == REDIS_REPLY_INTEGER)
		call_fail(k, r->integer == 1 ? HOSTD_OK : HOSTD_E_STATE);
	else if (!by_script(k) && r->type == REDIS_REPLY_STATUS)
		call_fail(k, HOSTD_OK);
	else if (k->expect == EXPECT_NOTHING && r->type == REDIS_REPLY_NIL)
		call_fail(k, HOSTD_E_STATE);
	else
		call_confused(k, c);
}

static void
call_done(struct call *k, struct redis_client *c, const redisReply *r)
{
	if (k->kind == CALL_GET)
		got(k, c, r);
	else if (k->kind == CALL_SET)
		was_set(k, c, r);
	else if (r->type == REDIS_REPLY_INTEGER)
		call_fail(k, HOSTD_OK);
	else
		call_confused(k, c);
}

/* -- errors, and another try -- */

static int
is_late(const struct call *k, uint64_t wait_ms)
{
	uint64_t left;

	return k->in->op->left_ms(k->in->host, k->op, &left) != HOSTD_OK ||
	    left <= wait_ms;
}

static void
again_due(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct call *k = arg;

	(void)in;
	(void)t;
	k->timer.id = 0;
	k->node = node_of(k->in, call_key(k));
	call_go(k);
}

static void
call_again_later(struct call *k)
{
	struct hostd_inst *in = k->in;

	k->node = NULL;
	if (is_late(k, TRY_AGAIN_MS) || in->redis.timers->start(in->host,
	    TRY_AGAIN_MS, 0, again_due, k, &k->timer) != HOSTD_OK) {
		k->timer.id = 0;
		call_fail(k, HOSTD_E_IO);
	}
}

/* To where Redis says that the slot is. */
static int
call_follow(struct call *k, const redisReply *r)
{
	struct redis_node_addr at;
	struct node *n;

	if (k->in->mode != MODE_CLUSTER || is_late(k, 0) ||
	    redis_redirect_parse(r, k->node->at.host, &at) == -1 ||
	    (n = node_at(k->in, &at)) == NULL)
		return 0;
	k->asking = redis_is_error(r, "ASK");
	k->node = n;
	if (node_open(n, k->in->connections) == -1)
		return 0;
	call_go(k);
	return 1;
}

/* Another connection may be to a server that will. */
static int
is_misplaced(const redisReply *r)
{
	return redis_is_error(r, "READONLY") || redis_is_error(r, "NOAUTH") ||
	    redis_is_error(r, "MASTERDOWN") || redis_is_error(r, "LOADING");
}

static void
call_refused(struct call *k, struct redis_client *c, const redisReply *r)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "Redis refuses %s",
	    by_script(k) ? "EVALSHA" : command_names[k->kind]);
	state_refused(k->in, what, r->str, call_id(k));
	if (redis_is_error(r, "CLUSTERDOWN"))
		cluster_ask(k->in);
	call_fail(k, redis_is_error(r, "OOM") ? HOSTD_E_FULL : HOSTD_E_IO);
	if (is_misplaced(r))
		redis_client_drop(c, r->str);
}

static void
call_error(struct call *k, struct redis_client *c, const redisReply *r)
{
	int moved = redis_is_error(r, "MOVED ");

	if (moved)
		cluster_ask(k->in);
	if (++k->tries < TRIES_MAX) {
		if (redis_is_error(r, "NOSCRIPT") && !k->in_full) {
			k->in_full = 1;
			call_go(k);
			return;
		}
		if (redis_is_error(r, "TRYAGAIN")) {
			call_again_later(k);
			return;
		}
		if ((moved || redis_is_error(r, "ASK ")) && call_follow(k, r))
			return;
	}
	call_refused(k, c, r);
}

/* Its connection is gone.  Only what changes nothing is asked again. */
static void
call_lost(struct call *k)
{
	if (k->kind == CALL_GET && ++k->tries < TRIES_MAX && !is_late(k, 0))
		call_go(k);
	else
		call_fail(k, HOSTD_E_IO);
}

static void
call_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	struct node *n = redis_client_arg(c);
	struct call *k = arg;

	if (r == NULL)
		call_lost(k);
	else if (r->type == REDIS_REPLY_ERROR)
		call_error(k, c, r);
	else
		call_done(k, c, r);
	if (r != NULL)
		node_retire(n);
}

/* -- sending -- */

struct words {
	const char *argv[7];
	size_t lens[7];
	int n;
	char ttl[24];
};

static void
word_add(struct words *w, const char *p, size_t n)
{
	w->argv[w->n] = p;
	w->lens[w->n++] = n;
}

static void
text_add(struct words *w, const char *text)
{
	word_add(w, text, strlen(text));
}

static void
words_of_script(struct words *w, const struct call *k, const char *ttl)
{
	const char *value = k->text + k->nkey;

	text_add(w, k->in_full ? "EVAL" : "EVALSHA");
	text_add(w, k->in_full ? SCRIPT : SCRIPT_SHA1);
	text_add(w, "1");
	word_add(w, k->text, k->nkey);
	word_add(w, value + k->nvalue, k->nexpect);
	word_add(w, value, k->nvalue);
	text_add(w, ttl);
}

static void
words_of_set(struct words *w, const struct call *k, const char *ttl)
{
	text_add(w, "SET");
	word_add(w, k->text, k->nkey);
	word_add(w, k->text + k->nkey, k->nvalue);
	text_add(w, "PX");
	text_add(w, ttl);
	if (k->expect == EXPECT_NOTHING)
		text_add(w, "NX");
}

static void
words_of(struct words *w, const struct call *k)
{
	char *ttl = w->ttl;

	(void)snprintf(ttl, sizeof(w->ttl), "%llu",
	    (unsigned long long)k->ttl_ms);
	if (by_script(k)) {
		words_of_script(w, k, ttl);
	} else if (k->kind == CALL_SET) {
		words_of_set(w, k, ttl);
	} else {
		text_add(w, command_names[k->kind]);
		word_add(w, k->text, k->nkey);
		if (k->kind == CALL_TOUCH)
			text_add(w, ttl);
	}
}

static int32_t
call_send_over(struct call *k, struct redis_client *c)
{
	struct words w = { .n = 0 };
	int32_t rc;

	if (k->asking && (rc = redis_words(c, NULL, NULL, "ASKING", NULL)) < 0)
		return rc;
	words_of(&w, k);
	return redis_command(c, call_answered, k, w.n, w.argv, w.lens);
}

/* It has not been tried to the end. */
static int
is_on_its_way(const struct node *n)
{
	return n->nup == 0 && !n->has_failed;
}

/* HOSTD_OK: it is sent, or will be. */
static int32_t
call_send(struct call *k)
{
	struct redis_client *c;
	int32_t rc;

	if (k->node == NULL)
		return HOSTD_E_IO;
	if ((c = node_client(k->node, call_key(k))) == NULL) {
		if (!is_on_its_way(k->node))
			return HOSTD_E_IO;
		STAILQ_INSERT_TAIL(&k->node->waiting, k, waits);
		k->is_waiting = 1;
		return HOSTD_OK;
	}
	if ((rc = call_send_over(k, c)) >= 0)
		return HOSTD_OK;
	if (rc == HOSTD_E_FULL)
		state_refused(k->in, "Redis does not keep up", "max_pending "
		    "bytes wait for its answers", hostd_str(NULL));
	return HOSTD_E_IO;
}

static void
call_go(struct call *k)
{
	int32_t rc = call_send(k);

	if (rc != HOSTD_OK)
		call_fail(k, rc);
}

void
calls_go_on(struct node *n)
{
	STAILQ_HEAD(, call) list = STAILQ_HEAD_INITIALIZER(list);
	struct call *k;

	STAILQ_CONCAT(&list, &n->waiting);
	while ((k = STAILQ_FIRST(&list)) != NULL) {
		STAILQ_REMOVE_HEAD(&list, waits);
		k->is_waiting = 0;
		call_go(k);
	}
}

/* Each may make the host ask for something else. */
void
calls_fail(struct hostd_inst *in, const struct node *n)
{
	struct call *k;

	do {
		LIST_FOREACH(k, &in->calls, link)
			if (k->node == n)
				break;
		if (k != NULL)
			call_fail(k, HOSTD_E_IO);
	} while (k != NULL);
}

int32_t
call_start(struct hostd_inst *in, enum call_kind kind, hostd_op op,
    hostd_buf key, hostd_buf value, uint64_t ttl_ms, const hostd_buf *expect)
{
	size_t nexpect = expect != NULL ? expect->n : 0;
	size_t nkey = in->prefix.n + key.n;
	struct call *k;
	int32_t rc;

	if ((k = call_new(in, nkey + value.n + nexpect + 1)) == NULL)
		return HOSTD_E_NOMEM;
	k->in = in;
	k->op = op;
	k->kind = kind;
	k->ttl_ms = ttl_ms;
	k->began_ms = in->host->now_ms(in->host);
	k->expect = expect == NULL ? EXPECT_ANY : expect->p == NULL ?
	    EXPECT_NOTHING : EXPECT_VALUE;
	k->nkey = nkey;
	k->nvalue = value.n;
	k->nexpect = nexpect;
	memcpy(k->text, in->prefix.p, in->prefix.n);
	memcpy(k->text + in->prefix.n, key.p, key.n);
	if (value.n > 0)
		memcpy(k->text + nkey, value.p, value.n);
	if (nexpect > 0)
		memcpy(k->text + nkey + value.n, expect->p, nexpect);
	k->node = node_of(in, call_key(k));
	if ((rc = call_send(k)) == HOSTD_OK)
		return HOSTD_DEFER;
	metrics_called(in, k, rc);
	call_free(k);
	return rc;
}
