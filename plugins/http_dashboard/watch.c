/* SPDX-License-Identifier: BSD-2-Clause */
/* What only the master knows: memory of processes, generations, the log.  Asked
 * for while somebody looks, and when it has answered. */
#include "dashboard.h"

#define WATCH_MS	5000

/* -- the node -- */

static void
node_told(struct hostd_inst *in, void *arg, int32_t status, hostd_buf answer)
{
	json_t *o;

	(void)arg;
	in->asked_node = 0;
	if (status != HOSTD_OK)
		return;
	o = json_loadb(answer.p, answer.n, 0, NULL);
	if (o == NULL)
		return;
	json_decref(in->node);
	in->node = o;
}

/* -- the log -- */

/* The last lines, for who comes later. */
static void
log_keep(struct hostd_inst *in, const char *text, size_t n)
{
	size_t over;
	char *nl;

	if (in->log == NULL && (in->log = malloc(LOG_KEPT)) == NULL)
		return;
	if (n > LOG_KEPT) {
		text += n - LOG_KEPT;
		n = LOG_KEPT;
	}
	if (in->log_n + n > LOG_KEPT) {
		over = in->log_n + n - LOG_KEPT;
		nl = memchr(in->log + over, '\n', in->log_n - over);
		over = nl == NULL ? in->log_n : (size_t)(nl + 1 - in->log);
		in->log_n -= over;
		memmove(in->log, in->log + over, in->log_n);
	}
	memcpy(in->log + in->log_n, text, n);
	in->log_n += n;
	in->log_fresh += n;
	if (in->log_fresh > in->log_n)
		in->log_fresh = in->log_n;
}

static void
copy_text(char *to, size_t size, const json_t *from)
{
	const char *s = json_string_value(from);

	(void)snprintf(to, size, "%s", s != NULL ? s : "");
}

static void
log_told(struct hostd_inst *in, void *arg, int32_t status, hostd_buf answer)
{
	const json_t *text;
	json_t *o;

	(void)arg;
	in->asked_log = 0;
	if (status != HOSTD_OK)
		return;
	o = json_loadb(answer.p, answer.n, 0, NULL);
	text = json_object_get(o, "text");
	copy_text(in->mark, sizeof(in->mark), json_object_get(o, "mark"));
	copy_text(in->log_kind, sizeof(in->log_kind),
	    json_object_get(o, "kind"));
	if (json_string_length(text) > 0)
		log_keep(in, json_string_value(text),
		    json_string_length(text));
	json_decref(o);
}

/* -- both -- */

static int
ask(struct hostd_inst *in, uint32_t what, const char *name,
    void (*done)(struct hostd_inst *, void *, int32_t, hostd_buf))
{
	const struct hostd_control_order o = { .struct_size = sizeof(o),
		.what = what, .name = hostd_str(name), .limit_ms = WATCH_MS };

	return in->control->ask(in->easy.host, &o, done, NULL) == HOSTD_DEFER;
}

int
watch_may(const struct hostd_inst *in)
{
	return in->control != NULL &&
	    in->control->may(in->easy.host) == HOSTD_OK;
}

void
watch_ask(struct hostd_inst *in)
{
	if (!watch_may(in))
		return;
	if (!in->asked_node)
		in->asked_node = ask(in, HOSTD_CONTROL_NODE, NULL, node_told);
	if (!in->asked_log)
		in->asked_log = ask(in, HOSTD_CONTROL_LOG, in->mark[0] != '\0' ?
		    in->mark : NULL, log_told);
}

void
watch_free(struct hostd_inst *in)
{
	json_decref(in->node);
	free(in->log);
}
