/* SPDX-License-Identifier: MIT */
/* The classes: BaseSocket, with the methods that are the same in both styles; Socket and
   RaisingSocket; and the iterator of lines. SWIG's own classes are not used, because they
   are static, have extra attributes and do not support cyclic garbage collection. */

#ifndef PS_PYTHON_CLASSES_H
#define PS_PYTHON_CLASSES_H

#include <structmember.h>

#include "sets.h"

/* ---- Objects ---- */

/* Only functions of the module create objects. */
static PyObject *refuse_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)args;
  (void)keywords;
  PyErr_Format(PyExc_TypeError, "cannot create '%.100s' instances", type->tp_name);
  return NULL;
}

static PyObject *refuse_copy(PyObject *self, PyObject *args) {
  (void)args;
  PyErr_Format(PyExc_TypeError,
               "cannot pickle or copy '%.100s' object: its connection belongs to this "
               "process, and detach gives the descriptor",
               Py_TYPE(self)->tp_name);
  return NULL;
}

static int object_traverse(PyObject *self, visitproc visit, void *arg) {
  object *its = (object *)self;
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(its->module);
  Py_VISIT(its->dict);
  return 0;
}

/* Does not clear the reference to the module: calls need it, and the module's own clear
   breaks cycles through it. */
static int object_clear(PyObject *self) {
  Py_CLEAR(((object *)self)->dict);
  return 0;
}

/* Closes an object without references, with a ResourceWarning if it is open. */
static void object_finalize(PyObject *self) {
  ps_socket *socket = socket_of(self);
  PyObject *type = NULL, *error = NULL, *traceback = NULL;
  if (socket == NULL || ps_socket_getfd(socket).fd < 0) return;
  PyErr_Fetch(&type, &error, &traceback);
  if (PyErr_ResourceWarning(self, 1, "unclosed %R", self) < 0)
    PyErr_WriteUnraisable(PyErr_ExceptionMatches(PyExc_Warning) ? self : NULL);
  ps_py_host lent;
  ps_socket_close(socket, ps_py_lend(&lent));
  PyErr_Restore(type, error, traceback);
}

static void object_dealloc(PyObject *self) {
  object *its = (object *)self;
  PyTypeObject *type = Py_TYPE(self);
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return; /* it was resurrected */
  PyObject_GC_UnTrack(self);
  PyObject_ClearWeakRefs(self);
  Py_CLEAR(its->dict);
  ps_socket_free(its->socket, NULL);
  Py_XDECREF(its->module);
  type->tp_free(self);
  Py_DECREF(type);
}

/* ---- Text ---- */

static PyObject *end_of(const char *name, const ps_address *address) {
  if (address->status.code != PS_OK) return PyUnicode_FromString("");
  int six = strchr(address->ip, ':') != NULL;
  return PyUnicode_FromFormat(six ? " %s=[%s]:%d" : " %s=%s:%d", name, address->ip,
                              address->port);
}

static PyObject *object_repr(PyObject *self) {
  ps_socket *socket = socket_of(self);
  const char *class = raises(self) ? "RaisingSocket" : "Socket";
  ps_text kind = ps_socket_getkind(socket);
  int fd = ps_socket_getfd(socket).fd;
  ps_address local = ps_socket_getsockname(socket), peer = ps_socket_getpeername(socket);
  if (fd < 0)
    return PyUnicode_FromFormat("<polysock.%s %s%s>", class, kind.text,
                                local.status.code == PS_CLOSED ? " closed" : "");
  PyObject *text = NULL, *here = end_of("local", &local);
  PyObject *there = here != NULL ? end_of("peer", &peer) : NULL;
  if (there != NULL)
    text = PyUnicode_FromFormat("<polysock.%s %s fd=%d%U%U>", class, kind.text, fd, here,
                                there);
  Py_XDECREF(here);
  Py_XDECREF(there);
  return text;
}

/* ---- Iteration ---- */

static PyObject *object_iter(PyObject *self) {
  ps_lines lines = ps_socket_lines(socket_of(self), PS_LINE, 0);
  return lines.status.code == PS_OK ? Py_NewRef(self) : misuse(lines.status, "iter");
}

static PyObject *object_next(PyObject *self) { return next_piece(self, PS_LINE, 0); }

typedef struct lines_object {
  PyObject_HEAD PyObject *socket;
  ps_pattern pattern;
  ps_maxsize maxsize;
} lines_object;

static int lines_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(((lines_object *)self)->socket);
  return 0;
}

static int lines_clear(PyObject *self) {
  Py_CLEAR(((lines_object *)self)->socket);
  return 0;
}

static void lines_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  lines_clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

static PyObject *lines_next(PyObject *self) {
  const lines_object *lines = (const lines_object *)self;
  if (lines->socket == NULL) return NULL; /* it was cleared by the garbage collector */
  return next_piece(lines->socket, lines->pattern, lines->maxsize);
}

static PyObject *ps_py_lines(PyObject *self, const ps_lines *lines,
                             const char *function) {
  if (lines->status.code != PS_OK) return fail_plain(self, lines->status, function);
  PyTypeObject *type = known_of(self)->lines;
  if (type == NULL) {
    PyErr_SetString(PyExc_RuntimeError, "the module is gone");
    return NULL;
  }
  lines_object *made = (lines_object *)type->tp_alloc(type, 0);
  if (made == NULL) return NULL;
  made->socket = Py_NewRef(self);
  made->pattern = lines->pattern;
  made->maxsize = lines->maxsize;
  return (PyObject *)made;
}

static PyType_Slot lines_slots[] = {
    {Py_tp_new, refuse_new},
    {Py_tp_dealloc, lines_dealloc},
    {Py_tp_traverse, lines_traverse},
    {Py_tp_clear, lines_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, lines_next},
    {Py_tp_doc, "The iterator that lines() returns."},
    {0, NULL},
};

static PyType_Spec lines_spec = {
    .name = "polysock.Lines",
    .basicsize = sizeof(lines_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = lines_slots,
};

#endif
