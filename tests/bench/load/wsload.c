/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A WebSocket client that costs little, so that the server is what is
 * measured: one thread, frames made and masked beforehand, and answers that
 * are compared with what they must be instead of being parsed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "wsload.h"

static void
usage(void)
{
	fprintf(stderr, "usage: wsload echo|fanout|idle|connect|arrive|paced "
	    "[-2etz]\n"
	    "              [-c connections] [-d seconds] [-n messages] "
	    "[-p url] [-r rate] [-s bytes]\n"
	    "              "
	    "ws://address:port/path\n"
	    "\n"
	    "-c  how many connections; of a fan-out: subscribers (64)\n"
	    "-n  messages of a connection under way; of a fan-out: published "
	    "at once (1)\n"
	    "-s  bytes of a message (64)    -d  how long (2)\n"
	    "-p  of a fan-out: where the publisher is, if that is another "
	    "server\n"
	    "-r  requests in a second of a paced load (1000), which may go to "
	    "http://...\n"
	    "-t  text, not binary           -z  offer permessage-deflate\n"
	    "-e  speak Socket.IO            -2  half of them to either of two "
	    "workers\n");
	exit(2);
}

/* -- time -- */

static double cpu_at_start;

double
now_seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
cpu_seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* -- what the caller reads -- */

void
say_ready(void)
{
	int c;

	puts("ready");
	fflush(stdout);
	do
		c = getchar();
	while (c != '\n' && c != EOF);
	cpu_at_start = cpu_seconds();
}

void
say_result(uint64_t count, double since)
{
	double took = now_seconds() - since;

	printf("%llu %.4f %.4f\n", (unsigned long long)count, took,
	    cpu_seconds() - cpu_at_start);
	fflush(stdout);
}

/* -- the command line -- */

/* ws://address:port/path, or http:// */
static void
parse_url(struct options *o, const char *url)
{
	const char *p, *slash;
	char *colon;
	size_t n;

	o->http = strncmp(url, "http://", 7) == 0;
	if (!o->http && strncmp(url, "ws://", 5) != 0)
		usage();
	p = url + (o->http ? 7 : 5);
	slash = strchr(p, '/');
	n = slash == NULL ? strlen(p) : (size_t)(slash - p);
	if (n >= sizeof(o->authority))
		usage();
	memcpy(o->authority, p, n);
	o->path = slash == NULL ? "/" : slash;
	if ((colon = strchr(o->authority, ':')) == NULL)
		usage();
	*colon = '\0';
	o->addr.sin_family = AF_INET;
	o->addr.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, o->authority, &o->addr.sin_addr) != 1)
		errx(2, "%s is no IPv4 address", o->authority);
	*colon = ':';
}

static long
number(const char *s, long max)
{
	char *end;
	long v = strtol(s, &end, 10);

	if (*s == '\0' || *end != '\0' || v < 1 || v > max)
		errx(2, "%s: not a number from 1 to %ld", s, max);
	return v;
}

static void
parse_option(struct options *o, int c)
{
	switch (c) {
	case 'c':
		o->connections = (unsigned)number(optarg, 100000);
		break;
	case 'd':
		if ((o->seconds = atof(optarg)) <= 0)
			usage();
		break;
	case 'n':
		o->depth = (unsigned)number(optarg, 4096);
		break;
	case 'p':
		o->publisher_url = optarg;
		break;
	case 'r':
		o->rate = (double)number(optarg, 10000000);
		break;
	case 's':
		o->size = (size_t)number(optarg, 1 << 24);
		break;
	case 't':
		o->text = 1;
		break;
	case 'z':
		o->deflate = 1;
		break;
	case 'e':
		o->socketio = 1;
		break;
	case '2':
		o->spread = 1;
		break;
	default:
		usage();
	}
}

static void
allow_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static const struct {
	const char *name;
	void (*run)(const struct options *);
} kinds[] = { { "echo", load_echo }, { "fanout", load_fanout },
	{ "idle", load_idle }, { "connect", load_connect },
	{ "arrive", load_arrive }, { "paced", load_paced } };

int
main(int argc, char **argv)
{
	struct options o = { .connections = 64, .depth = 1, .size = 64,
		.seconds = 2, .rate = 1000 }, publisher;
	const char *kind = argc > 1 ? argv[1] : "";
	size_t i;
	int c;

	if (argc < 3)
		usage();
	argv++;
	argc--;
	while ((c = getopt(argc, argv, "2c:d:en:p:r:s:tz")) != -1)
		parse_option(&o, c);
	if (optind != argc - 1)
		usage();
	if (o.publisher_url != NULL) {
		publisher = o;
		parse_url(&publisher, o.publisher_url);
		o.publisher = &publisher;
	}
	parse_url(&o, argv[optind]);
	allow_descriptors();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, kind) == 0) {
			kinds[i].run(&o);
			return 0;
		}
	usage();
}
