/* SPDX-License-Identifier: MIT */
/* What the module knows, and what a socket is in Python. All that lives as long as an
   interpreter's module is in the module's own state: a second load, and another
   interpreter, have their own. No variable here ever changes. */

#ifndef PS_PYTHON_OBJECT_H
#define PS_PYTHON_OBJECT_H

#include <stddef.h>

#include "polysock.h"

#if PY_VERSION_HEX < 0x030A0000
static PyObject *Py_NewRef(PyObject *object) {
  Py_INCREF(object);
  return object;
}

static PyObject *Py_XNewRef(PyObject *object) {
  Py_XINCREF(object);
  return object;
}
#endif

/* The exceptions, which polysock/errors.py defines. */
enum {
  ERROR,
  TIMEOUT,
  CLOSED,
  RESET,
  ABORTED,
  BROKEN,
  REFUSED,
  DENIED,
  UNRESOLVED,
  OVERSIZED,
  CLASSES
};

/* The classes of one type of the core: what is the same in both styles, and the styles.
 */
typedef struct family {
  PyTypeObject *base, *plain, *raising;
} family;

enum { SOCKET, POLLER, FAMILIES };

/* The state of the module polysock._core. */
typedef struct known {
  family families[FAMILIES];
  PyTypeObject *lines;
  PyTypeObject *piece, *pieces;       /* of polysock.aio */
  PyObject *style;                    /* the module whose functions raise */
  PyObject *classes[CLASSES];         /* the exceptions */
  PyObject *words[PS_SYSTEM];         /* the words of the failures, by code */
  PyObject *numbers;                  /* dict: the system's words to its error numbers */
  PyObject *partial, *last, *address; /* names of attributes */
  PyObject *receive, *send, *both;    /* the words of events */
} known;

/* The state of the module whose functions raise. */
typedef struct style {
  PyObject *core; /* the module that knows */
} style;

/* What polysock.aio makes of a raising socket: its timeouts are None; or somebody waits
   for it as well. */
enum { QUIET = 1, IN_USE = 2 };

/* What instances of all families begin with, and all that sockets have. */
typedef struct object {
  PyObject_HEAD union {
    ps_socket *socket;
    ps_poller *poller;
  };
  PyObject *module; /* the module that knows; it outlives its objects */
  PyObject *dict, *weak;
  int raises; /* failures are exceptions */
  int quiet;  /* 0, QUIET or IN_USE */
} object;

static struct PyModuleDef core_module, style_module;

static inline ps_socket *socket_of(PyObject *self) { return ((object *)self)->socket; }
static inline ps_poller *poller_of(PyObject *self) { return ((object *)self)->poller; }

/* Returns the module that knows; self is the object of a method or the module of a
   function. */
static PyObject *core_of(PyObject *self) {
  if (!PyModule_Check(self)) return ((object *)self)->module;
  if (PyModule_GetDef(self) != &style_module) return self;
  return ((style *)PyModule_GetState(self))->core;
}

static known *known_of(PyObject *self) { return PyModule_GetState(core_of(self)); }

/* Does self, which is the object of a method or the module of a function, raise? */
static inline int raises(PyObject *self) {
  if (PyModule_Check(self)) return PyModule_GetDef(self) == &style_module;
  return ((object *)self)->raises;
}

/* Does self answer this failure by None? */
static inline int is_quiet(PyObject *self, ps_status status) {
  return status.code == PS_TIMEOUT && !PyModule_Check(self) && ((object *)self)->quiet;
}

/* Names, addresses and option texts are the system's bytes. As in the standard library,
   those that are not text in its encoding become surrogates. */
static PyObject *text_of(const char *bytes) { return PyUnicode_DecodeFSDefault(bytes); }

#endif
