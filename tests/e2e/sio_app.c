/* SPDX-License-Identifier: BSD-2-Clause */
/* The application of lib/sio_app.mjs, for hostd: what it does is said there. */
#include <unistd.h>
#include <hostd/easy.h>
#include <hostd/json.h>
#include <hostd/json_write.h>
#include <hostd/socketio.h>
#include <hostd/timer.h>

#define ASK_MS		1500
#define LONG_MS		20000
#define SLOW_MS		300
#define SERVERS_MS	2000
#define NAMES_MAX	64

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_sio_api *sio;
	const struct hostd_timer_api *timer;
};

/* Of a socket.  rooms: those it was in when it began to go. */
struct seat {
	int32_t recovered;
	struct hostd_json rooms;
};

/* One event.  rest: arguments behind the first one. */
struct call {
	struct hostd_inst *in;
	const struct hostd_sio_api *sio;
	hostd_sio s;
	hostd_sio_ack ack;
	const struct hostd_sio_args *args;
	const struct hostd_sio_info *info;
	const struct seat *seat;
	struct hostd_sio_args rest;
};

/* Names that an argument has: one, or a list. */
struct names {
	hostd_buf v[NAMES_MAX];
	uint32_t n;
	char room[NAMES_MAX][HOSTD_SIO_ROOM_MAX + 2];
};

/* Who is asked, and what was answered. */
struct poll {
	hostd_sio_ack ack;
	struct hostd_json answers;
};

static const char *const reasons[] = {"", "client namespace disconnect",
    "server namespace disconnect", "transport close", "transport error",
    "ping timeout", "parse error", "forced close", "server shutting down"};

/* -- JSON -- */

static int
is_same(hostd_buf b, const char *text)
{
	return b.n == strlen(text) && memcmp(b.p, text, b.n) == 0;
}

static int
compare(const void *a, const void *b)
{
	const hostd_buf *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int r = memcmp(x->p, y->p, n);

	return r != 0 ? r : (x->n > y->n) - (x->n < y->n);
}

/* A list of names, sorted, without the one that is `but`. */
static void
put_sorted(struct hostd_json *j, hostd_buf list, hostd_buf but)
{
	struct hostd_json_walk w = hostd_json_walk(list);
	hostd_buf names[NAMES_MAX];
	uint32_t i, n = 0;

	while (n < NAMES_MAX && hostd_json_next(&w, &names[n]))
		if (but.n == 0 || !hostd_json_says(names[n], but))
			n++;
	qsort(names, n, sizeof(names[0]), compare);
	hostd_json_begin(j, '[');
	for (i = 0; i < n; i++)
		hostd_json_raw(j, names[i]);
	hostd_json_end(j, ']');
}

static void
put_member(struct hostd_json *j, const char *key, hostd_buf value)
{
	hostd_json_key(j, key);
	hostd_json_raw(j, value.n == 0 ? hostd_str("null") : value);
}

static void
put_name(struct hostd_json *j, const char *key, hostd_buf bytes)
{
	hostd_json_key(j, key);
	hostd_json_strn(j, bytes);
}

static void
add_name(struct names *names, hostd_buf value)
{
	int64_t n;

	if (names->n == NAMES_MAX || (n = hostd_json_text(value,
	    names->room[names->n], sizeof(names->room[0]))) < 0)
		return;
	names->v[names->n].p = names->room[names->n];
	names->v[names->n++].n = (size_t)n;
}

/* Those of argument i. */
static void
read_names(const struct call *c, uint32_t i, struct names *names)
{
	struct hostd_json_walk w;
	hostd_buf value;

	names->n = 0;
	if (i >= c->args->n)
		return;
	if (!hostd_json_is_array(c->args->v[i])) {
		add_name(names, c->args->v[i]);
		return;
	}
	w = hostd_json_walk(c->args->v[i]);
	while (hostd_json_next(&w, &value))
		add_name(names, value);
}

static int
is_true(const struct call *c, uint32_t i)
{
	return i < c->args->n && hostd_json_is(c->args->v[i], "true");
}

/* -- what is known of a socket -- */

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* A value of a query. */
static void
put_decoded(struct hostd_json *j, const char *p, const char *end)
{
	char text[256];
	hostd_buf b = {text, 0};

	for (; p < end && b.n < sizeof(text); p++)
		if (*p == '%' && end - p > 2) {
			text[b.n++] = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		} else
			text[b.n++] = *p == '+' ? ' ' : *p;
	hostd_json_strn(j, b);
}

static void
put_query(struct hostd_json *j, hostd_buf query, const char *name)
{
	const char *p = query.p, *end = p + query.n, *stop;
	size_t n = strlen(name);

	for (; query.n > 0 && p < end; p = stop + 1) {
		if ((stop = memchr(p, '&', (size_t)(end - p))) == NULL)
			stop = end;
		if ((size_t)(stop - p) <= n || memcmp(p, name, n) != 0 ||
		    p[n] != '=')
			continue;
		hostd_json_key(j, name);
		put_decoded(j, p + n + 1, stop);
	}
}

static hostd_buf
header(const struct hostd_sio_info *info, const char *name)
{
	uint32_t i;

	for (i = 0; i < info->nheaders; i++)
		if (is_same(info->headers[i].name, name))
			return info->headers[i].value;
	return hostd_str(NULL);
}

static void
put_auth(struct hostd_json *j, hostd_buf auth)
{
	struct hostd_json_walk w = hostd_json_walk(auth);
	hostd_buf key, value;

	hostd_json_key(j, "auth");
	hostd_json_begin(j, '{');
	while (hostd_json_next_member(&w, &key, &value)) {
		if (hostd_json_says(key, hostd_str("pid")) ||
		    hostd_json_says(key, hostd_str("offset")))
			continue;
		hostd_json_raw(j, key);
		hostd_json_bytes(j, ":", 1);
		hostd_json_raw(j, value);
	}
	hostd_json_end(j, '}');
}

static void
put_flag(struct hostd_json *j, const char *key, int on)
{
	put_member(j, key, hostd_str(on ? "true" : "false"));
}

/* -- answers -- */

static void
ack(const struct call *c, const struct hostd_sio_args *args)
{
	if (c->ack.id != 0)
		(void)c->sio->ack(c->sio, c->ack, args);
}

static void
ack_list(const struct hostd_sio_api *sio, hostd_sio_ack to, const hostd_buf *v,
    uint32_t n)
{
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = n,
	    .v = v};

	if (to.id != 0)
		(void)sio->ack(sio, to, &args);
}

/* And what it was made in is freed. */
static void
ack_json(const struct hostd_sio_api *sio, hostd_sio_ack to,
    struct hostd_json *j)
{
	hostd_buf v = hostd_json_done(j);

	ack_list(sio, to, &v, 1);
	hostd_json_free(j);
}

/* null, or "timeout", and what was answered. */
static void
ack_status(const struct hostd_sio_api *sio, hostd_sio_ack to, int32_t status,
    const struct hostd_sio_args *answer)
{
	hostd_buf v[NAMES_MAX] = {hostd_str(status == HOSTD_OK ? "null" :
	    "\"timeout\"")};
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = v};
	uint32_t i;

	if (answer != NULL) {
		for (i = 0; i < answer->n && args.n < NAMES_MAX; i++)
			v[args.n++] = answer->v[i];
		args.bins = answer->bins;
		args.nbins = answer->nbins;
	}
	if (to.id != 0)
		(void)sio->ack(sio, to, &args);
}

/* -- events that are answered with something -- */

static void
do_back(struct call *c)
{
	ack(c, c->args);
}

static void
do_echo(struct call *c)
{
	(void)c->sio->emit(c->sio, c->s, 0, hostd_str("echo"), c->args);
	ack(c, c->args);
}

static void
do_twice(struct call *c)
{
	hostd_buf again = hostd_str("\"again\"");

	ack(c, c->args);
	ack_list(c->sio, c->ack, &again, 1);
}

static void
do_rooms(struct call *c)
{
	struct hostd_json j = {NULL, 0, 0, 0};
	hostd_buf list;

	if (c->sio->rooms(c->sio, c->s, &list) == HOSTD_OK)
		put_sorted(&j, list, hostd_str(NULL));
	ack_json(c->sio, c->ack, &j);
}

static void
do_whoami(struct call *c)
{
	struct hostd_json j = {NULL, 0, 0, 0};
	const struct hostd_sio_info *info = c->info;
	hostd_buf test = header(info, "x-test");

	hostd_json_begin(&j, '{');
	put_name(&j, "id", info->id);
	put_name(&j, "nsp", info->nsp);
	put_flag(&j, "recovered", c->seat->recovered);
	put_auth(&j, info->auth);
	hostd_json_key(&j, "query");
	hostd_json_begin(&j, '{');
	put_query(&j, info->query, "EIO");
	put_query(&j, info->query, "transport");
	put_query(&j, info->query, "name");
	hostd_json_end(&j, '}');
	if (test.p == NULL)
		put_member(&j, "header", hostd_str("null"));
	else
		put_name(&j, "header", test);
	put_member(&j, "data", info->data);
	put_flag(&j, "xdomain", header(info, "origin").p != NULL);
	put_flag(&j, "secure", 0);
	hostd_json_end(&j, '}');
	ack_json(c->sio, c->ack, &j);
}

static void
asked(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_args *args)
{
	hostd_sio_ack to = {(uintptr_t)arg};

	ack_status(in->sio, to, status, args);
}

static void
ask(struct call *c, uint32_t ms)
{
	(void)c->sio->ask(c->sio, c->s, 0, hostd_str("question"), c->args, ms,
	    asked, (void *)(uintptr_t)c->ack.id);
}

static void
do_ask(struct call *c)
{
	ask(c, ASK_MS);
}

static void
do_asklong(struct call *c)
{
	ask(c, 0);
}

static void
ack_pid(struct hostd_inst *in, hostd_sio_ack to)
{
	char text[24];
	hostd_buf v;

	(void)snprintf(text, sizeof(text), "%ld", (long)getpid());
	v = hostd_str(text);
	ack_list(in->sio, to, &v, 1);
}

static void
do_pid(struct call *c)
{
	ack_pid(c->in, c->ack);
}

static void
is_later(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)timer;
	ack_pid(in, (hostd_sio_ack){(uintptr_t)arg});
}

static void
do_later(struct call *c)
{
	hostd_timer timer;
	int64_t ms = 0;

	if (c->args->n > 0)
		(void)hostd_json_int(c->args->v[0], &ms);
	(void)c->in->timer->start(c->in->easy.host, (uint64_t)ms, 0, is_later,
	    (void *)(uintptr_t)c->ack.id, &timer);
}

static struct hostd_sio_to
to_rooms(const struct call *c, const struct names *names)
{
	struct hostd_sio_to to = {.struct_size = sizeof(to),
	    .nsp = c->info->nsp, .rooms = names->v, .nrooms = names->n};

	return to;
}

static void
one_answered(struct hostd_inst *in, void *arg,
    const struct hostd_sio_args *args)
{
	struct poll *poll = arg;

	(void)in;
	hostd_json_raw(&poll->answers, args != NULL && args->n > 0 ?
	    args->v[0] : hostd_str("null"));
}

static void
all_answered(struct hostd_inst *in, void *arg, int32_t status,
    uint32_t n_asked, uint32_t n_answered)
{
	struct poll *poll = arg;
	hostd_buf list;
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = &list};

	(void)n_asked;
	(void)n_answered;
	hostd_json_end(&poll->answers, ']');
	list = hostd_json_done(&poll->answers);
	ack_status(in->sio, poll->ack, status, &args);
	hostd_json_free(&poll->answers);
	free(poll);
}

static void
ask_all(struct call *c, uint32_t ms)
{
	struct poll *poll = calloc(1, sizeof(*poll));
	struct names names;
	struct hostd_sio_to to;

	if (poll == NULL)
		return;
	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	poll->ack = c->ack;
	hostd_json_begin(&poll->answers, '[');
	if (c->sio->ask_all(c->sio, &to, hostd_str("question"), &c->rest,
	    ms, one_answered, all_answered, poll) < 0) {
		hostd_json_free(&poll->answers);
		free(poll);
	}
}

static void
do_askall(struct call *c)
{
	ask_all(c, ASK_MS);
}

static void
do_askalllong(struct call *c)
{
	ask_all(c, LONG_MS);
}

static int
compare_remotes(const void *a, const void *b)
{
	const struct hostd_sio_remote *const *x = a, *const *y = b;

	return compare(&(*x)->id, &(*y)->id);
}

static void
fetched(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_remote *sockets, uint32_t n)
{
	const struct hostd_sio_remote *sorted[NAMES_MAX];
	struct hostd_json j = {NULL, 0, 0, 0};
	hostd_sio_ack to = {(uintptr_t)arg};
	uint32_t i;

	(void)status;
	for (i = 0; i < n && i < NAMES_MAX; i++)
		sorted[i] = &sockets[i];
	n = i;
	qsort(sorted, n, sizeof(sorted[0]), compare_remotes);
	hostd_json_begin(&j, '[');
	for (i = 0; i < n; i++) {
		hostd_json_begin(&j, '{');
		put_name(&j, "id", sorted[i]->id);
		hostd_json_key(&j, "rooms");
		hostd_json_comma(&j);
		put_sorted(&j, sorted[i]->rooms, hostd_str(NULL));
		put_member(&j, "data", sorted[i]->data);
		hostd_json_end(&j, '}');
	}
	hostd_json_end(&j, ']');
	ack_json(in->sio, to, &j);
}

static void
do_fetch(struct call *c)
{
	struct names names;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	(void)c->sio->fetch_sockets(c->sio, &to, fetched,
	    (void *)(uintptr_t)c->ack.id);
}

/* -- events that are answered with nothing -- */

static void
do_join(struct call *c)
{
	struct names names;
	uint32_t i;

	read_names(c, 0, &names);
	for (i = 0; i < names.n; i++)
		(void)c->sio->join(c->sio, c->s, names.v[i]);
}

static void
do_leave(struct call *c)
{
	struct names names;
	uint32_t i;

	read_names(c, 0, &names);
	for (i = 0; i < names.n; i++)
		(void)c->sio->leave(c->sio, c->s, names.v[i]);
}

static void
say(struct call *c, uint32_t flags, hostd_sio but)
{
	struct names names;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	to.flags = flags;
	to.but = but;
	(void)c->sio->broadcast(c->sio, &to, hostd_str("said"), &c->rest);
}

static void
do_say(struct call *c)
{
	say(c, 0, (hostd_sio){0});
}

static void
do_others(struct call *c)
{
	say(c, 0, c->s);
}

static void
do_local(struct call *c)
{
	say(c, HOSTD_SIO_LOCAL, (hostd_sio){0});
}

static void
do_volatile(struct call *c)
{
	say(c, HOSTD_SIO_VOLATILE, (hostd_sio){0});
}

static void
do_except(struct call *c)
{
	struct hostd_sio_args rest = c->rest;
	struct names names, not;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	read_names(c, 1, &not);
	to = to_rooms(c, &names);
	to.except = not.v;
	to.nexcept = not.n;
	rest.v++;
	rest.n--;
	(void)c->sio->broadcast(c->sio, &to, hostd_str("said"), &rest);
}

static void
do_many(struct call *c)
{
	hostd_buf v[NAMES_MAX];
	struct hostd_sio_args args = {.struct_size = sizeof(args), .v = v,
	    .bins = c->args->bins, .nbins = c->args->nbins};
	char number[24];
	int64_t i, n = 0;

	if (c->args->n == 0 || c->args->n > NAMES_MAX)
		return;
	(void)hostd_json_int(c->args->v[0], &n);
	memcpy(v, c->args->v, c->args->n * sizeof(v[0]));
	args.n = c->args->n;
	for (i = 0; i < n; i++) {
		(void)snprintf(number, sizeof(number), "%lld", (long long)i);
		v[0] = hostd_str(number);
		(void)c->sio->emit(c->sio, c->s, 0, hostd_str("item"), &args);
	}
}

static void
do_setdata(struct call *c)
{
	struct hostd_json j = {NULL, 0, 0, 0};

	hostd_json_begin(&j, '{');
	put_member(&j, "x", c->args->n > 0 ? c->args->v[0] : hostd_str(NULL));
	hostd_json_end(&j, '}');
	(void)c->sio->set_data(c->sio, c->s, hostd_json_done(&j));
	hostd_json_free(&j);
}

static void
do_joinall(struct call *c)
{
	struct names from, to;
	struct hostd_sio_to who;

	read_names(c, 0, &from);
	read_names(c, 1, &to);
	who = to_rooms(c, &from);
	(void)c->sio->sockets_join(c->sio, &who, to.v, to.n);
}

static void
do_leaveall(struct call *c)
{
	struct names from, to;
	struct hostd_sio_to who;

	read_names(c, 0, &from);
	read_names(c, 1, &to);
	who = to_rooms(c, &from);
	(void)c->sio->sockets_leave(c->sio, &who, to.v, to.n);
}

static void
do_bye(struct call *c)
{
	(void)c->sio->disconnect(c->sio, c->s, is_true(c, 0));
}

static void
do_kick(struct call *c)
{
	struct names names;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	(void)c->sio->disconnect_sockets(c->sio, &to, is_true(c, 1));
}

static void
do_sse(struct call *c)
{
	(void)c->sio->server_emit(c->sio, c->info->nsp, hostd_str("sse"),
	    c->args);
}

static void
do_sseask(struct call *c)
{
	struct poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		return;
	poll->ack = c->ack;
	hostd_json_begin(&poll->answers, '[');
	if (c->sio->server_ask(c->sio, c->info->nsp, hostd_str("asked"),
	    c->args, SERVERS_MS, one_answered, all_answered, poll) < 0) {
		hostd_json_free(&poll->answers);
		free(poll);
	}
}

static const struct {
	const char *name;
	void (*fn)(struct call *);
	int answers;			/* by itself */
} events[] = {
	{"back", do_back, 1}, {"echo", do_echo, 1}, {"twice", do_twice, 1},
	{"rooms", do_rooms, 1}, {"whoami", do_whoami, 1}, {"ask", do_ask, 1},
	{"askall", do_askall, 1}, {"fetch", do_fetch, 1},
	{"asklong", do_asklong, 1}, {"askalllong", do_askalllong, 1},
	{"pid", do_pid, 1}, {"later", do_later, 1},
	{"join", do_join, 0}, {"leave", do_leave, 0}, {"say", do_say, 0},
	{"others", do_others, 0}, {"except", do_except, 0},
	{"local", do_local, 0}, {"volatile", do_volatile, 0},
	{"many", do_many, 0}, {"setdata", do_setdata, 0},
	{"joinall", do_joinall, 0}, {"leaveall", do_leaveall, 0},
	{"sseask", do_sseask, 1}, {"bye", do_bye, 1}, {"kick", do_kick, 0},
	{"sse", do_sse, 0},
};

/* -- a socket's life -- */

static int
is_watcher(const struct hostd_sio_info *info)
{
	return is_same(info->nsp, "/watch");
}

/* Tell /watch; what j is made in is freed. */
static void
tell(struct hostd_inst *in, const char *name, struct hostd_json *j)
{
	struct hostd_sio_to to = {.struct_size = sizeof(to),
	    .nsp = hostd_str("/watch")};
	hostd_buf v = hostd_json_done(j);
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = &v};

	(void)in->sio->broadcast(in->sio, &to, hostd_str(name), &args);
	hostd_json_free(j);
}

static void
begin_told(struct hostd_json *j, const struct hostd_sio_info *info)
{
	hostd_json_begin(j, '{');
	put_name(j, "id", info->id);
	put_name(j, "nsp", info->nsp);
}

static void
decide_late(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	hostd_sio s = {(uintptr_t)arg};
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);

	(void)timer;
	if (info == NULL)
		return;
	if (hostd_json_get(info->auth, "late").n > 0)
		(void)in->sio->refuse(in->sio, s, hostd_str("too late"),
		    hostd_str(NULL));
	else
		(void)in->sio->accept(in->sio, s);
}

static int32_t
on_connecting(struct hostd_inst *in, hostd_sio s, void *d)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	hostd_timer timer;
	int32_t rc;

	(void)d;
	if (is_same(info->nsp, "/private") && !hostd_json_says(
	    hostd_json_get(info->auth, "token"), hostd_str("secret")))
		return in->sio->refuse(in->sio, s, hostd_str("not authorized"),
		    hostd_str("{\"code\":\"E1\",\"hint\":\"log in\"}"));
	if (!is_same(info->nsp, "/slow"))
		return HOSTD_OK;
	rc = in->timer->start(in->easy.host, SLOW_MS, 0, decide_late,
	    (void *)(uintptr_t)s.id, &timer);
	return rc < 0 ? rc : HOSTD_DEFER;
}

static void
on_connect(struct hostd_inst *in, hostd_sio s, void *d, int32_t is_recovered)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	struct hostd_json j = {NULL, 0, 0, 0};
	struct seat *seat = d;
	hostd_buf welcome;
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = &welcome};

	seat->recovered = is_recovered;
	if (is_watcher(info))
		return;
	begin_told(&j, info);
	put_flag(&j, "recovered", is_recovered);
	hostd_json_end(&j, '}');
	tell(in, "came", &j);
	welcome = hostd_json_get(info->auth, "welcome");
	if (welcome.p != NULL)
		(void)in->sio->emit(in->sio, s, 0, hostd_str("welcome"),
		    &args);
}

static int32_t
on_event(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	struct call c = {.in = in, .sio = in->sio, .s = s, .ack = ev->ack,
	    .args = ev->args, .info = in->sio->info(in->sio, s), .seat = d,
	    .rest = *ev->args};
	size_t i;

	if (c.rest.n > 0) {
		c.rest.v++;
		c.rest.n--;
	}
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (is_same(ev->name, events[i].name)) {
			events[i].fn(&c);
			if (!events[i].answers)
				ack_list(c.sio, c.ack, NULL, 0);
			return HOSTD_OK;
		}
	return HOSTD_PASS;
}

static void
on_disconnecting(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	struct seat *seat = d;
	hostd_buf list;

	(void)reason;
	if (in->sio->rooms(in->sio, s, &list) == HOSTD_OK)
		put_sorted(&seat->rooms, list, info->id);
}

static void
on_disconnect(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	struct hostd_json j = {NULL, 0, 0, 0};
	struct seat *seat = d;

	if (!is_watcher(info)) {
		begin_told(&j, info);
		hostd_json_key(&j, "reason");
		hostd_json_str(&j, reasons[reason]);
		put_member(&j, "rooms", hostd_json_done(&seat->rooms));
		hostd_json_end(&j, '}');
		tell(in, "gone", &j);
	}
	hostd_json_free(&seat->rooms);
}

static int32_t
on_server_event(struct hostd_inst *in, hostd_buf nsp,
    const struct hostd_sio_event *ev)
{
	struct hostd_sio_to to = {.struct_size = sizeof(to),
	    .flags = HOSTD_SIO_LOCAL, .nsp = nsp};

	if (is_same(ev->name, "asked"))
		return in->sio->ack(in->sio, ev->ack, ev->args);
	return in->sio->broadcast(in->sio, &to, ev->name, ev->args);
}

/* -- the plugin -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(struct hostd_inst), host, out,
	    err);

	(void)conf;
	if (rc < 0)
		return rc;
	(*out)->sio = host->get_ext(host, HOSTD_EXT_SOCKETIO);
	(*out)->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const char *const namespaces[] = {"/", "/chat", "/dyn-*", "/slow",
    "/private", "/watch", NULL};
static const struct hostd_sio_ops ops = {.struct_size = sizeof(ops),
    .data_size = sizeof(struct seat), .namespaces = namespaces,
    .on_connecting = on_connecting, .on_connect = on_connect,
    .on_event = on_event, .on_disconnecting = on_disconnecting,
    .on_disconnect = on_disconnect, .on_server_event = on_server_event};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_SIO_HANDLER, .ops = &ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(5), .id = "sio_app", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy};
