/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers to probes, as Kubernetes has them.  Liveness is about this node
 * alone: what it depends on is not mended by starting it anew.
 */
#include <hostd/easy.h>
#include <hostd/health.h>
#include <jansson.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_health_api *health;
	int64_t details;
	uint32_t nrequired, noptional;
	hostd_buf *required, *optional;	/* names or instances */
};

/* -- what is required -- */

static int
is_same(hostd_buf a, hostd_buf b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static int
is_listed(const hostd_buf *list, uint32_t n,
    const struct hostd_dependency_state *d)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (is_same(list[i], d->name) || is_same(list[i], d->instance))
			return 1;
	return 0;
}

static int
is_required(const struct hostd_inst *in,
    const struct hostd_dependency_state *d)
{
	if (is_listed(in->required, in->nrequired, d))
		return 1;
	return (d->flags & HOSTD_DEPENDENCY_REQUIRED) != 0 &&
	    !is_listed(in->optional, in->noptional, d);
}

/* -- what is said -- */

static json_t *
text_json(hostd_buf text)
{
	json_t *s = json_stringn(text.p, text.n);

	return s != NULL ? s : json_string("(no UTF-8)");
}

static json_t *
dependency_json(const struct hostd_inst *in,
    const struct hostd_dependency_state *d)
{
	static const char *const states[] = { "unknown", "up", "down" };
	json_t *o = json_pack("{s:o,s:o,s:s,s:b}", "name", text_json(d->name),
	    "instance", text_json(d->instance), "status",
	    states[d->state <= HOSTD_HEALTH_DOWN ? d->state : 0], "required",
	    is_required(in, d));

	if (!in->details)
		return o;
	if (d->detail.n > 0)
		(void)json_object_set_new(o, "detail", text_json(d->detail));
	if (d->since_ms > 0)
		(void)json_object_set_new(o, "since_ms",
		    json_integer((json_int_t)d->since_ms));
	return o;
}

/* One that is required and that nobody has. */
static json_t *
missing_json(const struct hostd_inst *in, hostd_buf name)
{
	json_t *o = json_pack("{s:o,s:n,s:s,s:b}", "name", text_json(name),
	    "instance", "status", "unknown", "required", 1);

	if (in->details)
		(void)json_object_set_new(o, "detail", json_string("no plugin "
		    "and no upstream with health checks is called so"));
	return o;
}

/* All of them; *is_up: no required one keeps the node from being ready. */
static json_t *
dependencies_json(const struct hostd_inst *in, int *is_up)
{
	const struct hostd_host *host = in->easy.host;
	const struct hostd_dependency_state *d;
	json_t *list = json_array();
	uint32_t i, j;

	*is_up = 1;
	for (i = 0; (d = in->health->dependency(host, i)) != NULL; i++) {
		(void)json_array_append_new(list, dependency_json(in, d));
		if (d->state != HOSTD_HEALTH_UP && is_required(in, d))
			*is_up = 0;
	}
	for (j = 0; j < in->nrequired; j++) {
		for (i = 0; (d = in->health->dependency(host, i)) != NULL; i++)
			if (is_listed(&in->required[j], 1, d))
				break;
		if (d != NULL)
			continue;
		*is_up = 0;
		(void)json_array_append_new(list, missing_json(in,
		    in->required[j]));
	}
	return list;
}

enum probe { LIVENESS, READINESS, STARTUP };

/* NULL: it is up. */
static const char *
what_is_wrong(enum probe probe, uint32_t flags, int is_up)
{
	if (probe == LIVENESS)
		return flags & HOSTD_NODE_ALIVE ? NULL :
		    "the workers of a pool stand still";
	if ((flags & HOSTD_NODE_STARTED) == 0)
		return "not all workers have been ready yet";
	if (probe == STARTUP)
		return NULL;
	if ((flags & HOSTD_NODE_READY) == 0)
		return "draining";
	return is_up ? NULL : "a required dependency is not up";
}

static json_t *
probe_json(const struct hostd_inst *in, enum probe probe,
    const struct hostd_node_health *node, int *is_well)
{
	const char *why;
	json_t *list = NULL, *o;
	int is_up = 1;

	if (probe == READINESS)
		list = dependencies_json(in, &is_up);
	why = what_is_wrong(probe, node->flags, is_up);
	o = json_pack("{s:s,s:I,s:b}", "status", why == NULL ? "up" : "down",
	    "generation", (json_int_t)node->generation, "draining",
	    (node->flags & HOSTD_NODE_READY) == 0);
	if (why != NULL)
		(void)json_object_set_new(o, "reason", json_string(why));
	if (list != NULL)
		(void)json_object_set_new(o, "dependencies", list);
	*is_well = why == NULL;
	return o;
}

/* -- requests -- */

static int32_t
answer(struct hostd_inst *in, hostd_req req, enum probe probe)
{
	const struct hostd_node_health *node =
	    in->health->node(in->easy.host);
	hostd_hdr h[2];
	char *text;
	json_t *o;
	int32_t rc;
	int is_well;

	if (node == NULL)
		return HOSTD_E_THREAD;
	o = probe_json(in, probe, node, &is_well);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text == NULL)
		return HOSTD_E_NOMEM;
	h[0] = hostd_header("Content-Type", "application/json");
	h[1] = hostd_header("Cache-Control", "no-store");
	rc = in->easy.http->respond(in->easy.host, req, is_well ? 200 : 503, h,
	    2, hostd_str(text));
	free(text);
	return rc;
}

static int
probe_of(hostd_buf rest)
{
	static const char *const names[] = { "liveness", "readiness",
		"startup" };
	int i;

	for (i = 0; i < 3; i++)
		if (is_same(rest, hostd_str(names[i])))
			return i;
	return -1;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	int probe;

	(void)d;
	if (r == NULL)
		return HOSTD_E_GONE;
	if ((probe = probe_of(r->rest)) == -1)
		return hostd_respond(in, req, 404, "text/plain",
		    "There are liveness, readiness and startup.\n");
	if (r->method == HOSTD_METHOD_GET || r->method == HOSTD_METHOD_HEAD)
		return answer(in, req, (enum probe)probe);
	return hostd_refuse_method(in, req, "GET, HEAD, OPTIONS");
}

/* -- life -- */

static int32_t
read_list(const struct hostd_conf *conf, const char *key, hostd_buf **list,
    uint32_t *n)
{
	uint32_t i;

	(void)conf->get_count(conf, key, n);
	if (*n == 0)
		return HOSTD_OK;
	if ((*list = calloc(*n, sizeof(**list))) == NULL)
		return HOSTD_E_NOMEM;
	for (i = 0; i < *n; i++)
		(void)conf->get_item(conf, key, i, &(*list)[i]);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in->required);
	free(in->optional);
	free(in);
}

static int32_t
check_lists(const struct hostd_inst *in, struct hostd_err *err)
{
	uint32_t i, j;

	for (i = 0; i < in->nrequired; i++)
		for (j = 0; j < in->noptional; j++)
			if (is_same(in->required[i], in->optional[j]))
				return hostd_fail(err, HOSTD_E_INVAL, "\"%.*s\""
				    " can't be both required and optional",
				    (int)in->required[i].n,
				    (const char *)in->required[i].p);
	return HOSTD_OK;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	const struct hostd_health_api *health;
	int32_t rc;

	health = host->get_ext(host, HOSTD_EXT_HEALTH);
	if (health == NULL || !HOSTD_HAS(health, dependency))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_HEALTH);
	rc = hostd_easy_create(sizeof(**out), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	(*out)->health = health;
	(void)conf->get_int(conf, "details", &(*out)->details);
	if (read_list(conf, "required", &(*out)->required,
	    &(*out)->nrequired) != HOSTD_OK || read_list(conf, "optional",
	    &(*out)->optional, &(*out)->noptional) != HOSTD_OK)
		rc = hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	else
		rc = check_lists(*out, err);
	if (rc != HOSTD_OK) {
		destroy(*out);
		*out = NULL;
	}
	return rc;
}

static const struct hostd_key key_required = { sizeof(key_required),
	HOSTD_KEY_LIST, 0, "required", NULL, "Dependencies without which the "
	"node is not ready, by what they are (\"redis\", \"upstream\") or "
	"whose (the name of a plugin's block, or of an upstream with health "
	"checks).  Whatever several nodes share makes all of them unready at "
	"once.", 0, 0, NULL };
static const struct hostd_key key_optional = { sizeof(key_optional),
	HOSTD_KEY_LIST, 0, "optional", NULL, "Likewise, those that the node "
	"can do without, whatever their plugin says.", 0, 0, NULL };
static const struct hostd_key key_details = { sizeof(key_details),
	HOSTD_KEY_BOOL, 0, "details", "on", "Whether the answer says why a "
	"dependency is down, and since when.  That may name addresses.", 0, 0,
	NULL };
static const struct hostd_key *const keys[] = { &key_required, &key_optional,
	&key_details, NULL };

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .on_headers = on_headers
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/health/"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(4), .id = "http_health", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.keys = keys,
	.create = create, .destroy = destroy
};
