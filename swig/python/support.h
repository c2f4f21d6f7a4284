/* SPDX-License-Identifier: MIT */
/* What the typemaps of lang.i call: arguments out of Python objects, results into tuples
   or, for the raising module and its objects, into bare values and exceptions. It makes
   no system call; what it keeps between calls is constant once the module is loaded. */

#ifndef PS_PYTHON_SUPPORT_H
#define PS_PYTHON_SUPPORT_H

#include <math.h>
#include <string.h>

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

/* ---- Names and misuse ---- */

/* Where an argument stands: the wrapper's name, its number there, its own name. */
typedef struct place {
  const char *function;
  int number;
  const char *name;
} place;

static place ps_py_at(const char *function, int number, const char *name) {
  return (place){function, number, name};
}

/* The generator calls a method Socket_name, and counts self as its first argument. */
static int is_method(const char *function) {
  return strncmp(function, "Socket_", 7) == 0;
}

static const char *name_of(const char *function) {
  return is_method(function)                 ? function + 7
         : strncmp(function, "dns_", 4) == 0 ? function + 4
                                             : function;
}

/* The arguments of a call without a tuple, as METH_FASTCALL has them. The generator knows
   only METH_VARARGS, so its wrappers are given this in place of a tuple; that it has no
   type tells the two apart. It takes a quarter of the instructions off a receive(16). */
typedef struct given {
  PyObject_HEAD PyObject *const *items;
  Py_ssize_t count;
} given;

/* In place of the generator's own: an argument that is missed becomes None, and is then
   misuse like any other, in the same words as in other languages. */
static Py_ssize_t ps_py_unpack(PyObject *args, const char *function, Py_ssize_t least,
                               Py_ssize_t most, PyObject **objects) {
  PyObject *const *items = NULL;
  Py_ssize_t count = 0;
  if (args != NULL && Py_TYPE(args) == NULL) {
    items = ((const given *)args)->items;
    count = ((const given *)args)->count;
  } else if (args != NULL) {
    items = ((PyTupleObject *)args)->ob_item;
    count = PyTuple_GET_SIZE(args);
  }
  if (count > most) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most %zd arguments (%zd given)",
                 name_of(function), most, count);
    return 0;
  }
  for (Py_ssize_t i = 0; i < most; i++)
    objects[i] = i < count ? items[i] : i < least ? Py_None : NULL;
  return count + 1;
}
#define SWIG_Python_UnpackTuple ps_py_unpack

static PyObject *misuse(ps_status status, const char *function) {
  char buffer[PS_WORDS];
  PyErr_SetString(PS_MISUSE_IS_TYPE(status.code) ? PyExc_TypeError : PyExc_ValueError,
                  ps_status_misuse(status, name_of(function), buffer));
  return NULL;
}

/* Returns: 0, as the argument functions do when an exception is set. */
static int bad(short code, place at) {
  ps_status status = {code, (short)(at.number - is_method(at.function)), 0, at.name};
  misuse(status, at.function);
  return 0;
}

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

/* Does: gives bytes that nobody else has seen another size. Without memory for it they
   stay as they are, where _PyBytes_Resize would free them. Returns: whether there was
   memory. */
static int resize(PyObject **bytes, size_t size) {
#ifdef Py_TRACE_REFS /* such an interpreter knows where its objects are */
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

/* Without the global lock a view could be gone before its bytes are taken. */
static ps_host *ps_py_lend(ps_py_host *lent) {
#ifdef Py_GIL_DISABLED
  int mode = PS_HOST_LEND;
#else
  int mode = PS_HOST_HOLD;
#endif
  lent->host = (ps_host){leave, enter, interrupted, grow, mode};
  lent->bytes = NULL;
  return &lent->host;
}

/* ---- Arguments ---- */

/* Returns: the socket; NULL for an object that a program made by Socket.__new__. */
static ps_socket *socket_of(PyObject *self) { return ((SwigPyObject *)self)->ptr; }

static ps_socket *ps_py_self(PyObject *self, const char *function) {
  ps_socket *socket = socket_of(self);
  if (socket == NULL) misuse((ps_status){PS_MISUSE_NOTOBJECT, 0, 0, NULL}, function);
  return socket;
}

static int ps_py_text(PyObject *object, const char **text, place at) {
  Py_ssize_t size = 0;
  if (!PyUnicode_Check(object)) return bad(PS_MISUSE_NOTTEXT, at);
  *text = PyUnicode_AsUTF8AndSize(object, &size);
  if (*text == NULL && !PyErr_ExceptionMatches(PyExc_UnicodeError)) return 0;
  if (*text == NULL) {
    PyErr_Clear();
    return bad(PS_MISUSE_SURROGATE, at);
  }
  return strlen(*text) == (size_t)size ? 1 : bad(PS_MISUSE_NULBYTE, at);
}

static int fits(double value) {
  return value >= -9223372036854775808.0 && value < 9223372036854775808.0;
}

/* What counts as an integer counts as one in Lua, too: not a boolean, but a float without
   a fraction. */
static PyObject *integer_of(PyObject *object) {
  if (PyBool_Check(object)) return NULL;
  if (PyIndex_Check(object)) return PyNumber_Index(object);
  if (!PyFloat_Check(object)) return NULL;
  double value = PyFloat_AS_DOUBLE(object);
  return fits(value) && floor(value) == value ? PyLong_FromDouble(value) : NULL;
}

/* An integer that is too large for C is as large as C has it: no range reaches so far. */
static int integer_or(short code, PyObject *object, long long *value, place at) {
  int overflow = 0;
  if (PyLong_CheckExact(object)) {
    *value = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow != 0) *value = overflow > 0 ? PY_LLONG_MAX : PY_LLONG_MIN;
    return 1;
  }
  *value = 0;
  PyObject *integer = integer_of(object);
  if (integer == NULL) return PyErr_Occurred() ? 0 : bad(code, at);
  *value = PyLong_AsLongLongAndOverflow(integer, &overflow);
  Py_DECREF(integer);
  if (overflow != 0) *value = overflow > 0 ? PY_LLONG_MAX : PY_LLONG_MIN;
  return 1;
}

static int ps_py_integer(PyObject *object, long long *value, place at) {
  return integer_or(PS_MISUSE_NOTINTEGER, object, value, at);
}

static int ps_py_count(PyObject *object, long long *value, place at) {
  if (!ps_py_integer(object, value, at)) return 0;
  return *value >= 0 ? 1 : bad(PS_MISUSE_COUNT, at);
}

static int ps_py_positive(PyObject *object, ps_maxsize *value, place at) {
  long long integer = 0;
  if (!ps_py_integer(object, &integer, at)) return 0;
  *value = (ps_maxsize)integer;
  return integer >= 1 ? 1 : bad(PS_MISUSE_POSITIVE, at);
}

static int ps_py_number(PyObject *object, double *value, place at) {
  if (PyBool_Check(object)) return bad(PS_MISUSE_NOTNUMBER, at);
  *value = PyFloat_AsDouble(object);
  if (*value != -1.0 || !PyErr_Occurred()) return 1;
  if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Clear();
    PyObject *zero = PyLong_FromLong(0);
    int negative = zero != NULL ? PyObject_RichCompareBool(object, zero, Py_LT) : -1;
    Py_XDECREF(zero);
    *value = negative > 0 ? -INFINITY : INFINITY;
    return negative >= 0;
  }
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) return 0;
  PyErr_Clear();
  return bad(PS_MISUSE_NOTNUMBER, at);
}

/* A number for a type in which NaN has a meaning of its own. */
static int ps_py_given(PyObject *object, double *value, place at) {
  if (!ps_py_number(object, value, at)) return 0;
  return isnan(*value) ? bad(PS_MISUSE_NAN, at) : 1;
}

static int ps_py_port(PyObject *object, ps_port *port, place at) {
  *port = (ps_port){NULL, 0};
  if (PyUnicode_Check(object)) return ps_py_text(object, &port->service, at);
  return integer_or(PS_MISUSE_NOTPORT, object, &port->number, at);
}

static int ps_py_pattern(PyObject *object, ps_pattern *pattern, place at) {
  if (PyUnicode_Check(object)) {
    Py_ssize_t size = 0;
    const char *text = PyUnicode_AsUTF8AndSize(object, &size);
    if (text == NULL && !PyErr_ExceptionMatches(PyExc_UnicodeError)) return 0;
    if (text == NULL) PyErr_Clear(); /* surrogates: no pattern has them */
    *pattern = text != NULL ? ps_pattern_of(text, (size_t)size) : (ps_pattern){'?', 0};
    return 1;
  }
  *pattern = PS_COUNT(0);
  return integer_or(PS_MISUSE_NOTPATTERN, object, &pattern->count, at);
}

static int ps_py_buffer(PyObject *object, Py_buffer *view, int flags, short code,
                        place at) {
  if (!PyUnicode_Check(object) && PyObject_GetBuffer(object, view, flags) == 0) return 1;
  /* ValueError: a memoryview that was released */
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError) &&
      !PyErr_ExceptionMatches(PyExc_BufferError) &&
      !PyErr_ExceptionMatches(PyExc_ValueError))
    return 0;
  PyErr_Clear();
  return bad(code, at);
}

static int linger_of(PyObject *dict, ps_option *value, place at) {
  PyObject *on = PyDict_GetItemString(dict, "on");
  PyObject *timeout = PyDict_GetItemString(dict, "timeout");
  value->type = PS_LINGER;
  value->number = NAN;
  if (on == NULL || !PyBool_Check(on)) return 1; /* the core says what is expected */
  value->flag = on == Py_True;
  if (timeout == NULL || PyBool_Check(timeout) || !PyNumber_Check(timeout)) return 1;
  return ps_py_number(timeout, &value->number, at);
}

static int ps_py_option(PyObject *object, ps_option *value, place at) {
  if (PyBool_Check(object)) {
    value->type = PS_FLAG;
    value->flag = object == Py_True;
  } else if (PyFloat_Check(object) || PyIndex_Check(object)) {
    value->type = PS_NUMBER;
    if (!ps_py_number(object, &value->number, at)) return 0;
    /* As in Lua, a float beyond the integers is a number all the same. */
    int fitting = !PyFloat_Check(object) || fits(value->number);
    value->integral = fitting && floor(value->number) == value->number;
    if (value->integral) return ps_py_integer(object, &value->integer, at);
  } else if (PyUnicode_Check(object)) {
    const char *text = NULL;
    value->type = PS_TEXT;
    if (!ps_py_text(object, &text, at)) return 0;
    if (strlen(text) >= sizeof value->text) return bad(PS_MISUSE_TOOLONG, at);
    strcpy(value->text, text);
  } else if (PyDict_Check(object)) {
    return linger_of(object, value, at);
  }
  return 1;
}

/* ---- What the module knows ---- */

static PyObject *raising_module; /* the module whose functions raise */

/* Does self, which is the object of a method or the module of a function, raise? */
static int raises(PyObject *self) {
  if (Py_IS_TYPE(self, &PyModule_Type)) return self == raising_module;
  return ps_socket_getmark(socket_of(self));
}

/* ---- Failures ---- */

static PyObject *words(ps_status status) {
  static PyObject *known[PS_SYSTEM];
  char buffer[PS_WORDS];
  if (status.code >= PS_SYSTEM)
    return PyUnicode_FromString(ps_status_words(status, buffer));
  if (known[status.code] == NULL)
    known[status.code] = PyUnicode_InternFromString(ps_status_words(status, buffer));
  return Py_XNewRef(known[status.code]);
}

/* Does: raises the exception of a failure. Takes over the reference to partial. */
static PyObject *raise(ps_status status, PyObject *partial) {
  PyObject *text = words(status);
  PyObject *errors = text != NULL ? PyImport_ImportModule("polysock.errors") : NULL;
  PyObject *error = errors == NULL ? NULL
                                   : PyObject_CallMethod(errors, "from_words", "OOi",
                                                         text, partial, status.system);
  if (error != NULL) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
  Py_XDECREF(error);
  Py_XDECREF(errors);
  Py_XDECREF(text);
  Py_DECREF(partial);
  return NULL;
}

/* Does: gives a tuple that says failure: None, the words, and size - 2 others. Takes over
   the reference to partial, which may be None. */
static PyObject *failure_tuple(ps_status status, Py_ssize_t size, PyObject *partial) {
  PyObject *text = words(status);
  PyObject *tuple = text != NULL ? PyTuple_New(size) : NULL;
  if (tuple == NULL) {
    Py_XDECREF(text);
    Py_DECREF(partial);
    return NULL;
  }
  PyTuple_SET_ITEM(tuple, 0, Py_NewRef(Py_None));
  PyTuple_SET_ITEM(tuple, 1, text);
  if (size > 2)
    PyTuple_SET_ITEM(tuple, 2, partial);
  else
    Py_DECREF(partial);
  return tuple;
}

/* Does: gives what self does with a failure. size is the length of the tuple; partial is
   taken over. */
static PyObject *fail(PyObject *self, ps_status status, Py_ssize_t size,
                      PyObject *partial, const char *function) {
  if (partial == NULL) return NULL;
  if (status.code < PS_INTERRUPTED)
    return raises(self) ? raise(status, partial) : failure_tuple(status, size, partial);
  Py_DECREF(partial);
  /* A signal's handler has set its own exception. */
  return status.code == PS_INTERRUPTED ? NULL : misuse(status, function);
}

static PyObject *fail_plain(PyObject *self, ps_status status, const char *function) {
  return fail(self, status, 2, Py_NewRef(Py_None), function);
}

/* ---- Successes ---- */

/* Does: gives value, or in a tuple of this size with None behind it. Takes value over. */
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

static PyObject *ps_py_object(PyObject *self, const ps_object *object,
                              const char *function) {
  if (object->status.code != PS_OK) return fail_plain(self, object->status, function);
  if (raises(self)) ps_socket_setmark(object->socket, 1);
  PyObject *made =
      SWIG_NewPointerObj(object->socket, SWIGTYPE_p_ps_socket, SWIG_POINTER_OWN);
  if (made == NULL) ps_socket_free(object->socket, NULL);
  return succeed(self, made, 2);
}

/* Does: gives the bytes of a result: the object that grow gave if they are in it, or one
   that is made of a view before they are taken out of the read buffer.
   Returns: NULL, without an exception, when there is no memory; nothing is lost then. */
static PyObject *bytes_of(ps_socket *socket, const ps_bytes *bytes, ps_py_host *lent) {
  PyObject *made = lent->bytes;
  if (made != NULL && bytes->data == PyBytes_AS_STRING(made)) {
    if ((size_t)PyBytes_GET_SIZE(made) != bytes->size) resize(&lent->bytes, bytes->size);
    return lent->bytes;
  }
  Py_CLEAR(lent->bytes);
  int whole = bytes->head_size == 0 && bytes->raw == bytes->size;
  made = PyBytes_FromStringAndSize(whole ? bytes->data : NULL,
                                   (Py_ssize_t)ps_bytes_size(bytes));
  if (made == NULL) {
    PyErr_Clear();
    return NULL;
  }
  if (!whole) ps_bytes_copy(bytes, PyBytes_AS_STRING(made));
  ps_socket_take(socket, bytes); /* no other call comes in between */
  return made;
}

static PyObject *ps_py_bytes(PyObject *self, const ps_bytes *bytes, ps_py_host *lent,
                             const char *function) {
  ps_status status = bytes->status;
  if (status.code >= PS_INTERRUPTED) {
    Py_CLEAR(lent->bytes);
    return fail_plain(self, status, function);
  }
  PyObject *made = bytes_of(socket_of(self), bytes, lent);
  if (made == NULL) {
    status.code = PS_NOMEMORY;
    made = PyBytes_FromStringAndSize(NULL, 0);
  }
  return status.code == PS_OK ? succeed(self, made, 3)
                              : fail(self, status, 3, made, function);
}

static PyObject *ps_py_sent(PyObject *self, const ps_sent *sent, const char *function) {
  PyObject *last = PyLong_FromLongLong(sent->last);
  if (sent->status.code == PS_OK) return succeed(self, last, 3);
  return fail(self, sent->status, 3, last, function);
}

static PyObject *ps_py_filled(PyObject *self, const ps_filled *filled,
                              const char *function) {
  PyObject *count = PyLong_FromSize_t(filled->count);
  if (filled->status.code == PS_OK) return succeed(self, count, 3);
  return fail(self, filled->status, 3, count, function);
}

static PyObject *ps_py_address(PyObject *self, const ps_address *address,
                               const char *function) {
  if (address->status.code != PS_OK)
    return fail(self, address->status, 3, Py_NewRef(Py_None), function);
  return Py_BuildValue("sis", address->ip, address->port, address->family);
}

static PyObject *value_of(const ps_option *value) {
  switch (value->type) {
    case PS_FLAG:
      return PyBool_FromLong(value->flag);
    case PS_NUMBER:
      return value->integral ? PyLong_FromLongLong(value->integer)
                             : PyFloat_FromDouble(value->number);
    case PS_TEXT:
      return PyUnicode_FromString(value->text);
    case PS_LINGER:
      return Py_BuildValue("{s:O,s:L}", "on", value->flag ? Py_True : Py_False, "timeout",
                           value->integer);
    default:
      return Py_NewRef(Py_None);
  }
}

static PyObject *ps_py_value(PyObject *self, const ps_value *value,
                             const char *function) {
  if (value->status.code != PS_OK) return fail_plain(self, value->status, function);
  return succeed(self, value_of(&value->value), 2);
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

/* ---- Sets of sockets ---- */

/* Does: calls a method that an object may lack.
   Returns: its result; NULL without an exception when there is no such method. */
static PyObject *ask(PyObject *object, const char *method) {
  /* One and the same string each time, or the interpreter's cache of methods fills up. */
  PyObject *name = PyUnicode_InternFromString(method);
  PyObject *bound = name != NULL ? PyObject_GetAttr(object, name) : NULL;
  Py_XDECREF(name);
  if (bound == NULL) {
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
    return NULL;
  }
  PyObject *answer = PyObject_CallNoArgs(bound);
  Py_DECREF(bound);
  return answer;
}

/* Returns: the socket that an object of ours has; NULL for others. */
static ps_socket *ours(PyObject *object) {
  const SwigPyClientData *type = SWIGTYPE_p_ps_socket->clientdata;
  return PyObject_TypeCheck(object, type->pytype) ? socket_of(object) : NULL;
}

static int watch_of(PyObject *object, ps_watch *watch) {
  watch->socket = ours(object);
  if (watch->socket != NULL) return 1;
  PyObject *fd = ask(object, "getfd");
  if (fd == NULL && !PyErr_Occurred()) fd = ask(object, "fileno");
  if (fd == NULL) return !PyErr_Occurred();
  long number = PyLong_Check(fd) ? PyLong_AsLong(fd) : -1;
  Py_DECREF(fd);
  if (PyErr_Occurred()) return 0;
  if (number >= 0 && number <= INT_MAX) watch->fd = (int)number;
  if (watch->fd < 0) return 1;
  PyObject *dirty = ask(object, "dirty");
  if (dirty == NULL) return !PyErr_Occurred();
  int yes = PyObject_IsTrue(dirty);
  Py_DECREF(dirty);
  watch->buffered = yes > 0;
  return yes >= 0;
}

/* items keeps the members alive, and what they are does not change under the wait. */
static int ps_py_sockets(PyObject *object, ps_sockets *sockets, PyObject **items,
                         place at) {
  *sockets = (ps_sockets){NULL, 0};
  if (object == Py_None) return 1;
  int text =
      PyUnicode_Check(object) || PyBytes_Check(object) || PyByteArray_Check(object);
  *items = text ? NULL : PySequence_Tuple(object);
  if (*items == NULL) {
    if (!text && !PyErr_ExceptionMatches(PyExc_TypeError)) return 0;
    PyErr_Clear();
    return bad(PS_MISUSE_NOTSOCKETS, at);
  }
  size_t count = (size_t)PyTuple_GET_SIZE(*items);
  sockets->watches = PyMem_Calloc(count + 1, sizeof *sockets->watches);
  if (sockets->watches == NULL) {
    PyErr_NoMemory();
    return 0;
  }
  for (; sockets->count < count; sockets->count++) {
    ps_watch *watch = &sockets->watches[sockets->count];
    *watch = (ps_watch){.fd = -1};
    if (!watch_of(PyTuple_GET_ITEM(*items, (Py_ssize_t)sockets->count), watch)) return 0;
  }
  return 1;
}

/* Does: remembers an object by its address.
   Returns: whether it is new; -1 when an exception is set. */
static int is_new(PyObject *seen, PyObject *object) {
  Py_ssize_t before = PySet_GET_SIZE(seen);
  PyObject *address = PyLong_FromVoidPtr(object);
  int error = address == NULL || PySet_Add(seen, address) < 0;
  Py_XDECREF(address);
  return error ? -1 : PySet_GET_SIZE(seen) > before;
}

/* Gives the ready ones in order; one that was named twice is ready once. */
static PyObject *ready_list(const ps_sockets *sockets, PyObject *items) {
  PyObject *list = PyList_New(0), *seen = PySet_New(NULL);
  int good = list != NULL && seen != NULL;
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
  PyObject *text = status.code == PS_OK ? Py_NewRef(Py_None) : words(status);
  PyObject *readable = ready_list(recvt, recv_items);
  PyObject *writable = ready_list(sendt, send_items);
  if (text != NULL && readable != NULL && writable != NULL) {
    if (!raises(self)) return Py_BuildValue("NNN", readable, writable, text);
    Py_DECREF(text);
    return Py_BuildValue("NN", readable, writable);
  }
  Py_XDECREF(text);
  Py_XDECREF(readable);
  Py_XDECREF(writable);
  return NULL;
}

/* ---- Names ---- */

static PyObject *ps_py_hostname(PyObject *self, const ps_hostname *name,
                                const char *function) {
  if (name->status.code != PS_OK) return fail_plain(self, name->status, function);
  return succeed(self, PyUnicode_FromString(name->text), 2);
}

static PyObject *entry_list(const ps_entry *entries, int families) {
  PyObject *list = PyList_New(0);
  for (; list != NULL && entries != NULL; entries = entries->next) {
    PyObject *item = families ? Py_BuildValue("{s:s,s:s}", "family", entries->family,
                                              "addr", entries->text)
                              : PyUnicode_FromString(entries->text);
    if (item == NULL || PyList_Append(list, item) < 0) Py_CLEAR(list);
    Py_XDECREF(item);
  }
  return list;
}

/* Does: gives one or two values of a name function. Takes them over. */
static PyObject *name_values(PyObject *self, PyObject *first, PyObject *second) {
  if (first == NULL || second == NULL) {
    Py_XDECREF(first);
    Py_XDECREF(second);
    return NULL;
  }
  if (raises(self)) return Py_BuildValue("NN", first, second);
  return Py_BuildValue("NNO", first, second, Py_None);
}

static PyObject *name_failure(PyObject *self, ps_status status, const char *function) {
  if (status.code >= PS_INTERRUPTED || raises(self))
    return fail_plain(self, status, function);
  PyObject *text = words(status);
  return text == NULL ? NULL : Py_BuildValue("OON", Py_None, Py_None, text);
}

static PyObject *ps_py_resolved(PyObject *self, const ps_resolved *resolved,
                                const char *function) {
  PyObject *result = NULL;
  if (resolved->status.code != PS_OK) {
    result = name_failure(self, resolved->status, function);
  } else {
    PyObject *table = Py_BuildValue("{s:s,s:N,s:N}", "name", resolved->name, "alias",
                                    entry_list(resolved->aliases, 0), "ip",
                                    entry_list(resolved->ips, 0));
    result = name_values(self, PyUnicode_FromString(resolved->text), table);
  }
  ps_resolved_free(resolved->aliases);
  ps_resolved_free(resolved->ips);
  return result;
}

static PyObject *ps_py_addresses(PyObject *self, const ps_addresses *addresses,
                                 const char *function) {
  PyObject *result = addresses->status.code != PS_OK
                         ? fail_plain(self, addresses->status, function)
                         : succeed(self, entry_list(addresses->entries, 1), 2);
  ps_resolved_free(addresses->entries);
  return result;
}

static PyObject *ps_py_names(PyObject *self, const ps_names *names,
                             const char *function) {
  PyObject *result = NULL;
  if (names->status.code != PS_OK) {
    result = name_failure(self, names->status, function);
  } else {
    PyObject *service = names->service[0] != '\0' ? PyUnicode_FromString(names->service)
                                                  : Py_NewRef(Py_None);
    result = name_values(self, entry_list(names->names, 0), service);
  }
  ps_resolved_free(names->names);
  return result;
}

/* ---- Protocols ---- */

static PyObject *ps_py_str(PyObject *self) {
  const ps_socket *socket = ps_py_self(self, "str");
  return socket != NULL ? PyUnicode_FromString(ps_socket_tostring(socket).text) : NULL;
}

static PyObject *ps_py_repr(PyObject *self) {
  ps_socket *socket = ps_py_self(self, "repr");
  if (socket == NULL) return NULL;
  ps_text kind = ps_socket_getkind(socket);
  int fd = ps_socket_getfd(socket).fd;
  if (fd < 0) return PyUnicode_FromFormat("<polysock.Socket %s fd=-1>", kind.text);
  ps_address local = ps_socket_getsockname(socket), peer = ps_socket_getpeername(socket);
  PyObject *start = PyUnicode_FromFormat("<polysock.Socket %s fd=%d", kind.text, fd);
  PyObject *ends[2] = {PyUnicode_FromString(""), PyUnicode_FromString("")};
  if (local.status.code == PS_OK)
    Py_XSETREF(ends[0], PyUnicode_FromFormat(" local=%s:%d", local.ip, local.port));
  if (peer.status.code == PS_OK)
    Py_XSETREF(ends[1], PyUnicode_FromFormat(" peer=%s:%d", peer.ip, peer.port));
  PyObject *text = start != NULL && ends[0] != NULL && ends[1] != NULL
                       ? PyUnicode_FromFormat("%U%U%U>", start, ends[0], ends[1])
                       : NULL;
  Py_XDECREF(start);
  Py_XDECREF(ends[0]);
  Py_XDECREF(ends[1]);
  return text;
}

static PyObject *next_piece(PyObject *socket, ps_pattern pattern, ps_maxsize maxsize) {
  ps_py_host lent;
  ps_bytes bytes = ps_socket_next(socket_of(socket), pattern, maxsize, ps_py_lend(&lent));
  PyObject *made =
      bytes.status.code == PS_OK ? bytes_of(socket_of(socket), &bytes, &lent) : NULL;
  if (made != NULL) return made;
  if (bytes.status.code == PS_OK) bytes.status.code = PS_NOMEMORY;
  Py_CLEAR(lent.bytes);
  if (bytes.status.code == PS_ENDED || bytes.status.code == PS_INTERRUPTED) return NULL;
  if (bytes.status.code >= PS_MISUSED) return misuse(bytes.status, "lines");
  return raise(bytes.status, PyBytes_FromStringAndSize(NULL, 0));
}

static PyObject *ps_py_iter(PyObject *self) {
  ps_lines lines = ps_socket_lines(socket_of(self), PS_LINE, 0);
  return lines.status.code == PS_OK ? Py_NewRef(self) : misuse(lines.status, "iter");
}

static PyObject *ps_py_iternext(PyObject *self) { return next_piece(self, PS_LINE, 0); }

typedef struct lines_object {
  PyObject_HEAD PyObject *socket;
  ps_pattern pattern;
  ps_maxsize maxsize;
} lines_object;

static void lines_dealloc(PyObject *self) {
  Py_DECREF(((lines_object *)self)->socket);
  PyObject_Free(self);
}

static PyObject *lines_next(PyObject *self) {
  const lines_object *lines = (const lines_object *)self;
  return next_piece(lines->socket, lines->pattern, lines->maxsize);
}

static PyTypeObject lines_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "polysock.lines",
    .tp_basicsize = sizeof(lines_object),
    .tp_dealloc = lines_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = lines_next,
};

static PyObject *ps_py_lines(PyObject *self, const ps_lines *lines,
                             const char *function) {
  if (lines->status.code != PS_OK) return fail_plain(self, lines->status, function);
  lines_object *made = PyObject_New(lines_object, &lines_type);
  if (made == NULL) return NULL;
  made->socket = Py_NewRef(self);
  made->pattern = lines->pattern;
  made->maxsize = lines->maxsize;
  return (PyObject *)made;
}

/* Does: frees what an object has, with a warning if it is open. The caller keeps the
   current exception safe. */
static void ps_py_collect(ps_socket *socket) {
  int fd = ps_socket_getfd(socket).fd;
  if (fd >= 0 &&
      PyErr_WarnFormat(PyExc_ResourceWarning, 1, "unclosed polysock object %s, fd=%d",
                       ps_socket_tostring(socket).text, fd) < 0)
    PyErr_WriteUnraisable(NULL);
  ps_py_host lent;
  ps_socket_free(socket, ps_py_lend(&lent));
}

/* ---- Loading ---- */

typedef PyObject *ps_py_fastcall(PyObject *self, PyObject *const *items,
                                 Py_ssize_t count);

/* Does: has a method called without a tuple. The class must not be made yet. */
static void ps_py_fast(PyMethodDef *methods, const char *name, ps_py_fastcall *function) {
  while (strcmp(methods->ml_name, name) != 0) methods++;
  methods->ml_meth = (PyCFunction)(void (*)(void))function;
  methods->ml_flags = METH_FASTCALL;
}

/* Does: makes the raising module, which has the same functions; that a function is called
   in exception style it knows from the module it belongs to. */
static void ps_py_open(PyObject *module, PyMethodDef *methods) {
  if (PyType_Ready(&lines_type) < 0) return;
  raising_module = PyModule_New("polysock._core.raising");
  if (raising_module == NULL || PyModule_AddFunctions(raising_module, methods) < 0)
    return;
  PyObject_SetAttrString(module, "raising", raising_module);
}

#endif
