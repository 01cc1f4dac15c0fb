/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of every kind, and what they log; requests are answered with the
 * worker's pid. */
#include <unistd.h>
#include <hostd/easy.h>
#include <hostd/timer.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timers;
};

/* One that is answered by a timer. */
struct later {
	hostd_op op;
	size_t n;		/* bytes of it; 0: "later" */
};

static void
put(struct hostd_inst *in, hostd_op op, const void *p, size_t n)
{
	hostd_buf b = { p, n };

	(void)in->easy.op->put(in->easy.host, op, b);
}

static int32_t
hello(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	(void)argc, (void)argv;
	return hostd_reply(in, op, HOSTD_OK, "hello");
}

/* In parts, and without complete. */
static int32_t
echo(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	uint32_t i;

	for (i = 0; i < argc; i++) {
		if (strlen(argv[i].p) != argv[i].n)
			return HOSTD_E_INVAL;
		put(in, op, "<", 1);
		put(in, op, argv[i].p, argv[i].n);
		put(in, op, ">", 1);
	}
	return HOSTD_OK;
}

static int32_t
pid(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	(void)argc, (void)argv;
	return hostd_reply(in, op, HOSTD_OK, "%ld\n", (long)getpid());
}

static void
answer(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct later *l = arg;
	hostd_buf text = { "later", 5 };
	char *many = NULL;
	int32_t rc;

	(void)t;
	if (l->n > 0 && (many = malloc(l->n)) != NULL) {
		memset(many, 'y', l->n);
		text = (hostd_buf){ many, l->n };
	}
	rc = in->easy.op->complete(in->easy.host, l->op, HOSTD_OK, text);
	free(many);
	text.p = NULL;
	text.n = 0;
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "completed: %d, again: %d",
	    (int)rc, (int)in->easy.op->complete(in->easy.host, l->op,
	    HOSTD_OK, text));
	free(l);
}

static int32_t
later(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	struct later *l = calloc(1, sizeof(*l));
	hostd_timer t;

	if (l == NULL)
		return HOSTD_E_NOMEM;
	l->op = op;
	if (argc > 1)
		l->n = strtoul(argv[1].p, NULL, 10);
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "begun");
	(void)in->timers->start(in->easy.host, strtoul(argv[0].p, NULL, 10), 0,
	    answer, l, &t);
	return HOSTD_DEFER;
}

static int32_t
fail(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	put(in, op, "unheard", 7);
	if (argc == 0)
		return HOSTD_E_IO;
	return hostd_reply(in, op, HOSTD_E_IO, "no: %s",
	    (const char *)argv[0].p);
}

static int32_t
big(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	size_t n = strtoul(argv[0].p, NULL, 10);
	char *p = malloc(n + 1);
	hostd_buf b = { p, n };

	(void)argc;
	if (p == NULL)
		return HOSTD_E_NOMEM;
	memset(p, 'x', n);
	(void)in->easy.op->complete(in->easy.host, op, HOSTD_OK, b);
	free(p);
	return HOSTD_DEFER;
}

/* Nothing but the log says that it has begun. */
static int32_t
never(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	uint64_t ms = 0;

	if (argc > 0 && strtol(argv[0].p, NULL, 10) != (long)getpid())
		return hostd_reply(in, op, HOSTD_OK, "done");
	(void)in->easy.op->left_ms(in->easy.host, op, &ms);
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "never, left: %llu",
	    (unsigned long long)ms);
	return HOSTD_DEFER;
}

static int32_t
json(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	(void)argc;
	return hostd_reply(in, op, HOSTD_OK, "{\"given\":\"%s\",\"n\":7}",
	    (const char *)argv[0].p);
}

/* Bytes that are no text. */
static int32_t
bytes(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	(void)argc, (void)argv;
	put(in, op, "a\0\xff\n\x1b[0mb", 9);
	return HOSTD_OK;
}

#define CMD(fn, usage, min, max, flags)					\
	static const struct hostd_cmd fn##_row = {			\
		sizeof(struct hostd_cmd), flags, #fn, usage,		\
		"What " #fn " does.", min, max, fn }
#define EVERY(fn, usage, min, max, flags)				\
	static const struct hostd_cmd every_##fn = {			\
		sizeof(struct hostd_cmd), HOSTD_CMD_EVERY | (flags),	\
		"every_" #fn, usage, NULL, min, max, fn }

CMD(hello, NULL, 0, 0, 0);
CMD(echo, "[WORD...]", 0, UINT32_MAX, 0);
CMD(pid, NULL, 0, 0, 0);
CMD(later, "MS [BYTES]", 1, 2, 0);
CMD(fail, "[TEXT]", 0, 1, 0);
CMD(big, "BYTES", 1, 1, 0);
CMD(never, "[PID]", 0, 1, 0);
CMD(json, "WORD", 1, 1, HOSTD_CMD_JSON | HOSTD_CMD_ADMIN);
CMD(bytes, NULL, 0, 0, 0);
EVERY(hello, NULL, 0, 0, 0);
EVERY(pid, NULL, 0, 0, 0);
EVERY(never, "[PID]", 0, 1, 0);
EVERY(big, "BYTES", 1, 1, 0);
EVERY(json, "WORD", 1, 1, HOSTD_CMD_JSON);

static const struct hostd_cmd *const cmds[] = { &hello_row, &echo_row,
	&pid_row, &later_row, &fail_row, &big_row, &never_row, &json_row,
	&bytes_row, &every_hello, &every_pid, &every_never, &every_big,
	&every_json, NULL };

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	char text[24];

	(void)d;
	(void)snprintf(text, sizeof(text), "%ld", (long)getpid());
	return hostd_respond(in, req, 200, "text/plain", text);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(**out), host, out, err);

	(void)conf;
	if (rc == HOSTD_OK)
		(*out)->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	return rc;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .on_headers = on_headers
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(3), .id = "command_route", .version = "1.0",
	.built_with = HOSTD_SDK_VERSION, .provides = provides, .cmds = cmds,
	.create = create, .destroy = destroy
};
