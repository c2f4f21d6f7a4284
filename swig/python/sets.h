/* SPDX-License-Identifier: MIT */
/* The sets that select takes and returns. Members may be any objects, so Python code may
   run here: before and after the wait, but not during it. */

#ifndef PS_PYTHON_SETS_H
#define PS_PYTHON_SETS_H

#include <limits.h>

#include "results.h"

/* Returns an attribute of an object, or NULL without an exception if it has none. */
static PyObject *attribute(PyObject *object, const char *name) {
  /* Always the same string object: others would fill the interpreter's method cache. */
  PyObject *text = PyUnicode_InternFromString(name);
  PyObject *found = text != NULL ? PyObject_GetAttr(object, text) : NULL;
  Py_XDECREF(text);
  if (found == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
  return found;
}

/* Calls a method of an object; returns NULL without an exception if it has none. */
static PyObject *ask(PyObject *object, const char *method) {
  PyObject *bound = attribute(object, method);
  PyObject *answer = bound != NULL ? PyObject_CallNoArgs(bound) : NULL;
  Py_XDECREF(bound);
  return answer;
}

static int is_ours(const known *known, PyObject *object) {
  PyTypeObject *base = known->families[SOCKET].base;
  return base != NULL && PyObject_TypeCheck(object, base);
}

/* Stores the descriptor of a foreign object, which may be -1, in *fd. Returns -1 when an
   exception is set, 0 when the object has no valid method for its descriptor, else 1. */
static int fd_of(PyObject *object, int *fd) {
  PyObject *answer = ask(object, "getfd");
  *fd = -1;
  if (answer == NULL && !PyErr_Occurred()) answer = ask(object, "fileno");
  if (answer == NULL) return PyErr_Occurred() ? -1 : 0;
  int good = PyLong_Check(answer);
  int overflow = 0;
  long long number = good ? PyLong_AsLongLongAndOverflow(answer, &overflow) : -1;
  Py_DECREF(answer);
  /* A number that does not fit is no descriptor. (A long may have 32 bits.) */
  if (overflow == 0 && number >= 0 && number <= INT_MAX) *fd = (int)number;
  return good;
}

static int watch_of(const known *known, PyObject *object, ps_watch *watch) {
  if (is_ours(known, object)) {
    watch->socket = socket_of(object);
    return 1;
  }
  if (fd_of(object, &watch->fd) < 0) return 0;
  if (watch->fd < 0) return 1;
  PyObject *dirty = ask(object, "dirty");
  if (dirty == NULL) return !PyErr_Occurred();
  int yes = PyObject_IsTrue(dirty);
  Py_DECREF(dirty);
  watch->buffered = yes > 0;
  return yes >= 0;
}

/* Is the object a member, or text, instead of a set? Iterating over a socket, or over an
   iterator of its lines, would receive from it. Returns -1 when an exception is set. */
static int is_no_set(const known *known, PyObject *object) {
  if (PyList_CheckExact(object) || PyTuple_CheckExact(object)) return 0;
  if (PyUnicode_Check(object) || PyBytes_Check(object) || PyByteArray_Check(object) ||
      is_ours(known, object) || Py_TYPE(object) == known->lines)
    return 1;
  PyObject *found = attribute(object, "getfd");
  if (found == NULL && !PyErr_Occurred()) found = attribute(object, "fileno");
  if (found == NULL) return PyErr_Occurred() ? -1 : 0;
  Py_DECREF(found);
  return 1;
}

/* The set is empty before. items is a copy: it keeps the members alive, and does not
   change during the wait. */
static int ps_py_sockets(PyObject *self, PyObject *object, ps_sockets *sockets,
                         PyObject **items, place at) {
  const known *known = known_of(self);
  if (object == Py_None) return 1;
  int no_set = is_no_set(known, object);
  if (no_set < 0) return 0;
  *items = no_set ? NULL : PySequence_Tuple(object);
  if (*items == NULL) {
    if (!no_set && !PyErr_ExceptionMatches(PyExc_TypeError)) return 0;
    PyErr_Clear();
    return bad(PS_MISUSE_NOTSOCKETS, at);
  }
  size_t count = (size_t)PyTuple_GET_SIZE(*items);
  sockets->watches = PyMem_Calloc(count, sizeof *sockets->watches);
  if (sockets->watches == NULL) {
    PyErr_NoMemory();
    return 0;
  }
  for (; sockets->count < count; sockets->count++) {
    ps_watch *watch = &sockets->watches[sockets->count];
    PyObject *item = PyTuple_GET_ITEM(*items, (Py_ssize_t)sockets->count);
    if (!watch_of(known, item, watch)) return 0;
  }
  return 1;
}

/* Adds the address of an object to a set. Returns whether it is new; -1 when an exception
   is set. */
static int is_new(PyObject *seen, PyObject *object) {
  Py_ssize_t before = PySet_GET_SIZE(seen);
  PyObject *address = PyLong_FromVoidPtr(object);
  int error = address == NULL || PySet_Add(seen, address) < 0;
  Py_XDECREF(address);
  return error ? -1 : PySet_GET_SIZE(seen) > before;
}

/* Returns the ready members in order; a member that is in the set twice is reported once.
 */
static PyObject *ready_list(const ps_sockets *sockets, PyObject *items) {
  PyObject *list = PyList_New(0), *seen = list != NULL ? PySet_New(NULL) : NULL;
  int good = seen != NULL;
  for (size_t i = 0; good && i < sockets->count; i++) {
    if (!sockets->watches[i].ready) continue;
    PyObject *item = PyTuple_GET_ITEM(items, (Py_ssize_t)i);
    int fresh = is_new(seen, item);
    good = fresh >= 0 && (!fresh || PyList_Append(list, item) == 0);
  }
  Py_XDECREF(seen);
  if (!good) Py_CLEAR(list);
  return list;
}

static PyObject *ps_py_ready(PyObject *self, const ps_ready *ready,
                             const ps_sockets *recvt, PyObject *recv_items,
                             const ps_sockets *sendt, PyObject *send_items,
                             const char *function) {
  ps_status status = ready->status;
  if (status.code >= PS_INTERRUPTED || (status.code != PS_OK && raises(self)))
    return fail_plain(self, status, function);
  PyObject *readable = ready_list(recvt, recv_items), *writable = NULL, *text = NULL;
  PyObject *made = NULL;
  if (readable != NULL) writable = ready_list(sendt, send_items);
  if (writable != NULL)
    text = status.code == PS_OK ? Py_NewRef(Py_None) : words_of(known_of(self), status);
  if (text != NULL)
    made = raises(self) ? PyTuple_Pack(2, readable, writable)
                        : PyTuple_Pack(3, readable, writable, text);
  Py_XDECREF(readable);
  Py_XDECREF(writable);
  Py_XDECREF(text);
  return made;
}

#endif
