/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store in memory, which can compare and set unless it is built with
 * -DFLAGS=0.  What it is called with goes to the file "trace", a line each:
 *
 *	get KEY
 *	set KEY TTL any|none|same|other VALUE	(what it is to replace)
 *	touch KEY TTL
 *	del KEY
 *
 * What goes wrong is what the file "orders" says at that moment, the first line
 * that fits: "OP TIMES FAULT REST"; OP is one of these four or "any", TIMES is
 * how often since the file was changed, 0: always.
 *
 *	fail CODE	returned
 *	later CODE	answered, behind the callback
 *	behind		done as it should be, but behind the callback
 *	value TEXT	that is what get finds
 *	size N		N bytes are what get finds
 *	hold		until the file says otherwise; then it is done
 *	never		no answer
 *	twice		answered, and answered again
 *	crash		the process ends
 *	sleep MS	in the callback
 *
 * Without -DFLAGS=HOSTD_STORE_STATELESS it keeps what it is given.  Stateless,
 * the key is the value in hexadecimal digits; rest is as above.
 */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>
#include <hostd/easy.h>
#include <hostd/session_store.h>
#include <hostd/timer.h>

#ifndef FLAGS
#define FLAGS HOSTD_STORE_CAS
#endif
#define ORDERS_MAX 4096
#define LINES 16

enum what { GET, SET, TOUCH, DEL };
static const char *const names[] = { "get", "set", "touch", "del" };

struct entry {
	struct entry *next;
	char *key;
	char *value;
	size_t n;
	uint64_t until;
};

struct call {
	struct call *next;
	enum what what;
	char *key, *value, *expect;	/* expect: NULL, "": nothing is there */
	size_t nvalue, nexpect;
	int compares;
	uint64_t ttl;
	hostd_op op;
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timers;
	hostd_buf orders, trace;
	char text[ORDERS_MAX];	/* of orders */
	unsigned used[LINES];
	struct entry *entries;
	struct call *held;
};

/* -- what is kept -- */

static struct entry **
find(struct hostd_inst *in, const char *key)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);
	struct entry **p = &in->entries, *e;

	while ((e = *p) != NULL) {
		if (e->until > now && strcmp(e->key, key) == 0)
			return p;
		if (e->until > now) {
			p = &e->next;
			continue;
		}
		*p = e->next;
		free(e->key);
		free(e->value);
		free(e);
	}
	return p;
}

static char *
copy(const void *p, size_t n)
{
	char *s = malloc(n + 1);

	if (n > 0)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

static int
is_expected(struct hostd_inst *in, const struct call *c)
{
	struct entry *e = *find(in, c->key);

	if (!c->compares)
		return 1;
	if (c->expect == NULL || e == NULL)
		return c->expect == NULL && e == NULL;
	return e->n == c->nexpect && memcmp(e->value, c->expect, e->n) == 0;
}

static void
keep(struct hostd_inst *in, const struct call *c)
{
	struct entry **p = find(in, c->key);

	if (*p == NULL) {
		*p = calloc(1, sizeof(**p));
		(*p)->key = copy(c->key, strlen(c->key));
	}
	free((*p)->value);
	(*p)->value = copy(c->value, c->nvalue);
	(*p)->n = c->nvalue;
	(*p)->until = in->easy.host->now_ms(in->easy.host) + c->ttl;
}

static int32_t
answer(struct hostd_inst *in, const struct call *c, int32_t status,
    hostd_buf value)
{
	return in->easy.op->complete(in->easy.host, c->op, status, value);
}

/* The key has it all. */
static void
do_stateless(struct hostd_inst *in, const struct call *c)
{
	size_t i, n = c->what == SET ? c->nvalue : strlen(c->key) / 2;
	char *text = malloc(2 * n + 1), digits[3] = "";

	for (i = 0; i < n && c->what == SET; i++)
		(void)sprintf(text + 2 * i, "%02x",
		    (unsigned char)c->value[i]);
	for (i = 0; i < n && c->what == GET; i++) {
		memcpy(digits, c->key + 2 * i, 2);
		text[i] = (char)strtol(digits, NULL, 16);
	}
	(void)answer(in, c, HOSTD_OK,
	    (hostd_buf){ text, c->what == SET ? 2 * n : n });
	free(text);
}

/* As a good store does. */
static void
perform(struct hostd_inst *in, const struct call *c)
{
	hostd_buf value = { NULL, 0 };
	struct entry **p, *e;
	int32_t rc = HOSTD_OK;

	if (FLAGS & HOSTD_STORE_STATELESS) {
		do_stateless(in, c);
		return;
	}
	e = *(p = find(in, c->key));
	if (c->what == GET && e != NULL)
		value = (hostd_buf){ e->value, e->n };
	else if (c->what == SET && !is_expected(in, c))
		rc = HOSTD_E_STATE;
	else if (c->what == SET)
		keep(in, c);
	else if (c->what == TOUCH && e != NULL)
		e->until = in->easy.host->now_ms(in->easy.host) + c->ttl;
	else if (c->what == DEL && e != NULL)
		e->until = 0;
	(void)answer(in, c, rc, value);
}

/* -- calls -- */

static void
call_free(struct call *c)
{
	free(c->key);
	free(c->value);
	free(c->expect);
	free(c);
}

static void
trace(struct hostd_inst *in, const struct call *c)
{
	char *line = malloc(strlen(c->key) + c->nvalue + 64);
	int fd, n;

	n = sprintf(line, "%s %s", names[c->what], c->key);
	if (c->what == SET || c->what == TOUCH)
		n += sprintf(line + n, " %llu", (unsigned long long)c->ttl);
	if (c->what == SET)
		n += sprintf(line + n, " %s %.*s", !c->compares ? "any" :
		    c->expect == NULL ? "none" :
		    is_expected(in, c) ? "same" : "other", (int)c->nvalue,
		    c->value);
	line[n++] = '\n';
	fd = open(in->trace.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1 || write(fd, line, (size_t)n) != n)
		abort();
	(void)close(fd);
	free(line);
}

/* -- orders -- */

static void
read_orders(struct hostd_inst *in)
{
	char text[ORDERS_MAX] = "";
	int fd = in->orders.p == NULL ? -1 :
	    open(in->orders.p, O_RDONLY | O_CLOEXEC);

	if (fd != -1) {
		if (read(fd, text, sizeof(text) - 1) == -1)
			abort();
		(void)close(fd);
	}
	if (strcmp(text, in->text) == 0)
		return;
	memcpy(in->text, text, sizeof(text));
	memset(in->used, 0, sizeof(in->used));
}

/* What is ordered of this call, in line: "fail -7"; "": nothing. */
static void
order_of(struct hostd_inst *in, enum what what, char line[ORDERS_MAX])
{
	const char *p;
	char op[16];
	unsigned i = 0, times;
	int n;

	read_orders(in);
	for (p = in->text; *p != '\0' && i < LINES; i++) {
		n = 0;
		if (sscanf(p, "%15s %u %n", op, &times, &n) == 2 && n > 0 &&
		    (strcmp(op, names[what]) == 0 || strcmp(op, "any") == 0) &&
		    (times == 0 || in->used[i] < times)) {
			in->used[i]++;
			(void)sprintf(line, "%.*s", (int)strcspn(p + n, "\n"),
			    p + n);
			return;
		}
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	line[0] = '\0';
}

static void
answer_later(struct hostd_inst *in, void *arg)
{
	struct call *c = arg;

	(void)answer(in, c, (int32_t)c->ttl, (hostd_buf){ NULL, 0 });
	call_free(c);
}

static void
perform_later(struct hostd_inst *in, void *arg)
{
	perform(in, arg);
	call_free(arg);
}

/* What is held is done when nobody says hold any more, the oldest first. */
static void
look(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	struct call **p = &in->held, *c;

	(void)timer;
	(void)arg;
	read_orders(in);
	while ((c = *p) != NULL && strstr(in->text, "hold") == NULL) {
		*p = c->next;
		perform(in, c);
		call_free(c);
	}
}

static void
hold(struct hostd_inst *in, struct call *c)
{
	struct call **p = &in->held;

	while (*p != NULL)
		p = &(*p)->next;
	*p = c;
}

static void
find_bytes(struct hostd_inst *in, struct call *c, size_t n)
{
	char *text = malloc(n);

	memset(text, 'x', n);
	(void)answer(in, c, HOSTD_OK, (hostd_buf){ text, n });
	free(text);
}

static void
wait_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* c is ours. */
static int32_t
obey(struct hostd_inst *in, struct call *c, const char *order)
{
	const char *rest = order + strcspn(order, " ");
	long n = strtol(rest, NULL, 10);
	int32_t rc = HOSTD_DEFER;

	if (strncmp(order, "hold", 4) == 0) {
		hold(in, c);
		return HOSTD_DEFER;
	}
	if (strncmp(order, "later", 5) == 0) {
		c->ttl = (uint64_t)n;
		(void)in->easy.host->post(in->easy.host, answer_later, c);
		return HOSTD_DEFER;
	}
	if (strncmp(order, "behind", 6) == 0) {
		(void)in->easy.host->post(in->easy.host, perform_later, c);
		return HOSTD_DEFER;
	}
	if (strncmp(order, "fail", 4) == 0)
		rc = (int32_t)n;
	else if (strncmp(order, "value", 5) == 0)
		(void)answer(in, c, HOSTD_OK,
		    hostd_str(rest + (*rest == ' ')));
	else if (strncmp(order, "size", 4) == 0)
		find_bytes(in, c, (size_t)n);
	else if (strncmp(order, "crash", 5) == 0)
		abort();
	else if (strncmp(order, "never", 5) != 0) {
		if (strncmp(order, "sleep", 5) == 0)
			wait_ms(n);
		perform(in, c);
		if (strncmp(order, "twice", 5) == 0)
			perform(in, c);
	}
	call_free(c);
	return rc;
}

static int32_t
called(struct hostd_inst *in, enum what what, hostd_buf key, hostd_buf value,
    uint64_t ttl, const hostd_buf *expect, hostd_op op)
{
	struct call *c = calloc(1, sizeof(*c));
	char order[ORDERS_MAX];

	c->what = what;
	c->key = copy(key.p, key.n);
	c->value = copy(value.p, value.n);
	c->nvalue = value.n;
	c->ttl = ttl;
	c->op = op;
	c->compares = expect != NULL;
	if (expect != NULL && expect->p != NULL) {
		c->expect = copy(expect->p, expect->n);
		c->nexpect = expect->n;
	}
	trace(in, c);
	order_of(in, what, order);
	return obey(in, c, order);
}

static int32_t
get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	return called(in, GET, key, (hostd_buf){ NULL, 0 }, 0, NULL, op);
}

static int32_t
set(struct hostd_inst *in, hostd_buf key, hostd_buf value, uint64_t ttl_ms,
    const hostd_buf *expect, hostd_op op)
{
	return called(in, SET, key, value, ttl_ms, expect, op);
}

static int32_t
touch(struct hostd_inst *in, hostd_buf key, uint64_t ttl_ms, hostd_op op)
{
	return called(in, TOUCH, key, (hostd_buf){ NULL, 0 }, ttl_ms, NULL, op);
}

static int32_t
del(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	return called(in, DEL, key, (hostd_buf){ NULL, 0 }, 0, NULL, op);
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc = hostd_easy_create(sizeof(*in), host, &in, err);
	hostd_timer timer;

	if (rc != HOSTD_OK)
		return rc;
	in->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	(void)conf->get_str(conf, "orders", &in->orders);
	(void)conf->get_str(conf, "trace", &in->trace);
	(void)in->timers->start(host, 2, 2, look, NULL, &timer);
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	struct entry *e;
	struct call *c;

	while ((c = in->held) != NULL) {
		in->held = c->next;
		call_free(c);
	}
	while ((e = in->entries) != NULL) {
		in->entries = e->next;
		free(e->key);
		free(e->value);
		free(e);
	}
	free(in);
}

static const struct hostd_key orders_key = { .struct_size = sizeof(orders_key),
    .type = HOSTD_KEY_PATH, .name = "orders", .dflt = "orders" };
static const struct hostd_key trace_key = { .struct_size = sizeof(trace_key),
    .type = HOSTD_KEY_PATH, .flags = HOSTD_KEY_WRITE,
    .name = "trace", .dflt = "trace" };
static const struct hostd_key *const keys[] = { &orders_key, &trace_key, NULL };
static const struct hostd_session_store_ops ops = {
	.struct_size = sizeof(ops),
	.flags = FLAGS,
	.get = get,
	.set = set,
	.touch = touch,
	.del = del,
};
static const struct hostd_provide provide = { .struct_size = sizeof(provide),
    .kind = HOSTD_KIND_SESSION_STORE, .ops = &ops };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(4), .id = "faulty_store", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .destroy = destroy };
