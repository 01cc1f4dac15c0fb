/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes after a handshake, under the right keys: pieces of a type, a
 * length and that many bytes, each a record.  A type of 0 is bytes as they are,
 * sealed by nobody.
 *
 * What must hold: data comes out as it went in, until something ends the
 * connection, and nothing after that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "net/tls_state.h"

#define TOTAL	4096

static struct loop loop;
static struct stream_io sio;
static struct stream s;
static struct tls_half peer;	/* what it seals with */
static int peer_fd;

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
ignore(struct stream *st)
{
	(void)st;
}

static void
ignore_failure(struct stream *st, int error)
{
	(void)st;
	(void)error;
}

static const struct stream_ops ops = {
	ignore, ignore, ignore_failure, ignore
};

static void
open_all(int is_client)
{
	unsigned char secret[32] = { 1 };
	struct tls_keys k;
	struct tls *t;
	int fds[2];

	if (sio.loop == NULL) {
		must(loop_init(&loop) == 0);
		stream_io_init(&sio, &loop);
	}
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	peer_fd = fds[1];
	must(stream_open(&s, &sio, fds[0], &ops) == 0);
	t = tls_new(&s);
	t->is_client = (uint8_t)is_client;
	must(tls_keys_of_secret(&k, TLS_AES_128_GCM, secret, 32) == 0);
	must(tls_half_open(&peer, &k, 1) == 0);
	must(tls_half_open(&t->in, &k, 0) == 0);
	must(tls_half_open(&t->out, &k, 1) == 0);
}

static void
close_all(void)
{
	stream_close(&s);
	tls_half_close(&peer);
	(void)close(peer_fd);
}

/* Returns how many bytes of input it was. */
static size_t
say(const uint8_t *p, size_t n, struct buf *sent)
{
	unsigned char record[256 + TLS_EXPANSION];
	size_t len = n > 1 ? p[1] : 0, size;
	struct iovec iov;

	if (len > n - 2 || n < 2)
		len = n < 2 ? 0 : n - 2;
	iov.iov_base = (void *)(uintptr_t)(p + 2);
	iov.iov_len = len;
	if (n >= 2 && p[0] != 0) {
		size = tls_seal(&peer, (enum tls_type)p[0], &iov, len, record);
		must(write(peer_fd, record, size) == (ssize_t)size);
		if (p[0] == TLS_DATA)
			buf_append(sent, p + 2, len);
	} else if (len > 0) {
		must(write(peer_fd, p + 2, len) == (ssize_t)len);
	}
	return n < 2 ? n : 2 + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf sent = { NULL, 0, 0 };
	unsigned char out[TOTAL];
	size_t used, got = 0, step;
	ssize_t r = -1;

	if (n < 2 || n > TOTAL / 2)
		return 0;
	open_all(p[0] & 1);
	step = 1 + p[1];
	for (used = 2; used < n; ) {
		used += say(p + used, n - used, &sent);
		while (got < sizeof(out) && (r = stream_read(&s, out + got,
		    step < sizeof(out) - got ? step : sizeof(out) - got)) > 0)
			got += (size_t)r;
		if (r == 0 || errno != EAGAIN)
			break;
	}
	must(got <= sent.len && (got == 0 ||
	    memcmp(out, sent.p, got) == 0));
	/* An end stays one. */
	if (r == 0)
		must(stream_read(&s, out, 1) == 0);
	else if (s.error != 0)
		must(stream_read(&s, out, 1) == -1);
	buf_free(&sent);
	close_all();
	return 0;
}
