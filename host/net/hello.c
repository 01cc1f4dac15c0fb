/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <string.h>
#include "net/hello.h"

#define RECORD_HEAD	5
#define RECORD_MAX	16384
#define RECORD_HANDSHAKE 22
#define MESSAGE_HEAD	4
#define MESSAGE_CLIENT_HELLO 1
#define RANDOM_SIZE	32
#define SESSION_MAX	32
#define EXT_SERVER_NAME	0
#define NAME_HOST	0

/* What is left to be read of a message. */
struct reader {
	const uint8_t *p;
	size_t n;
	int bad;
};

static const uint8_t *
take(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > r->n) {
		r->bad = 1;
		return NULL;
	}
	r->p += n;
	r->n -= n;
	return p;
}

/* A number of that many bytes. */
static size_t
number(struct reader *r, size_t bytes)
{
	const uint8_t *p = take(r, bytes);
	size_t v = 0;

	while (p != NULL && bytes-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* Bytes after their number. */
static struct reader
vector(struct reader *r, size_t bytes)
{
	struct reader v = { NULL, number(r, bytes), 0 };

	if ((v.p = take(r, v.n)) == NULL) {
		v.n = 0;
		v.bad = 1;
	}
	return v;
}

/*
 * What records carry of the message, one behind the other.  HELLO_MORE: not
 * all of it is there; HELLO_NAME: it is.
 */
static enum hello
gather(struct reader in, uint8_t *out, size_t *len)
{
	size_t need = MESSAGE_HEAD, n;
	const uint8_t *head;

	*len = 0;
	while (*len < need) {
		if (in.n > 0 && in.p[0] != RECORD_HANDSHAKE)
			return HELLO_NOT;
		if (in.n > 1 && in.p[1] != 3)
			return HELLO_NOT;
		if ((head = take(&in, RECORD_HEAD)) == NULL)
			return HELLO_MORE;
		n = (size_t)head[3] << 8 | head[4];
		if (n == 0 || n > RECORD_MAX)
			return HELLO_NOT;
		if (n > in.n)
			n = in.n;
		memcpy(out + *len, take(&in, n), n);
		*len += n;
		if (*len > 0 && out[0] != MESSAGE_CLIENT_HELLO)
			return HELLO_NOT;
		if (*len >= MESSAGE_HEAD)
			need = MESSAGE_HEAD + ((size_t)out[1] << 16 |
			    (size_t)out[2] << 8 | out[3]);
		if (need > HELLO_MAX)
			return HELLO_NOT;
	}
	*len = need;
	return HELLO_NAME;
}

/* Letters, digits and what else is in names of hosts; in lower case. */
static int
copy_name(struct reader v, char name[HELLO_NAME_MAX])
{
	size_t i;
	char c;

	if (v.n > 0 && v.p[v.n - 1] == '.')
		v.n--;
	if (v.n == 0 || v.n >= HELLO_NAME_MAX)
		return -1;
	for (i = 0; i < v.n; i++) {
		c = (char)v.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 'a' - 'A');
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.' && c != '_')
			return -1;
		name[i] = c;
	}
	name[v.n] = '\0';
	return 0;
}

/* Names of other kinds are nobody's. */
static enum hello
read_names(struct reader ext, char name[HELLO_NAME_MAX])
{
	struct reader list = vector(&ext, 2), v;
	enum hello found = HELLO_NO_NAME;
	size_t type;

	if (list.bad || ext.n != 0)
		return HELLO_NOT;
	while (list.n > 0) {
		type = number(&list, 1);
		v = vector(&list, 2);
		if (v.bad)
			return HELLO_NOT;
		if (type != NAME_HOST)
			continue;
		if (found == HELLO_NAME || copy_name(v, name) == -1)
			return HELLO_NOT;
		found = HELLO_NAME;
	}
	return found;
}

static enum hello
read_extensions(struct reader list, char name[HELLO_NAME_MAX])
{
	enum hello found = HELLO_NO_NAME;
	struct reader v;
	size_t type;
	int had = 0;

	while (list.n > 0) {
		type = number(&list, 2);
		v = vector(&list, 2);
		if (v.bad)
			return HELLO_NOT;
		if (type != EXT_SERVER_NAME)
			continue;
		if (had++ || (found = read_names(v, name)) == HELLO_NOT)
			return HELLO_NOT;
	}
	return found;
}

static enum hello
read_message(struct reader r, char name[HELLO_NAME_MAX])
{
	struct reader session, suites, methods, list;

	(void)take(&r, MESSAGE_HEAD + 2 + RANDOM_SIZE);
	session = vector(&r, 1);
	suites = vector(&r, 2);
	methods = vector(&r, 1);
	if (r.bad || session.n > SESSION_MAX || suites.n == 0 ||
	    suites.n % 2 != 0 || methods.n == 0)
		return HELLO_NOT;
	if (r.n == 0)
		return HELLO_NO_NAME;
	list = vector(&r, 2);
	if (list.bad || r.n != 0)
		return HELLO_NOT;
	return read_extensions(list, name);
}

enum hello
hello_parse(const void *p, size_t n, char name[HELLO_NAME_MAX])
{
	uint8_t message[HELLO_MAX];
	struct reader in = { p, n < HELLO_MAX ? n : HELLO_MAX, 0 };
	enum hello rc;
	size_t len;

	if ((rc = gather(in, message, &len)) == HELLO_MORE)
		return n < HELLO_MAX ? HELLO_MORE : HELLO_NOT;
	if (rc == HELLO_NOT)
		return rc;
	return read_message((struct reader){ message, len, 0 }, name);
}
