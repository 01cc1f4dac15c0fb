/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.control/1: a master that does what is asked for, or that has something
 * else to do, refuses, is late, or answers with what nobody expects. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake.h"

#define LIMIT_MS_MAX 3600000u
#define NAME_BYTES   255u

/* An answer that is to come. */
struct order {
	LIST_ENTRY(order) entry;
	void (*done)(struct hostd_inst *, void *, int32_t, hostd_buf);
	void *arg;
	int32_t status;
	const char *text;
};

static LIST_HEAD(, order) orders = LIST_HEAD_INITIALIZER(orders);
static unsigned asked;

static const char odd_node[] =
    "{\"state\":\"changing\",\"pools\":[{\"name\":\"a\\\"<b>\\u0000\","
    "\"target\":0,\"stopped\":true}],\"processes\":[{\"pid\":1,\"rss\":-1}],"
    "\"generations\":[{}],\"more\":[[]]}";
static const char odd_events[] =
    "{\"events\":[{\"n\":7,\"text\":\"\\u00e9\"},{}]}";
static const char odd_log[] =
    "{\"kind\":\"file\",\"mark\":\"1:2\",\"text\":\"no log line\\n"
    "2026-01-31T12:00:00.123Z warn [web.0] <b>\\u2028\\n\"}";

static int32_t
control_may(const struct hostd_host *host)
{
	(void)fake_called(host, "may of " HOSTD_EXT_CONTROL);
	return HOSTD_OK;
}

static void
judge_order(const struct hostd_control_order *o)
{
	if (o == NULL || o->struct_size < sizeof(*o))
		check_fail("called ask of " HOSTD_EXT_CONTROL
			   " without an order, or with one that is too short");
	if (o->name.n > NAME_BYTES || o->user.n > NAME_BYTES ||
	    (o->name.n > 0 && o->name.p == NULL) ||
	    (o->user.n > 0 && o->user.p == NULL))
		check_fail("called ask of " HOSTD_EXT_CONTROL
			   " with a name or a user that can't be");
	if (o->limit_ms == 0 || o->limit_ms > LIMIT_MS_MAX)
		check_fail("called ask of " HOSTD_EXT_CONTROL
			   " with a limit_ms of %u",
		    o->limit_ms);
}

static void
order_answer(struct hostd_inst *inst, void *arg)
{
	struct order *o = arg, was = *o;

	LIST_REMOVE(o, entry);
	free(o);
	was.done(inst, was.arg, was.status,
	    was.text == NULL ? (hostd_buf){NULL, 0}
			     : fake_lend_text(was.text));
}

/* Every third one goes well. */
static void
order_judge(struct order *o, uint32_t what)
{
	static const int32_t failures[] = {HOSTD_E_STATE, HOSTD_E_INVAL,
	    HOSTD_E_TIMEOUT, HOSTD_E_NOTSUP, HOSTD_E_IO, HOSTD_E_FULL};
	const unsigned n = sizeof(failures) / sizeof(failures[0]);

	o->status = asked++ % 3 == 0 ? HOSTD_OK : failures[asked % n];
	if (o->status == HOSTD_E_INVAL)
		o->text = "it can't be done:\n\"\xc3\xa9\"";
	if (o->status != HOSTD_OK)
		return;
	o->text = what == HOSTD_CONTROL_NODE ? odd_node :
	    what == HOSTD_CONTROL_EVENTS     ? odd_events :
	    what == HOSTD_CONTROL_LOG	     ? odd_log :
					       "";
}

static int32_t
control_ask(const struct hostd_host *host, const struct hostd_control_order *o,
    void (*done)(struct hostd_inst *, void *, int32_t, hostd_buf), void *arg)
{
	struct fake *f = fake_called(host, "ask of " HOSTD_EXT_CONTROL);
	struct order *later;

	judge_order(o);
	if (done == NULL)
		check_fail("called ask of " HOSTD_EXT_CONTROL
			   " without a function");
	if (!f->started || f->destroying)
		return HOSTD_E_STATE;
	if (asked % 7 == 6) {
		asked++;
		return HOSTD_E_FULL;
	}
	later = xcalloc(1, sizeof(*later));
	later->done = done;
	later->arg = arg;
	order_judge(later, o->what);
	LIST_INSERT_HEAD(&orders, later, entry);
	fake_queue(f, TASK_POST, order_answer, later);
	return HOSTD_DEFER;
}

const struct hostd_control_api fake_control_api = {
    .struct_size = sizeof(struct hostd_control_api),
    .may = control_may,
    .ask = control_ask,
};
