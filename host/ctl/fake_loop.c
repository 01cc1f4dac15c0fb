/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "ctl/fake_sock.h"

#define MAX_TIMERS 65536u
#define MAX_WORK 4096u
#define WAIT_NS 20000000L
#define SETTLE_MS 120000u
#define SETTLE_TICKS 2000

struct task {
	TAILQ_ENTRY(task) entry;
	struct fake *fake;
	enum fake_task kind;
	void (*fn)(struct hostd_inst *, void *);
	void *arg;
};

struct timer {
	LIST_ENTRY(timer) entry;
	struct fake *fake;
	uint64_t id, due, repeat;
	void (*fn)(struct hostd_inst *, hostd_timer, void *);
	void *arg;
};

struct work {
	TAILQ_ENTRY(work) entry;
	struct fake *fake;
	void (*work)(void *);
	void (*done)(struct hostd_inst *, void *, int32_t);
	void *arg;
	pthread_t thread;
	int running;
};

TAILQ_HEAD(task_list, task);
static struct task_list tasks = TAILQ_HEAD_INITIALIZER(tasks);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t posted = PTHREAD_COND_INITIALIZER;

static LIST_HEAD(, timer) timers = LIST_HEAD_INITIALIZER(timers);
TAILQ_HEAD(work_list, work);
static struct work_list works = TAILQ_HEAD_INITIALIZER(works);
static unsigned ntimers, nworks;
static uint64_t last_timer;
static _Atomic uint64_t now = 1000000;

uint64_t
fake_now(void)
{
	return atomic_load(&now);
}

unsigned
fake_pending(void)
{
	return ntimers + nworks;
}

void
fake_advance(uint64_t to)
{
	if (to > atomic_load(&now))
		atomic_store(&now, to);
}

void
fake_queue(struct fake *f, enum fake_task kind,
    void (*fn)(struct hostd_inst *, void *), void *arg)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->fake = f;
	t->kind = kind;
	t->fn = fn;
	t->arg = arg;
	(void)pthread_mutex_lock(&lock);
	TAILQ_INSERT_TAIL(&tasks, t, entry);
	(void)pthread_cond_signal(&posted);
	(void)pthread_mutex_unlock(&lock);
}

int32_t
fake_post(const struct hostd_host *host,
    void (*fn)(struct hostd_inst *, void *), void *arg)
{
	struct fake *f = fake_called_any(host, "post");

	if (fn == NULL)
		check_fail("called post without a function");
	if (f->destroying)
		return HOSTD_E_STATE;
	fake_queue(f, TASK_POST, fn, arg);
	return HOSTD_OK;
}

int
fake_wait(void)
{
	struct timespec until;
	int some;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += WAIT_NS;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	(void)pthread_mutex_lock(&lock);
	if (TAILQ_EMPTY(&tasks))
		(void)pthread_cond_timedwait(&posted, &lock, &until);
	some = !TAILQ_EMPTY(&tasks);
	(void)pthread_mutex_unlock(&lock);
	return some;
}

static void
task_run(struct task *t)
{
	fake_enter(t->fake,
	    t->kind == TASK_POST ? "a posted function" : "a release function",
	    NULL);
	t->fn(t->fake->inst, t->arg);
	fake_leave(t->fake);
	free(t);
}

static void *
work_thread(void *arg)
{
	struct work *w = arg;

	w->work(w->arg);
	return NULL;
}

static void
work_begin(struct work *w)
{
	if (pthread_create(&w->thread, NULL, work_thread, w) != 0)
		fatalx("pthread_create failed");
	w->running = 1;
}

static void
work_end(struct work *w)
{
	int32_t status = w->running ? HOSTD_OK : HOSTD_E_GONE;

	if (w->running)
		(void)pthread_join(w->thread, NULL);
	TAILQ_REMOVE(&works, w, entry);
	nworks--;
	fake_enter(w->fake, "the done function of work", NULL);
	w->done(w->fake->inst, w->arg, status);
	fake_leave(w->fake);
	free(w);
}

static int32_t
work_submit(const struct hostd_host *host, void (*work)(void *),
    void (*done)(struct hostd_inst *, void *, int32_t), void *arg)
{
	struct fake *f = fake_called(host, "submit");
	struct work *w;

	if (work == NULL || done == NULL)
		check_fail(
		    "called submit without %s", work == NULL ? "work" : "done");
	if (f->destroying)
		return HOSTD_E_STATE;
	if (nworks >= MAX_WORK)
		return HOSTD_E_FULL;
	w = xcalloc(1, sizeof(*w));
	w->fake = f;
	w->work = work;
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&works, w, entry);
	/* Every other one runs at once, beside the callback that submits it;
	 * the rest can still be cancelled. */
	if (nworks++ % 2 == 0)
		work_begin(w);
	return HOSTD_OK;
}

const struct hostd_work_api fake_work_api = {
    .struct_size = sizeof(struct hostd_work_api),
    .submit = work_submit,
};

unsigned
fake_turn(void)
{
	struct task_list mine = TAILQ_HEAD_INITIALIZER(mine);
	struct task *t;
	struct work *w, *last;
	unsigned n = 0;

	atomic_fetch_add(&now, 1);
	(void)pthread_mutex_lock(&lock);
	TAILQ_CONCAT(&mine, &tasks, entry);
	(void)pthread_mutex_unlock(&lock);
	for (; (t = TAILQ_FIRST(&mine)) != NULL; n++) {
		TAILQ_REMOVE(&mine, t, entry);
		task_run(t);
	}
	n += fake_net_turn();
	n += fake_fetch_turn();
	n += fake_sock_turn();
	n += fake_channel_turn();
	n += fake_backend_turn();
	last = TAILQ_LAST(&works, work_list);
	while (last != NULL && (w = TAILQ_FIRST(&works)) != NULL) {
		if (!w->running)
			work_begin(w);
		if (w == last)
			last = NULL;
		work_end(w);
		n++;
	}
	return n;
}

static struct timer *
timer_find(struct fake *f, uint64_t id)
{
	struct timer *t;

	LIST_FOREACH(t, &timers, entry)
	if (t->id == id)
		return t->fake == f ? t : NULL;
	return NULL;
}

static void
timer_free(struct timer *t)
{
	LIST_REMOVE(t, entry);
	ntimers--;
	free(t);
}

static int32_t
timer_start(const struct hostd_host *host, uint64_t delay_ms,
    uint64_t repeat_ms, void (*fn)(struct hostd_inst *, hostd_timer, void *),
    void *arg, hostd_timer *out)
{
	struct fake *f = fake_called(host, "start of hostd.timer/1");
	struct timer *t;

	if (fn == NULL || out == NULL)
		check_fail("called start of hostd.timer/1 without %s",
		    fn == NULL ? "a function" : "room for the handle");
	if (ntimers >= MAX_TIMERS)
		return HOSTD_E_FULL;
	t = xcalloc(1, sizeof(*t));
	t->fake = f;
	t->id = ++last_timer << 32 | 7;
	t->due = fake_now() + delay_ms;
	t->repeat = repeat_ms;
	t->fn = fn;
	t->arg = arg;
	LIST_INSERT_HEAD(&timers, t, entry);
	ntimers++;
	out->id = t->id;
	return HOSTD_OK;
}

static int32_t
timer_stop(const struct hostd_host *host, hostd_timer id)
{
	struct fake *f = fake_called(host, "stop of hostd.timer/1");
	struct timer *t = timer_find(f, id.id);

	if (t == NULL)
		return HOSTD_E_GONE;
	timer_free(t);
	return HOSTD_OK;
}

const struct hostd_timer_api fake_timer_api = {
    .struct_size = sizeof(struct hostd_timer_api),
    .start = timer_start,
    .stop = timer_stop,
};

int
fake_tick(uint64_t limit)
{
	struct timer *t, *first = NULL;
	void (*fn)(struct hostd_inst *, hostd_timer, void *);
	struct fake *f;
	hostd_timer id;
	void *arg;

	LIST_FOREACH(t, &timers, entry)
	if (first == NULL || t->due < first->due)
		first = t;
	if (first == NULL || first->due > limit)
		return 0;
	fake_advance(first->due);
	f = first->fake;
	fn = first->fn;
	arg = first->arg;
	id.id = first->id;
	first->due = fake_now() + first->repeat;
	if (first->repeat == 0)
		timer_free(first);
	fake_enter(f, "a timer", NULL);
	fn(f->inst, id, arg);
	fake_leave(f);
	return 1;
}

void
fake_settle(void)
{
	uint64_t limit = fake_now() + SETTLE_MS;
	int i;

	while (fake_turn() > 0)
		;
	for (i = 0; i < SETTLE_TICKS && fake_tick(limit); i++)
		(void)fake_turn();
}

/* Posts are dropped, releases are not: they are owed. */
static void
end_tasks(struct fake *f)
{
	struct task *t, *next;

	for (t = TAILQ_FIRST(&tasks); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->fake != f)
			continue;
		TAILQ_REMOVE(&tasks, t, entry);
		if (t->kind == TASK_RELEASE)
			task_run(t);
		else
			free(t);
	}
}

void
fake_loop_end(struct fake *f)
{
	struct timer *t, *next;
	struct work *w, *wnext;

	for (w = TAILQ_FIRST(&works); w != NULL; w = wnext) {
		wnext = TAILQ_NEXT(w, entry);
		if (w->fake == f)
			work_end(w);
	}
	end_tasks(f);
	for (t = LIST_FIRST(&timers); t != NULL; t = next) {
		next = LIST_NEXT(t, entry);
		if (t->fake == f)
			timer_free(t);
	}
}
