/* SPDX-License-Identifier: MIT */
/* Chooses which of poll_epoll.c, poll_kqueue.c and poll_poll.c implements the event queue
   of os.h. Windows has the last. All are compiled on every system; those that are not
   chosen are empty, so that a build can compile all files of the core.
   -DPS__POLLER=PS__POLL chooses poll(2). */

#ifndef PS_QUEUE_H
#define PS_QUEUE_H

#define PS__EPOLL 1
#define PS__KQUEUE 2
#define PS__POLL 3

#ifndef PS__POLLER
#if defined __linux__
#define PS__POLLER PS__EPOLL
#elif defined __APPLE__ || defined __FreeBSD__ || defined __NetBSD__ || \
    defined __OpenBSD__ || defined __DragonFly__
#define PS__POLLER PS__KQUEUE
#else
#define PS__POLLER PS__POLL
#endif
#endif

#include "os.h"

#endif
