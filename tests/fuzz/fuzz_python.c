/* SPDX-License-Identifier: MIT */
/* The Python module, in an interpreter that lives as long as the process: calls.py makes
   a program of each input. Crashes are found by the sanitizers; the checks here, in
   calls.py and in world.c find what is left open, calls that break the rules of the
   interpreter, and answers of a wrong shape. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <signal.h>

#include "world.h"

PyMODINIT_FUNC PyInit__core(void);
int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static PyObject *play, *finish;

static _Noreturn void die(void) {
  PyErr_Print();
  abort();
}

/* ---- Allocators that fail on demand ---- */

static unsigned countdown; /* allocations until one fails, and all after it; 0: none */
static PyMemAllocatorEx behind[3];

static int fails(void) { return countdown > 0 && (countdown == 1 || --countdown == 1); }

static void *take(void *data, size_t size) {
  const PyMemAllocatorEx *its = data;
  return fails() ? NULL : its->malloc(its->ctx, size);
}

static void *take_zeros(void *data, size_t count, size_t size) {
  const PyMemAllocatorEx *its = data;
  return fails() ? NULL : its->calloc(its->ctx, count, size);
}

static void *resize(void *data, void *memory, size_t size) {
  const PyMemAllocatorEx *its = data;
  return fails() ? NULL : its->realloc(its->ctx, memory, size);
}

static void give_back(void *data, void *memory) {
  const PyMemAllocatorEx *its = data;
  its->free(its->ctx, memory);
}

static void set_allocators(void) {
  const PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
  for (int i = 0; i < 2; i++) {
    PyMem_GetAllocator(domains[i], &behind[i]);
    PyMemAllocatorEx mine = {&behind[i], take, take_zeros, resize, give_back};
    PyMem_SetAllocator(domains[i], &mine);
  }
}

/* ---- What calls.py may ask of the world ---- */

static PyObject *exception(void) {
  PyObject *type, *error, *traceback;
  PyErr_Fetch(&type, &error, &traceback);
  PyErr_NormalizeException(&type, &error, &traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  return error;
}

/* call(python, core, signals, f, args, kwargs) gives whether f raised and what, or what
   it returned, while the allocation of this number fails in Python, and in the core, and
   so many waits are interrupted. */
static PyObject *call(PyObject *module, PyObject *args) {
  unsigned python, core, signals, outer = countdown;
  PyObject *f, *its_args, *its_kwargs;
  (void)module;
  if (!PyArg_ParseTuple(args, "IIIOOO", &python, &core, &signals, &f, &its_args,
                        &its_kwargs))
    return NULL;
  world_memory(core);
  world_signals(signals);
  if (signals > 0) raise(SIGURG); /* its handler runs when the core asks */
  countdown = python;
  PyObject *result = PyObject_Call(f, its_args, its_kwargs);
  countdown = outer;
  world_memory(0);
  world_signals(0);
  int raised = result == NULL;
  /* For example a result with an exception set. */
  if (raised && python == 0 && PyErr_ExceptionMatches(PyExc_SystemError)) die();
  if (raised) result = exception();
  return Py_BuildValue("iN", raised, result);
}

static PyObject *stray(PyObject *module, PyObject *none) {
  (void)module, (void)none;
  world_stray();
  Py_RETURN_NONE;
}

/* ---- The package, with this module in it ---- */

static PyObject *create(PyObject *module, PyObject *spec) {
  (void)module;
  return PyModule_FromDefAndSpec((PyModuleDef *)PyInit__core(), spec);
}

static PyObject *execute(PyObject *module, PyObject *core) {
  (void)module;
  if (PyModule_ExecDef(core, PyModule_GetDef(core)) < 0) return NULL;
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"call", call, METH_VARARGS, NULL},
                                {"create", create, METH_O, NULL},
                                {"execute", execute, METH_O, NULL},
                                {"stray", stray, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "fuzzing",
                                        .m_size = -1, .m_methods = methods};

static PyObject *make_module(void) { return PyModule_Create(&definition); }

int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count, (void)arguments;
  PyPreConfig before;
  PyPreConfig_InitIsolatedConfig(&before);
  before.allocator = PYMEM_ALLOCATOR_MALLOC; /* the sanitizer sees each block */
  before.utf8_mode = 1;
  PyStatus status = Py_PreInitialize(&before);
  PyImport_AppendInittab("fuzzing", make_module);
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  if (!PyStatus_Exception(status))
    status = PyConfig_SetBytesString(&config, &config.program_name, PYTHON);
  if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  PyConfig_Clear(&config);
  PyObject *path = PySys_GetObject("path");
  for (int i = 0; i < 2; i++) {
    PyObject *folder =
        PyUnicode_FromString(i == 0 ? SOURCE "/python" : SOURCE "/tests/fuzz");
    if (folder == NULL || PyList_Insert(path, 0, folder) < 0) die();
    Py_DECREF(folder);
  }
  PyObject *calls = PyImport_ImportModule("calls");
  if (calls == NULL) die();
  play = PyObject_GetAttrString(calls, "play");
  finish = PyObject_GetAttrString(calls, "finish");
  if (play == NULL || finish == NULL) die();
  set_allocators();
  return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  countdown = 0;
  world_begin();
  PyObject *result = PyObject_CallFunction(play, "y#", data, (Py_ssize_t)size);
  if (result == NULL) die();
  Py_DECREF(result);
  result = PyObject_CallFunction(finish, "y#", data, (Py_ssize_t)size);
  if (result == NULL) die();
  Py_DECREF(result);
  world_end();
  return 0;
}
