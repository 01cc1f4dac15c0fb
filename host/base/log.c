/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/log.h"
#include "base/sink.h"
#include "base/syslog.h"

#define LINE_MAX_LEN	4096
#define BUFFER_MAX	65536
#define TRACE_LEN	32

const char log_same_trace[] = "";
static _Thread_local const char *log_trace;

static struct {
	pthread_mutex_t lock;
	struct sink sink;
	struct syslog form;	/* of the sink, if it is one */
	enum log_level level;
	int buffered;
	pthread_t owner;	/* of the buffer, when buffered */
	char context[128];
	char buf[BUFFER_MAX];
	size_t len;
	uint64_t dropped;	/* lines, ever */
	uint64_t reported;	/* of these, already told of */
} lg = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .sink = { 2, SINK_PIPE, NULL },
	.level = LOG_LVL_INFO
};

static const char *const level_names[] = { "debug", "info", "warn", "error" };

int
log_level_parse(const char *word)
{
	int i;

	for (i = 0; i < 4; i++)
		if (strcmp(word, level_names[i]) == 0)
			return i;
	return -1;
}

void
log_set_level(enum log_level level)
{
	lg.level = level;
}

void
log_set_context(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&lg.lock);
	(void)vsnprintf(lg.context, sizeof(lg.context), fmt, ap);
	pthread_mutex_unlock(&lg.lock);
	va_end(ap);
}

const char *
log_set_trace(const char *id)
{
	const char *before = log_trace;

	log_trace = id;
	return before;
}

uint64_t
log_dropped(void)
{
	return lg.dropped;
}

/* -- lines -- */

static size_t
line_start(char *line, size_t size, const char *level, const char *context)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(line + n, size - n, ".%03ldZ %s ",
	    ts.tv_nsec / 1000000, level);
	if (log_trace != NULL)
		n += (size_t)snprintf(line + n, size - n, "[%s trace %.*s] ",
		    context, TRACE_LEN, log_trace);
	else if (context[0] != '\0')
		n += (size_t)snprintf(line + n, size - n, "[%s] ", context);
	return n;
}

/* Text that may hold anything: what could break a line becomes \xHH. */
static size_t
line_put(char *line, size_t at, size_t size, const char *text, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;
	unsigned char c;

	for (i = 0; i < n && at + 5 < size; i++) {
		c = (unsigned char)text[i];
		if (c >= 0x20 && c != 0x7f) {
			line[at++] = (char)c;
			continue;
		}
		line[at++] = '\\';
		line[at++] = 'x';
		line[at++] = hex[c >> 4];
		line[at++] = hex[c & 15];
	}
	return at;
}

/* Under the lock: write what is buffered, as far as it goes. */
static void
log_write_out(void)
{
	size_t done = 0;
	ssize_t w;

	while (done < lg.len) {
		w = sink_write(&lg.sink, lg.buf + done, lg.len - done);
		if (w <= 0)
			break;
		done += (size_t)w;
	}
	memmove(lg.buf, lg.buf + done, lg.len - done);
	lg.len -= done;
}

static void
log_note_dropped(void)
{
	char line[256];
	size_t n;

	if (lg.dropped == lg.reported || lg.len != 0)
		return;
	n = line_start(line, sizeof(line), "warn", lg.context);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%" PRIu64
	    " log lines were dropped: the log could not take them\n",
	    lg.dropped - lg.reported);
	lg.reported = lg.dropped;
	memcpy(lg.buf, line, n);
	lg.len = n;
}

/* The loop writes its lines at the end of its turn; other threads cannot know
 * when that will be. */
static void
log_line(const char *line, size_t n)
{
	int later = lg.buffered && pthread_equal(lg.owner, pthread_self());

	if (lg.sink.fd == -1)
		return;
	if (!later && n > BUFFER_MAX - lg.len)
		log_write_out();
	if (n > BUFFER_MAX - lg.len) {
		lg.dropped++;
		return;
	}
	memcpy(lg.buf + lg.len, line, n);
	lg.len += n;
	if (!later)
		log_write_out();
}

void
log_set_sink(int fd, const struct syslog *form)
{
	pthread_mutex_lock(&lg.lock);
	if (form != NULL)
		lg.form = *form;
	sink_set_syslog(&lg.sink, fd, form != NULL ? &lg.form : NULL);
	pthread_mutex_unlock(&lg.lock);
}

void
log_set_fd(int fd)
{
	log_set_sink(fd, NULL);
}

void
log_flush(void)
{
	if (lg.len == 0 && lg.dropped == lg.reported)
		return;
	pthread_mutex_lock(&lg.lock);
	if (lg.sink.fd != -1) {
		log_write_out();
		log_note_dropped();
	}
	pthread_mutex_unlock(&lg.lock);
}

void
log_last_words(void)
{
	size_t done = 0;
	ssize_t w = 1;

	if (lg.sink.fd == -1)
		return;
	while (lg.sink.kind == SINK_SYSLOG && done < lg.len && w > 0) {
		w = sink_write(&lg.sink, lg.buf + done, lg.len - done);
		done += w > 0 ? (size_t)w : 0;
	}
	if (lg.sink.kind != SINK_SYSLOG && lg.len > 0)
		w = write(lg.sink.fd, lg.buf, lg.len);
	(void)w;
}

void
log_set_buffered(int on)
{
	pthread_mutex_lock(&lg.lock);
	lg.buffered = on;
	lg.owner = pthread_self();
	pthread_mutex_unlock(&lg.lock);
	if (!on)
		log_flush();
}

void
log_text(enum log_level level, const char *source, const char *text, size_t n)
{
	log_text_as(lg.context, level, source, text, n);
}

void
log_text_as(const char *context, enum log_level level, const char *source,
    const char *text, size_t n)
{
	char line[LINE_MAX_LEN];
	size_t at;
	int saved = errno;

	if (level < lg.level)
		return;
	pthread_mutex_lock(&lg.lock);
	at = line_start(line, sizeof(line), level_names[level], context);
	if (source != NULL) {
		at = line_put(line, at, sizeof(line), source, strlen(source));
		at = line_put(line, at, sizeof(line), ": ", 2);
	}
	at = line_put(line, at, sizeof(line), text, n);
	line[at++] = '\n';
	log_line(line, at);
	pthread_mutex_unlock(&lg.lock);
	errno = saved;
}

static void __attribute__((format(printf, 3, 0)))
log_va(enum log_level level, int error, const char *fmt, va_list ap)
{
	char text[LINE_MAX_LEN];
	size_t n;
	int rc;

	if (level < lg.level)
		return;
	rc = vsnprintf(text, sizeof(text), fmt, ap);
	n = rc < 0 ? 0 : (size_t)rc < sizeof(text) ? (size_t)rc :
	    sizeof(text) - 1;
	if (error != 0) {
		rc = snprintf(text + n, sizeof(text) - n, ": %s",
		    strerror(error));
		if (rc > 0)
			n += (size_t)rc < sizeof(text) - n ? (size_t)rc :
			    sizeof(text) - n - 1;
	}
	log_text(level, NULL, text, n);
}

#define LOG_FUNCTION(name, level, error)	\
void						\
name(const char *fmt, ...)			\
{						\
	va_list ap;				\
						\
	va_start(ap, fmt);			\
	log_va(level, error, fmt, ap);		\
	va_end(ap);				\
}

LOG_FUNCTION(log_debug, LOG_LVL_DEBUG, 0)
LOG_FUNCTION(log_info, LOG_LVL_INFO, 0)
LOG_FUNCTION(log_warn, LOG_LVL_WARN, errno)
LOG_FUNCTION(log_warnx, LOG_LVL_WARN, 0)
LOG_FUNCTION(log_error, LOG_LVL_ERROR, errno)
LOG_FUNCTION(log_errorx, LOG_LVL_ERROR, 0)

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LVL_ERROR, errno, fmt, ap);
	va_end(ap);
	log_set_buffered(0);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LVL_ERROR, 0, fmt, ap);
	va_end(ap);
	log_set_buffered(0);
	exit(1);
}
