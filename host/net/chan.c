/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "net/chan.h"

/* Room for the INIT of one child and a few hundred small messages. */
#define CHAN_BUFFER (512 * 1024)

struct chan_header {
	uint32_t version;
	uint32_t type;
	uint32_t len; /* of what follows */
	uint32_t nfds;
};

#define RESERVE 64	  /* descriptors for what is received */
#define RESERVE_FROM 1024 /* if there may be so many */

_Static_assert(CHAN_DATA_MAX == CHAN_MAX - sizeof(struct chan_header),
    "what a message may carry");

static int reserving;

/* What each type carries. */
static const struct chan_rule {
	uint32_t len; /* exactly, or at least when it is open */
	int nfds;     /* exactly */
	int open;
} rules[CHAN_NTYPES] = {
    [CHAN_INIT] = {sizeof(struct chan_init), 5, 0},
    [CHAN_LISTEN] = {sizeof(struct chan_listen), 1, 0},
    [CHAN_LOG] = {sizeof(struct chan_log), 1, 0},
    [CHAN_START] = {0, 0, 0},
    [CHAN_DRAIN] = {sizeof(struct chan_drain), 0, 0},
    [CHAN_STOP] = {0, 0, 0},
    [CHAN_ERROR_LOG] = {0, 1, 1},
    [CHAN_READY] = {0, 0, 0},
    [CHAN_FAILED] = {0, 0, 1},
    [CHAN_REPORT] = {0, 0, 1},
    [CHAN_RETURN] = {sizeof(struct chan_return), 0, 0},
    [CHAN_CLOSED] = {0, 0, 0},
    [CHAN_PEER] = {sizeof(struct chan_peer), 2, 0},
    [CHAN_MOVE] = {sizeof(struct chan_move) + 1, 1, 1},
    [CHAN_MOVE_MORE] = {1, 0, 1},
    [CHAN_MOVED] = {sizeof(struct chan_moved), 0, 0},
    [CHAN_CREATED] = {0, 0, 0},
    [CHAN_SAVE] = {sizeof(struct chan_save), 0, 0},
    [CHAN_STATE] = {0, 1, 0},
    [CHAN_SAVED] = {0, 0, 0},
    [CHAN_COLD] = {0, 0, 0},
    [CHAN_ACCEPT] = {0, 0, 0},
    [CHAN_PING] = {0, 0, 0},
    [CHAN_FOLLOWED] = {0, 0, 0},
    [CHAN_HELD] = {0, 0, 1},
    [CHAN_LEAVE] = {sizeof(struct chan_leave), 0, 0},
    [CHAN_UNFOLLOWED] = {0, 0, 0},
    [CHAN_RESOLVED] = {sizeof(struct chan_resolved), 0, 0},
    [CHAN_CALL] = {sizeof(struct chan_call), 0, 1},
    [CHAN_CALLED] = {sizeof(struct chan_called), 0, 1},
    [CHAN_ASK] = {sizeof(struct chan_ask), 0, 1},
    [CHAN_TOLD] = {sizeof(struct chan_told), 0, 1},
    [CHAN_TICKETS] = {0, 1, 0},
};

/* Control buffers must be aligned as a cmsghdr is. */
union chan_control {
	char buf[CMSG_SPACE(sizeof(int) * CHAN_MAX_FDS)];
	struct cmsghdr align;
};

static const char *
chan_misfit(uint32_t type, size_t len, int nfds)
{
	if (type == 0 || type >= CHAN_NTYPES)
		return "unknown type";
	if (nfds != rules[type].nfds)
		return "wrong number of descriptors";
	if (rules[type].open ? len < rules[type].len : len != rules[type].len)
		return "wrong length";
	if (len > CHAN_DATA_MAX)
		return "too long";
	return NULL;
}

int
chan_pair(int fds[2])
{
	int i, size = CHAN_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, fds) == -1)
		return -1;
	/* More room is welcome, but no need. */
	for (i = 0; i < 2; i++)
		(void)setsockopt(
		    fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

static void
chan_attach_fds(
    struct msghdr *mh, union chan_control *c, const int *fds, int nfds)
{
	struct cmsghdr *cm;
	size_t size = sizeof(int) * (size_t)nfds;

	memset(c, 0, sizeof(*c));
	mh->msg_control = c->buf;
	mh->msg_controllen = CMSG_SPACE(size);
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cm), fds, size);
}

int
chan_send(int fd, enum chan_type type, const void *data, size_t len,
    const int *fds, int nfds)
{
	struct chan_header h = {
	    .version = CHAN_VERSION,
	    .type = (uint32_t)type,
	    .len = (uint32_t)len,
	    .nfds = (uint32_t)nfds,
	};
	struct iovec iov[2] = {
	    {.iov_base = &h, .iov_len = sizeof(h)},
	    {.iov_base = (void *)(uintptr_t)data, .iov_len = len},
	};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1};
	union chan_control control;
	ssize_t n;

	if (chan_misfit((uint32_t)type, len, nfds) != NULL) {
		errno = EINVAL;
		return -1;
	}
	if (nfds > 0)
		chan_attach_fds(&mh, &control, fds, nfds);
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

int
chan_send_text(int fd, enum chan_type type, const char *text)
{
	size_t len = strlen(text);

	if (len > CHAN_DATA_MAX)
		len = CHAN_DATA_MAX;
	return chan_send(fd, type, text, len, NULL, 0);
}

void
chan_close_fds(struct chan_msg *msg)
{
	int i;

	for (i = 0; i < msg->nfds; i++)
		(void)close(msg->fds[i]);
	msg->nfds = 0;
}

/* Descriptors that came along are ours, whatever the message is worth. */
static void
chan_take_fds(struct chan_msg *msg, struct msghdr *mh)
{
	struct cmsghdr *cm;
	size_t i, n;
	int fd;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(
			    &fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
			if (msg->nfds < CHAN_MAX_FDS)
				msg->fds[msg->nfds++] = fd;
			else
				(void)close(fd);
		}
	}
}

static const char *
chan_reject(const struct chan_msg *msg, const struct chan_header *h, size_t got,
    int flags)
{
	uint32_t nfds = flags & MSG_CTRUNC ? h->nfds : (uint32_t)msg->nfds;

	if (got < sizeof(*h))
		return "no header";
	if (h->version != CHAN_VERSION)
		return "another version";
	if ((flags & MSG_TRUNC) || h->len != got - sizeof(*h) ||
	    h->nfds != nfds)
		return "cut short";
	if (h->type >= CHAN_NTYPES)
		return NULL;
	return chan_misfit(h->type, h->len, (int)nfds);
}

/*
 * The limit below the hard one, or up to it.  A small one is left alone: there
 * somebody knows what is needed.
 */
static void
chan_limit(rlim_t below)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_max < RESERVE_FROM)
		return;
	rl.rlim_cur = rl.rlim_max - below;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

void
chan_reserve(void)
{
	reserving = 1;
	chan_limit(RESERVE);
}

/* A reset: it has ended with messages of ours unread.  That is told once, in
 * front of what it said before. */
static ssize_t
chan_read(int fd, struct msghdr *mh)
{
	ssize_t n;

	if (reserving)
		chan_limit(0);
	do
		n = recvmsg(fd, mh, MSG_CMSG_CLOEXEC);
	while (n == -1 && (errno == EINTR || errno == ECONNRESET));
	if (reserving)
		chan_limit(RESERVE);
	return n;
}

int
chan_recv(int fd, struct chan_msg *msg)
{
	struct chan_header h = {0};
	union chan_control control;
	struct iovec iov[2] = {
	    {.iov_base = &h, .iov_len = sizeof(h)},
	    {.iov_base = msg->data, .iov_len = CHAN_DATA_MAX},
	};
	struct msghdr mh = {
	    .msg_iov = iov,
	    .msg_iovlen = 2,
	    .msg_control = control.buf,
	    .msg_controllen = sizeof(control.buf),
	};
	const char *why;
	ssize_t n;

	msg->nfds = 0;
	n = chan_read(fd, &mh);
	if (n <= 0)
		return (int)n;
	chan_take_fds(msg, &mh);
	why = chan_reject(msg, &h, (size_t)n, mh.msg_flags);
	if (why != NULL) {
		chan_close_fds(msg);
		log_errorx("malformed message on the channel (type %u, "
			   "version %u, %zd bytes): %s",
		    h.type, h.version, n, why);
		errno = EPROTO;
		return -1;
	}
	if (h.type >= CHAN_NTYPES) {
		chan_close_fds(msg);
		h.type = CHAN_UNKNOWN;
		h.len = 0;
	}
	msg->type = h.type;
	msg->len = h.len;
	msg->data[h.len] = '\0';
	if (!(mh.msg_flags & MSG_CTRUNC))
		return 1;
	chan_close_fds(msg);
	/* Whoever has sent such a one is told. */
	if (h.type != CHAN_MOVE)
		log_errorx("no descriptor is left for message %u of the "
			   "channel; something leaks them, or the limit of "
			   "open files is too low",
		    h.type);
	errno = EMFILE;
	return -1;
}
