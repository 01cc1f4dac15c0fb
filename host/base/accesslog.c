/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "base/accesslog.h"
#include "base/decimal.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

#define LOG_BUFFER_MAX	(1u << 20)

/* -- variables that all kinds have -- */

static uint64_t
wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
put_time_local(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const struct access_logs *logs = log->logs;

	(void)op;
	(void)what;
	buf_append(&log->out, logs->time_local, logs->time_local_len);
}

static void
put_time_iso(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const struct access_logs *logs = log->logs;

	(void)op;
	(void)what;
	buf_append(&log->out, logs->time_iso, logs->time_iso_len);
}

static void
put_msec(struct access_log *log, const struct access_op *op, const void *what)
{
	(void)op;
	(void)what;
	access_put_seconds(log, wall_ms());
}

static void
put_pid(struct access_log *log, const struct access_op *op, const void *what)
{
	(void)op;
	(void)what;
	access_put_number(log, (uint64_t)log->logs->pid);
}

static void
put_worker(struct access_log *log, const struct access_op *op,
    const void *what)
{
	const char *worker = log->logs->worker;

	(void)op;
	(void)what;
	access_put_text(log, (hostd_buf){ worker, strlen(worker) });
}

static const struct access_var general[] = {
	{ "time_local", put_time_local, 0 },
	{ "time_iso8601", put_time_iso, 0 }, { "msec", put_msec, 0 },
	{ "pid", put_pid, 0 }, { "worker", put_worker, 0 },
	{ NULL, NULL, 0 },
};

/* -- compiling a format -- */

static size_t
name_length(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyz_0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static const struct access_var *
variable_in(const struct access_var *v, const char *name, size_t n)
{
	for (; v->name != NULL; v++)
		if (strlen(v->name) == n && memcmp(v->name, name, n) == 0)
			return v;
	return NULL;
}

int
access_op_header(struct access_op *op, access_put *put, const char *name,
    size_t n)
{
	size_t i;

	if (n == 0)
		return -1;
	op->put = put;
	op->name = xstrndup(name, n);
	op->name_len = n;
	for (i = 0; i < n; i++)
		if (op->name[i] == '_')
			op->name[i] = '-';
	return 0;
}

/* 0, or -1: no such variable. */
static int
variable_find(const struct access_kind *k, const char *name, size_t n,
    struct access_op *op)
{
	const struct access_var *v = variable_in(k->vars, name, n);

	if (v == NULL)
		v = variable_in(general, name, n);
	if (v == NULL)
		return k->find == NULL ? -1 : k->find(op, name, n);
	op->put = v->put;
	op->var = v->var;
	return 0;
}

/* The variable at p; returns how much it takes, 0 on error. */
static size_t
format_variable(const struct access_kind *k, const char *p,
    struct access_op *op)
{
	int braces = p[1] == '{';
	size_t n = name_length(p + 1 + braces);

	if (n == 0 || (braces && p[2 + n] != '}') ||
	    variable_find(k, p + 1 + braces, n, op) == -1)
		return 0;
	return 1 + n + 2 * (size_t)braces;
}

static void
op_free(struct access_op *op)
{
	free(op->text);
	free(op->name);
}

/* The piece at p; returns how much it takes, 0 on error. */
static size_t
format_piece(const struct access_kind *k, const char *p, struct access_op *op)
{
	size_t text = strcspn(p, "$"), n = 0;

	*op = (struct access_op){ .len = text };
	op->text = xcalloc(text / ACCESS_TEXT + 1, ACCESS_TEXT);
	memcpy(op->text, p, text);
	if (p[text] == '$' && (n = format_variable(k, p + text, op)) == 0) {
		op_free(op);
		return 0;
	}
	return text + n;
}

int
access_format_check(const struct access_kind *k, const char *format, char *bad,
    size_t size)
{
	struct access_op op;
	const char *p;
	size_t n;

	if (strcmp(format, "combined") == 0 || strcmp(format, "json") == 0)
		return 0;
	for (p = format; *p != '\0'; p += n) {
		n = format_piece(k, p, &op);
		if (n == 0) {
			p += strcspn(p, "$");
			(void)snprintf(bad, size, "%.*s",
			    (int)name_length(p + 1) + 1, p);
			return -1;
		}
		op_free(&op);
	}
	return 0;
}

static struct access_op *
format_compile(const struct access_kind *k, const char *format, size_t *nops)
{
	struct access_op *ops = NULL;
	size_t n;

	for (*nops = 0; *format != '\0'; (*nops)++, format += n) {
		ops = xrealloc(ops, (*nops + 1) * sizeof(*ops));
		n = format_piece(k, format, &ops[*nops]);
		if (n == 0)
			break;
	}
	return ops;
}

static void
ops_free(struct access_op *ops, size_t n)
{
	while (n > 0)
		op_free(&ops[--n]);
	free(ops);
}

struct access_log *
access_logs_add(struct access_logs *logs, const struct access_kind *k,
    const char *format)
{
	struct access_log *log;

	logs->pid = getpid();
	logs->v = xrealloc(logs->v, (logs->n + 1) * sizeof(*logs->v));
	log = &logs->v[logs->n++];
	memset(log, 0, sizeof(*log));
	log->kind = k;
	log->logs = logs;
	sink_set(&log->sink, -1);
	log->json = strcmp(format, "json") == 0;
	if (log->json)
		format = k->json;
	else if (strcmp(format, "combined") == 0)
		format = k->combined;
	log->ops = format_compile(k, format, &log->nops);
	return log;
}

void
access_log_set(struct access_log *log, const char *name,
    const struct access_when *when, const struct syslog *form)
{
	log->name = xstrdup(name);
	if (when->nstatuses > 0 || when->slower_ms > 0 ||
	    when->sample < RATIO_ONE || when->var != NULL)
		log->when = when;
	if (when->var != NULL)
		log->if_ops = format_compile(log->kind, when->var, &log->nif);
	if (form != NULL) {
		log->form = xmalloc(sizeof(*form));
		*log->form = *form;
	}
}

void
access_logs_set_fd(struct access_logs *logs, size_t index, int fd)
{
	if (index >= logs->n) {
		close(fd);
		return;
	}
	if (logs->v[index].sink.fd != -1)
		close(logs->v[index].sink.fd);
	sink_set_syslog(&logs->v[index].sink, fd, logs->v[index].form);
}

/* -- values -- */

static int
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The same of eight bytes at once, as most are; some that are may be missed. */
static int
are_plain(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	/* A byte that is 0 is one that is looked for; taken from, it has its
	 * highest bit, as those have that are not ASCII. */
	uint64_t del = w ^ ones * 0x7f, quote = w ^ ones * '"',
	    slash = w ^ ones * '\\';

	return ((w | (w - ones * 0x20) | (del - ones) | (quote - ones) |
	    (slash - ones)) & ones * 0x80) == 0;
}

static int
copy_eight(char *to, const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	memcpy(to, &w, sizeof(w));
	return are_plain(w);
}

/* Four to seven. */
static int
copy_some(char *to, const char *p, size_t n)
{
	uint32_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, p + n - sizeof(b), sizeof(b));
	memcpy(to, &a, sizeof(a));
	memcpy(to + n - sizeof(b), &b, sizeof(b));
	return are_plain((uint64_t)a << 32 | b);
}

/* Copy them while they are plain: 1 if all were. */
static int
copy_plain(char *to, const char *p, size_t n)
{
	size_t i;

	if (n >= 8) {
		for (i = 0; i < n - 8; i += 8)
			if (!copy_eight(to + i, p + i))
				return 0;
		return copy_eight(to + n - 8, p + n - 8);
	}
	if (n >= 4)
		return copy_some(to, p, n);
	for (i = 0; i < n && is_plain((unsigned char)p[i]); i++)
		to[i] = p[i];
	return i == n;
}

/*
 * Bytes from clients: quotes, backslashes, control and non-ASCII bytes become
 * \xHH (\u00HH in JSON), so that nobody can forge a line.
 */
void
access_put_escaped(struct access_log *log, hostd_buf v)
{
	const unsigned char *p = v.p;
	struct buf *out = &log->out;
	size_t i, from = 0;

	if (copy_plain(buf_reserve(out, v.n), v.p, v.n)) {
		out->len += v.n;
		return;
	}
	for (i = 0; i < v.n; i++) {
		if (is_plain(p[i]))
			continue;
		buf_append(out, p + from, i - from);
		buf_printf(out, log->json ? "\\u%04x" : "\\x%02X", p[i]);
		from = i + 1;
	}
	if (v.n > from)
		buf_append(out, p + from, v.n - from);
}

void
access_put_text(struct access_log *log, hostd_buf v)
{
	if (v.n == 0)
		buf_append(&log->out, "-", 1);
	else
		access_put_escaped(log, v);
}

void
access_put_number(struct access_log *log, uint64_t v)
{
	char *p = buf_reserve(&log->out, 20);

	log->out.len += (size_t)(decimal_put(p, v) - p);
}

void
access_put_seconds(struct access_log *log, uint64_t ms)
{
	char frac[4] = { '.', (char)('0' + ms / 100 % 10),
	    (char)('0' + ms / 10 % 10), (char)('0' + ms % 10) };

	access_put_number(log, ms / 1000);
	buf_append(&log->out, frac, sizeof(frac));
}

/* -- writing a line -- */

static void
stamp_update(struct access_logs *logs)
{
	time_t now = (time_t)(wall_ms() / 1000);
	struct tm tm;
	size_t n;

	logs->stamped = 1;
	if (now == logs->stamp_s)
		return;
	logs->stamp_s = now;
	localtime_r(&now, &tm);
	logs->time_local_len = strftime(logs->time_local,
	    sizeof(logs->time_local), "%d/%b/%Y:%H:%M:%S %z", &tm);
	n = strftime(logs->time_iso, sizeof(logs->time_iso),
	    "%Y-%m-%dT%H:%M:%S%z", &tm);
	/* +0100 -> +01:00 */
	memmove(logs->time_iso + n - 1, logs->time_iso + n - 2, 3);
	logs->time_iso[n - 2] = ':';
	logs->time_iso_len = n + 1;
}

static void
put_ops(struct access_log *log, const struct access_op *op, size_t n,
    const void *what)
{
	char *p;
	size_t i;

	for (; n > 0; n--, op++) {
		p = buf_reserve(&log->out, op->len + ACCESS_TEXT);
		/* Whole pieces, without asking the library for a few bytes. */
		for (i = 0; i < op->len; i += ACCESS_TEXT)
			memcpy(p + i, op->text + i, ACCESS_TEXT);
		log->out.len += op->len;
		if (op->put != NULL)
			op->put(log, op, what);
	}
}

/* -- lines that are lost -- */

static void
log_lose(struct access_logs *logs, struct access_log *log, int error,
    uint64_t n)
{
	logs->dropped += n;
	log->lost += n;
	if (log->error != 0)
		return;
	log->error = error;
	log_warnx("access_log %s: %s; lines are lost, and counted",
	    log->name != NULL ? log->name : "", error == EAGAIN ?
	    "it does not take lines so fast" : strerror(error));
}

/* -- which lines there are -- */

/* xorshift64*. */
static uint64_t
random_next(struct access_logs *logs)
{
	uint64_t *x = &logs->random;

	while (*x == 0)
		if (getrandom(x, sizeof(*x), GRND_NONBLOCK) == -1)
			*x = wall_ms();
	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return (*x * UINT64_C(0x2545f4914f6cdd1d)) >> 32;
}

static int
is_status(const struct access_when *w, int status)
{
	size_t i;

	for (i = 0; i < w->nstatuses; i++)
		if (status >= w->statuses[i].from &&
		    status <= w->statuses[i].to)
			return 1;
	return w->nstatuses == 0;
}

/* The variable's value is written behind the lines, and taken away again. */
static int
is_set(struct access_log *log, const void *what)
{
	size_t from = log->out.len, n;
	const char *p;
	int set;

	put_ops(log, log->if_ops, log->nif, what);
	p = log->out.p + from;
	n = log->out.len - from;
	set = n > 1 || (n == 1 && *p != '0' && *p != '-');
	log->out.len = from;
	return set;
}

static int
is_wanted(struct access_logs *logs, struct access_log *log, const void *what)
{
	const struct access_when *w = log->when;

	return is_status(w, log->kind->status(what)) &&
	    (w->slower_ms == 0 ||
	    log->kind->ms(what) >= (uint64_t)w->slower_ms) &&
	    (w->sample == RATIO_ONE ||
	    random_next(logs) % RATIO_ONE < (uint64_t)w->sample) &&
	    (log->nif == 0 || is_set(log, what));
}

void
access_logs_note(struct access_logs *logs, const struct access_kind *kind,
    const void *what)
{
	struct access_log *log;
	size_t i;

	if (!logs->stamped)
		stamp_update(logs);
	for (i = 0; i < logs->n; i++) {
		log = &logs->v[i];
		if (log->kind != kind || log->sink.fd == -1)
			continue;
		if (log->when != NULL && !is_wanted(logs, log, what))
			continue;
		if (log->out.len > LOG_BUFFER_MAX) {
			log_lose(logs, log, EAGAIN, 1);
			continue;
		}
		/* What was written last has no end. */
		if (log->torn && log->out.len == 0)
			buf_append(&log->out, "\n", 1);
		put_ops(log, log->ops, log->nops, what);
		buf_append(&log->out, "\n", 1);
	}
}

static void
log_drop(struct access_logs *logs, struct access_log *log, int error)
{
	const char *p = log->out.p, *end = p + log->out.len;
	uint64_t n = 0;

	/* The end that a torn line was given is no line. */
	if (log->torn && p < end && *p == '\n')
		p++;
	for (; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		n++;
	log->out.len = 0;
	log_lose(logs, log, error, n);
}

static void
log_took(struct access_log *log, size_t n)
{
	const char *p = log->out.p;

	log->torn = p[n - 1] != '\n';
	buf_consume(&log->out, n);
	if (log->error == 0 || log->torn || log->out.len > 0)
		return;
	log_warnx("access_log %s: takes lines again; %" PRIu64 " are lost",
	    log->name != NULL ? log->name : "", log->lost);
	log->error = 0;
	log->lost = 0;
}

void
access_logs_flush(struct access_logs *logs)
{
	struct access_log *log;
	size_t i;
	ssize_t w;

	logs->stamped = 0;
	for (i = 0; i < logs->n; i++) {
		log = &logs->v[i];
		while (log->out.len > 0) {
			w = sink_write(&log->sink, log->out.p, log->out.len);
			if (w < 0)
				log_drop(logs, log, errno);
			if (w <= 0)
				break;
			log_took(log, (size_t)w);
		}
	}
}

void
access_logs_free(struct access_logs *logs)
{
	struct access_log *log;
	size_t i;

	access_logs_flush(logs);
	for (i = 0; i < logs->n; i++) {
		log = &logs->v[i];
		ops_free(log->ops, log->nops);
		ops_free(log->if_ops, log->nif);
		free(log->name);
		free(log->form);
		buf_free(&log->out);
		if (log->sink.fd != -1)
			close(log->sink.fd);
	}
	free(logs->v);
}
