/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers come and go, and which namespaces they have. */
#include <stdlib.h>
#include <string.h>
#include "app.h"
#include "lend.h"

#define DATA_MAX 65536

/* -- names -- */

/* "*" is any characters but ",", also none. */
static int
is_like(const char *pattern, const char *p, const char *end)
{
	const char *star = NULL, *again = NULL;

	while (p < end || *pattern != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			again = p;
		} else if (p < end && *pattern != '\0' && *pattern == *p) {
			pattern++;
			p++;
		} else if (star != NULL && again < end && *again != ',') {
			pattern = star + 1;
			p = ++again;
		} else
			return 0;
	}
	return 1;
}

static int
has_space(const struct app *a, hostd_buf nsp, int *by_pattern)
{
	const char *const *p = a->ops.namespaces;
	const char *name = nsp.p;

	if (p == NULL)
		return nsp.n == 1 && *name == '/';
	for (; *p != NULL; p++)
		if (is_like(*p, name, name + nsp.n)) {
			if (strchr(*p, '*') == NULL)
				*by_pattern = 0;
			return 1;
		}
	return 0;
}

hostd_buf
apps_pattern(const struct hostd_inst *in, hostd_buf nsp)
{
	const char *const *p, *name = nsp.p;
	const struct app *a;

	STAILQ_FOREACH(a, &in->apps->all, link)
		for (p = a->ops.namespaces; p != NULL && *p != NULL; p++)
			if (is_like(*p, name, name + nsp.n))
				return hostd_str(*p);
	return nsp;
}

uint32_t
apps_of(struct hostd_inst *in, hostd_buf nsp, struct app **out, uint32_t max,
    int *by_pattern)
{
	struct app *a;
	uint32_t n = 0;

	*by_pattern = 1;
	STAILQ_FOREACH(a, &in->apps->all, link) {
		if (!has_space(a, nsp, by_pattern))
			continue;
		if (n < max)
			out[n] = a;
		n++;
	}
	return n;
}

/* -- come and go -- */

int32_t
apps_create(struct hostd_inst *in)
{
	if ((in->apps = calloc(1, sizeof(*in->apps))) == NULL)
		return HOSTD_E_NOMEM;
	STAILQ_INIT(&in->apps->all);
	LIST_INIT(&in->apps->asking);
	return HOSTD_OK;
}

void
apps_destroy(struct hostd_inst *in)
{
	if (in->apps == NULL)
		return;
	apis_destroy(in);
	free(in->apps->values);
	hostd_json_free(&in->apps->text);
	lend_destroy(in);
	hostd_json_free(&in->apps->rooms);
	free(in->apps);
	in->apps = NULL;
}

static int32_t
check_names(const char *const *nsp, struct hostd_err *err)
{
	for (; nsp != NULL && *nsp != NULL; nsp++)
		if (**nsp != '/' || strchr(*nsp, ',') != NULL ||
		    strlen(*nsp) > SPACE_NAME_MAX)
			return hostd_fail(err, HOSTD_E_INVAL, "its namespace "
			    "\"%.80s\" does not begin with \"/\", has a "
			    "comma, or is too long", *nsp);
	return HOSTD_OK;
}

static int32_t
check(const struct hostd_sio_ops *ops, struct hostd_err *err)
{

	if ((ops->flags & ~HOSTD_SIO_PLAIN_DATA) != 0)
		return hostd_fail(err, HOSTD_E_NOTSUP, "its flags 0x%x are "
		    "of a later version", ops->flags);
	if (ops->data_size > DATA_MAX)
		return hostd_fail(err, HOSTD_E_INVAL, "its data_size of %u is "
		    "above %d", ops->data_size, DATA_MAX);
	return check_names(ops->namespaces, err);
}

static int32_t
serve(const struct hostd_sio_api *api, const char *const *namespaces)
{
	struct hostd_err err = { .struct_size = sizeof(err) };
	struct app *a = api->ctx;
	int32_t rc = check_names(namespaces, &err);

	if (rc != HOSTD_OK) {
		hostd_logf(a->in->easy.host, HOSTD_LOG_ERROR, "%s: %s",
		    a->name, err.msg);
		return rc;
	}
	a->ops.namespaces = namespaces;
	spaces_apps_changed(a->in);
	return HOSTD_OK;
}

static int32_t
attach(struct hostd_inst *in, hostd_user user,
    const struct hostd_user_info *info, const void **table,
    struct hostd_err *err)
{
	const struct hostd_sio_ops *ops = info->ops;
	struct app *a = calloc(1, sizeof(*a));
	int32_t rc;

	if (a == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	memcpy(&a->ops, ops, ops->struct_size < sizeof(a->ops) ?
	    ops->struct_size : sizeof(a->ops));
	if ((rc = check(&a->ops, err)) != HOSTD_OK) {
		free(a);
		return rc;
	}
	a->in = in;
	a->user = user;
	a->name = info->name;
	api_fill(&a->api, a);
	a->api.serve = serve;
	STAILQ_INSERT_TAIL(&in->apps->all, a, link);
	spaces_apps_changed(in);
	*table = &a->api;
	return HOSTD_OK;
}

static void
detach(struct hostd_inst *in, hostd_user user)
{
	struct sio_socket *s;
	struct app_data *d;
	struct app *a;
	uint32_t i = 0;

	STAILQ_FOREACH(a, &in->apps->all, link)
		if (a->user.id == user.id)
			break;
	if (a == NULL)
		return;
	api_forget(a);
	while ((s = socket_next(in, &i)) != NULL)
		if ((d = app_data_of(s, a)) != NULL)
			d->app = NULL;
	STAILQ_REMOVE(&in->apps->all, a, app, link);
	spaces_apps_changed(in);
	free(a);
}

const struct hostd_offer app_offer = {
	.struct_size = sizeof(app_offer),
	.kind = HOSTD_KIND_SIO_HANDLER,
	.ext = HOSTD_EXT_SOCKETIO,
	.attach = attach,
	.detach = detach,
};

struct hostd_inst *
app_enter(const struct app *a)
{
	return a == NULL ? NULL : a->in->offer->enter(a->in->easy.host,
	    a->user);
}

void
app_leave(const struct app *a)
{
	a->in->offer->leave(a->in->easy.host, a->user);
}

/* -- what a handler has of a socket -- */

/* All blocks are of one allocation, behind the list of them. */
static size_t
block_size(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

int
app_data_new(struct sio_socket *s)
{
	const struct space *sp = s->space;
	size_t size = block_size(sp->napps * sizeof(*s->apps)), at = size;
	uint32_t i;

	if (sp->napps == 0)
		return 0;
	for (i = 0; i < sp->napps; i++)
		size += block_size(sp->apps[i]->ops.data_size);
	if ((s->apps = calloc(1, size)) == NULL)
		return -1;
	for (i = 0; i < sp->napps; i++) {
		s->apps[i].app = sp->apps[i];
		s->apps[i].d = (char *)(void *)s->apps + at;
		at += block_size(sp->apps[i]->ops.data_size);
	}
	s->napps = (uint8_t)sp->napps;
	return 0;
}

void
app_data_free(struct sio_socket *s)
{
	free(s->apps);
	s->apps = NULL;
	s->napps = 0;
}

struct app_data *
app_data_of(const struct sio_socket *s, const struct app *a)
{
	uint32_t i;

	for (i = 0; i < s->napps; i++)
		if (s->apps[i].app == a)
			return &s->apps[i];
	return NULL;
}

int32_t
app_pack(struct sio_socket *s, const struct app_data *d,
    int32_t (*put)(void *arg, hostd_buf part), void *arg)
{
	const struct app *a = d->app;
	hostd_sio handle = { s->handle };
	struct hostd_inst *user;
	hostd_buf b = { d->d, 0 };
	int32_t rc;

	if (a == NULL)
		return HOSTD_E_GONE;
	if (a->ops.save == NULL) {
		b.n = a->ops.flags & HOSTD_SIO_PLAIN_DATA ? a->ops.data_size :
		    0;
		return b.n == 0 ? HOSTD_OK : put(arg, b);
	}
	if ((user = app_enter(a)) == NULL)
		return HOSTD_E_GONE;
	rc = a->ops.save(user, handle, d->d, put, arg);
	app_leave(a);
	return rc;
}

int
app_unpack(struct sio_socket *s, hostd_buf name, uint32_t version,
    hostd_buf data)
{
	hostd_sio handle = { s->handle };
	const struct app *a = NULL;
	struct hostd_inst *user;
	struct app_data *d;
	int32_t rc;
	uint32_t i;

	for (i = 0; i < s->napps; i++) {
		a = s->apps[i].app;
		if (a != NULL && strlen(a->name) == name.n &&
		    memcmp(a->name, name.p, name.n) == 0)
			break;
	}
	if (i == s->napps)
		return -1;
	d = &s->apps[i];
	if (a->ops.load != NULL) {
		if ((user = app_enter(a)) == NULL)
			return -1;
		rc = a->ops.load(user, handle, d->d, version, data);
		app_leave(a);
		return rc < 0 ? -1 : 0;
	}
	if ((a->ops.flags & HOSTD_SIO_PLAIN_DATA) == 0)
		return data.n == 0 ? 0 : -1;
	if (data.n != a->ops.data_size || version != a->ops.version)
		return -1;
	if (data.n > 0)
		memcpy(d->d, data.p, data.n);
	return 0;
}
