/* SPDX-License-Identifier: MIT */
/* Failures as tuples or exceptions. Exceptions are created in C from classes that the
   module holds. No module is imported and no Python code, such as a signal handler, may
   run between a result and the creation of the exception that carries its bytes. */

#ifndef PS_PYTHON_FAILURES_H
#define PS_PYTHON_FAILURES_H

#include <errno.h>
#include <netdb.h>

#include "arguments.h"

/* Every failure of the core, with the error number to use when the status has none, or 0.
 */
static const struct {
  short code;
  const char *words;
} failures[] = {
#define PS_FAILURE(code, number, words) {code, words},
#define PS_MISUSE(code, number, words)
#include "errors.def"
#undef PS_FAILURE
#undef PS_MISUSE
};

static int number_of(short code) {
  switch (code) {
    case PS_TIMEOUT:
      return ETIMEDOUT;
    case PS_REFUSED:
      return ECONNREFUSED;
    case PS_INUSE:
      return EADDRINUSE;
    case PS_CONNECTED:
      return EISCONN;
    case PS_PERMISSION:
      return EACCES;
    case PS_NOMEMORY:
      return ENOMEM;
    case PS_NONAME:
      return EAI_NONAME;
    case PS_SERVICE:
      return EAI_SERVICE;
    case PS_AGAIN:
      return EAI_AGAIN;
    case PS_FAIL:
      return EAI_FAIL;
    case PS_BADFAMILY:
      return EAFNOSUPPORT;
    case PS_NOOPTION:
      return ENOPROTOOPT;
    default:
      return 0;
  }
}

/* Chooses the class that is also the standard library's exception for the same event. */
static int class_of(short code, int number) {
  switch (code) {
    case PS_TIMEOUT:
      return TIMEOUT;
    case PS_CLOSED:
      return number == ECONNRESET     ? RESET
             : number == ECONNABORTED ? ABORTED
             : number == EPIPE        ? BROKEN
                                      : CLOSED;
    case PS_OVERSIZED:
      return OVERSIZED;
    case PS_REFUSED:
      return REFUSED;
    case PS_PERMISSION:
      return DENIED;
    case PS_NONAME:
    case PS_SERVICE:
    case PS_AGAIN:
    case PS_FAIL:
      return UNRESOLVED;
    default:
      return number == EPERM ? DENIED : ERROR;
  }
}

/* Returns the words of a failure. For words of the system, which may depend on the
   locale, the module stores the error number, so that try_ can find it from the words. */
static PyObject *words_of(known *known, ps_status status) {
  char buffer[PS_WORDS];
  PyObject *text = status.code < PS_SYSTEM ? known->words[status.code] : NULL;
  if (text != NULL) return Py_NewRef(text);
  text = PyUnicode_DecodeLocale(ps_status_words(status, buffer), "surrogateescape");
  if (text == NULL || status.system == 0 || known->numbers == NULL) return text;
  PyObject *number = PyLong_FromLong(status.system);
  if (number == NULL || PyDict_SetItem(known->numbers, text, number) < 0) PyErr_Clear();
  Py_XDECREF(number);
  return text;
}

/* Returns a new exception without raising it. value is bytes (the partial), an int (the
   last) or None. It is created by OSError's functions, not by __init__ of the class,
   which is Python code. */
static PyObject *exception_of(known *known, short code, int number, PyObject *text,
                              PyObject *value) {
  const PyTypeObject *base = (PyTypeObject *)PyExc_OSError;
  PyObject *class = known->classes[class_of(code, number)];
  if (class == NULL)
    class = PyExc_OSError; /* the module was cleared by the garbage collector */
  if (number == 0) number = number_of(code);
  PyObject *args = number != 0 ? Py_BuildValue("(iO)", number, text)
                               : Py_BuildValue("(OO)", Py_None, text);
  PyObject *made = args != NULL ? base->tp_new((PyTypeObject *)class, args, NULL) : NULL;
  if (made != NULL && base->tp_init(made, args, NULL) < 0) Py_CLEAR(made);
  Py_XDECREF(args);
  PyObject *name = PyBytes_Check(value) ? known->partial : known->last;
  if (made != NULL && value != Py_None && name != NULL &&
      PyObject_SetAttr(made, name, value) < 0)
    Py_CLEAR(made);
  return made;
}

/* Returns the tuple of a failure: None, the words, and size - 2 other items. */
static PyObject *failure_tuple(known *known, ps_status status, Py_ssize_t size,
                               PyObject *value) {
  PyObject *text = words_of(known, status);
  PyObject *tuple = text != NULL ? PyTuple_New(size) : NULL;
  if (tuple == NULL) {
    Py_XDECREF(text);
    return NULL;
  }
  PyTuple_SET_ITEM(tuple, 0, Py_NewRef(Py_None));
  PyTuple_SET_ITEM(tuple, 1, text);
  if (size > 2) PyTuple_SET_ITEM(tuple, 2, Py_NewRef(value));
  return tuple;
}

/* Returns the tuple or the exception of a failure, for deliver. Steals the reference to
   value, which may be NULL when an exception is set. size is the length of the tuple. */
static PyObject *failure_of(PyObject *self, ps_status status, Py_ssize_t size,
                            PyObject *value) {
  known *known = known_of(self);
  PyObject *made = NULL;
  if (value != NULL && !raises(self)) {
    made = failure_tuple(known, status, size, value);
  } else if (value != NULL) {
    PyObject *text = words_of(known, status);
    if (text != NULL) made = exception_of(known, status.code, status.system, text, value);
    Py_XDECREF(text);
  }
  Py_XDECREF(value);
  return made;
}

static PyObject *deliver(PyObject *self, PyObject *failure) {
  if (failure == NULL || !raises(self)) return failure;
  PyErr_SetObject((PyObject *)Py_TYPE(failure), failure);
  Py_DECREF(failure);
  return NULL;
}

/* Returns the tuple of a failure, or raises its exception. size is the length of the
   tuple; steals the reference to value. */
static PyObject *fail(PyObject *self, ps_status status, Py_ssize_t size, PyObject *value,
                      const char *function) {
  if (status.code < PS_INTERRUPTED)
    return deliver(self, failure_of(self, status, size, value));
  Py_XDECREF(value);
  /* A signal handler has set its exception. */
  return status.code == PS_INTERRUPTED ? NULL : misuse(status, function);
}

static PyObject *fail_plain(PyObject *self, ps_status status, const char *function) {
  return fail(self, status, 2, Py_NewRef(Py_None), function);
}

/* Returns the exception for the words of a tuple. */
static PyObject *failure_of_words(PyObject *core, PyObject *args) {
  known *known = PyModule_GetState(core);
  PyObject *text = NULL, *value = Py_None;
  if (!PyArg_ParseTuple(args, "U|O:failure", &text, &value)) return NULL;
  if (!PyBytes_Check(value) && !PyLong_Check(value)) value = Py_None;
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
    if (PyUnicode_CompareWithASCIIString(text, failures[i].words) == 0)
      return exception_of(known, failures[i].code, 0, text, value);
  PyObject *number =
      known->numbers != NULL ? PyDict_GetItemWithError(known->numbers, text) : NULL;
  if (number == NULL && PyErr_Occurred()) return NULL;
  return exception_of(known, PS_SYSTEM, number != NULL ? (int)PyLong_AsLong(number) : 0,
                      text, value);
}

/* Sets the attribute address of the exception that connect or bind has raised. That of a
   signal handler has a traceback already. */
static void add_address(PyObject *self, const given *args, const char *function) {
  PyObject *type = NULL, *error = NULL, *traceback = NULL;
  PyErr_Fetch(&type, &error, &traceback); /* ours are instances already */
  const known *known = known_of(self);
  if (traceback == NULL && known->classes[ERROR] != NULL &&
      PyErr_GivenExceptionMatches(error, known->classes[ERROR])) {
    PyObject *objects[8], *text = NULL;
    ps_py_unpack((PyObject *)(void *)args, function, 2, sizeof objects / sizeof *objects,
                 objects);
    PyObject *port =
        PyUnicode_Check(objects[1]) ? Py_NewRef(objects[1]) : PyNumber_Long(objects[1]);
    int six = PyUnicode_FindChar(objects[0], ':', 0, PY_SSIZE_T_MAX, 1) >= 0;
    if (port != NULL)
      text = PyUnicode_FromFormat(six ? "[%U]:%S" : "%U:%S", objects[0], port);
    if (text != NULL) PyObject_SetAttr(error, known->address, text);
    Py_XDECREF(text);
    Py_XDECREF(port);
  }
  PyErr_Restore(type, error, traceback); /* without memory it lacks the attribute */
}

#endif
