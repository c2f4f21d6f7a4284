/* SPDX-License-Identifier: MIT */
/* The module: the functions through which Python calls SWIG's wrappers, and the
   initialisation. methods.def lists all callables with their signatures and texts. SWIG's
   own module and class are not used: its initialisation is never called. */

#ifndef PS_PYTHON_MODULE_H
#define PS_PYTHON_MODULE_H

#include "pieces.h"

/* ---- Calls: a METH_FASTCALL function for each wrapper ---- */

#define LIST(...) __VA_ARGS__

#define CALL(symbol, list, body)                                         \
  static PyObject *_wrap_##symbol(PyObject *, PyObject *);               \
  static PyObject *call_##symbol(PyObject *self, PyObject *const *items, \
                                 Py_ssize_t count, PyObject *keywords) { \
    static const char *const names[] = {list, NULL};                     \
    given args = {items, count, keywords, names};                        \
    body                                                                 \
  }

/* No parameters. */
#define NONE_CALL(symbol, list) static PyObject *_wrap_##symbol(PyObject *, PyObject *);
#define NONE_ENTRY(symbol) _wrap_##symbol, METH_NOARGS

/* One required parameter: the wrapper expects it in place of a tuple. */
#define ONE_CALL(symbol, list)                                              \
  CALL(symbol, LIST(list), PyObject *item;                                  \
       return ps_py_unpack((PyObject *)(void *)&args, #symbol, 1, 1, &item) \
                  ? _wrap_##symbol(self, item)                              \
                  : NULL;)
#define FAST_ENTRY(symbol) \
  (PyCFunction)(void (*)(void)) call_##symbol, METH_FASTCALL | METH_KEYWORDS
#define ONE_ENTRY FAST_ENTRY

/* Several parameters, of which some may be absent. */
#define MANY_CALL(symbol, list) \
  CALL(symbol, LIST(list), return _wrap_##symbol(self, (PyObject *)(void *)&args);)
#define MANY_ENTRY FAST_ENTRY

/* The same with an address and a port first, which an exception shows. */
#define ADDRESSED_CALL(symbol, list)                                     \
  CALL(symbol, LIST(list),                                               \
       PyObject *made = _wrap_##symbol(self, (PyObject *)(void *)&args); \
       if (made == NULL) add_address(self, &args, #symbol); return made;)
#define ADDRESSED_ENTRY FAST_ENTRY

#define PS_PROPERTY(class, name, text)                                   \
  static PyObject *_wrap_##class##_##name##_get(PyObject *, PyObject *); \
  static PyObject *get_##class##_##name(PyObject *self, void *closure) { \
    (void)closure;                                                       \
    return _wrap_##class##_##name##_get(self, NULL);                     \
  }
#define METHOD_CALL(class, name, shape, list, text) \
  shape##_CALL(class##_##name, LIST(list))
#define PS_SHARED METHOD_CALL
#define PS_STYLED METHOD_CALL
#define PS_FUNCTION(symbol, name, shape, list, text) shape##_CALL(symbol, LIST(list))
#define OF_SOCKET
#define OF_POLLER
#define OF_MODULE
#include "methods.def"

/* ---- Tables ---- */

#define METHOD(class, name, shape, list, text) \
  {#name, shape##_ENTRY(class##_##name), text},
#define NO_COPIES                                                \
  {"__reduce__", refuse_copy, METH_NOARGS, "Raises TypeError."}, \
      {"__reduce_ex__", refuse_copy, METH_O, "Raises TypeError."},
#define DICTIONARY \
  {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},

static PyMethodDef socket_shared[] = {
#define OF_SOCKET
#define PS_SHARED METHOD
#include "methods.def"
    NO_COPIES{NULL, NULL, 0, NULL},
};
static PyMethodDef socket_styled[] = {
#define OF_SOCKET
#define PS_STYLED METHOD
#include "methods.def"
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef socket_properties[] = {
#define OF_SOCKET
#define PS_PROPERTY(class, name, text) {#name, get_##class##_##name, NULL, text, NULL},
#include "methods.def"
    DICTIONARY{NULL, NULL, NULL, NULL, NULL},
};
static const char socket_text[] =
#define OF_SOCKET
#define PS_CLASS(text) text
#include "methods.def"
    ;

static PyMethodDef poller_shared[] = {
#define OF_POLLER
#define PS_SHARED METHOD
#include "methods.def"
    NO_COPIES{NULL, NULL, 0, NULL},
};
static PyMethodDef poller_styled[] = {
#define OF_POLLER
#define PS_STYLED METHOD
#include "methods.def"
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef poller_properties[] = {
    DICTIONARY{NULL, NULL, NULL, NULL, NULL},
};
static const char poller_text[] =
#define OF_POLLER
#define PS_CLASS(text) text
#include "methods.def"
    ;

/* The functions, and the names under which the package imports them. */
static struct {
  const char *symbol;
  PyMethodDef method;
} functions[] = {
#define OF_MODULE
#define PS_FUNCTION(symbol, name, shape, list, text) \
  {#symbol, {name, shape##_ENTRY(symbol), text}},
#include "methods.def"
};

static PyMethodDef failure_method = {
    "failure", failure_of_words, METH_VARARGS,
    "failure($module, error, value=None, /)\n--\n\n"
    "Returns the exception for the words of a tuple, and its partial or last."};

/* ---- Classes ---- */

static PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(object, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(object, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

#define SOCKET_SLOTS                                                  \
  {Py_tp_new, refuse_new}, {Py_tp_dealloc, object_dealloc},           \
      {Py_tp_traverse, object_traverse}, {Py_tp_clear, object_clear}, \
      {Py_tp_finalize, object_finalize}, {Py_tp_repr, object_repr},   \
      {Py_tp_iter, object_iter}, {                                    \
    Py_tp_iternext, object_next                                       \
  }
#define POLLER_SLOTS                                                  \
  {Py_tp_new, refuse_new}, {Py_tp_dealloc, poller_dealloc},           \
      {Py_tp_traverse, poller_traverse}, {Py_tp_clear, poller_clear}, \
      {Py_tp_finalize, poller_finalize}, {                            \
    Py_tp_repr, poller_repr                                           \
  }

/* The slots of a family of classes: of the base class, and of the class of each style. */
#define FAMILY(name, slots, noun, nouns)                                      \
  static PyType_Slot name##_base_slots[] = {                                  \
      slots,                                                                  \
      {Py_tp_methods, name##_shared},                                         \
      {Py_tp_getset, name##_properties},                                      \
      {Py_tp_members, members},                                               \
      {Py_tp_doc, (void *)"The base class of the " nouns " of both styles."}, \
      {0, NULL},                                                              \
  };                                                                          \
  static PyType_Slot name##_plain_slots[] = {                                 \
      slots,                                                                  \
      {Py_tp_methods, name##_styled},                                         \
      {Py_tp_doc, (void *)name##_text},                                       \
      {0, NULL},                                                              \
  };                                                                          \
  static PyType_Slot name##_raising_slots[] = {                               \
      slots,                                                                  \
      {Py_tp_methods, name##_styled},                                         \
      {Py_tp_doc, (void *)"A " noun " whose failures are exceptions."},       \
      {0, NULL},                                                              \
  };
FAMILY(socket, SOCKET_SLOTS, "Socket", "sockets")
FAMILY(poller, POLLER_SLOTS, "Poller", "pollers")

#define SPEC(name_, type_, slots_)                                          \
  {                                                                         \
    .name = name_, .basicsize = sizeof(type_),                              \
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE, \
    .slots = slots_,                                                        \
  }
#define SPECS(name, type, noun)                                   \
  {                                                               \
    SPEC("polysock.Base" noun, type, name##_base_slots),          \
        SPEC("polysock." noun, type, name##_plain_slots),         \
        SPEC("polysock.Raising" noun, type, name##_raising_slots) \
  }
static PyType_Spec specs[FAMILIES][3] = {
    [SOCKET] = SPECS(socket, object, "Socket"),
    [POLLER] = SPECS(poller, poller_object, "Poller"),
};

/* Creates a class and adds it to the module. */
static PyTypeObject *add_class(PyObject *core, PyType_Spec *spec, PyTypeObject *base) {
  PyObject *bases = base != NULL ? PyTuple_Pack(1, base) : NULL;
  if (base != NULL && bases == NULL) return NULL;
  PyObject *made = PyType_FromModuleAndSpec(core, spec, bases);
  Py_XDECREF(bases);
  if (made != NULL && PyModule_AddType(core, (PyTypeObject *)made) < 0) Py_CLEAR(made);
  return (PyTypeObject *)made;
}

static int add_classes(PyObject *core, known *known) {
  for (int i = 0; i < FAMILIES; i++) {
    family *family = &known->families[i];
    family->base = add_class(core, &specs[i][0], NULL);
    if (family->base == NULL) return -1;
    family->plain = add_class(core, &specs[i][1], family->base);
    if (family->plain == NULL) return -1;
    family->raising = add_class(core, &specs[i][2], family->base);
    if (family->raising == NULL) return -1;
  }
  known->lines = (PyTypeObject *)PyType_FromModuleAndSpec(core, &lines_spec, NULL);
  if (known->lines == NULL) return -1;
  known->piece = (PyTypeObject *)PyType_FromModuleAndSpec(core, &piece_spec, NULL);
  if (known->piece == NULL) return -1;
  known->pieces = (PyTypeObject *)PyType_FromModuleAndSpec(core, &pieces_spec, NULL);
  return known->pieces == NULL ? -1 : 0;
}

/* ---- Functions ---- */

/* Adds a function under a name of the package. Its self determines its style. */
static int add_function(PyObject *core, PyObject *self, PyMethodDef *method,
                        const char *prefix, const char *symbol, PyObject *package) {
  PyObject *name = PyUnicode_FromFormat("%s%s", prefix, symbol);
  PyObject *function = name != NULL ? PyCFunction_NewEx(method, self, package) : NULL;
  int error = function == NULL || PyObject_SetAttr(core, name, function) < 0;
  Py_XDECREF(name);
  Py_XDECREF(function);
  return error ? -1 : 0;
}

static int add_functions(PyObject *core, PyObject *self, PyObject *package,
                         const char *suffix, const char *prefix) {
  PyObject *module = PyUnicode_FromFormat("%U%s", package, suffix);
  PyObject *dns = PyUnicode_FromFormat("%U%s.dns", package, suffix);
  int error = module == NULL || dns == NULL;
  for (size_t i = 0; !error && i < sizeof functions / sizeof *functions; i++) {
    PyMethodDef *method = &functions[i].method;
    int in_dns = strcmp(functions[i].symbol, method->ml_name) != 0;
    error = add_function(core, self, method, prefix, functions[i].symbol,
                         in_dns ? dns : module) < 0;
  }
  Py_XDECREF(module);
  Py_XDECREF(dns);
  return error ? -1 : 0;
}

/* ---- The state of the module ---- */

static const char *const class_names[CLASSES] = {
    [ERROR] = "Error",         [TIMEOUT] = "Timeout",       [CLOSED] = "Closed",
    [RESET] = "ClosedByReset", [ABORTED] = "ClosedByAbort", [BROKEN] = "ClosedPipe",
    [REFUSED] = "Refused",     [DENIED] = "Denied",         [UNRESOLVED] = "Unresolved",
    [OVERSIZED] = "Oversized",
};

static int find_exceptions(known *known, PyObject *package) {
  PyObject *name = PyUnicode_FromFormat("%U.errors", package);
  PyObject *errors = name != NULL ? PyImport_Import(name) : NULL;
  int error = errors == NULL;
  for (int i = 0; !error && i < CLASSES; i++) {
    known->classes[i] = PyObject_GetAttrString(errors, class_names[i]);
    error = known->classes[i] == NULL;
  }
  Py_XDECREF(errors);
  Py_XDECREF(name);
  return error ? -1 : 0;
}

static int learn_words(known *known) {
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
    PyObject *text = PyUnicode_InternFromString(failures[i].words);
    if (text == NULL) return -1;
    known->words[failures[i].code] = text;
  }
  known->numbers = PyDict_New();
  known->partial = PyUnicode_InternFromString("partial");
  known->last = PyUnicode_InternFromString("last");
  known->address = PyUnicode_InternFromString("address");
  known->receive = PyUnicode_InternFromString("r");
  known->send = PyUnicode_InternFromString("w");
  known->both = PyUnicode_InternFromString("rw");
  return known->numbers == NULL || known->partial == NULL || known->last == NULL ||
                 known->address == NULL || known->receive == NULL ||
                 known->send == NULL || known->both == NULL
             ? -1
             : 0;
}

/* Returns the name of the package that contains the module; it may have been renamed. */
static PyObject *package_of(PyObject *core) {
  PyObject *name = PyModule_GetNameObject(core);
  if (name == NULL) return NULL;
  Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), -1);
  PyObject *package =
      dot > 0 ? PyUnicode_Substring(name, 0, dot) : PyUnicode_FromString("polysock");
  Py_DECREF(name);
  return package;
}

static int core_exec(PyObject *core) {
  known *known = PyModule_GetState(core);
  PyObject *package = package_of(core);
  int error = package == NULL || learn_words(known) < 0 ||
              find_exceptions(known, package) < 0 || add_classes(core, known) < 0;
  if (!error) known->style = PyModule_Create(&style_module);
  error = error || known->style == NULL;
  if (!error) ((style *)PyModule_GetState(known->style))->core = Py_NewRef(core);
  error = error || add_functions(core, core, package, "", "") < 0 ||
          add_functions(core, known->style, package, ".raising", "raising_") < 0 ||
          add_function(core, core, &failure_method, "", "failure", NULL) < 0;
  for (PyMethodDef *method = loop_methods; !error && method->ml_name != NULL; method++)
    error = add_function(core, core, method, "", method->ml_name, NULL) < 0;
  Py_XDECREF(package);
  return error ? -1 : 0;
}

/* From Python 3.9 on, these functions are not called before there is a state. */
static int core_traverse(PyObject *core, visitproc visit, void *arg) {
  known *known = PyModule_GetState(core);
  for (int i = 0; i < FAMILIES; i++) {
    Py_VISIT(known->families[i].base);
    Py_VISIT(known->families[i].plain);
    Py_VISIT(known->families[i].raising);
  }
  Py_VISIT(known->lines);
  Py_VISIT(known->piece);
  Py_VISIT(known->pieces);
  Py_VISIT(known->style);
  Py_VISIT(known->numbers);
  for (int i = 0; i < CLASSES; i++) Py_VISIT(known->classes[i]);
  return 0;
}

static int core_clear(PyObject *core) {
  known *known = PyModule_GetState(core);
  for (int i = 0; i < FAMILIES; i++) {
    Py_CLEAR(known->families[i].base);
    Py_CLEAR(known->families[i].plain);
    Py_CLEAR(known->families[i].raising);
  }
  Py_CLEAR(known->lines);
  Py_CLEAR(known->piece);
  Py_CLEAR(known->pieces);
  Py_CLEAR(known->style);
  Py_CLEAR(known->numbers);
  for (int i = 0; i < CLASSES; i++) Py_CLEAR(known->classes[i]);
  return 0;
}

static void core_free(void *core) {
  known *known = PyModule_GetState(core);
  core_clear(core);
  for (int i = 0; i < PS_SYSTEM; i++) Py_CLEAR(known->words[i]);
  Py_CLEAR(known->partial);
  Py_CLEAR(known->last);
  Py_CLEAR(known->address);
  Py_CLEAR(known->receive);
  Py_CLEAR(known->send);
  Py_CLEAR(known->both);
}

static int style_traverse(PyObject *module, visitproc visit, void *arg) {
  style *style = PyModule_GetState(module);
  Py_VISIT(style->core);
  return 0;
}

static void style_free(void *module) {
  style *style = PyModule_GetState(module);
  Py_CLEAR(style->core);
}

static struct PyModuleDef style_module = {
    PyModuleDef_HEAD_INIT,        .m_name = "polysock.raising", .m_size = sizeof(style),
    .m_traverse = style_traverse, .m_free = style_free,
};

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, core_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef core_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "polysock._core",
    .m_doc = "The compiled module. Import the package, not this module.",
    .m_size = sizeof(known),
    .m_slots = core_slots,
    .m_traverse = core_traverse,
    .m_clear = core_clear,
    .m_free = core_free,
};

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&core_module); }

#endif
