/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of WebSockets and channels.
 *
 * 1	touched the socket's data block after its time
 * 2	touched the socket's data block beyond its end
 * 3	touched memory lent to on_message
 * 4	called send with a text that is not UTF-8
 * 5	called send with flags 0xc
 * 6	neither of HOSTD_WS_TEXT and
 * 7	called accept after it had accepted
 * 8	called respond after it had begun
 * 9	accepted with the header Sec-WebSocket-Protocol
 * 10	after it had begun an answer
 * 11	on_upgrade returned 1
 * 12	on_message returned 2
 * 13	a name that no channel can have: 0 bytes
 * 14	a name that no channel can have: 12 bytes "clumsy
 * 15	called subscribe in destroy
 * 16	is there a global variable?
 * 17	called send with a socket of instance
 * 18	called close with code 1005
 * 19	a reason of 124 bytes
 * 20	a client that leaves leaks about
 * 21	crashed with SIGSEGV, while in a timer
 * 22	without hostd.ws/1: crashed with SIGSEGV
 * 23	which is [loop], on another thread
 * 24	crashed with SIGABRT, while in on_refused
 * 25	crashed with SIGABRT, while in on_close
 * 26	crashed with SIGABRT, while in on_writable
 * 27	touched memory lent to the function of a subscription
 * 28	crashed with SIGSEGV, while in the function of a subscription
 * 29	crashed with SIGSEGV, while in the function of replay
 * 30	an event leaks about
 * 31	called keep for 5 messages of 0 ms
 * 32	ended a subscription of instance
 * 33	called accept with a request that is no upgrade
 * 34	crashed with SIGABRT, while in the function of count
 * 35	called publish with a text that is not UTF-8
 * 36	touched memory lent to on_open
 * 37	called publish with a text that is not UTF-8, while in on_message
 * 38	called largest for 0 channels
 * 39	touched memory lent to the function of largest
 */
#include <pthread.h>

#include <hostd/easy.h>
#include <hostd/timer.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

#define ROOM	"clumsy/room"
#define NEWS	"clumsy/news"

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timer;
	hostd_sub news;
	uint32_t upgrades;
};

struct data {
	uint64_t said;
	hostd_ws ws;
};

static struct hostd_inst *global_inst;
static hostd_ws global_ws;
static hostd_sub global_sub;
static const void *kept;

static hostd_buf
bytes(const void *p, size_t n)
{
	hostd_buf b;

	b.p = p;
	b.n = n;
	return b;
}

/* -- channels -- */

static void
on_news(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	(void)in, (void)sub, (void)arg;
	if (IS(27) && kept != NULL && *(const volatile char *)kept == 'x')
		return;
	if (IS(27) && ev->msg.n > 0)
		kept = ev->msg.p;
	if (ev->type != HOSTD_CHANNEL_GAP)
		return;
	if (IS(28) && *(const volatile char *)ev->msg.p == 'x')
		return;
	if (IS(30))
		kept = malloc(50);
}

static void
on_count(struct hostd_inst *in, void *arg, int32_t status, uint64_t n)
{
	(void)in, (void)arg, (void)n;
	if (IS(34) && status == HOSTD_E_TIMEOUT)
		abort();
}

static void
on_past(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_channel_event *ev)
{
	(void)in, (void)arg, (void)status;
	if (ev == NULL && !IS(29))
		return;
	if (ev->type != HOSTD_CHANNEL_MESSAGE)
		abort();
}

static int32_t
start(struct hostd_inst *in)
{
	const struct hostd_easy *e = &in->easy;

	if (IS(14))
		(void)e->channel->subscribe(e->host,
		    hostd_str("clumsy\nroom\n"), on_news, NULL, &in->news);
	if (IS(31))
		(void)e->channel->keep(e->host, hostd_str(NEWS), 5, 0);
	(void)e->channel->keep(e->host, hostd_str(NEWS), 5, 60000);
	(void)e->channel->subscribe(e->host, hostd_str(NEWS), on_news, NULL,
	    &in->news);
	if (IS(32) && global_sub.id != 0)
		(void)e->channel->unsubscribe(e->host, global_sub);
	global_sub = in->news;
	return HOSTD_OK;
}

/* -- a socket -- */

/* By the handle, never by d. */
static void
later(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	const struct hostd_easy *e = &in->easy;
	hostd_ws ws = { (uint64_t)(uintptr_t)arg };
	struct data *data;

	(void)timer;
	if (IS(1)) {
		((struct data *)arg)->said++;
		return;
	}
	data = e->ws->data(e->host, ws);
	if (data == NULL && !IS(21))
		return;
	data->said++;
	(void)hostd_ws_text(in, ws, "later");
}

static void *
send_badly(void *arg)
{
	(void)hostd_ws_text(arg, global_ws, "from elsewhere");
	return NULL;
}

static void
send_from_thread(struct hostd_inst *in)
{
	pthread_t t;

	if (pthread_create(&t, NULL, send_badly, in) == 0)
		(void)pthread_join(t, NULL);
}

static int32_t
upgrade_badly(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_easy *e = &in->easy;
	hostd_hdr h = hostd_header("Sec-WebSocket-Protocol", "chat");
	hostd_buf none = { NULL, 0 };

	(void)e->ws->accept(e->host, req, none, &h, IS(9) ? 1 : 0);
	if (IS(7))
		(void)e->ws->accept(e->host, req, none, NULL, 0);
	if (IS(8))
		(void)hostd_respond(in, req, 403, "text/plain", "no");
	return IS(10) ? HOSTD_PASS : HOSTD_OK;
}

/* Every other one has to wait. */
static void
accept_later(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	const struct hostd_easy *e = &in->easy;
	hostd_req req = { (uint64_t)(uintptr_t)arg };
	hostd_buf none = { NULL, 0 };

	(void)timer;
	(void)e->ws->accept(e->host, req, none, NULL, 0);
}

static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	hostd_timer t;

	(void)d;
	if (IS(7) || IS(8) || IS(9) || IS(10))
		return upgrade_badly(in, req);
	if (IS(11))
		return HOSTD_AGAIN;
	if (in->upgrades++ % 2 == 0)
		return HOSTD_OK;
	(void)in->timer->start(in->easy.host, 10, 0, accept_later,
	    (void *)(uintptr_t)req.id, &t);
	return HOSTD_DEFER;
}

static void
on_refused(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	(void)in, (void)req, (void)d;
	if (IS(20))
		kept = malloc(50);
	if (IS(24) && why == HOSTD_END_GONE)
		abort();
}

static void
on_largest(struct hostd_inst *in, void *arg, int32_t status,
    const hostd_channel_size *sizes, uint32_t n)
{
	(void)in, (void)arg, (void)status;
	if (!IS(39) || n == 0 ||
	    (kept != NULL && *(const volatile char *)kept == 'x'))
		return;
	kept = sizes[0].channel.p;
}

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	const struct hostd_easy *e = &in->easy;
	struct data *data = d;
	hostd_timer t;

	data->ws = ws;
	if (IS(36)) {
		if (kept != NULL && *(const volatile char *)kept == 'x')
			return;
		kept = e->ws->info(e->host, ws)->path.p;
	}
	if (IS(13))
		(void)hostd_room_join(in, ws, "");
	(void)hostd_room_join(in, ws, ROOM);
	(void)e->ws->set_label(e->host, ws, hostd_str("clumsy"));
	(void)in->timer->start(e->host, 1000, 0, later,
	    IS(1) ? d : (void *)(uintptr_t)ws.id, &t);
	(void)e->channel->count(e->host, hostd_str(ROOM), on_count, NULL);
	(void)e->channel->replay(e->host, hostd_str(NEWS), 0, 0, on_past,
	    NULL);
	if ((IS(38) || IS(39)) && HOSTD_HAS(e->channel, largest))
		(void)e->channel->largest(e->host, IS(38) ? 0 : 10, on_largest,
		    NULL);
	if (IS(16)) {
		if (global_inst == NULL)
			global_inst = in;
		(void)hostd_ws_text(global_inst, ws, "global");
	}
	if (IS(23)) {
		global_ws = ws;
		send_from_thread(in);
	}
}

static int32_t
say_badly(struct hostd_inst *in, hostd_ws ws, hostd_buf msg, uint32_t flags)
{
	static const char reason[124];
	const struct hostd_easy *e = &in->easy;
	hostd_ws nobody = { 0 };

	if (IS(4))
		return e->ws->send(e->host, ws, bytes("\303", 1),
		    HOSTD_WS_TEXT);
	if (IS(5))
		return e->ws->send(e->host, ws, msg, flags);
	if (IS(6))
		return e->ws->send(e->host, ws, msg, 0);
	if (IS(18))
		return e->ws->close(e->host, ws, HOSTD_WS_NO_STATUS,
		    bytes(NULL, 0));
	if (IS(19))
		return e->ws->close(e->host, ws, HOSTD_WS_NORMAL,
		    bytes(reason, sizeof(reason)));
	if (IS(35))
		return e->channel->publish(e->host, hostd_str(ROOM),
		    bytes("\355\240\200", 3), HOSTD_WS_TEXT, nobody);
	return HOSTD_DEFER;
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	const struct hostd_easy *e = &in->easy;
	hostd_ws nobody = { 0 };
	struct data *data = d;

	data->said++;
	if (IS(2))
		((volatile char *)d)[sizeof(*data) + data->said - 1] = 1;
	if (IS(3)) {
		if (kept != NULL && *(const volatile char *)kept == 'x')
			return HOSTD_OK;
		kept = msg.p;
	}
	if (IS(4) || IS(5) || IS(6) || IS(12) || IS(18) || IS(19) || IS(35))
		return say_badly(in, ws, msg, flags);
	if (IS(17)) {
		if (global_ws.id == 0)
			global_ws = ws;
		(void)hostd_ws_text(in, global_ws, "global");
	}
	(void)e->channel->publish(e->host, hostd_str(NEWS), msg,
	    flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY), nobody);
	return hostd_room_send(in, ROOM, msg, flags, ws);
}

static void
on_writable(struct hostd_inst *in, hostd_ws ws, void *d)
{
	(void)in, (void)ws, (void)d;
	if (IS(26))
		abort();
}

static void
on_close(struct hostd_inst *in, hostd_ws ws, void *d, int32_t code,
    hostd_buf reason)
{
	(void)in, (void)ws, (void)d, (void)reason;
	if (IS(25) && code == HOSTD_WS_ABNORMAL)
		abort();
}

/* -- pages, at the same route -- */

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf none = { NULL, 0 };

	(void)d;
	if (IS(33))
		(void)e->ws->accept(e->host, req, none, NULL, 0);
	return hostd_respond(in, req, 200, "text/plain", "a room\n");
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;

	(void)conf;
	rc = hostd_easy_create(sizeof(*in), host, &in, err);
	if (rc != HOSTD_OK)
		return rc;
	in->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	if ((in->easy.ws == NULL && !IS(22)) || in->easy.channel == NULL ||
	    in->timer == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "too old a host");
	}
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	const struct hostd_easy *e = &in->easy;

	if (IS(15))
		(void)e->channel->subscribe(e->host, hostd_str(NEWS), on_news,
		    NULL, &in->news);
	if (global_inst == in)
		global_inst = NULL;
	free(in);
}

/* Parts of a text are no texts. */
static const struct hostd_ws_ops ops = { sizeof(ops),
	IS(37) ? HOSTD_WS_FRAGMENTS : 0, sizeof(struct data), 0, on_upgrade,
	on_refused, on_open, on_message, on_writable, on_close };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_WS_HANDLER, NULL, &ops, "/clumsy" };
static const struct hostd_http_ops pages = { sizeof(pages), 0, 0, 0,
	on_headers, NULL, NULL, NULL };
static const struct hostd_provide page = { sizeof(page), 0,
	HOSTD_KIND_HTTP_ROUTE, NULL, &pages, "/clumsy" };
static const struct hostd_provide *const provides[] = { &provide, &page,
	NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), "clumsy_ws", "1.0", HOSTD_SDK_VERSION,
	provides, NULL, NULL, create, start, NULL, destroy, NULL };
