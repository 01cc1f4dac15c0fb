/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hostd makes of cookies and sessions, for a test that compares it with
 * what Node does.  A question is a line, a word and then fields in hexadecimal,
 * "-" for an empty one; so is its answer.
 *
 *	open SECRETS NAME HEADER...	"KEY", or "none"
 *	write SECRETS NAME PATH DOMAIN FLAGS EXPIRES KEY
 *					a Set-Cookie value
 *	json TEXT			"yes" or "no"
 *	get TEXT KEY			a value, or "none"
 *	set TEXT KEY VALUE		the document, or "none"
 *	del TEXT KEY			the document
 *	extend TEXT NOW			the document
 *	changed TEXT KEY VALUE		"yes" or "no"
 *	new PATH DOMAIN FLAGS AGE NOW	the document of a new session
 *
 * FLAGS: digits for secure, httponly, partitioned, samesite, priority.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/json_scan.h>
#include "base/buf.h"
#include "session/content.h"
#include "session/cookie.h"

#define FIELDS 16

static struct buf field[FIELDS];
static int nfields;
static struct content content;

static hostd_buf
part(int i)
{
	return (hostd_buf){ field[i].p, field[i].len };
}

static char *
text(int i)
{
	(void)buf_reserve(&field[i], 1);
	field[i].p[field[i].len] = '\0';
	return field[i].p;
}

static int
digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void
read_field(const char *word, struct buf *b)
{
	char c;

	b->len = 0;
	(void)buf_reserve(b, 1);
	for (; *word != '-' && word[0] != '\0'; word += 2) {
		c = (char)(digit(word[0]) << 4 | digit(word[1]));
		buf_append(b, &c, 1);
	}
}

static void
answer(hostd_buf b)
{
	const unsigned char *p = b.p;
	size_t i;

	if (b.n == 0)
		(void)putchar('-');
	for (i = 0; i < b.n; i++)
		(void)printf("%02x", p[i]);
	(void)putchar('\n');
}

static void
answer_document(void)
{
	answer((hostd_buf){ content.text.p, content.text.len });
}

static struct conf_session
attributes(char *path, char *domain, const char *flags)
{
	struct conf_session c = { .path = path, .max_size = 1 << 20,
		.ttl = 86400000 };

	c.domain = *domain != '\0' ? domain : NULL;
	c.secure = flags[0] - '0';
	c.httponly = flags[1] - '0';
	c.partitioned = flags[2] - '0';
	c.samesite = flags[3] - '0';
	c.priority = flags[4] - '0';
	return c;
}

static void
ask_open(struct secrets *s)
{
	static char room[COOKIE_ROOM];
	hostd_hdr h[FIELDS];
	hostd_buf key;
	uint32_t n = 0;
	int i;

	for (i = 2; i < nfields; i++, n++) {
		h[n].name = (hostd_buf){ "Cookie", 6 };
		h[n].value = part(i);
	}
	if (cookie_open(cookie_find(h, n, text(1)), s, SESSION_TOKEN_MAX, room,
	    &key) >= 0)
		answer(key);
	else
		(void)puts("none");
}

static void
ask_write(struct secrets *s)
{
	struct conf_session c = attributes(text(2), text(3), text(4));
	struct buf b = { NULL, 0, 0 };

	c.cookie = text(1);
	cookie_write(&b, &c, s, part(6), atoll(text(5)), 1);
	answer((hostd_buf){ b.p, b.len });
	buf_free(&b);
}

static void
ask_secrets(const char *word)
{
	char why[256];
	struct secrets *s = secrets_new(field[0].p, field[0].len, why,
	    sizeof(why));

	if (s == NULL) {
		(void)puts(why);
		return;
	}
	if (strcmp(word, "open") == 0)
		ask_open(s);
	else
		ask_write(s);
	secrets_free(s);
}

static void
ask_new(void)
{
	struct conf_session c = attributes(text(0), text(1), text(2));

	c.max_age = atoll(text(3));
	content_start(&content, &c, atoll(text(4)), 1);
	answer_document();
}

static void
ask_document(const char *word)
{
	static char path[] = "/";
	struct conf_session c = attributes(path, path + 1, "01000");
	hostd_buf value;

	if (content_load(&content, &c, part(0), 0, 0) != HOSTD_OK) {
		(void)puts("none");
		return;
	}
	if (strcmp(word, "get") == 0) {
		if (content_get(&content, part(1), &value) == HOSTD_OK)
			answer(value);
		else
			(void)puts("none");
		return;
	}
	if (strcmp(word, "extend") == 0)
		(void)content_extend(&content, atoll(text(1)));
	else if (strcmp(word, "del") == 0)
		(void)content_del(&content, part(1));
	else if (content_set(&content, part(1), part(2)) != HOSTD_OK) {
		(void)puts("none");
		return;
	}
	if (strcmp(word, "changed") == 0)
		(void)puts(content_is_changed(&content) ? "yes" : "no");
	else
		answer_document();
}

static void
ask(const char *word)
{
	if (strcmp(word, "open") == 0 || strcmp(word, "write") == 0)
		ask_secrets(word);
	else if (strcmp(word, "json") == 0)
		(void)puts(hostd_json_ok(part(0)) ? "yes" :
		    "no");
	else if (strcmp(word, "new") == 0)
		ask_new();
	else
		ask_document(word);
}

int
main(void)
{
	char *line = NULL, *word, *next;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		word = strtok_r(line, " ", &next);
		for (nfields = 0; nfields < FIELDS; nfields++) {
			char *hex = strtok_r(NULL, " ", &next);

			if (hex == NULL)
				break;
			read_field(hex, &field[nfields]);
		}
		if (word != NULL)
			ask(word);
	}
	free(line);
	for (nfields = 0; nfields < FIELDS; nfields++)
		buf_free(&field[nfields]);
	content_free(&content);
	return 0;
}
