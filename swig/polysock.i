// SPDX-License-Identifier: MIT
// The typed interface: what the modules offer, and the one place where it is documented. Types
// carry the meaning (see kinds.i); the text above a function becomes the Python docstring and
// stub, the Lua annotations and docs/reference.md. Nothing here knows a language.

%module core

%include "kinds.i"
%include "lang.i"

// ---- Module -----------------------------------------------------------------------------

%feature("docstring") ps_version
"Gives the name and the version of this library, as in 'polysock 1.2.3'.";
ps_text ps_version(void);

%feature("docstring") ps_tcp
"Makes a master object that chooses between IPv4 and IPv6 at its first bind or connect.

Until then it has no socket, so that options and getsockname fail. Fails with 'memory allocation
failure'.";
ps_object ps_tcp(void);

%feature("docstring") ps_tcp4
"Makes a master object for IPv4.

Fails with the system's reason when it has no socket to give.";
ps_object ps_tcp4(void);

%feature("docstring") ps_tcp6
"Makes a master object for IPv6 alone: option ipv6-v6only is on.

Fails with the system's reason when it has no socket to give.";
ps_object ps_tcp6(void);

%feature("docstring") ps_bind
"Makes a server object: bound to address and port with option reuseaddr on, and listening.

address is an address, a name, or '*' for all IPv4 interfaces. port is 0 to 65535 (0 lets the
system choose), digits, or a service name. backlog is how many connections may wait for
accept, 32 if absent.

Fails with 'address already in use', 'permission denied', 'host or service not provided, or not
known' and others.";
ps_object ps_bind(ps_name address, ps_port port, ps_backlog backlog,
                  ps_host *host);

%feature("docstring") ps_connect
"Makes a client object that is connected to address and port.

port is 1 to 65535, digits, or a service name. locaddr and locport bind its own end first;
locport counts only with a locaddr. family is 'inet', 'inet6', or 'unspec' for both, as when
absent. The addresses of a name are tried in the resolver's order; the last failure is
reported. timeout limits the whole call in seconds, name resolution and all addresses included;
absent or negative: no limit. The client that it gives has no limit.

Fails with 'connection refused', 'host or service not provided, or not known' and others.";
ps_object ps_connect(ps_name address, ps_port port, ps_localname locaddr,
                     ps_localport locport, ps_mode family, ps_seconds timeout,
                     ps_host *host);

%feature("docstring") ps_connect4
"Makes a client object as connect does, with the family 'inet'.";
ps_object ps_connect4(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_connect6
"Makes a client object as connect does, with the family 'inet6'.";
ps_object ps_connect6(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_fromfd
"Makes an object of an open descriptor of a TCP socket.

kind says what it is: 'master', 'client' or 'server'. The descriptor becomes close-on-exec and
non-blocking, and belongs to the object. Fails with 'address family not supported' or the
system's reason, and then the descriptor stays the caller's.";
ps_object ps_fromfd(ps_descriptor fd, ps_kindname kind);

%rename(poller) ps_poller_make;
%feature("docstring") ps_poller_make
"Makes a poller: it waits on many objects that it knows already.

Fails with 'memory allocation failure' or the system's reason.";
ps_pollerobject ps_poller_make(void);

%feature("docstring") ps_select
"Waits until a member of recvt can be received from or a member of sendt can be sent to.

timeout is in seconds: absent or negative for ever, 0 just looks. Members are objects of this
library or others with getfd, and dirty if they buffer; what is no socket, or closed, is
ignored. Buffered bytes count as readable. There is no limit on how many there are or on the
number of a descriptor.

Gives the ready members in the order given; when there are none in time, empty sets and
'timeout', or 'closed' when another thread has closed a member meanwhile.";
ps_ready ps_select(ps_readables recvt, ps_writables sendt, ps_seconds timeout,
                   ps_host *host);

%feature("docstring") ps_sleep
"Waits for so many seconds, with their fraction; negative ones are none.";
ps_nothing ps_sleep(ps_duration seconds, ps_host *host);

%feature("docstring") ps_gettime
"Gives the seconds since the beginning of 1970 (UTC), with their fraction.";
ps_seconds ps_gettime(void);

%feature("docstring") ps_monotime
"Gives the seconds of a clock that nobody sets, with their fraction.

Only differences mean anything.";
ps_seconds ps_monotime(void);

%feature("docstring") ps_setsize
"Gives how many descriptors this process may have.";
ps_size ps_setsize(void);

%feature("docstring") ps_dns_gethostname
"Gives the name of this host.

Fails with the system's reason.";
ps_hostname ps_dns_gethostname(void);

%feature("docstring") ps_dns_toip
"Gives the first IPv4 address of a host, and all that is known about it.

That is its canonical name, and the lists alias (other names) and ip (addresses). timeout limits
the call in seconds; absent or negative: no limit. Fails with 'timeout', 'host or service not provided, or not known', 'temporary
failure in name resolution' and others.";
ps_resolved ps_dns_toip(ps_name address, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_dns_tohostname
"Gives the name of a host from its address or another name, and what toip gives about it.

Fails as toip.";
ps_resolved ps_dns_tohostname(ps_name address, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_dns_getaddrinfo
"Gives the list of the addresses of a host, each with family ('inet' or 'inet6') and addr.

They are in the resolver's order. Fails as toip.";
ps_addresses ps_dns_getaddrinfo(ps_name address, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_dns_getnameinfo
"Gives the list of the names of a host's addresses, and the name of a service.

One of the two may be absent: the list is empty without a host, and the name is absent without
a service. Fails as toip.";
ps_names ps_dns_getnameinfo(ps_localname address,
                            ps_servicename service, ps_seconds timeout, ps_host *host);

// ---- Objects ----------------------------------------------------------------------------

%feature("docstring") ps_socket
"A TCP object: a master, which listen turns into a server and connect into a client.

A call on the wrong kind is misuse and raises. After close, what needs the socket fails with
'closed'. An object that is collected is closed. Its text tells its kind.";
struct ps_socket {};

%extend ps_socket {
~ps_socket() { ps_socket_free($self, NULL); }

%feature("docstring")
"Waits for a connection to this server and gives it as a client object.

The client has no limits of time, whatever those of the server are. Fails with 'timeout',
'closed' or the system's reason, as when there are no descriptors left.";
ps_object accept(ps_host *host);

%feature("docstring")
"Gives a master its local address.

address is an address, a name, or '*' for all interfaces; port is 0 to 65535 (0 lets the system
choose), digits, or a service name. Fails with 'address already in use', 'permission denied',
'timeout' (of the resolver), 'host or service not provided, or not known' and others.";
ps_done bind(ps_name address, ps_port port, ps_host *host);

%feature("docstring")
"Gives a master its local address; another name of bind.";
ps_done setsockname(ps_name address, ps_port port, ps_host *host);

%feature("docstring")
"Turns a master into a server.

backlog is how many connections may wait for accept, 32 if absent. Fails with 'closed', the
system's reason, or while a master of tcp is not bound.";
ps_done listen(ps_backlog backlog);

%feature("docstring")
"Connects a master to address and port, which turns it into a client.

port is 1 to 65535, digits, or a service name. The addresses of a name are tried in the
resolver's order, with a timeout of 0 only the first; the last failure is reported.

After 'timeout' the object may be a client on its way: it becomes writable when the outcome is
there, and calling connect again gives the outcome. Any other failure leaves a master that can
be bound or connected again: 'connection refused', 'host or service not provided, or not known'
and others. A connected client fails with 'already connected'.";
ps_done connect(ps_name address, ps_port port, ps_host *host);

%feature("docstring")
"Connects a master; another name of connect.";
ps_done setpeername(ps_name address, ps_port port, ps_host *host);

%feature("docstring")
"Reads from a client what pattern says, and gives it behind prefix.

'*l', as when absent: a line up to LF, without the LF and without any CR. '*L': a line as it
came, with its LF. '*a': all until the peer closes; nothing at all fails with 'closed'. A
number: so many bytes, those of prefix counted in. The star may be left out.

maxsize bounds the bytes of the result, prefix included; without it there is no bound.

On failure the partial result is prefix and everything that this call read, so that the same
call with the partial as prefix goes on: nothing is lost or repeated. Fails with 'timeout',
'closed', 'oversized' (a partial of maxsize bytes; the rest is still buffered), 'memory
allocation failure' or the system's reason.";
ps_bytes receive(ps_pattern pattern, ps_prefix prefix,
                 ps_maxsize maxsize, ps_host *host);

%feature("docstring")
"Reads from a client what is there: at least one byte, at most max.

Without max it is all that is buffered, or else what one read gives. Waits only when nothing is
there. Fails as receive.";
ps_bytes receiveany(ps_maxsize max, ps_host *host);

%feature("docstring")
"Reads from a client up to a delimiter, which is consumed and not returned.

delimiter is one byte or more. prefix, maxsize, partial results and failures are as in receive;
a prefix that ends in a part of the delimiter counts towards it.";
ps_bytes receiveuntil(ps_data delimiter, ps_prefix prefix,
                      ps_maxsize maxsize, ps_host *host);

%feature("docstring")
"Gives an iterator over what receive(pattern) gives, '*l' if absent. A number is at least 1.
maxsize bounds each piece in bytes.

It ends when the peer has closed, after an unterminated last piece if there is one. Any other
failure is raised, a reset connection and an object that was closed here included, and what was
read for the piece under way stays buffered.";
ps_lines lines(ps_pattern pattern, ps_maxsize maxsize);

%feature("docstring")
"Sends bytes i to j of data from a client, and gives the index of the last one sent.

i and j count from 1, or from the end when negative; absent, they are the first and the last.
On failure the index tells how far it went (i - 1 when nothing was sent), so that
send(data, last + 1) goes on. Nothing is buffered here. Fails with 'timeout', 'closed' or the
system's reason.";
ps_sent send(ps_data data, ps_first i, ps_last j,
             ps_host *host);

%feature("docstring")
"Shuts one way of a client's connection down: 'send', 'receive', or 'both' if absent.

After 'send' the peer reads to the end, and this end can go on receiving.";
ps_always shutdown(ps_mode mode);

%feature("docstring")
"Gives address, port and family ('inet' or 'inet6') of the peer.

Fails with 'closed', or with the system's reason when there is no peer.";
ps_address getpeername();

%feature("docstring")
"Gives address, port and family ('inet' or 'inet6') of this end.

Fails with 'closed', or while there is no socket yet.";
ps_address getsockname();

%feature("docstring")
"Gives 'inet4' or 'inet6'; 'inet4' as well while a master of tcp has not chosen.";
ps_text getfamily();

%feature("docstring")
"Gives the bytes received by the caller, the bytes sent, and the age in seconds.

Bytes that are still in the read buffer are not received yet.";
ps_stats getstats();

%feature("docstring")
"Sets what getstats gives: counts of bytes, and the age in seconds.

What is absent stays.";
ps_always setstats(ps_total received, ps_total sent,
                   ps_age age);

%feature("docstring")
"Limits the time of all later calls on this object, in seconds.

Mode 'b', as when absent, limits each single wait; mode 't' the whole call, name resolution and
all addresses included. With both, what comes first ends the call with 'timeout'. An absent or
negative value is no limit; 0 never waits.";
ps_always settimeout(ps_seconds value, ps_mode mode);

%feature("docstring")
"Gives the limits of one wait and of a whole call, in seconds; negative: none.";
ps_limits gettimeout();

%feature("docstring")
"Sets a point in time, so many seconds from now, by which all later calls end with 'timeout'.

It holds beside the limits of settimeout until it is set anew; absent: none. After that point no
call waits.";
ps_always setdeadline(ps_moment seconds);

%feature("docstring")
"Gives the seconds that are left until the deadline: 0 when it has passed, nothing when there is
none.";
ps_left getdeadline();

%feature("docstring")
"Sets an option.

Boolean: keepalive, reuseaddr, reuseport, tcp-nodelay, ipv6-v6only, tcp-fastopen-connect.
Integer: tcp-keepidle and tcp-keepintvl (seconds), tcp-keepcnt (probes), tcp-defer-accept
(seconds), tcp-fastopen (waiting connections), recv-buffer-size and send-buffer-size (bytes).
Number: tcp-user-timeout (seconds). Text: bindtodevice (an interface). linger has two members,
on (boolean) and timeout (seconds, rounded up to whole ones).

An unknown name, or a value of the wrong type, is misuse and raises. Fails with 'option not
supported here', 'closed', the system's reason, or while there is no socket yet.";
ps_done setoption(ps_optionname option, ps_option value);

%feature("docstring")
"Gives the value of an option: those of setoption, and error.

error is the text of a pending error, or nothing; reading clears it. Fails as setoption.";
ps_value getoption(ps_optionname option);

%feature("docstring")
"Tells whether bytes are in the read buffer.";
ps_yes dirty();

%feature("docstring")
"Gives how many bytes are in the read buffer.";
ps_size pending();

%feature("docstring")
"Gives what the call that last answered 'timeout' waits for: 'r' to receive, 'w' to send.

Nothing when the last call in that direction succeeded. An event loop waits for that event and
calls again.";
ps_wants wants();

%feature("docstring")
"Gives the descriptor; -1 for a closed object or one without a socket.";
ps_fd getfd();

%feature("docstring")
"Replaces the descriptor and closes none.

-1 makes the object a closed one.";
ps_nothing setfd(ps_descriptor fd, ps_host *host);

%feature("docstring")
"Gives the descriptor away, to be closed by the caller; the object is closed then.

Fails with 'bytes are still buffered: receive them first', 'object is in use',
'closed', or while there is no socket yet.";
ps_detached detach();

%feature("docstring")
"Closes the object; bytes in the read buffer are dropped.

Other threads that wait on it wake and fail with 'closed'. With option linger it takes as long
as the system does to send what is not sent yet. Closing again is fine.";
ps_always close(ps_host *host);
}

%feature("docstring") ps_poller
"A poller waits on many objects that were added to it: a wait costs by how many are ready, not by
how many there are.

It is level-triggered: each wait gives whatever is ready at that moment. An object is ready to
receive while bytes are buffered in it, too, and ready to send when the name that its connect
waits for is resolved. A failed or ended connection is ready for what it was added for. Objects
may be added, changed, removed and closed at any time, in the loop over the ready ones, too. The
poller keeps what was added alive. It belongs to one thread at a time; only wake may be called
from others. After close it fails with 'closed'.";
struct ps_poller {};

%extend ps_poller {
~ps_poller() { ps_poller_free($self); }

%feature("docstring")
"Adds an object: one of this library, or any other with a descriptor (getfd, and dirty if it
buffers).

events says what to wait for: 'r' to receive, 'w' to send, 'rw' both. token is what wait gives
for it, the object itself if absent. An object of this library may be in one poller at a time; it
leaves the poller when it is closed or detached, and stays in it when its descriptor changes.
Another object is known by the descriptor that it has now: remove it before it closes that.

Fails with 'already added', 'added to another poller', 'closed', the system's reason, or when
there is no socket yet.";
ps_done add(ps_source sock, ps_events events, void *token);

%feature("docstring")
"Changes what an object is waited for, and its token; an absent token stays as it is.

Fails with 'not added', 'closed' or the system's reason.";
ps_done modify(ps_source sock, ps_events events, void *token);

%feature("docstring")
"Takes an object out of the poller.

Fails with 'not added' or 'closed'.";
ps_done remove(ps_source sock);

%feature("docstring")
"Waits until an object is ready, and gives the tokens of the ready ones, each with what it is
ready for: 'r', 'w' or 'rw'.

timeout is in seconds: absent or negative for ever, 0 just looks. max is how many at most; those
that are left out come first in a later wait. A wake ends the wait with none.

Fails with 'timeout', 'closed', 'object is in use' (another thread waits), 'memory allocation
failure' or the system's reason.";
ps_polled wait(ps_seconds timeout, ps_most max, ps_host *host);

%feature("docstring")
"Ends the wait of another thread at once, or the next wait when there is none.";
ps_always wake();

%feature("docstring")
"Gives how many objects are in the poller.";
ps_size count();

%feature("docstring")
"Gives a descriptor that is readable when a wait would not have to wait, for a loop around this
one; -1 for a closed poller, or where the system has no such thing.";
ps_fd getfd();

%feature("docstring")
"Closes the poller. What was added stays open. Closing again is fine.";
ps_always close();
}
