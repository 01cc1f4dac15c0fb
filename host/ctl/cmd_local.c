/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl test, version, plugin: what works without a running hostd, mostly. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/plugin.h"
#include "ctl/words.h"

/* Becomes hostd -t: the one that is installed with us, else one in PATH. */
int
cmd_test(const struct ctl *ctl, int argc, char **argv)
{
	static char hostd[] = "hostd", test[] = "-t", dash_p[] = "-p";
	static char json[] = "--json";
	char *args[8] = {hostd, test}, *prefix = NULL;
	static char dash_c[] = "-c";
	char *conf = NULL;
	int c, n = 2;

	optind = 0;
	while ((c = getopt(argc, argv, "c:")) != -1) {
		if (c != 'c')
			return ctl_usage(argv[0]);
		conf = optarg;
	}
	if (optind != argc)
		return ctl_usage(argv[0]);
	if (ctl->json)
		args[n++] = json;
	if (ctl->prefix != NULL) {
		args[n++] = dash_p;
		args[n++] = prefix = xstrdup(ctl->prefix);
	}
	if (conf != NULL) {
		args[n++] = dash_c;
		args[n++] = conf;
	}
	(void)execv(HOSTD_SBIN_DIR "/hostd", args);
	if (errno == ENOENT)
		(void)execvp("hostd", args);
	(void)fprintf(
	    stderr, "hostctl: %s/hostd: %s\n", HOSTD_SBIN_DIR, strerror(errno));
	return CTL_FAILED;
}

int
cmd_version(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl quiet = *ctl;
	json_t *answer = NULL, *both;
	const char *running;
	int rc;

	if (words_take(argc, argv, NULL, NULL) != 0)
		return ctl_usage(argv[0]);
	quiet.json = 0;
	if (!ctl->json)
		(void)printf("hostctl %s\n", PACKAGE_VERSION);
	rc = ctl_ask(&quiet, json_pack("{s:s}", "cmd", "version"), &answer);
	running = json_string_value(json_object_get(answer, "version"));
	if (ctl->json) {
		both = json_pack(
		    "{s:s,s:s?}", "hostctl", PACKAGE_VERSION, "hostd", running);
		(void)json_dumpf(both, stdout, 0);
		(void)putchar('\n');
		json_decref(both);
	} else if (running != NULL) {
		(void)printf("hostd   %s\n", running);
	}
	json_decref(answer);
	return rc;
}

int
cmd_plugin(const struct ctl *ctl, int argc, char **argv)
{
	return ctl_plugin(ctl, argc, argv);
}
