/* SPDX-License-Identifier: MIT */
/* What the typemaps of lang.i call, from the bottom to the top. It makes no system call.
 */

#ifndef PS_PYTHON_SUPPORT_H
#define PS_PYTHON_SUPPORT_H

#include "arguments.h"
#include "classes.h"
#include "failures.h"
#include "object.h"
#include "pieces.h"
#include "poller.h"
#include "results.h"
#include "sets.h"

#endif
