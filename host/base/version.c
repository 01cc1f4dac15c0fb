/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>
#include "base/version.h"

const char version_text[] = PACKAGE_VERSION;
