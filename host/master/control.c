/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/command.h"
#include "master/control.h"
#include "master/upgrade.h"
#include "net/listener.h"

#define LINE_MAX_BYTES (64 * 1024)
#define OUT_MAX_BYTES (4 * 1024 * 1024) /* a client that does not read */
#define CLIENTS_MAX 32
#define IDLE_MS 10000 /* for a request, or for taking an answer */

struct control_write {
	uv_write_t req;
	TAILQ_ENTRY(control_write) link;
	char *text;
	size_t len;
};

static void client_arm(struct control_client *);

/* ---- closing ---- */

static void
client_closed(uv_handle_t *h)
{
	struct control_client *c = h->data;

	if (--c->handles > 0)
		return;
	buf_free(&c->in);
	buf_free(&c->unsent);
	free(c);
}

static void
client_close(struct control_client *c)
{
	if (c->closing)
		return;
	c->closing = 1;
	if (c->busy)
		command_forget(c);
	TAILQ_REMOVE(&c->control->clients, c, link);
	if (c->visitor.told == NULL)
		c->control->nclients--;
	else
		c->visitor.ended(c->visitor.arg);
	uv_close((uv_handle_t *)&c->pipe, client_closed);
	uv_close((uv_handle_t *)&c->idle, client_closed);
}

static void
client_idle(uv_timer_t *t)
{
	client_close(t->data);
}

/* While we work on a request, it is the client that waits. */
static void
client_arm(struct control_client *c)
{
	if (c->visitor.told != NULL)
		return;
	if (c->busy &&
	    uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) == 0)
		(void)uv_timer_stop(&c->idle);
	else
		(void)uv_timer_start(&c->idle, client_idle, IDLE_MS, 0);
}

/* ---- answering ---- */

static void
control_write_free(struct control_client *c, struct control_write *w)
{
	TAILQ_REMOVE(&c->out, w, link);
	free(w->text);
	free(w);
}

static void
client_written(uv_write_t *req, int status)
{
	struct control_write *w = (struct control_write *)(void *)req;
	struct control_client *c = req->handle->data;

	control_write_free(c, w);
	if (status < 0)
		client_close(c);
	else if (!c->closing)
		client_arm(c);
}

/* Takes the text. */
static void
client_send(struct control_client *c, char *text, size_t len)
{
	struct control_write *w = xcalloc(1, sizeof(*w));
	uv_buf_t buf = uv_buf_init(text, (unsigned)len);

	w->text = text;
	w->len = len;
	TAILQ_INSERT_TAIL(&c->out, w, link);
	if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) >
		OUT_MAX_BYTES ||
	    uv_write(&w->req, (uv_stream_t *)&c->pipe, &buf, 1,
		client_written) < 0) {
		control_write_free(c, w);
		client_close(c);
		return;
	}
	client_arm(c);
}

void
control_say(struct control_client *c, json_t *line)
{
	char *text, *full;

	if (c->visitor.told != NULL) {
		if (!c->closing)
			c->visitor.told(c->visitor.arg, line);
		json_decref(line);
		return;
	}
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	if (!c->closing && text != NULL) {
		full = xasprintf("%s\n", text);
		client_send(c, full, strlen(full));
	}
	free(text);
}

/* Texts may come from files and plugins, and need not be UTF-8. */
json_t *
control_text(const char *text)
{
	json_t *s = json_string(text);
	char *copy, *p;

	if (s != NULL)
		return s;
	copy = xstrdup(text);
	for (p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	s = json_string(copy);
	free(copy);
	return s;
}

void
control_progress(struct control_client *c, const char *text)
{
	control_say(c, json_pack("{s:o}", "progress", control_text(text)));
}

void
control_error(struct control_client *c, const char *text)
{
	control_say(c, json_pack("{s:o}", "error", control_text(text)));
}

static void client_lines(struct control_client *);

void
control_end(struct control_client *c, int ok, json_t *more)
{
	json_t *o = json_pack("{s:b}", "ok", ok);

	if (more != NULL) {
		(void)json_object_update(o, more);
		json_decref(more);
	}
	c->busy = 0;
	control_say(c, o);
	if (c->visitor.told != NULL)
		client_close(c);
	else
		client_lines(c);
}

void
control_event(struct control *k, const struct event *e)
{
	struct control_client *c, *next;

	for (c = TAILQ_FIRST(&k->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->follows)
			control_say(c, json_pack("{s:o}", "event",
			    event_json(e)));
	}
}

/* ---- reading ---- */

static void
client_line(struct control_client *c, const char *line, size_t len)
{
	json_error_t e;
	json_t *request = json_loadb(line, len, 0, &e);

	c->busy = 1;
	client_arm(c);
	if (json_is_object(request)) {
		command_run(c, request);
	} else {
		control_error(c, "the request is not a JSON object");
		control_end(c, 0, NULL);
	}
	json_decref(request);
}

static void
client_lines(struct control_client *c)
{
	char *nl, *line;
	size_t n;

	while (!c->busy && !c->closing && c->in.len > 0 &&
	    (nl = memchr(c->in.p, '\n', c->in.len)) != NULL) {
		n = (size_t)(nl - c->in.p);
		line = xstrndup(c->in.p, n);
		buf_consume(&c->in, n + 1);
		client_line(c, line, n);
		free(line);
	}
	if (c->in.len > LINE_MAX_BYTES)
		client_close(c);
}

static void
client_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	static char space[16384];

	(void)h;
	(void)suggested;
	*buf = uv_buf_init(space, sizeof(space));
}

static void
client_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct control_client *c = s->data;

	if (n < 0) {
		client_close(c);
		return;
	}
	buf_append(&c->in, buf->base, (size_t)n);
	client_lines(c);
}

/* ---- accepting ---- */

/* A worker of our own user, taken over by somebody. */
static int
is_child(struct master *m, pid_t pid)
{
	struct child *c;

	LIST_FOREACH (c, &m->children.list, link)
		if (c->pid == pid) {
			log_warnx("%s (pid %d) has connected to the control "
			    "socket, and is not heard", c->name, (int)pid);
			return 1;
		}
	return 0;
}

static int
client_may(const struct control_client *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)&c->pipe, &fd) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return 0;
	return (cred.uid == 0 || cred.uid == geteuid()) &&
	    !is_child(c->control->m, cred.pid);
}

static struct control_client *
client_new(struct control *k)
{
	struct control_client *c = xcalloc(1, sizeof(*c));

	c->control = k;
	c->handles = 2;
	TAILQ_INIT(&c->out);
	(void)uv_pipe_init(&k->m->loop, &c->pipe, 0);
	(void)uv_timer_init(&k->m->loop, &c->idle);
	c->pipe.data = c->idle.data = c;
	TAILQ_INSERT_TAIL(&k->clients, c, link);
	return c;
}

/* Those that follow events stay for long. */
static void
client_refuse(struct control_client *c)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "hostd has %d hostctl to answer "
	    "already; end some that follow events", CLIENTS_MAX);
	control_error(c, text);
	control_end(c, 0, NULL);
	client_close(c);
}

static void
control_accept(uv_stream_t *server, int status)
{
	struct control *k = server->data;
	struct control_client *c;

	if (status < 0)
		return;
	c = client_new(k);
	k->nclients++;
	if (uv_accept(server, (uv_stream_t *)&c->pipe) < 0 || !client_may(c))
		client_close(c);
	else if (k->nclients > CLIENTS_MAX)
		client_refuse(c);
	else if (uv_read_start((uv_stream_t *)&c->pipe, client_alloc,
		     client_read) < 0)
		client_close(c);
	else
		client_arm(c);
}

void
control_visit(struct control *k, const struct control_visitor *v,
    const json_t *request)
{
	struct control_client *c = client_new(k);

	c->visitor = *v;
	c->busy = 1;
	command_run(c, request);
}

static int
control_addr(const char *path, struct addr *a)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&a->ss;
	size_t n = strlen(path);

	memset(a, 0, sizeof(*a));
	if (n >= sizeof(sun->sun_path))
		return -1;
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, n + 1);
	a->len = (socklen_t)sizeof(*sun);
	return 0;
}

/* The same as for clients' unix sockets: stale ones are replaced, live ones
 * are not. */
static int
control_socket(const char *path, char *why, size_t size)
{
	struct listener_opts o = {.mode = 0600};
	struct listener *l;
	struct addr a;
	char reason[256];
	int fd;

	if (control_addr(path, &a) == -1) {
		(void)snprintf(why, size, "control: %s: name too long", path);
		return -1;
	}
	o.addr = &a;
	l = listener_open(&o, reason, sizeof(reason));
	if (l == NULL && errno == EADDRINUSE)
		(void)snprintf(why, size,
		    "another hostd is running: it answers on %s", path);
	else if (l == NULL)
		(void)snprintf(why, size, "control: %s: %s", path, reason);
	if (l == NULL)
		return -1;
	fd = l->fd;
	free(l); /* the path is removed by control_close */
	return fd;
}

static struct control *
control_new(struct master *m, const char *path, int fd)
{
	struct control *k = xcalloc(1, sizeof(*k));

	k->m = m;
	k->path = xstrdup(path);
	TAILQ_INIT(&k->clients);
	(void)uv_pipe_init(&m->loop, &k->server, 0);
	k->server.data = k;
	if (uv_pipe_open(&k->server, fd) < 0 ||
	    uv_listen((uv_stream_t *)&k->server, 64, control_accept) < 0)
		log_error("control: %s: listening", path);
	return k;
}

struct control *
control_open(struct master *m, const char *path, char *why, size_t size)
{
	int fd = control_socket(path, why, size);

	return fd == -1 ? NULL : control_new(m, path, fd);
}

void
control_close(struct control *k)
{
	(void)unlink(k->path);
	command_stopped(k);
	while (!TAILQ_EMPTY(&k->clients))
		client_close(TAILQ_FIRST(&k->clients));
	commands_close(k->m);
	uv_close((uv_handle_t *)&k->server, NULL);
}

void
control_free(struct control *k)
{
	free(k->path);
	free(k);
}

/* ---- for a master's successor ---- */

/* The kernel has taken the first part of what was to be written.  Who waits for
 * a plugin's answer will not get it from another master. */
static json_t *
client_save_out(const struct control_client *c)
{
	static const char unheard[] = "{\"error\":\"hostd was upgraded while "
	    "the command ran; whether it was done is not known\"}\n"
	    "{\"ok\":false}\n";
	size_t left =
	    uv_stream_get_write_queue_size((const uv_stream_t *)&c->pipe);
	const struct control_write *w;
	struct buf all = {0};
	json_t *out;

	TAILQ_FOREACH (w, &c->out, link)
		buf_append(&all, w->text, w->len);
	if (left < all.len)
		buf_consume(&all, all.len - left);
	if (command_is_ordered(c))
		buf_puts(&all, unheard);
	out = record_bytes(all.p, all.len);
	buf_free(&all);
	return out;
}

static json_t *
client_save(const struct control_client *c, struct record *r)
{
	uv_os_fd_t fd = -1;

	(void)uv_fileno((const uv_handle_t *)&c->pipe, &fd);
	return json_pack("{s:o,s:o,s:o,s:b,s:b,s:O*}", "socket",
	    record_fd(r, fd), "in", record_bytes(c->in.p, c->in.len), "out",
	    client_save_out(c), "follows", c->follows, "upgrade",
	    upgrade_is_for(c->control->m, c), "waiting", c->waiting);
}

json_t *
control_save(const struct control *k, struct record *r)
{
	const struct control_client *c;
	json_t *list = json_array();
	uv_os_fd_t fd = -1;

	(void)uv_fileno((const uv_handle_t *)&k->server, &fd);
	TAILQ_FOREACH (c, &k->clients, link)
		if (c->visitor.told == NULL)
			(void)json_array_append_new(list, client_save(c, r));
	return json_pack("{s:s,s:o,s:o}", "path", k->path, "socket",
	    record_fd(r, fd), "clients", list);
}

static void
client_restore(struct control *k, const json_t *j, struct record *r)
{
	int fd = record_take_fd(r, j, "socket");
	struct control_client *c;

	if (fd == -1)
		return;
	c = client_new(k);
	k->nclients++;
	if (uv_pipe_open(&c->pipe, fd) < 0 ||
	    uv_read_start((uv_stream_t *)&c->pipe, client_alloc, client_read) <
		0) {
		client_close(c);
		return;
	}
	record_get_bytes(j, "in", &c->in);
	record_get_bytes(j, "out", &c->unsent);
	c->follows = record_flag(j, "follows");
	if (record_flag(j, "upgrade"))
		upgrade_watch(k->m, c);
	c->waiting = json_incref(json_object_get(j, "waiting"));
	c->busy = c->follows || c->waiting != NULL || upgrade_is_for(k->m, c);
	client_arm(c);
}

struct control *
control_restore(struct master *m, const json_t *j, struct record *r)
{
	int fd = record_take_fd(r, j, "socket");
	const json_t *client;
	struct control *k;
	size_t i;

	if (fd == -1)
		return NULL;
	k = control_new(m, record_text(j, "path", ""), fd);
	json_array_foreach(json_object_get(j, "clients"), i, client)
		client_restore(k, client, r);
	return k;
}

void
control_resume(struct control *k)
{
	struct control_client *c, *next;
	struct buf out;

	for (c = TAILQ_FIRST(&k->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		out = c->unsent;
		memset(&c->unsent, 0, sizeof(c->unsent));
		if (out.len > 0)
			client_send(c, out.p, out.len);
		else
			buf_free(&out);
	}
}
