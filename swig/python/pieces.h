/* SPDX-License-Identifier: MIT */
/* The asynchronous iterator of polysock.aio. What is buffered it gives without a
   coroutine, which would cost more than the line; all waiting is Python's. A piece is
   taken when it is awaited and not when it is asked for, so that one that nobody awaits
   loses nothing. */

#ifndef PS_PYTHON_PIECES_H
#define PS_PYTHON_PIECES_H

#include "classes.h"

#if PY_VERSION_HEX < 0x030A0000
typedef enum { PYGEN_RETURN, PYGEN_ERROR, PYGEN_NEXT } PySendResult;
#endif

typedef struct pieces_object {
  PyObject_HEAD PyObject *lines; /* the iterator of a raising socket */
  PyObject *wait;      /* a function: gives a generator that waits for a piece */
  PyTypeObject *piece; /* of what is awaited */
} pieces_object;

static int pieces_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(((pieces_object *)self)->lines);
  Py_VISIT(((pieces_object *)self)->wait);
  Py_VISIT(((pieces_object *)self)->piece);
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
  Py_XDECREF(((pieces_object *)self)->piece);
  type->tp_free(self);
  Py_DECREF(type);
}

/* Gives what is buffered, None if it is not complete, NULL when an exception is set, the
   end included. */
static PyObject *buffered_piece(const pieces_object *pieces) {
  const lines_object *lines = (const lines_object *)pieces->lines;
  if (lines == NULL || lines->socket == NULL) {
    PyErr_SetString(PyExc_RuntimeError, "the iterator is gone");
    return NULL;
  }
  if (((object *)lines->socket)->quiet == IN_USE) return Py_NewRef(Py_None);
  PyObject *piece = next_piece(lines->socket, lines->pattern, lines->maxsize);
  if (piece == NULL && !PyErr_Occurred()) PyErr_SetNone(PyExc_StopAsyncIteration);
  return piece;
}

/* ---- What is awaited ---- */

typedef struct piece_object {
  PyObject_HEAD PyObject *pieces; /* NULL once it was given */
  PyObject *waiting;              /* the generator, if it has to wait */
} piece_object;

static int piece_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(((piece_object *)self)->pieces);
  Py_VISIT(((piece_object *)self)->waiting);
  return 0;
}

static int piece_clear(PyObject *self) {
  Py_CLEAR(((piece_object *)self)->pieces);
  Py_CLEAR(((piece_object *)self)->waiting);
  return 0;
}

static void piece_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  piece_clear(self);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

static const char awaited_twice[] = "cannot reuse already awaited piece";

static PySendResult send_on(PyObject *generator, PyObject *sent, PyObject **result) {
#if PY_VERSION_HEX >= 0x030A0000
  return PyIter_Send(generator, sent, result);
#else
  PyObject *type = NULL, *error = NULL, *traceback = NULL;
  *result = PyObject_CallMethod(generator, "send", "(O)", sent);
  if (*result != NULL) return PYGEN_NEXT;
  if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return PYGEN_ERROR;
  PyErr_Fetch(&type, &error, &traceback);
  PyErr_NormalizeException(&type, &error, &traceback);
  *result = PyObject_GetAttrString(error, "value");
  Py_XDECREF(type);
  Py_XDECREF(error);
  Py_XDECREF(traceback);
  return *result != NULL ? PYGEN_RETURN : PYGEN_ERROR;
#endif
}

/* Gives the generator that waits for a piece, or NULL when an exception is set. */
static PyObject *start_waiting(piece_object *piece) {
  pieces_object *pieces = (pieces_object *)Py_XNewRef(piece->pieces);
  PyObject *made = pieces != NULL ? PyObject_CallNoArgs(pieces->wait) : NULL;
  Py_XDECREF(pieces);
  if (piece->pieces == NULL || piece->waiting != NULL) {
    Py_CLEAR(made);
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, awaited_twice);
  }
  if (made == NULL) return NULL;
  piece->waiting = made;
  return Py_NewRef(made);
}

/* A signal handler may run in here, and close this piece or await it: what is used is
   held until it is used no more. */
static PySendResult piece_await(PyObject *self, PyObject *sent, PyObject **result) {
  piece_object *piece = (piece_object *)self;
  PySendResult how = PYGEN_RETURN;
  PyObject *waiting = Py_XNewRef(piece->waiting);
  *result = NULL;
  if (piece->pieces == NULL) {
    PyErr_SetString(PyExc_RuntimeError, awaited_twice);
    return PYGEN_ERROR;
  }
  if (waiting == NULL) {
    PyObject *pieces = Py_NewRef(piece->pieces);
    *result = buffered_piece((pieces_object *)pieces);
    Py_DECREF(pieces);
    if (*result == Py_None) {
      Py_CLEAR(*result);
      waiting = start_waiting(piece);
    }
  }
  if (waiting != NULL) how = send_on(waiting, sent, result);
  Py_XDECREF(waiting);
  if (how == PYGEN_NEXT) return how;
  piece_clear(self);
  return *result != NULL ? PYGEN_RETURN : PYGEN_ERROR;
}

static PyObject *piece_send(PyObject *self, PyObject *sent) {
  PyObject *result;
  PySendResult how = piece_await(self, sent, &result);
  if (how != PYGEN_RETURN) return result;
  PyErr_SetObject(PyExc_StopIteration, result);
  Py_DECREF(result);
  return NULL;
}

static PyObject *piece_next(PyObject *self) { return piece_send(self, Py_None); }

static PyObject *piece_throw(PyObject *self, PyObject *args) {
  piece_object *piece = (piece_object *)self;
  PyObject *type, *error = NULL, *traceback = NULL;
  if (piece->waiting != NULL) {
    PyObject *method = PyObject_GetAttrString(piece->waiting, "throw");
    PyObject *result = method != NULL ? PyObject_CallObject(method, args) : NULL;
    Py_XDECREF(method);
    if (result == NULL) piece_clear(self);
    return result;
  }
  if (!PyArg_UnpackTuple(args, "throw", 1, 3, &type, &error, &traceback)) return NULL;
  if (!PyExceptionInstance_Check(type) && !PyExceptionClass_Check(type)) {
    PyErr_SetString(PyExc_TypeError,
                    "throw() takes a class or an instance of exceptions first");
    return NULL;
  }
  piece_clear(self);
  if (PyExceptionInstance_Check(type))
    PyErr_SetObject((PyObject *)Py_TYPE(type), type);
  else
    PyErr_SetObject(type, error);
  return NULL;
}

static PyObject *piece_close(PyObject *self, PyObject *none) {
  (void)none;
  PyObject *waiting = Py_XNewRef(((piece_object *)self)->waiting);
  piece_clear(self);
  if (waiting == NULL) Py_RETURN_NONE;
  PyObject *result = PyObject_CallMethod(waiting, "close", NULL);
  Py_DECREF(waiting);
  return result;
}

static PyMethodDef piece_methods[] = {
    {"send", piece_send, METH_O, "As that of a generator."},
    {"throw", piece_throw, METH_VARARGS, "As that of a generator."},
    {"close", piece_close, METH_NOARGS, "As that of a generator."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot piece_slots[] = {
    {Py_tp_new, refuse_new},
    {Py_tp_dealloc, piece_dealloc},
    {Py_tp_traverse, piece_traverse},
    {Py_tp_clear, piece_clear},
    {Py_am_await, PyObject_SelfIter},
#if PY_VERSION_HEX >= 0x030A0000
    {Py_am_send, piece_await},
#endif
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, piece_next},
    {Py_tp_methods, piece_methods},
    {Py_tp_doc, "The next piece of a stream, to be awaited."},
    {0, NULL},
};

static PyType_Spec piece_spec = {
    .name = "polysock.aio.Piece",
    .basicsize = sizeof(piece_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = piece_slots,
};

/* ---- The iterator ---- */

static PyObject *pieces_next(PyObject *self) {
  piece_object *made = PyObject_GC_New(piece_object, ((pieces_object *)self)->piece);
  if (made == NULL) return NULL;
  made->pieces = Py_NewRef(self);
  made->waiting = NULL;
  PyObject_GC_Track(made);
  return (PyObject *)made;
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
  /* known->lines is the first of the three that the garbage collector clears. */
  if (count != 2 || Py_TYPE(items[0]) != known->lines) {
    PyErr_SetString(PyExc_TypeError, "_pieces() takes an iterator and a function");
    return NULL;
  }
  pieces_object *made = (pieces_object *)known->pieces->tp_alloc(known->pieces, 0);
  if (made == NULL) return NULL;
  made->lines = Py_NewRef(items[0]);
  made->wait = Py_NewRef(items[1]);
  Py_INCREF(known->piece);
  made->piece = known->piece;
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
    {NULL, NULL, 0, NULL},
};

#endif
