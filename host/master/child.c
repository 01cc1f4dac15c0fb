/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/syslog.h"
#include "master/child.h"
#include "master/logs.h"
#include "master/output.h"
#include "master/proc.h"
#include "net/tls_tickets.h"

#define TERM_AFTER 1000 /* ms after a deadline */
#define KILL_AFTER 2000 /* ms after SIGTERM */

static void
child_closed(uv_handle_t *h)
{
	struct child *c = h->data;

	if (--c->handles == 0)
		free(c);
}

static void
child_out_free(struct child *c, struct child_out *o)
{
	TAILQ_REMOVE(&c->out, o, entry);
	while (o->nfds > 0)
		(void)close(o->fds[--o->nfds]);
	free(o);
}

/* The handle goes with the descriptor: closed later, it would take whoever has
 * got that number since out of the loop. */
static void
child_hang_up(struct child *c)
{
	if (c->fd == -1)
		return;
	uv_close((uv_handle_t *)&c->poll, child_closed);
	(void)close(c->fd);
	c->fd = -1;
	while (!TAILQ_EMPTY(&c->out))
		child_out_free(c, TAILQ_FIRST(&c->out));
	if (c->all->left != NULL)
		c->all->left(c);
}

static void
child_free(struct child *c)
{
	LIST_REMOVE(c, link);
	child_hang_up(c);
	output_close(c);
	uv_close((uv_handle_t *)&c->timer, child_closed);
}

/* ---- what it says ---- */

void
child_blame(struct child *c, const char *why)
{
	if (c->why[0] == '\0')
		(void)snprintf(c->why, sizeof(c->why), "%.*s",
		    (int)sizeof(c->why) - 1, why);
}

static void
child_ready(struct child *c)
{
	c->ready = 1;
	if (!c->ending) {
		(void)uv_timer_stop(&c->timer);
		atomic_store(&c->all->board->cells[c->cell].state, CELL_READY);
	}
}

static void
child_message(struct child *c, struct chan_msg *msg)
{
	switch (msg->type) {
	case CHAN_UNKNOWN:
		break;
	case CHAN_FAILED:
		c->failed = 1;
		child_blame(c, msg->data);
		break;
	case CHAN_READY:
		if (c->ready)
			break;
		child_ready(c);
		c->ops->message(c, msg);
		break;
	case CHAN_HELD:
		(void)snprintf(c->held, sizeof(c->held), "%.*s",
		    (int)sizeof(c->held) - 1, msg->data);
		c->ops->message(c, msg);
		break;
	case CHAN_RESOLVED:
		if (c->all->resolved != NULL && c->role == CHAN_ROLE_WORKER)
			c->all->resolved(c->all, (const void *)msg->data);
		break;
	case CHAN_CALLED:
		if (c->all->called != NULL)
			c->all->called(c, msg);
		break;
	case CHAN_ASK:
		if (c->all->asked != NULL && c->role == CHAN_ROLE_WORKER)
			c->all->asked(c, msg);
		break;
	case CHAN_REPORT:
	case CHAN_CLOSED:
	case CHAN_CREATED:
	case CHAN_STATE:
	case CHAN_SAVED:
		c->ops->message(c, msg);
		break;
	default:
		child_kill(c, "sent a message that is not for the master");
	}
	chan_close_fds(msg);
}

/* Everything that is there; up to a bound, so that no child can keep us. */
static void
child_read(struct child *c)
{
	static struct chan_msg msg;
	int n, rc;

	for (n = 0; n < 1000 && c->fd != -1; n++) {
		rc = chan_recv(c->fd, &msg);
		if (rc == 1) {
			child_message(c, &msg);
			continue;
		}
		if (rc == -1 && errno == EAGAIN)
			return;
		if (rc == -1)
			child_kill(c, "sent a malformed message");
		child_hang_up(c);
	}
}

/* ---- what we say ---- */

struct child_out *
child_queue(
    struct child *c, enum chan_type type, const void *data, size_t len)
{
	struct child_out *o = xcalloc(1, sizeof(*o));

	o->type = type;
	o->len = len;
	if (len > 0)
		memcpy(o->data, data, len);
	TAILQ_INSERT_TAIL(&c->out, o, entry);
	return o;
}

void
child_send_fds(struct child *c, enum chan_type type, const void *data,
    size_t len, const int *fds, int nfds)
{
	struct child_out *o;

	if (c->all->restoring)
		fatalx("message %d to %s while restoring", (int)type, c->name);
	if (c->fd == -1)
		return;
	if (TAILQ_EMPTY(&c->out)) {
		if (chan_send(c->fd, type, data, len, fds, nfds) == 0)
			return;
		if (errno != EAGAIN && errno != ETOOMANYREFS) {
			if (errno != EPIPE && errno != ECONNRESET)
				log_warn("%s: sending message %d", c->name,
				    (int)type);
			return;
		}
	}
	o = child_queue(c, type, data, len);
	for (o->nfds = 0; o->nfds < nfds; o->nfds++)
		o->fds[o->nfds] =
		    fcntl(fds[o->nfds], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	child_poll(c);
}

void
child_send(
    struct child *c, enum chan_type type, const void *data, size_t len, int fd)
{
	child_send_fds(c, type, data, len, &fd, fd == -1 ? 0 : 1);
}

int
child_try(struct child *c, enum chan_type type, const void *data, size_t len)
{
	if (c->fd == -1 || !TAILQ_EMPTY(&c->out))
		return -1;
	return chan_send(c->fd, type, data, len, NULL, 0);
}

static void
child_write(struct child *c)
{
	struct child_out *o;

	while ((o = TAILQ_FIRST(&c->out)) != NULL) {
		if (chan_send(c->fd, o->type, o->data, o->len, o->fds,
			o->nfds) == -1 &&
		    (errno == EAGAIN || errno == ETOOMANYREFS))
			return;
		child_out_free(c, o);
	}
	child_poll(c);
}

static void
child_polled(uv_poll_t *p, int status, int events)
{
	struct child *c = p->data;

	if (status < 0 || (events & UV_READABLE))
		child_read(c);
	if (c->fd != -1 && (events & UV_WRITABLE))
		child_write(c);
}

void
child_poll(struct child *c)
{
	int events = UV_READABLE;

	if (!TAILQ_EMPTY(&c->out))
		events |= UV_WRITABLE;
	(void)uv_poll_start(&c->poll, events, child_polled);
}

/* ---- how it ends ---- */

void
child_escalate(uv_timer_t *t)
{
	struct child *c = t->data;
	int sig = c->killing;

	log_warnx("%s (pid %d) has not ended in time, sending %s", c->name,
	    (int)c->pid, sig == SIGTERM ? "SIGTERM" : "SIGKILL");
	(void)kill(c->pid, sig);
	if (sig == SIGTERM) {
		c->killing = SIGKILL;
		(void)uv_timer_start(t, child_escalate, KILL_AFTER, 0);
	}
}

static void
child_end(struct child *c)
{
	c->ending = 1;
	atomic_store(&c->all->board->cells[c->cell].state, CELL_DRAINING);
	(void)uv_timer_stop(&c->timer);
}

void
child_drain(struct child *c, int64_t ms, int last)
{
	struct chan_drain d = {.deadline_ms = (uint32_t)ms, .last = last != 0};
	int ending = c->ending;

	if (ending && !last)
		return;
	/* It may act before we go on; what others see of it comes first. */
	if (!ending)
		child_end(c);
	child_send(c, CHAN_DRAIN, &d, sizeof(d), -1);
	if (ending)
		return;
	c->killing = SIGTERM;
	if (ms > 0)
		(void)uv_timer_start(
		    &c->timer, child_escalate, (uint64_t)ms + TERM_AFTER, 0);
}

/* Is a signal near that was to help? */
static int
child_is_hurried(const struct child *c)
{
	const uv_timer_t *t = &c->timer;

	return c->killing == SIGKILL ||
	    (c->ending && uv_is_active((const uv_handle_t *)t) &&
	    uv_timer_get_due_in(t) <= TERM_AFTER);
}

/* Whoever says so again and again gives it no more time. */
void
child_stop(struct child *c)
{
	int hurried = child_is_hurried(c);

	if (!hurried)
		child_end(c);
	child_send(c, CHAN_STOP, NULL, 0, -1);
	if (hurried)
		return;
	c->killing = SIGTERM;
	(void)uv_timer_start(&c->timer, child_escalate, TERM_AFTER, 0);
}

void
child_kill(struct child *c, const char *why)
{
	child_blame(c, why);
	(void)kill(c->pid, SIGKILL);
}

void
child_late(uv_timer_t *t)
{
	struct child *c = t->data;
	char why[400];

	cause_late(c, why, sizeof(why));
	child_kill(c, why);
}

/* What is known of it on the board, and in the tables. */
static void
cell_retire(struct children *all, int cell)
{
	board_cell_retire(all->board, cell);
	up_table_retire(all->servers, (unsigned)cell);
	limit_table_retire(all->limits, (unsigned)cell);
}

static void
child_reaped(struct child *c, int status)
{
	struct children *all = c->all;
	char cause[sizeof(c->why)];

	child_read(c); /* its last words */
	output_close(c);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
	    c->why[0] == '\0')
		c->killed = 1;
	cause_ended(c, status, cause, sizeof(cause));
	log_debug("%s (pid %d) has ended: %s", c->name, (int)c->pid, cause);
	c->ops->exited(c, cause);
	cell_retire(all, c->cell);
	child_free(c);
	if (LIST_EMPTY(&all->list) && all->empty != NULL)
		all->empty(all);
}

static struct child *
children_find(struct children *all, pid_t pid)
{
	struct child *c;

	LIST_FOREACH (c, &all->list, link)
		if (c->pid == pid)
			return c;
	return NULL;
}

/* Others' orphans come here as well when we are process 1. */
void
children_reap(struct children *all)
{
	struct child *c;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		c = children_find(all, pid);
		if (c != NULL && (WIFEXITED(status) || WIFSIGNALED(status)))
			child_reaped(c, status);
		else if (c == NULL && all->other != NULL)
			all->other(all, pid, status);
	}
}

static void
children_signalled(uv_signal_t *h, int sig)
{
	(void)sig;
	children_reap(h->data);
}

void
children_init(struct children *all, uv_loop_t *loop, struct board *board,
    struct up_table *servers, struct limit_table *limits)
{
	LIST_INIT(&all->list);
	all->empty = NULL;
	all->other = NULL;
	all->resolved = NULL;
	all->called = NULL;
	all->asked = NULL;
	all->left = NULL;
	all->loop = loop;
	all->board = board;
	all->servers = servers;
	all->tickets = NULL;
	all->limits = limits;
	outputs_start(all);
	(void)uv_signal_init(loop, &all->sigchld);
	all->sigchld.data = all;
	(void)uv_signal_start(&all->sigchld, children_signalled, SIGCHLD);
}

void
children_close(struct children *all)
{
	struct child *c;

	while ((c = LIST_FIRST(&all->list)) != NULL) {
		(void)kill(c->pid, SIGKILL);
		(void)waitpid(c->pid, NULL, 0);
		child_free(c);
	}
	uv_close((uv_handle_t *)&all->sigchld, NULL);
	uv_close((uv_handle_t *)&all->second, NULL);
}

/* ---- how it starts ---- */

/* The board's cell; the pool's name is left out for a probe, which no status
 * page needs to see. */
void
child_cell_fill(struct child *c, const struct child_opts *o)
{
	struct board_cell *cell = &c->all->board->cells[c->cell];

	cell->slot = o->slot;
	cell->generation = o->generation;
	cell->restarts = o->restarts;
	cell->started_ms = board_clock_ms();
	(void)snprintf(cell->pool, sizeof(cell->pool), "%s", o->pool);
}

static void
child_send_init(struct child *c, const struct child_opts *o)
{
	struct chan_init init = {
	    .role = (uint32_t)o->role,
	    .slot = o->slot,
	    .cell = (uint32_t)c->cell,
	    .generation = o->generation,
	};
	int fds[5] = {c->all->board->fd, c->all->error_log,
	    c->all->servers->reader, c->all->servers->live_fd,
	    c->all->limits->fd};

	(void)snprintf(init.pool, sizeof(init.pool), "%s", o->pool);
	(void)snprintf(init.snapshot, sizeof(init.snapshot), "%s", o->snapshot);
	/* It can't be full: this is the first message. */
	if (chan_send(c->fd, CHAN_INIT, &init, sizeof(init), fds, 5) == -1)
		child_kill(c, "could not be told what to do");
	else if (c->all->tickets != NULL && chan_send(c->fd, CHAN_TICKETS,
	    NULL, 0, &c->all->tickets->reader, 1) == -1)
		child_kill(c, "could not be given the keys of tickets");
	if (c->all->error_log_is != NULL && syslog_is(c->all->error_log_is))
		log_tell(c, c->all->error_log_is, c->all->error_log);
}

static void
child_name(struct child *c, const struct child_opts *o)
{
	if (o->role == CHAN_ROLE_PROBE)
		(void)snprintf(c->name, sizeof(c->name), "probe");
	else
		(void)snprintf(
		    c->name, sizeof(c->name), "%s.%u", o->pool, o->slot);
}

struct child *
child_new(struct children *all, const struct child_opts *o, int fd, int cell)
{
	struct child *c = xcalloc(1, sizeof(*c));

	c->all = all;
	c->fd = fd;
	c->cell = cell;
	c->generation = o->generation;
	c->role = o->role;
	c->watchdog = o->given != NULL ? o->given->watchdog : 0;
	c->started = uv_now(all->loop);
	TAILQ_INIT(&c->out);
	child_name(c, o);
	if (fd != -1) {
		(void)uv_poll_init(all->loop, &c->poll, fd);
		c->handles++;
	}
	(void)uv_timer_init(all->loop, &c->timer);
	c->handles++;
	c->poll.data = c->timer.data = c;
	LIST_INSERT_HEAD(&all->list, c, link);
	return c;
}

struct child *
child_spawn(struct children *all, const struct child_opts *o,
    const struct child_ops *ops, void *owner, char *why, size_t size)
{
	struct child *c;
	char title[160];
	int fds[2], ours[2], childs[2], cell;

	cell = board_cell_take(all->board);
	if (cell == -1) {
		(void)snprintf(
		    why, size, "no more than %d processes", BOARD_CELLS);
		return NULL;
	}
	up_table_join(all->servers, (unsigned)cell);
	limit_table_join(all->limits, (unsigned)cell);
	if (chan_pair(fds) == -1) {
		(void)snprintf(
		    why, size, "making a channel: %s", strerror(errno));
		goto retire;
	}
	if (output_pipes(ours, childs) == -1) {
		(void)snprintf(why, size, "making pipes: %s", strerror(errno));
		goto close;
	}
	c = child_new(all, o, fds[0], cell);
	output_watch(c, ours);
	c->ops = ops;
	c->owner = owner;
	c->calls = 1;
	child_cell_fill(c, o);
	(void)snprintf(
	    title, sizeof(title), "hostd: %s gen %u", c->name, o->generation);
	c->pid = child_fork(all->exe, title, o, fds[1], childs);
	(void)close(fds[1]);
	(void)close(childs[0]);
	(void)close(childs[1]);
	if (c->pid == -1) {
		(void)snprintf(why, size, "fork: %s", strerror(errno));
		child_free(c);
		goto retire;
	}
	all->board->cells[cell].pid = (uint32_t)c->pid;
	/* It waits for what it is, and so has no threads yet. */
	if (o->given != NULL &&
	    proc_place(c->pid, o->given, o->slot, why, size) == -1)
		child_kill(c, why);
	child_send_init(c, o);
	child_poll(c);
	(void)uv_timer_start(
	    &c->timer, child_late, (uint64_t)o->ready_timeout, 0);
	return c;
close:
	(void)close(fds[0]);
	(void)close(fds[1]);
retire:
	cell_retire(all, cell);
	return NULL;
}
