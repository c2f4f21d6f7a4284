/* SPDX-License-Identifier: MIT */
/* The members of a poller. The poller keeps them and their tokens alive. The token of a
   registration in the core is a pointer to its member struct. Python code may run only
   before the core is called, or after all changes are complete. In an interpreter without
   the global lock each call takes the lock of the poller, and releases it while it waits.
 */

#ifndef PS_PYTHON_POLLER_H
#define PS_PYTHON_POLLER_H

#include "classes.h"

#ifdef Py_GIL_DISABLED
#define LOCKED(self, body)         \
  Py_BEGIN_CRITICAL_SECTION(self); \
  body;                            \
  Py_END_CRITICAL_SECTION()
#else
#define LOCKED(self, body) body
#endif

typedef struct member {
  struct member *before, *after;
  PyObject *object, *token;
  PyObject *address; /* of a foreign object: its key, so that to forget needs no memory */
  int fd;            /* of a foreign object; -1: a socket of ours */
  size_t place; /* index in the list of members that may have buffered bytes; 0: none */
} member;

/* An instance of Poller or RaisingPoller. */
typedef struct poller_object {
  object object; /* first */
  member *members;
  PyObject
      *foreign;    /* dict: addresses of foreign objects to addresses of their members */
  member **listed; /* members that may have buffered bytes, from index 1 */
  size_t listed_count, listed_room;
  int closed;
} poller_object;

static inline poller_object *its(PyObject *self) { return (poller_object *)self; }

/* ---- Members ---- */

/* Returns the foreign member with an address, which may be NULL, or NULL. */
static member *member_at(PyObject *self, PyObject *address) {
  if (its(self)->foreign == NULL || address == NULL) return NULL;
  PyObject *found = PyDict_GetItemWithError(its(self)->foreign, address);
  return found != NULL ? PyLong_AsVoidPtr(found) : NULL;
}

/* Returns the member of a foreign object, or NULL. Never sets an exception. */
static member *foreign_member(PyObject *self, PyObject *object) {
  PyObject *address = PyLong_FromVoidPtr(object);
  member *found = member_at(self, address);
  Py_XDECREF(address);
  PyErr_Clear();
  return found;
}

/* Returns 0 without memory. Never sets an exception. */
static int know_foreign(PyObject *self, member *its_member) {
  if (its(self)->foreign == NULL) its(self)->foreign = PyDict_New();
  its_member->address = PyLong_FromVoidPtr(its_member->object);
  PyObject *value = PyLong_FromVoidPtr(its_member);
  int good = its(self)->foreign != NULL && its_member->address != NULL && value != NULL &&
             PyDict_SetItem(its(self)->foreign, its_member->address, value) == 0;
  Py_XDECREF(value);
  PyErr_Clear();
  return good;
}

/* Only for a member that is freed then. */
static void unlist(PyObject *self, member *its_member) {
  if (its_member->place == 0) return;
  member *last = its(self)->listed[its(self)->listed_count--];
  its(self)->listed[its_member->place] = last;
  last->place = its_member->place;
}

static int list(PyObject *self, member *its_member) {
  if (its(self)->listed_count + 1 >= its(self)->listed_room) {
    size_t room = 2 * its(self)->listed_room + 8;
    member **grown = PyMem_Realloc(its(self)->listed, room * sizeof *grown);
    if (grown == NULL) return 0;
    its(self)->listed = grown;
    its(self)->listed_room = room;
  }
  its_member->place = ++its(self)->listed_count;
  its(self)->listed[its_member->place] = its_member;
  return 1;
}

/* Releases a member whose registration has ended. Python code may run at its end. */
static void forget(PyObject *self, member *its_member) {
  PyObject *object = its_member->object, *token = its_member->token;
  unlist(self, its_member);
  /* What is in a dict is removed without memory. */
  if (member_at(self, its_member->address) == its_member)
    PyDict_DelItem(its(self)->foreign, its_member->address);
  if (its_member->before != NULL)
    its_member->before->after = its_member->after;
  else
    its(self)->members = its_member->after;
  if (its_member->after != NULL) its_member->after->before = its_member->before;
  Py_XDECREF(its_member->address);
  PyMem_Free(its_member);
  Py_DECREF(object);
  Py_DECREF(token);
}

/* Releases the members whose registration the core has ended. */
static void forget_ended(PyObject *self) {
  void *token;
  while (ps_poller_ended(poller_of(self), &token)) forget(self, token);
}

static member *new_member(PyObject *self, PyObject *object, PyObject *token, int fd) {
  member *made = PyMem_Calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  made->object = Py_NewRef(object);
  made->token = Py_NewRef(token);
  made->fd = fd;
  made->after = its(self)->members;
  if (made->after != NULL) made->after->before = made;
  its(self)->members = made;
  return made;
}

/* ---- Arguments ---- */

/* A foreign member is identified by the descriptor that it had when it was added. For any
   other foreign object its getfd or fileno is called. */
static int ps_py_source(PyObject *self, PyObject *object, ps_source *source, place at) {
  *source = (ps_source){NULL, -1};
  if (is_ours(known_of(self), object)) {
    source->socket = socket_of(object);
    return 1;
  }
  const member *known = foreign_member(self, object);
  if (known != NULL && strcmp(name_of(at.function), "add") != 0) {
    source->fd = known->fd;
    return 1;
  }
  int good = fd_of(object, &source->fd);
  return good == 0 ? bad(PS_MISUSE_NOTSOURCE, at) : good > 0;
}

/* ---- Calls: lang.i uses these in place of those of the core ---- */

/* An exception is set. */
static const ps_status raised = {.code = PS_INTERRUPTED};

/* Does an object have the method? Returns -1 when an exception is set. */
static int has_method(PyObject *object, const char *name) {
  PyObject *found = attribute(object, name);
  Py_XDECREF(found);
  return found != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
}

static ps_status add(PyObject *self, PyObject *object, ps_source source, ps_events events,
                     PyObject *token, int buffers) {
  forget_ended(self);
  /* The object has another descriptor now and no longer owns the old one. */
  member *before = source.socket == NULL ? foreign_member(self, object) : NULL;
  if (before != NULL && source.fd >= 0 && source.fd != before->fd) {
    ps_poller_remove(poller_of(self), (ps_source){NULL, before->fd});
    forget(self, before);
  }
  member *made = new_member(self, object, token != NULL ? token : object, source.fd);
  if (made == NULL) return without_memory();
  ps_done done = ps_poller_add(poller_of(self), source, events, made);
  if (done.status.code == PS_OK && source.socket == NULL &&
      (!know_foreign(self, made) || (buffers && !list(self, made)))) {
    ps_poller_remove(poller_of(self), source);
    done.status = without_memory();
  }
  if (done.status.code != PS_OK) forget(self, made);
  return done.status;
}

static ps_done poller_add(PyObject *self, PyObject *object, ps_source source,
                          ps_events events, PyObject *token) {
  ps_done done = {raised};
  int buffers = source.socket == NULL ? has_method(object, "dirty") : 0;
  if (buffers < 0) return done;
  LOCKED(self, done.status = add(self, object, source, events, token, buffers));
  return done;
}

/* Returns the member of a source, or NULL. Foreign objects with one descriptor are one.
 */
static member *member_of(PyObject *self, ps_source source) {
  forget_ended(self);
  ps_token token = ps_poller_token(poller_of(self), source);
  return token.status.code == PS_OK ? token.token : NULL;
}

static ps_status modify(PyObject *self, ps_source source, ps_events events,
                        PyObject *token) {
  member *known = member_of(self, source);
  ps_done done = ps_poller_modify(poller_of(self), source, events, known);
  if (done.status.code != PS_OK || token == NULL) return done.status;
  PyObject *old = known->token;
  known->token = Py_NewRef(token);
  Py_DECREF(old);
  return done.status;
}

static ps_done poller_modify(PyObject *self, ps_source source, ps_events events,
                             PyObject *token) {
  ps_done done;
  LOCKED(self, done.status = modify(self, source, events, token));
  return done;
}

static ps_status remove_member(PyObject *self, ps_source source) {
  member *known = member_of(self, source);
  ps_done done = ps_poller_remove(poller_of(self), source);
  if (done.status.code == PS_OK) forget(self, known);
  return done.status;
}

static ps_done poller_remove(PyObject *self, ps_source source) {
  ps_done done;
  LOCKED(self, done.status = remove_member(self, source));
  return done;
}

/* Calls dirty of foreign objects, which may run any code. It goes backwards through the
   list: when an entry is removed meanwhile, only entries that were asked already move.
   Returns 0 when an exception is set. */
static int ask_listed(PyObject *self) {
  for (size_t i = its(self)->listed_count; i > 0; i--) {
    if (i > its(self)->listed_count) continue;
    PyObject *object = Py_NewRef(its(self)->listed[i]->object);
    PyObject *answer = ask(object, "dirty");
    int yes = answer != NULL ? PyObject_IsTrue(answer) : 0;
    Py_XDECREF(answer);
    if (yes > 0 && i <= its(self)->listed_count && its(self)->listed[i]->object == object)
      ps_poller_ready(poller_of(self), (ps_source){NULL, its(self)->listed[i]->fd});
    Py_DECREF(object);
    if (PyErr_Occurred()) return 0;
  }
  return 1;
}

/* Copies the events with their Python tokens, because creating the result may run code
   that changes the poller. */
static ps_polled wait_for(PyObject *self, ps_seconds timeout, ps_most max,
                          ps_host *host) {
  ps_polled polled = {raised, NULL, 0};
  forget_ended(self);
  if (!ask_listed(self)) return polled;
  polled = ps_poller_wait(poller_of(self), timeout, max, host);
  if (polled.status.code != PS_OK) return polled;
  ps_event *events = PyMem_Malloc(polled.count * sizeof *events + 1);
  if (events == NULL) return (ps_polled){without_memory(), NULL, 0};
  for (size_t i = 0; i < polled.count; i++) {
    const member *its_member = polled.events[i].token;
    events[i] = (ps_event){Py_NewRef(its_member->token), polled.events[i].events};
  }
  polled.events = events;
  return polled;
}

static ps_polled poller_wait(PyObject *self, ps_seconds timeout, ps_most max,
                             ps_host *host) {
  ps_polled polled;
  LOCKED(self, polled = wait_for(self, timeout, max, host));
  return polled;
}

static ps_always poller_close(PyObject *self) {
  ps_always closed;
  LOCKED(self, {
    closed = ps_poller_close(poller_of(self));
    its(self)->closed = 1;
    forget_ended(self);
  });
  return closed;
}

/* ---- Results ---- */

static PyObject *ps_py_poller(PyObject *self, const ps_pollerobject *made,
                              const char *function) {
  void *token;
  if (made->status.code != PS_OK) return fail_plain(self, made->status, function);
  object *its = new_object(self, POLLER);
  if (its == NULL) {
    ps_poller_free(made->poller);
    return NULL;
  }
  its->poller = made->poller;
  ps_poller_ended(made->poller,
                  &token); /* from now on the core keeps tokens of ended registrations */
  return succeed(self, (PyObject *)its, 2);
}

/* Releases the copied events. */
static PyObject *event_list(const known *known, const ps_polled *polled) {
  PyObject *made = PyList_New((Py_ssize_t)polled->count);
  for (size_t i = 0; i < polled->count; i++) {
    const ps_event *event = &polled->events[i];
    PyObject *pair = made != NULL ? PyTuple_New(2) : NULL;
    if (pair == NULL) {
      Py_CLEAR(made);
      Py_DECREF(event->token);
      continue;
    }
    PyTuple_SET_ITEM(pair, 0, event->token);
    PyTuple_SET_ITEM(pair, 1,
                     Py_NewRef(event->events[0] == 'w'    ? known->send
                               : event->events[1] == '\0' ? known->receive
                                                          : known->both));
    PyList_SET_ITEM(made, (Py_ssize_t)i, pair);
  }
  PyMem_Free((void *)polled->events);
  return made;
}

static PyObject *ps_py_polled(PyObject *self, const ps_polled *polled,
                              const char *function) {
  if (polled->status.code != PS_OK) return fail_plain(self, polled->status, function);
  return succeed(self, event_list(known_of(self), polled), 2);
}

/* ---- The class ---- */

static int poller_traverse(PyObject *self, visitproc visit, void *arg) {
  for (const member *at = its(self)->members; at != NULL; at = at->after) {
    Py_VISIT(at->object);
    Py_VISIT(at->token);
  }
  return object_traverse(self, visit, arg);
}

static int poller_clear(PyObject *self) {
  poller_close(self);
  return object_clear(self);
}

/* Closes a poller without references, with a ResourceWarning if it is open. */
static void poller_finalize(PyObject *self) {
  PyObject *type = NULL, *error = NULL, *traceback = NULL;
  if (poller_of(self) == NULL || its(self)->closed) return;
  PyErr_Fetch(&type, &error, &traceback);
  if (PyErr_ResourceWarning(self, 1, "unclosed %R", self) < 0)
    PyErr_WriteUnraisable(PyErr_ExceptionMatches(PyExc_Warning) ? self : NULL);
  poller_close(self);
  PyErr_Restore(type, error, traceback);
}

static void poller_dealloc(PyObject *self) {
  object *base = (object *)self;
  PyTypeObject *type = Py_TYPE(self);
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return; /* it was resurrected */
  PyObject_GC_UnTrack(self);
  PyObject_ClearWeakRefs(self);
  poller_close(self); /* a subclass may have another finaliser */
  Py_CLEAR(base->dict);
  Py_CLEAR(its(self)->foreign);
  PyMem_Free(its(self)->listed);
  ps_poller_free(base->poller);
  Py_XDECREF(base->module);
  type->tp_free(self);
  Py_DECREF(type);
}

static PyObject *poller_repr(PyObject *self) {
  const char *class = raises(self) ? "RaisingPoller" : "Poller";
  if (its(self)->closed) return PyUnicode_FromFormat("<polysock.%s closed>", class);
  return PyUnicode_FromFormat("<polysock.%s count=%zu>", class,
                              ps_poller_count(poller_of(self)).size);
}

#endif
