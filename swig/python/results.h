/* SPDX-License-Identifier: MIT */
/* Converts results of the core to Python objects. Functions return NULL when an exception
   is set, and must not call Python code while one is set. */

#ifndef PS_PYTHON_RESULTS_H
#define PS_PYTHON_RESULTS_H

#include "failures.h"

/* ---- The host ---- */

typedef struct ps_py_host {
  ps_host host;
  PyThreadState *thread;
  PyObject *bytes; /* the memory that grow gave, or NULL */
} ps_py_host;

static void leave(ps_host *host) { ((ps_py_host *)host)->thread = PyEval_SaveThread(); }

static void enter(ps_host *host) { PyEval_RestoreThread(((ps_py_host *)host)->thread); }

static int interrupted(ps_host *host) {
  (void)host;
  return PyErr_CheckSignals() != 0;
}

/* Resizes a bytes object that has no other reference, and returns whether there was
   memory. Without memory it stays as it is, where _PyBytes_Resize would free it. */
static int resize(PyObject **bytes, size_t size) {
#ifdef Py_TRACE_REFS /* such an interpreter tracks the addresses of its objects */
  size_t before = (size_t)PyBytes_GET_SIZE(*bytes);
  PyObject *other = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
  if (other == NULL) return 0;
  memcpy(PyBytes_AS_STRING(other), PyBytes_AS_STRING(*bytes),
         before < size ? before : size);
  Py_DECREF(*bytes);
  *bytes = other;
#else
  PyObject *moved = PyObject_Realloc(*bytes, offsetof(PyBytesObject, ob_sval) + size + 1);
  if (moved == NULL && size > (size_t)PyBytes_GET_SIZE(*bytes)) return 0;
  if (moved != NULL) *bytes = moved;
  Py_SET_SIZE((PyVarObject *)*bytes, (Py_ssize_t)size);
  PyBytes_AS_STRING(*bytes)[size] = '\0';
#endif
  return 1;
}

static void *grow(ps_host *host, size_t size) {
  PyObject **bytes = &((ps_py_host *)host)->bytes;
  if (size > PY_SSIZE_T_MAX - 64) return NULL;
  if (*bytes == NULL)
    *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
  else if (!resize(bytes, size))
    return NULL;
  if (*bytes == NULL) PyErr_Clear();
  return *bytes != NULL ? PyBytes_AS_STRING(*bytes) : NULL;
}

/* Without the global lock another thread could receive before the bytes of a view are
   taken, so memory is lent instead. */
static inline ps_host *ps_py_lend(ps_py_host *lent) {
#ifdef Py_GIL_DISABLED
  int mode = PS_HOST_LEND;
#else
  int mode = PS_HOST_HOLD;
#endif
  lent->host = (ps_host){leave, enter, interrupted, grow, mode};
  lent->bytes = NULL;
  return &lent->host;
}

/* ---- The values of values.h ---- */

/* The last value is on top. A value that could not be made is NULL. */
typedef struct maker {
  PyObject *values[4];
  int count, failed;
} maker;

static void put(maker *to, PyObject *value) {
  if (value == NULL) to->failed = 1;
  to->values[to->count++] = value;
}

#define put_or_skip(to, value) put(to, (to)->failed ? NULL : (value))
#define put_nothing(to) put_or_skip(to, Py_NewRef(Py_None))
#define put_flag(to, flag) put_or_skip(to, PyBool_FromLong(flag))
#define put_integer(to, integer) put_or_skip(to, PyLong_FromLongLong(integer))
#define put_number(to, number) put_or_skip(to, PyFloat_FromDouble(number))
#define put_text(to, text) put_or_skip(to, text_of(text))
#define open_list(to) put_or_skip(to, PyList_New(0))
#define open_table(to) put_or_skip(to, PyDict_New())

/* Moves the last value into the list or, with a name, the dict before it. */
static void move_last(maker *to, const char *name) {
  PyObject *value = to->values[--to->count], *into = to->values[to->count - 1];
  if (!to->failed)
    to->failed = (name == NULL ? PyList_Append(into, value)
                               : PyDict_SetItemString(into, name, value)) < 0;
  Py_XDECREF(value);
}
#define as_item(to) move_last(to, NULL)
#define as_field(to, name) move_last(to, name)

/* If a value could not be made there are none, and an exception is set. */
static const maker *finish(maker *to) {
  for (int i = 0; to->failed && i < to->count; i++) Py_CLEAR(to->values[i]);
  return to;
}

#include "values.h"

/* ---- Plain results ---- */

/* Returns value, or a tuple of this size with value first and None otherwise. Steals the
   reference to value. */
static PyObject *succeed(PyObject *self, PyObject *value, Py_ssize_t size) {
  if (value == NULL || raises(self)) return value;
  PyObject *tuple = PyTuple_New(size);
  if (tuple == NULL) {
    Py_DECREF(value);
    return NULL;
  }
  PyTuple_SET_ITEM(tuple, 0, value);
  for (Py_ssize_t i = 1; i < size; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(Py_None));
  return tuple;
}

static PyObject *ps_py_done(PyObject *self, const ps_done *done, const char *function) {
  if (done->status.code != PS_OK) return fail_plain(self, done->status, function);
  return succeed(self, PyLong_FromLong(1), 2);
}

static PyObject *ps_py_always(PyObject *self, const ps_always *always,
                              const char *function) {
  if (always->status.code != PS_OK) return fail_plain(self, always->status, function);
  return PyLong_FromLong(1);
}

static PyObject *ps_py_nothing(PyObject *self, const ps_nothing *none,
                               const char *function) {
  if (none->status.code != PS_OK) return fail_plain(self, none->status, function);
  return Py_NewRef(Py_None);
}

/* Creates an object of the class for its style, without a socket or poller yet. */
static object *new_object(PyObject *self, int which) {
  const family *family = &known_of(self)->families[which];
  PyTypeObject *type = raises(self) ? family->raising : family->plain;
  object *its = type != NULL ? (object *)type->tp_alloc(type, 0) : NULL;
  if (its == NULL) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "the module is gone");
    return NULL;
  }
  its->module = Py_NewRef(core_of(self));
  its->raises = raises(self);
  return its;
}

/* The new object owns the socket. */
static PyObject *ps_py_object(PyObject *self, const ps_object *made,
                              const char *function) {
  if (is_quiet(self, made->status)) Py_RETURN_NONE;
  if (made->status.code != PS_OK) return fail_plain(self, made->status, function);
  object *its = new_object(self, SOCKET);
  if (its == NULL) {
    ps_socket_free(made->socket, NULL);
    return NULL;
  }
  its->socket = made->socket;
  return succeed(self, (PyObject *)its, 2);
}

static PyObject *ps_py_sent(PyObject *self, const ps_sent *sent, const char *function) {
  PyObject *last = PyLong_FromLongLong(sent->last);
  if (sent->status.code == PS_OK) return succeed(self, last, 3);
  return fail(self, sent->status, 3, last, function);
}

static PyObject *ps_py_filled(PyObject *self, const ps_filled *filled,
                              const char *function) {
  if (is_quiet(self, filled->status)) Py_RETURN_NONE;
  PyObject *count = PyLong_FromSize_t(filled->count);
  if (filled->status.code == PS_OK) return succeed(self, count, 3);
  return fail(self, filled->status, 3, count, function);
}

static PyObject *ps_py_address(PyObject *self, const ps_address *address,
                               const char *function) {
  if (address->status.code != PS_OK)
    return fail(self, address->status, 3, Py_NewRef(Py_None), function);
  return Py_BuildValue("Nis", text_of(address->ip), address->port, address->family);
}

static PyObject *ps_py_value(PyObject *self, const ps_value *value,
                             const char *function) {
  if (value->status.code != PS_OK) return fail_plain(self, value->status, function);
  maker made = {0};
  put_option(&made, &value->value);
  return succeed(self, finish(&made)->values[0], 2);
}

static PyObject *ps_py_detached(PyObject *self, const ps_detached *detached,
                                const char *function) {
  if (detached->status.code != PS_OK) return fail_plain(self, detached->status, function);
  return succeed(self, PyLong_FromLong(detached->fd), 2);
}

static PyObject *ps_py_left(const ps_left *left) {
  return left->seconds == INFINITY ? Py_NewRef(Py_None)
                                   : PyFloat_FromDouble(left->seconds);
}

static PyObject *ps_py_wants(const ps_wants *wants) {
  return wants->direction == NULL ? Py_NewRef(Py_None)
                                  : PyUnicode_FromString(wants->direction);
}

static PyObject *ps_py_fileno(ps_fd fd) {
  if (fd.fd >= 0) return PyLong_FromLong(fd.fd);
  PyErr_SetString(PyExc_ValueError, "the object has no descriptor");
  return NULL;
}

/* ---- Bytes ---- */

/* Returns the bytes of a result: the object of grow if they are in it, otherwise a copy.
   They stay in the read buffer until they are taken. Returns NULL, without an exception,
   when there is no memory. No other thread and no Python code can run here. */
static inline PyObject *copy_of(const ps_bytes *bytes, ps_py_host *lent) {
  PyObject *made = lent->bytes;
  if (made != NULL && bytes->data == PyBytes_AS_STRING(made)) {
    if ((size_t)PyBytes_GET_SIZE(made) != bytes->size) resize(&lent->bytes, bytes->size);
    return lent->bytes;
  }
  Py_CLEAR(lent->bytes);
  int whole = bytes->head_size == 0 && bytes->raw == bytes->size;
  made = PyBytes_FromStringAndSize(whole ? bytes->data : NULL,
                                   (Py_ssize_t)ps_bytes_size(bytes));
  if (made == NULL)
    PyErr_Clear();
  else if (!whole)
    ps_bytes_copy(bytes, PyBytes_AS_STRING(made));
  return made;
}

static ps_status without_memory(void) {
  return (ps_status){.code = PS_NOMEMORY, .system = ENOMEM};
}

/* The bytes are taken last, when the tuple or the exception exists: if there is no memory
   for it, they can still be received. */
static PyObject *ps_py_bytes(PyObject *self, const ps_bytes *bytes, ps_py_host *lent,
                             const char *function) {
  if (bytes->status.code >= PS_INTERRUPTED) {
    Py_CLEAR(lent->bytes);
    return fail_plain(self, bytes->status, function);
  }
  if (is_quiet(self, bytes->status)) {
    Py_CLEAR(lent->bytes);
    Py_RETURN_NONE;
  }
  PyObject *made = copy_of(bytes, lent);
  if (made == NULL)
    return fail(self, without_memory(), 3, PyBytes_FromStringAndSize(NULL, 0), function);
  int good = bytes->status.code == PS_OK;
  PyObject *answer =
      good ? succeed(self, made, 3) : failure_of(self, bytes->status, 3, made);
  if (answer == NULL) return NULL;
  if (!ps_socket_take(socket_of(self), bytes)) { /* a finaliser has received them */
    Py_DECREF(answer);
    return fail(self, (ps_status){.code = PS_BUSY}, 3, PyBytes_FromStringAndSize(NULL, 0),
                function);
  }
  return good ? answer : deliver(self, answer);
}

/* Returns the next piece of an iterator. Failures are exceptions in both styles, and
   leave the bytes in the read buffer. */
static PyObject *next_piece(PyObject *self, ps_pattern pattern, ps_maxsize maxsize) {
  ps_py_host lent;
  ps_bytes bytes = ps_socket_next(socket_of(self), pattern, maxsize, ps_py_lend(&lent));
  ps_status status = bytes.status;
  if (status.code == PS_OK) {
    PyObject *made = copy_of(&bytes, &lent);
    if (made != NULL) {
      /* No code of the program runs in between, so the bytes are still there. */
      ps_socket_take(socket_of(self), &bytes);
      return made;
    }
    status = without_memory();
  } else {
    Py_CLEAR(lent.bytes);
  }
  if (status.code == PS_ENDED || status.code == PS_INTERRUPTED) return NULL;
  if (is_quiet(self, status)) Py_RETURN_NONE;
  if (status.code >= PS_MISUSED) return misuse(status, "lines");
  PyObject *text = words_of(known_of(self), status);
  PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
  if (text != NULL && nothing != NULL) {
    PyObject *error =
        exception_of(known_of(self), status.code, status.system, text, nothing);
    if (error != NULL) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
  }
  Py_XDECREF(text);
  Py_XDECREF(nothing);
  return NULL;
}

/* ---- Names ---- */

static PyObject *ps_py_hostname(PyObject *self, const ps_hostname *name,
                                const char *function) {
  if (name->status.code != PS_OK) return fail_plain(self, name->status, function);
  return succeed(self, text_of(name->text), 2);
}

/* Returns the two values of a name function. Without memory they are NULL, and so is the
   result. */
static PyObject *name_values(PyObject *self, const maker *made) {
  PyObject *const *values = made->values;
  return raises(self) ? Py_BuildValue("NN", values[0], values[1])
                      : Py_BuildValue("NNO", values[0], values[1], Py_None);
}

static PyObject *name_failure(PyObject *self, ps_status status, const char *function) {
  if (status.code >= PS_INTERRUPTED || raises(self))
    return fail_plain(self, status, function);
  PyObject *text = words_of(known_of(self), status);
  return text == NULL ? NULL : Py_BuildValue("OON", Py_None, Py_None, text);
}

static PyObject *ps_py_resolved(PyObject *self, const ps_resolved *resolved,
                                const char *function) {
  PyObject *result;
  if (resolved->status.code != PS_OK) {
    result = name_failure(self, resolved->status, function);
  } else {
    maker made = {0};
    put_resolved(&made, resolved);
    result = name_values(self, finish(&made));
  }
  ps_resolved_free(resolved->aliases);
  ps_resolved_free(resolved->ips);
  return result;
}

static PyObject *ps_py_addresses(PyObject *self, const ps_addresses *addresses,
                                 const char *function) {
  PyObject *result;
  if (addresses->status.code != PS_OK) {
    result = fail_plain(self, addresses->status, function);
  } else {
    maker made = {0};
    put_addresses(&made, addresses);
    result = succeed(self, finish(&made)->values[0], 2);
  }
  ps_resolved_free(addresses->entries);
  return result;
}

static PyObject *ps_py_names(PyObject *self, const ps_names *names,
                             const char *function) {
  PyObject *result;
  if (names->status.code != PS_OK) {
    result = name_failure(self, names->status, function);
  } else {
    maker made = {0};
    put_names(&made, names);
    result = name_values(self, finish(&made));
  }
  ps_resolved_free(names->names);
  return result;
}

#endif
