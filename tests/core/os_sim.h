/* SPDX-License-Identifier: MIT */
/* The simulated system: core/os.h answered from a script, so that a test reads like a
   story.

   A test says what the far end does (sim_reads, sim_writes, sim_accepts), how hosts
   answer (sim_host, sim_route) and what happens at which time (sim_later, sim_signal),
   then calls the core and looks at the answer. Time passes only in the core's waits and
   in sim_pass. The simulation watches the core meanwhile: a descriptor that is leaked,
   closed twice or used after its end, memory that is leaked or freed twice, a waker, a
   queue or a look-up that is leaked, a descriptor that is closed while a queue watches
   it, a wait that nothing can end, a busy wait and a host left out of a wait all fail the
   test. It must never wait for real. */

#ifndef OS_SIM_H
#define OS_SIM_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before it. */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "internal.h"

/* ---- A test ---- */

int sim_setup(void **state);    /* a new world, at the time 1000 */
int sim_teardown(void **state); /* fails when something was left behind */
void sim_begin(void);           /* the same two, for tests that make many worlds */
void sim_end(void);

/* For a group of tests: from now on the numbers of descriptors begin with 0, as in a
   program that has closed its standard input. */
int sim_number_0(void **state);

#define sim_test(test) cmocka_unit_test_setup_teardown(test, sim_setup, sim_teardown)

/* ---- The far end ---- */

/* A connected client and a listening server. Each becomes the one that the script is for.
 */
ps_socket *sim_client(void);
ps_socket *sim_server(void);
void sim_forget_peer(void); /* it has no peer any more, as after a reset */
void sim_pends(int error);  /* an error number that it will report once */
void sim_script(int fd);    /* the script is for this one from now on */

/* What the next reads, writes and accepts of the core meet, in order: texts, and the
   words below. Each text arrives as a packet of its own: one read never returns bytes of
   two. Behind the script's end nothing comes, and everything is accepted. More calls add
   to the script. */
#define sim_reads(...) sim__reads((const char *[]){__VA_ARGS__, NULL})
#define sim_writes(...) sim__writes((const char *[]){__VA_ARGS__, NULL})
#define sim_accepts(...) sim__reads((const char *[]){__VA_ARGS__, NULL})

#define sim_eagain \
  sim__word(SIM__AGAIN, 0, NULL, 0) /* ready, and then there is nothing */
#define sim_eintr sim__word(SIM__ERROR, EINTR, NULL, 0)
#define sim_eof sim__word(SIM__EOF, 0, NULL, 0) /* for ever */
#define sim_reset sim__word(SIM__ERROR, ECONNRESET, NULL, 0)
#define sim_error(number) sim__word(SIM__ERROR, number, NULL, 0) /* once */
#define sim_data(data, size) sim__word(SIM__BYTES, 0, data, size)
#define sim_flood(text)                                           \
  sim__word(SIM__FLOOD, 0, text, strlen(text)) /* again and again \
                                                */
#define sim_takes(size) \
  sim__word(SIM__TAKES, 0, NULL, size)              /* a write of at most so much */
#define sim_comes sim__word(SIM__COMES, 0, NULL, 0) /* somebody connects */
const char *sim_after(double seconds);              /* what follows comes so much later */

/* The bytes that the far end has got since the last question. */
const char *sim_sent(size_t *size);
#define sim_expect_sent(text)                                           \
  do {                                                                  \
    size_t sent_size;                                                   \
    const char *sent_text = sim_sent(&sent_size);                       \
    assert_int_equal(sent_size, strlen(text));                          \
    if (sent_size > 0) assert_memory_equal(sent_text, text, sent_size); \
  } while (0)

/* ---- Names and ways ---- */

/* Host name has these addresses (text, apart by spaces), and the resolver takes so long.
 */
void sim_host(const char *name, double seconds, const char *addresses);
void sim_canonical(const char *name); /* what the last host is really called */
void sim_host_fails(const char *name, double seconds, short code);

/* A connect to an address ends after so many seconds, with an error number or 0 for
   success; in place when seconds is negative; never when it is infinite. Others succeed
   at once, though not in place. */
void sim_route(const char *address, double seconds, int error);
/* From now on a connect cannot be undone, and no descriptor can take another's number. */
void sim_without_dup(void);
void sim_take_port(int port); /* another program binds it; 0: none */
int sim_lookups(void);        /* how many questions helper threads got */

/* ---- Time ---- */

double sim_now(void);
void sim_pass(double seconds);
void sim_cost(double seconds); /* what each read, write and accept takes from now on */
void sim_later(double seconds, void (*happens)(void *context), void *context);
void sim_signal(double seconds); /* interrupts the wait at that time */

/* ---- The process ---- */

/* Who calls the core from now on; 0 and 1 at first. A test that counts the process up is
   the child that the thread has forked. */
void sim_process(unsigned process);
void sim_thread(unsigned long thread);
int sim_wakers(void); /* how many waits could be woken now */

/* ---- Options ---- */

void sim_option_fails(int option, int error);
void sim_option_lacks(int option);

/* ---- A host language ---- */

enum {
  SIM_C,    /* no host at all */
  SIM_VIEW, /* a host that takes views */
  SIM_HOLD, /* one that copies views and takes what they held afterwards */
  SIM_GROW, /* one that lends memory for every result, like Python without its lock */
  SIM_BOTH, /* one that holds, and lends memory for large results, like both languages */
  SIM_LANGUAGES
};
ps_host *sim_language(int language);
void sim_stop(void); /* interrupted says stop, once */
/* What the host does to objects when it is asked next, once. */
void sim_when_asked(void (*does)(void *context), void *context);
/* What happens when an address is parsed next, once. */
void sim_when_parsed(void (*does)(void *context), void *context);
/* What another thread does when setfd looks at its descriptor next, once. */
void sim_when_adopted(void (*does)(void *context), void *context);
/* What another thread does when a queue has found events next, before they are looked at,
   once. */
void sim_when_found(void (*does)(void *context), void *context);
/* What another thread does just before a waker begins next, and before the lock is taken
   next, once. */
void sim_when_begun(void (*does)(void *context), void *context);
void sim_when_locked(void (*does)(void *context), void *context);
int sim_questions(void);      /* how often interrupted was asked */
int sim_leaves(void);         /* how often the host was left */
void sim_check_entered(void); /* every leave had its enter */

/* A result as one text, taken as the language takes it. Lives until the next one. */
typedef struct sim_text {
  const char *data;
  size_t size;
} sim_text;
sim_text sim_take(ps_socket *socket, ps_bytes bytes, ps_host *host);

/* The code of any result; the code and the bytes of a receive; the time that has passed.
 */
#define sim_expect(result, code) \
  sim__expect_status((result).status, code, __FILE__, __LINE__)
#define sim_expect_bytes(socket, result, code, text) \
  sim__expect(socket, result, code, text, strlen(text), __FILE__, __LINE__)
#define sim_expect_data(socket, result, code, data, size) \
  sim__expect(socket, result, code, data, size, __FILE__, __LINE__)
#define sim_expect_elapsed(since, seconds)            \
  assert_true(sim_now() - (since) > (seconds)-1e-9 && \
              sim_now() - (since) < (seconds) + 0.002)

/* ---- Faults ---- */

enum {
  SIM_NO_FAULT,
  SIM_ENOMEM, /* an allocation of the core fails */
  SIM_EGROW,  /* grow of the host fails */
  SIM_EINTR,  /* read, write, accept, sleep or a wait is interrupted */
  SIM_EAGAIN, /* read, write or accept has nothing after all */
  SIM_SHORT,  /* read or write moves one byte */
  SIM_EMFILE, /* no descriptor for a socket, an accept, a waker or a queue; no helper
                 thread */
  SIM_EWATCH, /* a queue cannot watch one more descriptor */
  SIM_STOP,   /* a wait is interrupted and the host says stop */
  SIM_FAULTS
};

/* The nth (from 1) chance for the fault, and with onwards all later ones, too, is used.
 */
void sim_fault(int fault, int nth, int onwards);
int sim_struck(void);                    /* how often it was */
void sim_poll_fails(int nth, int error); /* the nth wait from now on fails */

/* The system's words for the error number SIM_WORDS + n have n bytes, if n is 30 or more.
 */
enum { SIM_WORDS = 100000 };

/* ---- Accounts ---- */

size_t sim_memory(void); /* bytes that the core holds */
int sim_descriptors(void);
int sim_calls(void);        /* reads, writes and accepts so far */
int sim_polls(void);        /* waits so far */
int sim_backlog(void);      /* of the last listen */
int sim_locks(void);        /* how often the lock was taken */
int sim_rung(void);         /* how many queues were woken and not waited for since */
size_t sim_asked(void);     /* how many bytes the last read asked for */
size_t sim_populated(void); /* bytes whose pages were mapped in advance so far */
int sim_clock(void);        /* how often the core has read the monotonic clock so far */
int sim_adopt(
    int family); /* a descriptor that the core did not make; 0: no internet socket */
void sim_abandon(int fd);          /* the test takes it back */
enum { SIM_NO_DESCRIPTOR = 9999 }; /* a wait finds that it is none */
void sim_from_zero(void);          /* the first descriptor of this world is number 0 */

/* Behind the words above. */
enum { SIM__BYTES, SIM__AGAIN, SIM__ERROR, SIM__EOF, SIM__FLOOD, SIM__TAKES, SIM__COMES };
const char *sim__word(int kind, int error, const void *data, size_t size);
void sim__reads(const char *const *script);
void sim__writes(const char *const *script);
void sim__expect(ps_socket *socket, ps_bytes bytes, short code, const char *text,
                 size_t size, const char *file, int line);
void sim__expect_status(ps_status status, short code, const char *file, int line);

#endif
