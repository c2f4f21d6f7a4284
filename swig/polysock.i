// SPDX-License-Identifier: MIT
// The typed interface: what the modules offer, and the one place where it is documented. Types
// carry the meaning (see kinds.i); the text above a function becomes the Python docstring and
// stub, the Lua annotations and the reference. Nothing here depends on a language.

%module core

%include "kinds.i"
%include "lang.i"

// ---- Module -----------------------------------------------------------------------------

%feature("docstring") ps_version
"Returns the name and the version of this library, for example 'polysock 1.2.3'.";
ps_text ps_version(void);

%feature("docstring") ps_tcp
"Creates a master object that chooses between IPv4 and IPv6 at its first bind or connect.

Until then it has no socket: options and getsockname fail. Fails with 'memory allocation
failure'.";
ps_object ps_tcp(void);

%feature("docstring") ps_tcp4
"Creates a master object for IPv4.

Fails with the system's reason when it cannot create a socket.";
ps_object ps_tcp4(void);

%feature("docstring") ps_tcp6
"Creates a master object for IPv6 only: option ipv6-v6only is on.

Fails with the system's reason when it cannot create a socket.";
ps_object ps_tcp6(void);

%feature("docstring") ps_bind
"Creates a server object that is bound to address and port, with option reuseaddr on, and listens.

address is an address, a name, or '*' for all IPv4 interfaces. port is 0 to 65535 (0 lets the
system choose), digits, or a service name. backlog is the
number of connections that may wait for accept, 32 if absent.

Fails with 'address already in use', 'permission denied', 'host or service not provided, or not
known' and others.";
ps_object ps_bind(ps_name address, ps_port port, ps_backlog backlog,
                  ps_host *host);

%feature("docstring") ps_connect
"Creates a client object that is connected to address and port.

port is 1 to 65535, digits, or a service name. locaddr and locport are the local address to bind
first; locport is ignored without locaddr. family is 'inet', 'inet6', or 'unspec' for both (the
default). The addresses of a name are tried in the resolver's order; if all fail, the last failure
is reported. timeout limits the whole call in seconds, name resolution and all addresses included;
absent or negative: no limit. The new client has no limit.

Fails with 'timeout', 'connection refused', 'host or service not provided, or not known' and
others.";
ps_object ps_connect(ps_name address, ps_port port, ps_localname locaddr,
                     ps_localport locport, ps_mode family, ps_seconds timeout,
                     ps_host *host);

%feature("docstring") ps_connect4
"Creates a client object as connect does, with the family 'inet'.";
ps_object ps_connect4(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_connect6
"Creates a client object as connect does, with the family 'inet6'.";
ps_object ps_connect6(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_fromfd
"Creates an object for an open file descriptor of a TCP socket.

kind is 'master', 'client' or 'server'. The descriptor becomes close-on-exec and non-blocking, and
the object owns it. Fails with 'address family not supported' or the system's reason; then the
caller still owns the descriptor.";
ps_object ps_fromfd(ps_descriptor fd, ps_kindname kind);

%rename(poller) ps_poller_make;
%feature("docstring") ps_poller_make
"Creates a poller, which waits for events on many objects that were added to it.

Fails with 'memory allocation failure' or the system's reason.";
ps_pollerobject ps_poller_make(void);

%feature("docstring") ps_select
"Waits until a member of recvt can be received from or a member of sendt can be sent to.

timeout is in seconds: absent or negative waits for ever, 0 does not wait. Members are objects of
this library, or other objects with a method getfd, and dirty if they buffer. Closed objects, and
values that are no sockets, are ignored. Buffered bytes count as readable, except those that a call
left in the buffer when it failed with 'timeout'. There is no limit on the number of members or on
the number of a descriptor.

Returns the ready members, in the order of the arguments. When no member is ready in time, both sets
are empty and the error is 'timeout', or 'closed' when another thread closed a member meanwhile;
in exception style Timeout or Closed is raised then.";
ps_ready ps_select(ps_readables recvt, ps_writables sendt, ps_seconds timeout,
                   ps_host *host);

%feature("docstring") ps_sleep
"Waits for a number of seconds, which may have a fraction. A negative number counts as 0.";
ps_nothing ps_sleep(ps_duration seconds, ps_host *host);

%feature("docstring") ps_gettime
"Returns the time in seconds since 1970-01-01 00:00 UTC, with a fraction.";
ps_seconds ps_gettime(void);

%feature("docstring") ps_monotime
"Returns the time of a monotonic clock in seconds, with a fraction.

Only differences between two results have a meaning.";
ps_seconds ps_monotime(void);

%feature("docstring") ps_setsize
"Returns how many file descriptors this process may have open.";
ps_size ps_setsize(void);

%feature("docstring") ps_dns_gethostname
"Returns the name of this host.

Fails with the system's reason.";
ps_hostname ps_dns_gethostname(void);

%feature("docstring") ps_dns_toip
"Returns the first IPv4 address of a host, and a description of the host.

The description has name (the canonical name) and the lists alias (other names) and ip
(addresses). timeout limits the call in seconds; absent or negative: no limit. Fails with
'timeout', 'host or service not provided, or not known', 'temporary failure in name resolution'
and others.";
ps_resolved ps_dns_toip(ps_name address, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_dns_tohostname
"Returns the canonical name of a host from its address or another name, and a description of the
host as toip does.

timeout and failures are those of toip.";
ps_resolved ps_dns_tohostname(ps_name address, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_dns_getaddrinfo
"Returns a list of the addresses of a host, each with family ('inet' or 'inet6') and addr.

The list is in the resolver's order. timeout and failures are those of toip.";
ps_addresses ps_dns_getaddrinfo(ps_name address, ps_seconds timeout, ps_host *host);

%feature("docstring") ps_dns_getnameinfo
"Returns a list of the names of a host's addresses, and the name of a service.

Either argument may be absent, but not both: without address the list is empty, without service
the name of the service is absent. timeout and failures are those of toip.";
ps_names ps_dns_getnameinfo(ps_localname address,
                            ps_servicename service, ps_seconds timeout, ps_host *host);

// ---- Objects ----------------------------------------------------------------------------

%feature("docstring") ps_socket
"A TCP object: a master, which listen turns into a server and connect into a client.

A call on the wrong kind is misuse and raises. After close, every call that needs the socket fails
with 'closed'. Garbage collection closes the object. Its text representation tells its kind.";
struct ps_socket {};

%extend ps_socket {
~ps_socket() { ps_socket_free($self, NULL); }

%feature("docstring")
"Waits for a connection to this server and returns it as a new client object.

The client has no time limits, whatever the limits of the server are. Fails with 'timeout',
'closed' or the system's reason, for example when the process has no descriptors left.";
ps_object accept(ps_host *host);

%feature("docstring")
"Binds a master to a local address.

address is an address, a name, or '*' for all interfaces; port is 0 to 65535 (0 lets the system
choose), digits, or a service name. Fails with 'address already in use', 'permission denied',
'timeout' (of the resolver), 'host or service not provided, or not known' and others.";
ps_done bind(ps_name address, ps_port port, ps_host *host);

%feature("docstring")
"Binds a master to a local address; another name for bind.";
ps_done setsockname(ps_name address, ps_port port, ps_host *host);

%feature("docstring")
"Turns a master into a server.

backlog is the number of connections that may wait for accept, 32 if absent. Fails with 'closed',
the system's reason, or when a master made by tcp is not bound yet.";
ps_done listen(ps_backlog backlog);

%feature("docstring")
"Connects a master to address and port, which turns it into a client.

port is 1 to 65535, digits, or a service name. The addresses of a name are tried in the
resolver's order, with a timeout of 0 only the first; if all fail, the last failure is reported.

After 'timeout' the attempt goes on. The object becomes writable when the outcome is known;
calling connect again with the same arguments returns it. After any other failure, such as
'connection refused' or 'host or service not provided, or not known', the object is a master that
can be bound or connected again. A connected client fails with 'already connected'.";
ps_done connect(ps_name address, ps_port port, ps_host *host);

%feature("docstring")
"Connects a master; another name for connect.";
ps_done setpeername(ps_name address, ps_port port, ps_host *host);

%feature("docstring")
"Reads from a client according to pattern, and returns the bytes after prefix.

pattern '*l' (the default) is a line up to LF, returned without the LF and without any CR. '*L' is
a line as it came, with its LF. '*a' is everything until the peer closes; if there is nothing at
all, it fails with 'closed'. A number is the size of the result in bytes, prefix included. The
star may be left out.

maxsize is the greatest size of the result in bytes, prefix included; absent: no bound.

On failure the partial result is prefix and everything that this call read. To continue, make the
same call with the partial as prefix: nothing is lost or repeated. Fails with 'timeout', 'closed',
'oversized' (a partial of maxsize bytes; the rest is still buffered), 'memory allocation failure'
or the system's reason.";
ps_bytes receive(ps_pattern pattern, ps_prefix prefix,
                 ps_maxsize maxsize, ps_host *host);

%feature("docstring")
"Reads the bytes that are available from a client: at least one byte, at most max.

Without max it returns all that is buffered, or else the result of one read. Waits only when no
byte is available. Fails with 'timeout', 'closed', 'memory allocation failure' or the system's
reason.";
ps_bytes receiveany(ps_maxsize max, ps_host *host);

%feature("docstring")
"Reads from a client up to a delimiter, which is consumed but not returned.

delimiter is one byte or more. prefix, maxsize, partial results and failures are those of receive.
If prefix ends with the beginning of the delimiter, the rest of the delimiter completes it.";
ps_bytes receiveuntil(ps_data delimiter, ps_prefix prefix,
                      ps_maxsize maxsize, ps_host *host);

%feature("docstring")
"Returns an iterator over the results of receive(pattern), '*l' if absent.

A number must be at least 1. maxsize is the greatest size of each result in bytes. The iterator
ends when the peer has closed, after an unterminated last piece if there is one. Any other failure
is raised, including a reset connection and a close by this program; the bytes of the incomplete
piece stay in the read buffer.";
ps_lines lines(ps_pattern pattern, ps_maxsize maxsize);

%feature("docstring")
"Sends bytes i to j of data to the peer of a client, and returns the index of the last byte sent.

i and j count from 1, or from the end when negative; the defaults are the first and the last byte.
A failure carries the index of the last byte sent (i - 1 when nothing was sent), so that
send(data, last + 1) continues. The library does not buffer what it sends. Fails with 'timeout',
'closed' or the system's reason.";
ps_sent send(ps_data data, ps_first i, ps_last j,
             ps_host *host);

%feature("docstring")
"Shuts down one or both directions of a client's connection: 'send', 'receive', or 'both' (the
default).

After 'send' the peer reads end of file, and this side can still receive.";
ps_always shutdown(ps_mode mode);

%feature("docstring")
"Returns address, port and family ('inet' or 'inet6') of the peer.

Fails with 'closed', or with the system's reason when there is no peer.";
ps_address getpeername();

%feature("docstring")
"Returns the local address, port and family ('inet' or 'inet6').

Fails with 'closed', or when there is no socket yet.";
ps_address getsockname();

%feature("docstring")
"Returns 'inet4' or 'inet6'; also 'inet4' while a master made by tcp has not chosen yet.

These are LuaSocket's words; getsockname and getpeername say 'inet' for the same family.";
ps_text getfamily();

%feature("docstring")
"Returns the number of bytes received, the number of bytes sent, and the age in seconds.

Bytes that are still in the read buffer do not count as received.";
ps_stats getstats();

%feature("docstring")
"Sets what getstats returns: two numbers of bytes, and the age in seconds.

An absent value stays unchanged.";
ps_always setstats(ps_total received, ps_total sent,
                   ps_age age);

%feature("docstring")
"Limits the time of all later calls on this object, in seconds.

Mode 'b' (the default) limits each single wait, mode 't' the whole call, name resolution and all
addresses included. If both are set, the one that expires first ends the call with 'timeout'. An
absent or negative value means no limit; with 0 calls never wait.";
ps_always settimeout(ps_seconds value, ps_mode mode);

%feature("docstring")
"Returns the limits of one wait and of a whole call, in seconds; negative: no limit.";
ps_limits gettimeout();

%feature("docstring")
"Sets a deadline, in seconds from now, by which all later calls end with 'timeout'.

It applies together with the limits of settimeout until it is set again; absent: no deadline. A
call after the deadline does not wait.";
ps_always setdeadline(ps_moment seconds);

%feature("docstring")
"Returns the seconds that are left until the deadline: 0 when it has passed, nothing (nil, None)
when there is none.";
ps_left getdeadline();

%feature("docstring")
"Sets an option.

Boolean: keepalive, reuseaddr, reuseport, tcp-nodelay, ipv6-v6only, tcp-fastopen-connect.
Integer: tcp-keepidle and tcp-keepintvl (seconds), tcp-keepcnt (probes), tcp-defer-accept
(seconds), tcp-fastopen (waiting connections), recv-buffer-size and send-buffer-size (bytes).
Number: tcp-user-timeout (seconds). Text: bindtodevice (an interface). linger has two members,
on (boolean) and timeout (seconds, rounded up to whole seconds).

An unknown name, or a value of the wrong type, is misuse and raises. Fails with 'option not
supported here', 'closed', the system's reason, or when there is no socket yet.";
ps_done setoption(ps_optionname option, ps_option value);

%feature("docstring")
"Returns the value of an option: one of those of setoption, or error.

error is the text of a pending error, or nothing (nil, None); reading it clears it. Fails as
setoption does.";
ps_value getoption(ps_optionname option);

%feature("docstring")
"Returns whether bytes are in the read buffer.";
ps_yes dirty();

%feature("docstring")
"Returns the number of bytes in the read buffer.";
ps_size pending();

%feature("docstring")
"Returns the event that the last call that failed with 'timeout' waits for: 'r' readable, 'w'
writable.

Returns nothing (nil, None) once a call in that direction has succeeded. An event loop waits for
this event, then makes the call again.";
ps_wants wants();

%feature("docstring")
"Returns the file descriptor; -1 for a closed object or one without a socket.";
ps_fd getfd();

%feature("docstring")
"Replaces the file descriptor. Neither the old nor the new one is closed.

-1 makes the object a closed one. Calls that wait in other threads fail with 'closed'.";
ps_nothing setfd(ps_descriptor fd, ps_host *host);

%feature("docstring")
"Returns the file descriptor, which the caller owns from then on, and closes the object.

Fails with 'bytes are still buffered: receive them first', 'object is in use', 'closed', or when
there is no socket yet.";
ps_detached detach();

%feature("docstring")
"Closes the object; bytes in the read buffer are dropped.

Calls that wait in other threads fail with 'closed'. With option linger, close may wait until the
system has sent the remaining bytes. Closing again has no effect.";
ps_always close(ps_host *host);
}

%feature("docstring") ps_poller
"A poller waits for events on the objects that were added to it. The cost of a wait depends on how
many objects are ready, not on how many were added.

It is level-triggered: each wait reports every object that is ready at that moment. An object is
also ready to receive while bytes are in its read buffer, except those that a call left there when
it failed with 'timeout', and ready to send when the name that its
connect waits for is resolved. A failed or ended connection is ready for the events that it was
added for. Objects may be added, modified, removed and closed at any time, also in the loop over
the ready ones. The poller keeps its objects alive. Only one thread may use it at a time, but any
thread may call wake. After close, calls fail with 'closed'.";
struct ps_poller {};

%extend ps_poller {
~ps_poller() { ps_poller_free($self); }

%feature("docstring")
"Adds an object: one of this library, or any other with a descriptor (getfd, and dirty if it
buffers).

events is 'r' (ready to receive), 'w' (ready to send) or 'rw' (both). token is the value that wait
returns for the object; the default is the object itself. An object of this library may be in one
poller at a time; it leaves the poller when it is closed or detached, and stays when its
descriptor changes. Any other object is identified by its current descriptor: remove it before it
closes that descriptor.

Fails with 'already added', 'added to another poller', 'closed', the system's reason, or when
there is no socket yet.";
ps_done add(ps_source sock, ps_events events, void *token);

%feature("docstring")
"Changes the events of an object, and its token; an absent token stays unchanged.

Fails with 'not added', 'closed' or the system's reason.";
ps_done modify(ps_source sock, ps_events events, void *token);

%feature("docstring")
"Removes an object from the poller.

Fails with 'not added' or 'closed'.";
ps_done remove(ps_source sock);

%feature("docstring")
"Waits until an object is ready, and returns the tokens of the ready objects, each with its ready
events: 'r', 'w' or 'rw'.

timeout is in seconds: absent or negative waits for ever, 0 does not wait. max is the greatest
number of objects to report; absent: all. Those that are left out come first in a later wait.
wake ends the wait, with success and possibly no object.

Fails with 'timeout', 'closed', 'object is in use' (another thread waits), 'memory allocation
failure' or the system's reason.";
ps_polled wait(ps_seconds timeout, ps_most max, ps_host *host);

%feature("docstring")
"Ends the wait of another thread immediately, or the next wait if no thread is waiting.";
ps_always wake();

%feature("docstring")
"Returns the number of objects in the poller.";
ps_size count();

%feature("docstring")
"Returns a file descriptor that is readable when wait would return immediately, so that another
event loop can wait for this poller; -1 for a closed poller, or where the system has none.";
ps_fd getfd();

%feature("docstring")
"Closes the poller. Its objects stay open. Closing again has no effect.";
ps_always close();
}
