/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels between the hostd nodes of one machine: all workers map one file, a
 * ring of records, and look for new ones every few milliseconds.
 *
 *	pubsub { backend = "memory" }
 *	plugin "memory" { module = "memory_pubsub.so" }
 *
 * Positions in the ring only grow; a byte's place is its position modulo size.
 * Who writes holds a lock (flock(2), which the kernel takes from the dead),
 * says in `taken` how far it will overwrite, writes, and then moves `head`.
 * Whoever is killed between leaves bytes behind head that nobody reads.  A
 * reader copies a record before it believes it, and looks at `taken`
 * afterwards: if the ring has come round to the record meanwhile, the copy is
 * void, and that is a gap.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <hostd/easy.h>
#include <hostd/pubsub.h>
#include <hostd/timer.h>

#define HEAD_SIZE 65536		/* of the file; a multiple of any page */
#define MAGIC 0x31676e6952534448ull	/* "HDSRing1" */
#define LOCK_TRIES 1000		/* 0.1 s at least */
#define TURN_RECORDS 256	/* then others have their turn */

struct head {
	_Atomic uint64_t magic;
	_Atomic uint64_t taken;	/* bytes before this - size are overwritten */
	_Atomic uint64_t head;	/* where the next record begins */
};

struct record {
	uint32_t size;		/* all of it; a multiple of 8 */
	uint32_t channel;	/* bytes of its name, which follows */
	uint64_t envelope;	/* bytes of the envelope, behind that */
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_pubsub_api *pubsub;
	const struct hostd_timer_api *timer;
	struct head *head;
	char *ring;		/* twice in a row: a record has no break */
	uint64_t size, pos;	/* we have read up to there */
	char *copy;		/* of a record */
	int64_t poll;
	int fd, is_held;	/* somebody has had the lock for too long */
};

/* -- writing -- */

/* Who has lost the processor while it holds the lock will be back; but who was
 * stopped must not stop us, so that is waited for once. */
static int
lock(struct hostd_inst *in)
{
	struct timespec pause = { 0, 100000 };
	int i;

	for (i = in->is_held ? LOCK_TRIES - 1 : 0; i < LOCK_TRIES; i++) {
		in->is_held = flock(in->fd, LOCK_EX | LOCK_NB) == -1;
		if (!in->is_held)
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return -1;
}

static void
append(struct hostd_inst *in, const struct record *r, hostd_buf channel,
    hostd_buf envelope)
{
	struct head *h = in->head;
	uint64_t at = atomic_load_explicit(&h->head, memory_order_relaxed);
	char *p = in->ring + at % in->size;

	/* What one who was killed has overwritten stays so. */
	if (atomic_load_explicit(&h->taken, memory_order_relaxed) <
	    at + r->size)
		atomic_store_explicit(&h->taken, at + r->size,
		    memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy(p, r, sizeof(*r));
	memcpy(p + sizeof(*r), channel.p, channel.n);
	memcpy(p + sizeof(*r) + channel.n, envelope.p, envelope.n);
	atomic_store_explicit(&h->head, at + r->size, memory_order_release);
}

static int32_t
publish(struct hostd_inst *in, hostd_buf channel, hostd_buf envelope)
{
	struct record r = { 0, (uint32_t)channel.n, envelope.n };
	uint64_t n = sizeof(r) + channel.n + envelope.n;

	if (n > in->size / 4 - 8 || lock(in) == -1)
		return HOSTD_E_FULL;
	r.size = (uint32_t)((n + 7) & ~(uint64_t)7);
	append(in, &r, channel, envelope);
	(void)flock(in->fd, LOCK_UN);
	return HOSTD_OK;
}

/* Everybody reads everything, so it is in force already. */
static int32_t
subscribe(struct hostd_inst *in, hostd_buf channel, int32_t on)
{
	(void)in;
	(void)channel;
	(void)on;
	return HOSTD_OK;
}

/* -- reading -- */

static int
is_record(const struct hostd_inst *in, const struct record *r, uint64_t room)
{
	return r->size <= room && r->size <= in->size / 4 &&
	    r->size % 8 == 0 && r->channel <= 255 &&
	    r->size >= sizeof(*r) + r->channel &&
	    r->envelope <= r->size - sizeof(*r) - r->channel;
}

/* Copy the record at pos; -1: it is not there any more. */
static int
read_record(struct hostd_inst *in, uint64_t head)
{
	const char *p = in->ring + in->pos % in->size;
	struct record r;
	int ok;

	memcpy(&r, p, sizeof(r));
	ok = is_record(in, &r, head - in->pos);
	if (ok) {
		memcpy(in->copy, p, r.size);
		memcpy(in->copy, &r, sizeof(r));
	}
	atomic_thread_fence(memory_order_acquire);
	return ok && atomic_load_explicit(&in->head->taken,
	    memory_order_relaxed) <= in->pos + in->size ? 0 : -1;
}

static void
deliver(struct hostd_inst *in)
{
	const char *p = in->copy + sizeof(struct record);
	struct record r;
	hostd_buf channel, envelope;

	memcpy(&r, in->copy, sizeof(r));
	channel.p = p;
	channel.n = r.channel;
	envelope.p = p + r.channel;
	envelope.n = (size_t)r.envelope;
	in->pos += r.size;
	(void)in->pubsub->deliver(in->easy.host, channel, envelope);
}

static void
on_poll(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	uint64_t head = atomic_load_explicit(&in->head->head,
	    memory_order_acquire);
	hostd_buf any = { NULL, 0 };
	int i;

	(void)timer;
	(void)arg;
	for (i = 0; i < TURN_RECORDS && in->pos < head; i++) {
		if (read_record(in, head) == -1) {
			in->pos = head;
			(void)in->pubsub->gap(in->easy.host, any);
			return;
		}
		deliver(in);
	}
}

static int32_t
start(struct hostd_inst *in)
{
	hostd_timer timer;

	in->pos = atomic_load_explicit(&in->head->head, memory_order_acquire);
	if (in->pubsub->up(in->easy.host) != HOSTD_OK)
		return HOSTD_OK;	/* another backend was chosen */
	return in->timer->start(in->easy.host, (uint64_t)in->poll,
	    (uint64_t)in->poll, on_poll, NULL, &timer);
}

/* -- the file -- */

/* NULL, or what is wrong with it.  It is locked. */
static const char *
prepare_file(struct hostd_inst *in)
{
	struct stat st;

	if (fstat(in->fd, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0)
		return "it is not a file of ours alone";
	if (st.st_size == 0) {
		/* All of it now: a full disk would be a signal later. */
		if ((errno = posix_fallocate(in->fd, 0, (off_t)(HEAD_SIZE +
		    in->size))) != 0)
			return strerror(errno);
	} else if (st.st_size != (off_t)(HEAD_SIZE + in->size)) {
		return "it is there with another size; remove it first";
	}
	return NULL;
}

static int
map_at(const struct hostd_inst *in, char *where, size_t n, off_t from)
{
	return mmap(where, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
	    in->fd, from) == MAP_FAILED ? -1 : 0;
}

static const char *
map_file(struct hostd_inst *in)
{
	size_t n = in->size;
	char *p = mmap(NULL, HEAD_SIZE + 2 * n, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t none = 0;

	if (p == MAP_FAILED)
		return strerror(errno);
	in->head = (struct head *)(void *)p;
	in->ring = p + HEAD_SIZE;
	if (map_at(in, p, HEAD_SIZE + n, 0) == -1 ||
	    map_at(in, p + HEAD_SIZE + n, n, HEAD_SIZE) == -1)
		return strerror(errno);
	if (!atomic_compare_exchange_strong(&in->head->magic, &none, MAGIC) &&
	    none != MAGIC)
		return "it is no ring of ours";
	return NULL;
}

static const char *
open_file(struct hostd_inst *in, const char *path)
{
	const char *why;
	int tries = 0;

	in->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (in->fd == -1)
		return strerror(errno);
	while (lock(in) == -1)
		if (++tries == 20)
			return "somebody does not let go of it";
	if ((why = prepare_file(in)) == NULL)
		why = map_file(in);
	(void)flock(in->fd, LOCK_UN);
	return why;
}

/* -- life -- */

static const struct hostd_key key_path = {
	sizeof(struct hostd_key), HOSTD_KEY_PATH, HOSTD_KEY_WRITE, "path",
	"/dev/shm/hostd.ring", "The file that the nodes share.", 0, 0, NULL
};
static const struct hostd_key key_size = {
	sizeof(struct hostd_key), HOSTD_KEY_SIZE, 0, "size", "8m",
	"Bytes of messages in it; a message takes a quarter at most.",
	1 << 20, 1 << 30, NULL
};
static const struct hostd_key key_poll = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "poll", "2ms",
	"How often a worker looks for messages.", 1, 1000, NULL
};
static const struct hostd_key *const keys[] = {
	&key_path, &key_size, &key_poll, NULL
};

static void
destroy(struct hostd_inst *in)
{
	if (in->head != NULL)
		(void)munmap(in->head, HEAD_SIZE + 2 * in->size);
	if (in->fd != -1)
		(void)close(in->fd);
	free(in->copy);
	free(in);
}

static const char *
prepare(struct hostd_inst *in, const struct hostd_conf *conf, hostd_buf path)
{
	const struct hostd_host *host = in->easy.host;
	int64_t size = 0;

	in->pubsub = host->get_ext(host, HOSTD_EXT_PUBSUB);
	in->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	if (in->pubsub == NULL || in->timer == NULL)
		return "this host serves no backends";
	(void)conf->get_int(conf, "poll", &in->poll);
	(void)conf->get_int(conf, "size", &size);
	in->size = ((uint64_t)size + HEAD_SIZE - 1) / HEAD_SIZE * HEAD_SIZE;
	if ((in->copy = malloc(in->size / 4)) == NULL)
		return "out of memory";
	return open_file(in, path.p);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	hostd_buf path = { "", 0 };
	const char *why;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	in->fd = -1;
	(void)conf->get_str(conf, "path", &path);
	if ((why = prepare(in, conf, path)) != NULL) {
		rc = hostd_fail(err, HOSTD_E_IO, "path: %s: %s",
		    (const char *)path.p, why);
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_pubsub_ops ops = {
	.struct_size = sizeof(ops), .publish = publish, .subscribe = subscribe
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_PUBSUB_BACKEND,
	.ops = &ops
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(4), .id = "memory_pubsub", .version = "1.0",
	.built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
	.create = create, .start = start, .destroy = destroy
};
