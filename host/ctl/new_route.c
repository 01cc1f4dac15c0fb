/* SPDX-License-Identifier: BSD-2-Clause */
/* A new plugin that answers requests. */
#include <stddef.h>

#include "ctl/plugin_new.h"

static const char source[] =
    "/*\n"
    " * @NAME@: a plugin for hostd.\n"
    " *\n"
    " * Answers every request of its route with a greeting from the\n"
    " * configuration.  <hostd/http.h> is the manual.\n"
    " */\n"
    "#include <hostd/easy.h>\n"
    "\n"
    "/* One configured instance.  There may be several: no globals. */\n"
    "struct hostd_inst {\n"
    "\tHOSTD_EASY_HEAD;\n"
    "\thostd_buf greeting;\n"
    "};\n"
    "\n"
    "static int32_t\n"
    "on_headers(struct hostd_inst *in, hostd_req req, void *d)\n"
    "{\n"
    "\t(void)d;\n"
    "\treturn hostd_respond_bytes(in, req, 200, \"text/plain\",\n"
    "\t    in->greeting.p, in->greeting.n);\n"
    "}\n"
    "\n"
    "static int32_t\n"
    "create(const struct hostd_host *host, const struct hostd_conf *conf,\n"
    "    struct hostd_inst **out, struct hostd_err *err)\n"
    "{\n"
    "\thostd_buf greeting;\n"
    "\tint32_t rc;\n"
    "\n"
    "\tif ((rc = conf->get_str(conf, \"greeting\", &greeting)) != HOSTD_OK)\n"
    "\t\treturn hostd_fail(err, rc, \"greeting can't be read\");\n"
    "\trc = hostd_easy_create(sizeof(**out), host, out, err);\n"
    "\tif (rc == HOSTD_OK)\n"
    "\t\t(*out)->greeting = greeting;\n"
    "\treturn rc;\n"
    "}\n"
    "\n"
    "static void\n"
    "destroy(struct hostd_inst *in)\n"
    "{\n"
    "\tfree(in);\n"
    "}\n"
    "\n"
    "static const struct hostd_key greeting_key = {\n"
    "\t.struct_size = sizeof(greeting_key),\n"
    "\t.type = HOSTD_KEY_STRING,\n"
    "\t.name = \"greeting\",\n"
    "\t.dflt = \"hello from @NAME@\",\n"
    "\t.help = \"Text of every answer.\",\n"
    "};\n"
    "static const struct hostd_key *const keys[] = { &greeting_key, NULL };\n"
    "\n"
    "static const struct hostd_http_ops ops = {\n"
    "\t.struct_size = sizeof(ops),\n"
    "\t.on_headers = on_headers,\n"
    "};\n"
    "static const struct hostd_provide provide = {\n"
    "\t.struct_size = sizeof(provide),\n"
    "\t.kind = HOSTD_KIND_HTTP_ROUTE,\n"
    "\t.ops = &ops,\n"
    "\t.route = \"/@NAME@\",\n"
    "};\n"
    "static const struct hostd_provide *const provides[] = { &provide, NULL };\n"
    "\n"
    "HOSTD_PLUGIN_ENTRY = {\n"
    "\tHOSTD_PREFIX(0),\n"
    "\t.id = \"@NAME@\",\n"
    "\t.version = \"0.1\",\n"
    "\t.built_with = HOSTD_SDK_VERSION,\n"
    "\t.provides = provides,\n"
    "\t.keys = keys,\n"
    "\t.create = create,\n"
    "\t.destroy = destroy,\n"
    "};\n";

static const char test[] =
    "# Everything a hostile or clumsy host could do to it.\n"
    "\"$hostctl\" plugin check \"./$plugin\"\n";

static const char readme[] =
    "# @NAME@\n"
    "\n"
    "A plugin for hostd: answers `/@NAME@` with a greeting.\n";

static const char readme_use[] =
    "To serve it, either drop `@NAME@.so` into `conf.d`, or add\n"
    "`conf.d/@NAME@.conf`:\n"
    "\n"
    "    plugin \"@NAME@\" {\n"
    "            module = \"@NAME@.so\"\n"
    "            greeting = \"hello\"\n"
    "    }\n"
    "    route \"/@NAME@\" { plugin = \"@NAME@\" }\n"
    "\n"
    "and run `hostctl reload`. `hostctl plugin schema @NAME@.so` prints all\n"
    "keys.\n";

const struct new_kind new_route = {
    .kind = "http_route",
    .source = {source},
    .test = {new_test_head, test, new_test_greeting},
    .readme = {readme, new_readme_make, readme_use},
};
