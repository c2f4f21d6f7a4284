/* SPDX-License-Identifier: MIT */
/* The asynchronous iterator of polysock.aio: it gives what is buffered at once, in an
   awaitable that is done already, and leaves all waiting to Python. A coroutine for each
   line would cost more than the line. */

#ifndef PS_PYTHON_PIECES_H
#define PS_PYTHON_PIECES_H

#include "classes.h"

/* ---- An awaitable that is done ---- */

typedef struct ready_object {
  PyObject_HEAD PyObject *value; /* NULL once it was given */
} ready_object;

static void ready_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  Py_XDECREF(((ready_object *)self)->value);
  PyObject_Free(self);
  Py_DECREF(type);
}

static PyObject *ready_next(PyObject *self) {
  PyObject *value = ((ready_object *)self)->value;
  ((ready_object *)self)->value = NULL;
  if (value == NULL) {
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited piece");
    return NULL;
  }
  PyErr_SetObject(PyExc_StopIteration, value);
  Py_DECREF(value);
  return NULL;
}

#if PY_VERSION_HEX >= 0x030A0000
static PySendResult ready_send(PyObject *self, PyObject *sent, PyObject **result) {
  (void)sent;
  *result = ((ready_object *)self)->value;
  if (*result == NULL) {
    ready_next(self);
    return PYGEN_ERROR;
  }
  ((ready_object *)self)->value = NULL;
  return PYGEN_RETURN;
}
#endif

static PyType_Slot ready_slots[] = {
    {Py_tp_new, refuse_new},
    {Py_tp_dealloc, ready_dealloc},
    {Py_am_await, PyObject_SelfIter},
#if PY_VERSION_HEX >= 0x030A0000
    {Py_am_send, ready_send},
#endif
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, ready_next},
    {Py_tp_doc, "A piece that was buffered."},
    {0, NULL},
};

static PyType_Spec ready_spec = {
    .name = "polysock.aio.Piece",
    .basicsize = sizeof(ready_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = ready_slots,
};

/* ---- The iterator ---- */

typedef struct pieces_object {
  PyObject_HEAD PyObject *lines; /* the iterator of a raising socket */
  PyObject *wait;                /* a function: gives an awaitable of the next piece */
} pieces_object;

static int pieces_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(((pieces_object *)self)->lines);
  Py_VISIT(((pieces_object *)self)->wait);
  return 0;
}

static int pieces_clear(PyObject *self) {
  Py_CLEAR(((pieces_object *)self)->lines);
  Py_CLEAR(((pieces_object *)self)->wait);
  return 0;
}

static void pieces_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  pieces_clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

/* Gives what is buffered, None if it is not complete, NULL when an exception is set, the
   end included. */
static PyObject *buffered_piece(const lines_object *lines) {
  if (((object *)lines->socket)->quiet == IN_USE) return Py_NewRef(Py_None);
  PyObject *piece = next_piece(lines->socket, lines->pattern, lines->maxsize);
  if (piece == NULL && !PyErr_Occurred()) PyErr_SetNone(PyExc_StopAsyncIteration);
  return piece;
}

/* The awaitable is made first: without memory for it the piece stays buffered. */
static PyObject *pieces_next(PyObject *self) {
  const pieces_object *pieces = (const pieces_object *)self;
  const lines_object *lines = (const lines_object *)pieces->lines;
  PyTypeObject *type =
      lines != NULL && lines->socket != NULL ? known_of(lines->socket)->ready : NULL;
  if (type == NULL) {
    PyErr_SetString(PyExc_RuntimeError, "the iterator is gone");
    return NULL;
  }
  ready_object *made = PyObject_New(ready_object, type);
  if (made == NULL) return NULL;
  made->value = buffered_piece(lines);
  if (made->value != NULL && made->value != Py_None) return (PyObject *)made;
  int waits = made->value != NULL;
  Py_DECREF(made);
  return waits ? PyObject_CallNoArgs(pieces->wait) : NULL;
}

static PyType_Slot pieces_slots[] = {
    {Py_tp_new, refuse_new},
    {Py_tp_dealloc, pieces_dealloc},
    {Py_tp_traverse, pieces_traverse},
    {Py_tp_clear, pieces_clear},
    {Py_am_aiter, PyObject_SelfIter},
    {Py_am_anext, pieces_next},
    {Py_tp_doc, "What lines() of a stream gives."},
    {0, NULL},
};

static PyType_Spec pieces_spec = {
    .name = "polysock.aio.Lines",
    .basicsize = sizeof(pieces_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = pieces_slots,
};

/* ---- The functions of polysock.aio ---- */

/* Makes an asynchronous iterator of one that lines() of a raising socket gave. */
static PyObject *make_pieces(PyObject *core, PyObject *const *items, Py_ssize_t count) {
  const known *known = PyModule_GetState(core);
  if (count != 2 || Py_TYPE(items[0]) != known->lines || known->pieces == NULL) {
    PyErr_SetString(PyExc_TypeError, "_pieces() takes an iterator and a function");
    return NULL;
  }
  pieces_object *made = (pieces_object *)known->pieces->tp_alloc(known->pieces, 0);
  if (made == NULL) return NULL;
  made->lines = Py_NewRef(items[0]);
  made->wait = Py_NewRef(items[1]);
  return (PyObject *)made;
}

/* Sets the mark of a raising socket: the bits of polysock.h. While one is set, what times
   out gives None where it would raise, send and connect apart: it happens at each wait of
   an event loop, and an exception costs more than the rest. With the bit 256 the socket
   is in use, and iterators leave it alone. */
static PyObject *mark_socket(PyObject *core, PyObject *const *items, Py_ssize_t count) {
  const known *known = PyModule_GetState(core);
  PyTypeObject *raising = known->families[SOCKET].raising;
  if (count != 2 || raising == NULL || !PyObject_TypeCheck(items[0], raising)) {
    PyErr_SetString(PyExc_TypeError, "_mark() takes a RaisingSocket and an integer");
    return NULL;
  }
  long bits = PyLong_AsLong(items[1]);
  if (bits == -1 && PyErr_Occurred()) return NULL;
  ps_socket_setmark(socket_of(items[0]), (int)(bits & 255));
  ((object *)items[0])->quiet = (bits & 256) != 0 ? IN_USE : bits != 0 ? QUIET : 0;
  Py_RETURN_NONE;
}

static PyMethodDef loop_methods[] = {
    {"_mark", (PyCFunction)(void (*)(void))mark_socket, METH_FASTCALL,
     "_mark($module, socket, bits, /)\n--\n\n"
     "Sets the mark of a raising socket, for polysock.aio."},
    {"_pieces", (PyCFunction)(void (*)(void))make_pieces, METH_FASTCALL,
     "_pieces($module, lines, wait, /)\n--\n\n"
     "Makes an asynchronous iterator of what lines() gave, for polysock.aio."},
};

#endif
