/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "api.h"

#define FLAGS (HOSTD_SIO_VOLATILE | HOSTD_SIO_LOCAL | HOSTD_SIO_PLAIN)

int32_t
api_socket(const struct hostd_sio_api *api, hostd_sio h,
    struct sio_socket **out)
{
	const struct app *a = api_app(api);

	*out = socket_of(a->in, h.id);
	return *out == NULL || app_data_of(*out, a) == NULL ? HOSTD_E_GONE :
	    HOSTD_OK;
}

int32_t
api_args(const struct hostd_inst *in, const struct hostd_sio_args **args)
{
	static const struct hostd_sio_args none = {
		.struct_size = sizeof(none),
	};
	const struct hostd_sio_args *a = *args;
	uint32_t i;

	if (a == NULL) {
		*args = &none;
		return HOSTD_OK;
	}
	for (i = 0; i < a->n; i++)
		if ((!client_has_said(in, a->v[i]) &&
		    !hostd_json_ok(a->v[i])) || (a->nbins > 0 &&
		    !sio_placeholders_ok(a->v[i], a->nbins)))
			return HOSTD_E_INVAL;
	return HOSTD_OK;
}

static int
is_reserved(hostd_buf name)
{
	const char *const *own;

	for (own = sio_reserved; *own != NULL; own++)
		if (strlen(*own) == name.n &&
		    memcmp(*own, name.p, name.n) == 0)
			return 1;
	return 0;
}

int32_t
api_event(const struct hostd_inst *in, hostd_buf name,
    const struct hostd_sio_args **args)
{
	if (is_reserved(name) || !hostd_json_is_utf8(name))
		return HOSTD_E_INVAL;
	return api_args(in, args);
}

int32_t
api_names(const hostd_buf *names, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (names[i].n == 0 || names[i].n > HOSTD_SIO_ROOM_MAX ||
		    !hostd_json_is_utf8(names[i]))
			return HOSTD_E_INVAL;
	return HOSTD_OK;
}

int32_t
api_nsp(hostd_buf *nsp)
{
	if (nsp->n == 0)
		*nsp = hostd_str("/");
	return *(const char *)nsp->p != '/' || nsp->n > SPACE_NAME_MAX ||
	    memchr(nsp->p, ',', nsp->n) != NULL ||
	    !hostd_json_is_utf8(*nsp) ? HOSTD_E_INVAL : HOSTD_OK;
}

hostd_buf *
api_values(struct apps *apps, uint32_t n)
{
	hostd_buf *v;

	if (n <= apps->nvalues)
		return apps->values;
	if ((v = realloc(apps->values, n * sizeof(*v))) == NULL)
		return NULL;
	apps->values = v;
	apps->nvalues = n;
	return v;
}

/* Those of except and one more. */
static int32_t
add_except(struct apps *apps, struct hostd_sio_to *to, const char *id)
{
	uint32_t n = to->nexcept + 1;
	hostd_buf *values = api_values(apps, n);

	if (values == NULL)
		return HOSTD_E_NOMEM;
	if (to->nexcept > 0)
		memcpy(values, to->except, to->nexcept * sizeof(*values));
	values[to->nexcept] = hostd_str(id);
	to->except = values;
	to->nexcept = n;
	return HOSTD_OK;
}

int32_t
api_to(struct hostd_inst *in, const struct hostd_sio_to *from,
    struct hostd_sio_to *to)
{
	const struct sio_socket *but;

	*to = *from;
	if ((to->flags & ~FLAGS) != 0 || api_nsp(&to->nsp) != HOSTD_OK ||
	    api_names(to->rooms, to->nrooms) != HOSTD_OK ||
	    api_names(to->except, to->nexcept) != HOSTD_OK)
		return HOSTD_E_INVAL;
	but = socket_of(in, to->but.id);
	to->but.id = 0;
	return but == NULL ? HOSTD_OK : add_except(in->apps, to, but->id);
}
