/* SPDX-License-Identifier: MIT */
/* Which of poll_epoll.c, poll_kqueue.c and poll_poll.c is the event queue of os.h. All
   are compiled everywhere, and those that are not chosen are empty: so nobody who
   compiles the core needs to know. A build chooses another one by -DPS__POLLER=PS__POLL.
 */

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
