/* SPDX-License-Identifier: MIT */
/* The functions that the typemaps of lang.i call, lowest file first. They make no system
   calls. */

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
