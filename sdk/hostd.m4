# SPDX-License-Identifier: BSD-2-Clause
#
# HOSTD_PLUGIN([MINIMUM-SDK-VERSION], [ACTION-IF-FOUND], [ACTION-IF-NOT-FOUND])
#
# Looks for the hostd SDK with pkg-config and sets, for use in a Makefile.am:
#
#	HOSTD_CFLAGS	for compiling a plugin
#	HOSTD_LDFLAGS	for linking it as a libtool module or with -shared
#	HOSTD_PLUGINDIR	where `make install` puts it
#	HOSTD_CHECK	the command that checks it: $(HOSTD_CHECK) my_plugin.so
#
# Without actions, not finding it is an error.
AC_DEFUN([HOSTD_PLUGIN], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	PKG_CHECK_EXISTS([hostd-sdk m4_ifval([$1], [>= $1])],
	    [hostd_sdk_found=yes], [hostd_sdk_found=no])
	AC_MSG_CHECKING([for the hostd SDK m4_ifval([$1], [>= $1])])
	AC_MSG_RESULT([$hostd_sdk_found])
	AS_IF([test "$hostd_sdk_found" = yes], [
		HOSTD_CFLAGS=`$PKG_CONFIG --cflags hostd-sdk`
		HOSTD_CFLAGS="$HOSTD_CFLAGS `$PKG_CONFIG --variable=plugin_cflags hostd-sdk`"
		HOSTD_LDFLAGS=`$PKG_CONFIG --variable=plugin_ldflags hostd-sdk`
		HOSTD_PLUGINDIR=`$PKG_CONFIG --variable=plugindir hostd-sdk`
		HOSTD_CHECK=`$PKG_CONFIG --variable=checker hostd-sdk`
		HOSTD_CHECK="$HOSTD_CHECK plugin check"
		$2
	], [
		m4_default([$3], [AC_MSG_ERROR([hostd-sdk was not found: install hostd, or add its lib/pkgconfig to PKG_CONFIG_PATH])])
	])
	AC_SUBST([HOSTD_CFLAGS])
	AC_SUBST([HOSTD_LDFLAGS])
	AC_SUBST([HOSTD_PLUGINDIR])
	AC_SUBST([HOSTD_CHECK])
])
