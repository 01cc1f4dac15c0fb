/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/board.h"
#include "base/shared.h"

#define BOARD_MAGIC 0x6472616f62647368ull
/* Whoever adds a field need not think of BOARD_VERSION. */
#define BOARD_SIZES                                                            \
	((uint32_t)(sizeof(struct board_node) * 1000003 +                      \
	    sizeof(struct board_cell) * 1009 + sizeof(struct board_metric) +   \
	    sizeof(struct traffic) * 7))
#define COUNTERS (sizeof(struct board_counters) / sizeof(_Atomic uint64_t))

/* The counters are summed as one array. */
_Static_assert(sizeof(struct board_counters) ==
	(49 + LATENCY_BUCKETS + BOARD_LAGS) * sizeof(uint64_t),
    "board_counters is made of counters only");

const uint32_t board_lags[BOARD_LAGS] = {
    5, 10, 25, 50, 100, 250, 500, 1000};

/* Where each part starts, on a page of its own. */
struct board_layout {
	size_t cells, metrics, retired, traffic, size;
};

static struct board_layout
board_layout(void)
{
	struct board_layout l;

	l.cells = shared_round(sizeof(struct board_node));
	l.metrics =
	    shared_round(l.cells + sizeof(struct board_cell) * BOARD_CELLS);
	l.retired = shared_round(l.metrics +
	    sizeof(struct board_metric) * BOARD_METRICS * BOARD_CELLS);
	l.traffic = shared_round(
	    l.retired + sizeof(struct board_metric) * BOARD_METRICS);
	l.size = shared_round(l.traffic + sizeof(struct traffic) * BOARD_CELLS);
	return l;
}

/* Takes fd, also when it fails. */
static int
board_map(struct board *b, int fd)
{
	struct board_layout l = board_layout();
	char *p = shared_map(fd, l.size);

	if (p == NULL)
		return -1;
	b->node = (void *)p;
	b->cells = (void *)(p + l.cells);
	b->metrics = (void *)(p + l.metrics);
	b->retired = (void *)(p + l.retired);
	b->traffic = (void *)(p + l.traffic);
	b->size = l.size;
	b->fd = fd;
	return 0;
}

uint64_t
board_clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int
board_create(struct board *b)
{
	int fd = shared_create("hostd board", board_layout().size);

	if (fd == -1 || board_map(b, fd) == -1)
		return -1;
	b->node->magic = BOARD_MAGIC;
	if (getrandom(&b->node->id, sizeof(b->node->id), 0) == -1) {
		board_close(b);
		return -1;
	}
	b->node->version = BOARD_VERSION;
	b->node->layout = BOARD_SIZES;
	b->node->started_ms = board_clock_ms();
	b->node->master_pid = (uint32_t)getpid();
	if (gethostname(b->node->node, sizeof(b->node->node) - 1) == -1)
		(void)snprintf(b->node->node, sizeof(b->node->node), "?");
	return 0;
}

int
board_attach(struct board *b, int fd)
{
	if (board_map(b, fd) == -1)
		return -1;
	if (b->node->magic != BOARD_MAGIC ||
	    b->node->version != BOARD_VERSION ||
	    b->node->layout != BOARD_SIZES) {
		board_close(b);
		errno = EPROTO;
		return -1;
	}
	return 0;
}

void
board_close(struct board *b)
{
	if (b->node == NULL)
		return;
	(void)munmap(b->node, b->size);
	(void)close(b->fd);
	memset(b, 0, sizeof(*b));
	b->fd = -1;
}

int
board_cell_take(struct board *b)
{
	int i;

	for (i = 0; i < BOARD_CELLS; i++)
		if (atomic_load(&b->cells[i].state) == CELL_FREE)
			break;
	if (i == BOARD_CELLS)
		return -1;
	memset(&b->cells[i], 0, sizeof(b->cells[i]));
	atomic_store(&b->cells[i].state, CELL_STARTING);
	return i;
}

static void
counters_fold(struct board_counters *to, const struct board_counters *from)
{
	_Atomic uint64_t *t = (void *)to;
	const _Atomic uint64_t *f = (const void *)from;
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		board_add(
		    &t[i], atomic_load_explicit(&f[i], memory_order_relaxed));
}

/* A private copy, with every bound checked; 0 if it is not one. */
static int
metric_copy(struct board_metric *to, const struct board_metric *from)
{
	uint32_t type = atomic_load(&from->type);
	int i;

	if (type == 0 || type > BOARD_METRIC_TYPES)
		return 0;
	memset(to, 0, sizeof(*to));
	memcpy(to->name, from->name, sizeof(to->name) - 1);
	memcpy(to->help, from->help, sizeof(to->help) - 1);
	to->nbounds = from->nbounds;
	if (to->name[0] == '\0' || to->nbounds > BOARD_BUCKETS - 1)
		return 0;
	memcpy(to->bounds, from->bounds, sizeof(to->bounds));
	to->value = atomic_load(&from->value);
	for (i = 0; i < BOARD_BUCKETS; i++)
		to->buckets[i] = atomic_load(&from->buckets[i]);
	to->type = type;
	return 1;
}

static int
metric_same(const struct board_metric *a, const struct board_metric *b)
{
	return a->type == b->type && a->nbounds == b->nbounds &&
	    strcmp(a->name, b->name) == 0 &&
	    memcmp(a->bounds, b->bounds, a->nbounds * sizeof(a->bounds[0])) ==
	    0;
}

/* Into the one of BOARD_METRICS at r that is the same; it is lost when there is
 * no room for another. */
static void
metric_fold(struct board_metric *r, const struct board_metric *m)
{
	const struct board_metric *end = r + BOARD_METRICS;
	int i;

	while (r < end && r->type != 0 && !metric_same(r, m))
		r++;
	if (r == end)
		return;
	if (r->type == 0) {
		memcpy(r->name, m->name, sizeof(r->name));
		memcpy(r->help, m->help, sizeof(r->help));
		memcpy(r->bounds, m->bounds, sizeof(r->bounds));
		r->nbounds = m->nbounds;
		atomic_store(&r->type, m->type);
	}
	atomic_fetch_add(&r->value, m->value);
	for (i = 0; i < BOARD_BUCKETS; i++)
		atomic_fetch_add(&r->buckets[i], m->buckets[i]);
}

/* Those for whom there is no room are the last one's. */
static void
use_fold(struct board_used *to, const char *name, const struct board_use *u)
{
	const struct board_used *last = to + BOARD_USED - 1;

	while (to < last && to->name[0] != '\0' && strcmp(to->name, name) != 0)
		to++;
	(void)snprintf(to->name, sizeof(to->name), "%s",
	    to == last ? "other" : name);
	board_add(&to->use.calls, u->calls);
	board_add(&to->use.ms, u->ms);
}

static void
uses_fold(struct board_used *to, const struct board_cell *c)
{
	char name[sizeof(c->plugins[0])];
	int i;

	for (i = 0; i < BOARD_PLUGINS && c->plugins[i][0] != '\0'; i++) {
		memcpy(name, c->plugins[i], sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		use_fold(to, name, &c->uses[i]);
	}
}

void
board_cell_retire(struct board *b, int cell)
{
	struct board_cell *c = &b->cells[cell];
	struct board_metric *m = &b->metrics[(size_t)cell * BOARD_METRICS];
	struct board_metric copy;
	int i;

	atomic_fetch_add(&b->node->folding, 1);
	atomic_store(&c->state, CELL_DEAD);
	counters_fold(&b->node->retired, &c->counters);
	uses_fold(b->node->used, c);
	traffic_fold(&b->node->traffic, board_traffic(b, c));
	for (i = 0; i < BOARD_METRICS && atomic_load(&m[i].type) != 0; i++)
		/* What a gauge said of an ended process is no longer so. */
		if (metric_copy(&copy, &m[i]) &&
		    copy.type != BOARD_METRIC_GAUGE)
			metric_fold(b->retired, &copy);
	/* Reading a page that was never used costs one. */
	shared_zero(b->fd, b->node, m, sizeof(*m) * BOARD_METRICS);
	shared_zero(b->fd, b->node, board_traffic(b, c),
	    sizeof(struct traffic));
	memset(c, 0, sizeof(*c)); /* with it, the state is CELL_FREE */
	atomic_fetch_add(&b->node->folding, 1);
}

static void
board_sum_once(const struct board *b, struct board_sums *s)
{
	const struct board_cell *c;
	int i;

	memset(s, 0, sizeof(*s));
	counters_fold(&s->n, &b->node->retired);
	for (i = 0; i < BOARD_CELLS; i++) {
		c = &b->cells[i];
		if (atomic_load(&c->state) == CELL_FREE)
			continue;
		counters_fold(&s->n, &c->counters);
		s->active += c->active;
		s->idle += c->idle;
		s->websockets += c->websockets;
	}
}

void
board_sum(const struct board *b, struct board_sums *s)
{
	uint32_t before;
	int tries = 0;

	do {
		before = atomic_load(&b->node->folding);
		board_sum_once(b, s);
	} while (shared_is_torn(&b->node->folding, before, &tries));
}

static void
metrics_sum_list(struct board_metric *out, const struct board_metric *m)
{
	struct board_metric copy;
	int i;

	for (i = 0; i < BOARD_METRICS && atomic_load(&m[i].type) != 0; i++)
		if (metric_copy(&copy, &m[i]))
			metric_fold(out, &copy);
}

size_t
board_metrics_sum(const struct board *b, struct board_metric *out)
{
	uint32_t before;
	size_t i, n = 0;
	int tries = 0;

	do {
		before = atomic_load(&b->node->folding);
		memset(out, 0, sizeof(*out) * BOARD_METRICS);
		metrics_sum_list(out, b->retired);
		for (i = 0; i < BOARD_CELLS; i++)
			if (atomic_load(&b->cells[i].state) != CELL_FREE)
				metrics_sum_list(
				    out, &b->metrics[i * BOARD_METRICS]);
	} while (shared_is_torn(&b->node->folding, before, &tries));
	while (n < BOARD_METRICS && out[n].type != 0)
		n++;
	return n;
}

void
board_traffic_sum(const struct board *b, struct traffic *out)
{
	uint32_t before;
	int i, tries = 0;

	do {
		before = atomic_load(&b->node->folding);
		memset(out, 0, sizeof(*out));
		traffic_fold(out, &b->node->traffic);
		for (i = 0; i < BOARD_CELLS; i++)
			if (atomic_load(&b->cells[i].state) != CELL_FREE)
				traffic_fold(out, &b->traffic[i]);
	} while (shared_is_torn(&b->node->folding, before, &tries));
}

size_t
board_uses_sum(const struct board *b, struct board_used out[BOARD_USED])
{
	uint32_t before;
	size_t n = 0;
	int i, tries = 0;

	do {
		before = atomic_load(&b->node->folding);
		memcpy(out, b->node->used, sizeof(out[0]) * BOARD_USED);
		for (i = 0; i < BOARD_USED; i++)
			out[i].name[sizeof(out[i].name) - 1] = '\0';
		for (i = 0; i < BOARD_CELLS; i++)
			if (atomic_load(&b->cells[i].state) != CELL_FREE)
				uses_fold(out, &b->cells[i]);
	} while (shared_is_torn(&b->node->folding, before, &tries));
	while (n < BOARD_USED && out[n].name[0] != '\0')
		n++;
	return n;
}

void
board_restarted(struct board *b, const char *pool)
{
	struct board_restarts *r = b->node->restarts;
	const struct board_restarts *last = r + BOARD_POOLS - 1;

	while (r < last && r->pool[0] != '\0' && strcmp(r->pool, pool) != 0)
		r++;
	(void)snprintf(r->pool, sizeof(r->pool), "%s",
	    r == last ? "other" : pool);
	board_add(&r->n, 1);
}

const char *
board_running(const struct board_cell *c, char *plugin, size_t size)
{
	uint32_t i = atomic_load(&c->plugin);

	if (i == 0 || i > BOARD_PLUGINS)
		return NULL;
	(void)snprintf(plugin, size, "%.*s", (int)sizeof(c->plugins[0]),
	    c->plugins[i - 1]);
	return board_callback_name(atomic_load(&c->callback));
}

static uint64_t
ms_since(uint64_t since)
{
	struct timespec ts;
	uint64_t now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	now = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
	return now > since ? now - since : 0;
}

uint64_t
board_running_ms(const struct board_cell *c)
{
	uint64_t since = atomic_load(&c->entered_ms);

	return atomic_load(&c->plugin) == 0 ? 0 : ms_since(since);
}

uint64_t
board_silent_ms(const struct board_cell *c)
{
	uint64_t since = atomic_load(&c->beat_ms);

	return since == 0 ? 0 : ms_since(since);
}

int
board_is_starved(const struct board_cell *c)
{
	uint64_t since = atomic_load(&c->starved_ms);

	return since != 0 && ms_since(since) < BOARD_STARVED_MS;
}

const char *
board_callback_name(uint32_t callback)
{
	static const char *const names[] = {
	    [BOARD_CB_NONE] = "host",
	    [BOARD_CB_CREATE] = "create",
	    [BOARD_CB_START] = "start",
	    [BOARD_CB_HEADERS] = "on_headers",
	    [BOARD_CB_BODY] = "on_body",
	    [BOARD_CB_WRITABLE] = "on_writable",
	    [BOARD_CB_END] = "on_end",
	    [BOARD_CB_TIMER] = "a timer",
	    [BOARD_CB_POST] = "a posted function",
	    [BOARD_CB_WORK_DONE] = "a work's done",
	    [BOARD_CB_RELEASE] = "a release function",
	    [BOARD_CB_DRAIN] = "drain",
	    [BOARD_CB_DESTROY] = "destroy",
	    [BOARD_CB_DLOPEN] = "dlopen",
	    [BOARD_CB_WORK] = "work on a thread",
	    [BOARD_CB_UPGRADE] = "on_upgrade",
	    [BOARD_CB_REFUSED] = "on_refused",
	    [BOARD_CB_OPEN] = "on_open",
	    [BOARD_CB_MESSAGE] = "on_message",
	    [BOARD_CB_CLOSE] = "on_close",
	    [BOARD_CB_CHANNEL] = "a channel's function",
	    [BOARD_CB_PUBLISH] = "publish",
	    [BOARD_CB_SUBSCRIBE] = "subscribe",
	    [BOARD_CB_NET] = "a connection's function",
	    [BOARD_CB_FETCH] = "an exchange's function",
	    [BOARD_CB_COMMAND] = "a command",
	    [BOARD_CB_SAVE] = "save",
	    [BOARD_CB_LOAD] = "load",
	    [BOARD_CB_MOVED] = "moved",
	    [BOARD_CB_SERVERS] = "update",
	    [BOARD_CB_KEY] = "key",
	    [BOARD_CB_PICK] = "pick",
	    [BOARD_CB_REPORT] = "report",
	    [BOARD_CB_COOKIE] = "cookie",
	    [BOARD_CB_ANSWERED] = "answered",
	    [BOARD_CB_SESSION] = "a session's function",
	    [BOARD_CB_GET] = "get",
	    [BOARD_CB_SET] = "set",
	    [BOARD_CB_TOUCH] = "touch",
	    [BOARD_CB_DELETE] = "del",
	    [BOARD_CB_ATTACH] = "attach or detach",
	    [BOARD_CB_OFFERED] = "a function of an offered kind",
	};

	return callback < sizeof(names) / sizeof(names[0]) ? names[callback]
							   : "?";
}

const char *
board_state_name(uint32_t state)
{
	static const char *const names[] = {
	    [CELL_FREE] = "free",
	    [CELL_STARTING] = "starting",
	    [CELL_READY] = "ready",
	    [CELL_DRAINING] = "draining",
	    [CELL_DEAD] = "dead",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}
