/* SPDX-License-Identifier: MIT */
/* Converts Python objects to arguments of the core, and misuse to exceptions with the
   words that all languages share. Nothing here calls the core with a socket. */

#ifndef PS_PYTHON_ARGUMENTS_H
#define PS_PYTHON_ARGUMENTS_H

#include "object.h"
#include "shared.h"

/* ---- Names and misuse ---- */

static inline place ps_py_at(const char *function, int number, const char *name) {
  return (place){function, number, name};
}

/* The words have a maximum size, so they may end within a character. */
static PyObject *misuse_as(PyObject *type, ps_status status, const char *function) {
  char buffer[PS_WORDS];
  const char *words = ps_status_misuse(status, name_of(function), buffer);
  PyObject *text = PyUnicode_DecodeUTF8(words, (Py_ssize_t)strlen(words), "replace");
  if (text == NULL) return NULL;
  PyErr_SetObject(type, text);
  Py_DECREF(text);
  return NULL;
}

static PyObject *misuse(ps_status status, const char *function) {
  PyObject *type = PS_MISUSE_IS_TYPE(status.code) ? PyExc_TypeError : PyExc_ValueError;
  return misuse_as(type, status, function);
}

/* Returns 0, as the argument functions do when an exception is set. */
static int bad(short code, place at) {
  misuse(misuse_at(code, at), at.function);
  return 0;
}

/* ---- The arguments of a call ---- */

/* The arguments of a METH_FASTCALL | METH_KEYWORDS function. SWIG's wrappers expect a
   tuple, which they only pass to ps_py_unpack; they get a pointer to this struct instead.
   Without the tuple a receive(16) takes a quarter fewer instructions. */
typedef struct given {
  PyObject *const *items; /* count positional arguments, then those of keywords */
  Py_ssize_t count;
  PyObject *keywords;       /* a tuple of names, or NULL */
  const char *const *names; /* of all parameters, then NULL */
} given;

static int place_keywords(const given *args, const char *function, PyObject **objects) {
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(args->keywords); k++) {
    PyObject *name = PyTuple_GET_ITEM(args->keywords, k);
    int i = 0;
    while (args->names[i] != NULL &&
           PyUnicode_CompareWithASCIIString(name, args->names[i]) != 0)
      i++;
    if (args->names[i] == NULL) {
      PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'",
                   name_of(function), name);
      return 0;
    }
    if (objects[i] != NULL) {
      PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'",
                   name_of(function), name);
      return 0;
    }
    objects[i] = args->items[args->count + k];
  }
  return 1;
}

/* Replaces SWIG_Python_UnpackTuple. A missing argument becomes None, and is then misuse
   in the same words as in other languages. */
static inline Py_ssize_t ps_py_unpack(PyObject *tuple, const char *function,
                                      Py_ssize_t least, Py_ssize_t most,
                                      PyObject **objects) {
  const given *args = (const given *)(void *)tuple;
  if (args == NULL) return 1; /* METH_NOARGS */
  if (args->count > most) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most %zd arguments (%zd given)",
                 name_of(function), most, args->count);
    return 0;
  }
  for (Py_ssize_t i = 0; i < most; i++)
    objects[i] = i < args->count ? args->items[i] : NULL;
  if (args->keywords != NULL && !place_keywords(args, function, objects)) return 0;
  for (Py_ssize_t i = args->count; i < least; i++)
    if (objects[i] == NULL) objects[i] = Py_None;
  return 1;
}
#define SWIG_Python_UnpackTuple ps_py_unpack

/* ---- Texts and numbers ---- */

/* surrogates is the misuse code for a text with surrogates, which UTF-8 cannot encode. */
static int text_or(short surrogates, PyObject *object, const char **text, place at) {
  Py_ssize_t size = 0;
  if (!PyUnicode_Check(object)) return bad(PS_MISUSE_NOTTEXT, at);
  *text = PyUnicode_AsUTF8AndSize(object, &size);
  if (*text == NULL && !PyErr_ExceptionMatches(PyExc_UnicodeError)) return 0;
  if (*text == NULL) {
    PyErr_Clear();
    return bad(surrogates, at);
  }
  return strlen(*text) == (size_t)size ? 1 : bad(PS_MISUSE_NULBYTE, at);
}

static int ps_py_text(PyObject *object, const char **text, place at) {
  return text_or(PS_MISUSE_SURROGATE, object, text, at);
}

/* For a mode that is no text, as socket.SHUT_WR is none, the words say which texts there
   are. */
static int ps_py_mode(PyObject *object, const char **text, place at) {
  if (PyUnicode_Check(object)) return ps_py_text(object, text, at);
  short code = PS_MISUSE_SHUTDOWNMODE;
  if (strcmp(at.name, "family") == 0)
    code = PS_MISUSE_FAMILY;
  else if (strcmp(name_of(at.function), "settimeout") == 0)
    code = PS_MISUSE_TIMEOUTMODE;
  ps_status status = {code, (short)(at.number - is_method(at.function)), 0, at.name};
  misuse_as(PyExc_TypeError, status, at.function);
  return 0;
}

/* Surrogates stand for bytes that are no text (os.fsdecode); other languages pass such
   names as bytes. */
static int ps_py_name(PyObject *object, const char **text, place at) {
  return text_or(PS_MISUSE_NOTASCII, object, text, at);
}

/* The same values are integers as in Lua: a float without a fraction is one, a boolean is
   none. */
static PyObject *integer_of(PyObject *object) {
  if (PyBool_Check(object)) return NULL;
  if (PyIndex_Check(object)) return PyNumber_Index(object);
  if (!PyFloat_Check(object)) return NULL;
  long long value;
  return is_whole(PyFloat_AS_DOUBLE(object), &value) ? PyLong_FromLongLong(value) : NULL;
}

/* Returns 0 when an exception is set. If the integer does not fit into value, overflow is
   not 0 and value is the nearest limit. */
static int integer_or(short code, PyObject *object, long long *value, int *overflow,
                      place at) {
  PyObject *integer = NULL;
  *value = 0;
  if (!PyLong_CheckExact(object)) {
    integer = integer_of(object);
    if (integer == NULL) return PyErr_Occurred() ? 0 : bad(code, at);
    object = integer;
  }
  *value = PyLong_AsLongLongAndOverflow(object, overflow);
  if (*overflow != 0) *value = *overflow > 0 ? PY_LLONG_MAX : PY_LLONG_MIN;
  Py_XDECREF(integer);
  return 1;
}

/* An integer that does not fit is clamped: every valid range is smaller. */
static int ps_py_integer(PyObject *object, long long *value, place at) {
  int overflow = 0;
  return integer_or(PS_MISUSE_NOTINTEGER, object, value, &overflow, at);
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

static int ps_py_most(PyObject *object, ps_most *value, place at) {
  ps_maxsize most = 0;
  if (!ps_py_positive(object, &most, at)) return 0;
  *value = (ps_most)most;
  return 1;
}

static int ps_py_number(PyObject *object, double *value, place at) {
  if (PyBool_Check(object)) return bad(PS_MISUSE_NOTNUMBER, at);
  *value = PyFloat_AsDouble(object);
  if (*value != -1.0 || !PyErr_Occurred()) return 1;
  if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Clear();
    int negative = PyObject_RichCompareBool(object, Py_False, Py_LT); /* which is 0 */
    *value = negative > 0 ? -INFINITY : INFINITY;
    return negative >= 0;
  }
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) return 0;
  PyErr_Clear();
  return bad(PS_MISUSE_NOTNUMBER, at);
}

/* A number for a type in which NaN means "absent": a NaN from the program is misuse. */
static int ps_py_given(PyObject *object, double *value, place at) {
  if (!ps_py_number(object, value, at)) return 0;
  return isnan(*value) ? bad(PS_MISUSE_NAN, at) : 1;
}

static int ps_py_port(PyObject *object, ps_port *port, place at) {
  int overflow = 0;
  *port = (ps_port){NULL, 0};
  if (PyUnicode_Check(object)) return ps_py_text(object, &port->service, at);
  return integer_or(PS_MISUSE_NOTPORT, object, &port->number, &overflow, at);
}

static int ps_py_pattern(PyObject *object, ps_pattern *pattern, place at) {
  if (PyUnicode_Check(object)) {
    Py_ssize_t size = 0;
    const char *text = PyUnicode_AsUTF8AndSize(object, &size);
    if (text == NULL && !PyErr_ExceptionMatches(PyExc_UnicodeError)) return 0;
    if (text == NULL) PyErr_Clear(); /* surrogates: it is no pattern */
    *pattern = text != NULL ? ps_pattern_of(text, (size_t)size) : (ps_pattern){'?', 0};
    return 1;
  }
  int overflow = 0;
  *pattern = PS_COUNT(0);
  if (!integer_or(PS_MISUSE_NOTPATTERN, object, &pattern->count, &overflow, at)) return 0;
  return overflow == 0 ? 1 : bad(PS_MISUSE_PATTERN, at); /* no memory holds so many */
}

static int ps_py_buffer(PyObject *object, Py_buffer *view, int flags, short code,
                        place at) {
  if (!PyUnicode_Check(object) && PyObject_GetBuffer(object, view, flags) == 0) return 1;
  /* for example ValueError of a released memoryview */
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError) &&
      !PyErr_ExceptionMatches(PyExc_BufferError) &&
      !PyErr_ExceptionMatches(PyExc_ValueError))
    return 0;
  PyErr_Clear();
  return bad(code, at);
}

/* ---- Options ---- */

/* Returns an entry of a dict, borrowed, or NULL; without memory an exception is set. */
static PyObject *entry_of(PyObject *dict, const char *name) {
  PyObject *key = PyUnicode_InternFromString(name);
  PyObject *found = key != NULL ? PyDict_GetItemWithError(dict, key) : NULL;
  Py_XDECREF(key);
  return found;
}

static int linger_of(PyObject *dict, ps_option *value, place at) {
  PyObject *on = entry_of(dict, "on");
  PyObject *timeout = PyErr_Occurred() ? NULL : entry_of(dict, "timeout");
  if (PyErr_Occurred()) return 0;
  value->type = PS_LINGER;
  value->number = NAN;
  if (on == NULL || !PyBool_Check(on)) return 1; /* the core says what is expected */
  value->flag = on == Py_True;
  if (timeout == NULL || PyBool_Check(timeout) || !PyNumber_Check(timeout)) return 1;
  return ps_py_number(timeout, &value->number, at);
}

/* The inverse of text_of: a value from getoption can be set. */
static int option_text(PyObject *object, ps_option *value, place at) {
  PyObject *bytes = PyUnicode_EncodeFSDefault(object);
  if (bytes == NULL && !PyErr_ExceptionMatches(PyExc_UnicodeError)) return 0;
  if (bytes == NULL) {
    PyErr_Clear();
    return bad(PS_MISUSE_SURROGATE, at);
  }
  size_t size = (size_t)PyBytes_GET_SIZE(bytes);
  short code = set_option_text(value, PyBytes_AS_STRING(bytes), size);
  Py_DECREF(bytes);
  return code == 0 ? 1 : bad(code, at);
}

static int ps_py_option(PyObject *object, ps_option *value, place at) {
  if (PyBool_Check(object)) {
    value->type = PS_FLAG;
    value->flag = object == Py_True;
  } else if (PyFloat_Check(object) || PyIndex_Check(object)) {
    double number;
    if (!ps_py_number(object, &number, at)) return 0;
    set_option_number(value, number);
    if (PyFloat_Check(object)) return 1;
    value->integral = 1;
    return ps_py_integer(object, &value->integer, at);
  } else if (PyUnicode_Check(object)) {
    return option_text(object, value, at);
  } else if (PyDict_Check(object)) {
    return linger_of(object, value, at);
  }
  return 1;
}

#endif
