/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/board.h"
#include "base/log.h"
#include "net/loop.h"
#include "worker/output.h"

#define CHUNK	1024
#define WAIT_MS	50	/* for the master to read; once a turn in vain */

static const struct board_cell *output_cell;
static int output_fds[2] = { STDOUT_FILENO, STDERR_FILENO };
static atomic_int output_stuck;		/* the master does not read */
static _Atomic uint64_t output_lost;	/* pieces, since told of */

/* Other threads run beside whatever the cell says. */
static size_t
output_name(char *buf, size_t size)
{
	char name[OUTPUT_NAME];
	int n;

	if (output_cell == NULL || !loop_is_here() ||
	    board_running(output_cell, name, sizeof(name)) == NULL)
		return 0;
	n = snprintf(buf, size, "%c%s%c", OUTPUT_NAME_BEGIN, name,
	    OUTPUT_NAME_END);
	return (size_t)n;
}

static void
output_put(int fd, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	while (write(fd, p, n) == -1) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN && !output_stuck &&
		    poll(&pfd, 1, WAIT_MS) == 1)
			continue;
		if (errno == EAGAIN) {
			output_stuck = 1;
			output_lost++;
		}
		return;
	}
}

/* In one write, so that those of others are not in between. */
static void
output_write_chunk(int fd, const char *p, size_t n)
{
	char buf[CHUNK + OUTPUT_NAME + 8];
	size_t len = output_name(buf, OUTPUT_NAME + 4);
	int named = len > 0;

	memcpy(buf + len, p, n);
	len += n;
	if (named) {
		buf[len++] = OUTPUT_NAME_BEGIN;
		buf[len++] = OUTPUT_NAME_END;
	}
	output_put(fd, buf, len);
}

static ssize_t
output_write(void *cookie, const char *p, size_t size)
{
	const int *fd = cookie;
	size_t done, n;

	for (done = 0; done < size; done += n) {
		n = size - done < CHUNK ? size - done : CHUNK;
		output_write_chunk(*fd, p + done, n);
	}
	return (ssize_t)size;
}

static FILE *
output_stream(int *fd, FILE *before)
{
	static const cookie_io_functions_t fns = { .write = output_write };
	FILE *f = fopencookie(fd, "w", fns);

	if (f == NULL)
		return before;
	(void)setvbuf(f, NULL, _IOLBF, CHUNK);
	return f;
}

void
worker_output_init(const struct board_cell *cell)
{
	output_cell = cell;
	stdout = output_stream(&output_fds[0], stdout);
	stderr = output_stream(&output_fds[1], stderr);
}

void
worker_output_turn(void)
{
	uint64_t lost;

	output_stuck = 0;
	if (output_lost == 0)
		return;
	lost = atomic_exchange(&output_lost, 0);
	log_warnx("%" PRIu64 " lines of plugins' output are lost: the master "
	    "could not read them so fast", lost);
}

void
worker_output_end(void)
{
	(void)fflush(stdout);
	(void)fflush(stderr);
	output_cell = NULL;
}
