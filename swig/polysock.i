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
Fails when there is no memory.";
ps_object ps_tcp(void);

%feature("docstring") ps_tcp4
"Makes a master object for IPv4.
Fails with the system's reason when it has no socket to give.";
ps_object ps_tcp4(void);

%feature("docstring") ps_tcp6
"Makes a master object for IPv6 alone (option ipv6-v6only is on).
Fails with the system's reason when it has no socket to give.";
ps_object ps_tcp6(void);

%feature("docstring") ps_bind
"Makes a server object: bound to address and port with option reuseaddr on, and listening.
address is an address, a name, or '*' for all IPv4 interfaces. port is 0 to 65535 (0 lets the
system choose), digits, or a service name. backlog is how many connections may wait for
accept, 32 if absent. Fails with 'address already in use', 'permission denied' and others.";
ps_object ps_bind(ps_name address, ps_port port, ps_backlog backlog,
                  ps_host *host);

%feature("docstring") ps_connect
"Makes a client object that is connected to address and port (1 to 65535, digits, or a service
name). locaddr and locport bind its own end first. family is 'inet', 'inet6' or 'unspec'.
The addresses of a name are tried in the resolver's order; the last failure is reported.
Fails with 'connection refused', 'host or service not provided, or not known' and others.";
ps_object ps_connect(ps_name address, ps_port port, ps_localname locaddr,
                     ps_localport locport, ps_mode family, ps_host *host);

%feature("docstring") ps_connect4
"The same as connect with the family 'inet'.";
ps_object ps_connect4(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_host *host);

%feature("docstring") ps_connect6
"The same as connect with the family 'inet6'.";
ps_object ps_connect6(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_host *host);

%feature("docstring") ps_fromfd
"Adopts the descriptor of a TCP socket as an object of a kind: 'master', 'client' or 'server'.
The descriptor becomes close-on-exec and non-blocking. Fails with the system's reason, and
then the descriptor stays the caller's.";
ps_object ps_fromfd(ps_descriptor fd, ps_mode kind);

%feature("docstring") ps_select
"Waits until a socket of recvt can be received from or a socket of sendt can be sent to, for at
most timeout seconds (absent or negative: for ever; 0: just looks). Members may be sockets or
other objects with getfd, and dirty if they buffer. Buffered bytes count as readable; members
that are no sockets, or closed ones, are ignored. There is no limit on their number or on the
size of a descriptor. Gives the ready ones in the order given, and 'timeout' when there is none.";
ps_ready ps_select(ps_sockets recvt, ps_sockets sendt, ps_seconds timeout,
                   ps_host *host);

%feature("docstring") ps_sleep
"Waits for so many seconds; negative ones are none.";
ps_nothing ps_sleep(ps_duration seconds, ps_host *host);

%feature("docstring") ps_gettime
"Gives the seconds since the beginning of 1970 (UTC), with their fraction.";
ps_seconds ps_gettime(void);

%feature("docstring") ps_monotime
"Gives the seconds of a clock that nobody sets, with their fraction. Only differences mean
anything.";
ps_seconds ps_monotime(void);

%feature("docstring") ps_setsize
"Gives how many descriptors this process may have.";
ps_size ps_setsize(void);

%feature("docstring") ps_dns_gethostname
"Gives the name of this host.";
ps_hostname ps_dns_gethostname(void);

%feature("docstring") ps_dns_toip
"Gives the first IPv4 address of a host, and a table of its name, alias and ip lists.";
ps_resolved ps_dns_toip(ps_name address, ps_host *host);

%feature("docstring") ps_dns_tohostname
"Gives the name of a host from its address or another name, and a table as toip does.";
ps_resolved ps_dns_tohostname(ps_name address, ps_host *host);

%feature("docstring") ps_dns_getaddrinfo
"Gives the list of the addresses of a host: each with its family ('inet' or 'inet6') and addr.";
ps_addresses ps_dns_getaddrinfo(ps_name address, ps_host *host);

%feature("docstring") ps_dns_getnameinfo
"Gives the list of the names of a host's addresses, and the name of a service if one is given.
One of the two may be absent.";
ps_names ps_dns_getnameinfo(ps_localname address,
                            ps_servicename service, ps_host *host);

// ---- Objects ----------------------------------------------------------------------------

%feature("docstring") ps_socket
"A TCP object: a master, which listen turns into a server and connect into a client. A call on
the wrong kind is misuse and raises. After close, what needs the socket fails with 'closed'.";
struct ps_socket {};

%extend ps_socket {
  ~ps_socket() { ps_socket_free($self); }

  %feature("docstring")
  "Waits for a connection to this server and gives it as a client object, which has no limits of
  time. Fails with 'timeout', 'closed' or the system's reason.";
  ps_object accept(ps_host *host);

  %feature("docstring")
  "Gives a master its local address: an address, a name, or '*' for all interfaces, and a port
  from 0 to 65535 (0 lets the system choose), digits or a service name. Fails with 'address
  already in use', 'permission denied', 'timeout', the reasons of the resolver and others.";
  ps_done bind(ps_name address, ps_port port, ps_host *host);

  %feature("docstring")
  "The same as bind.";
  ps_done setsockname(ps_name address, ps_port port, ps_host *host);

  %feature("docstring")
  "Turns a master into a server. backlog is how many connections may wait for accept, 32 if
  absent. Fails with the system's reason.";
  ps_done listen(ps_backlog backlog);

  %feature("docstring")
  "Connects a master to address and port (1 to 65535, digits, or a service name), which turns it
  into a client. The addresses of a name are tried in the resolver's order, with a timeout of 0
  only the first. After 'timeout' the object is a client on its way: it becomes writable when
  the outcome is there, and calling connect again gives the outcome. Any other failure leaves a
  master: 'connection refused', 'host or service not provided, or not known' and others. A
  connected client fails with 'already connected'.";
  ps_done connect(ps_name address, ps_port port, ps_host *host);

  %feature("docstring")
  "The same as connect.";
  ps_done setpeername(ps_name address, ps_port port, ps_host *host);

  %feature("docstring")
  "Reads from a client what pattern says and gives it behind prefix. Patterns: '*l' a line up to
  LF, which is not returned, nor is any CR; '*L' a line as it came, with its LF; '*a' all until
  the peer closes; a number, so many bytes, those of the prefix counted in. maxsize bounds the
  result, prefix included. On failure the partial result is the prefix and everything that this
  call read, so that the same call with the partial as prefix continues: nothing is lost or
  repeated. Fails with 'timeout', 'closed', 'oversized' (a partial of maxsize bytes; the rest is
  still buffered), 'memory allocation failure' or the system's reason.";
  ps_bytes receive(ps_pattern pattern, ps_prefix prefix,
                   ps_maxsize maxsize, ps_host *host);

  %feature("docstring")
  "Reads from a client what is there: at least one byte, at most max. Waits only when nothing is
  there. Fails as receive.";
  ps_bytes receiveany(ps_maxsize max, ps_host *host);

  %feature("docstring")
  "Reads from a client up to a delimiter of one byte or more, which is consumed and not returned.
  prefix, maxsize, partial results and failures are as in receive; a prefix that ends in a part
  of the delimiter counts towards it.";
  ps_bytes receiveuntil(ps_data delimiter, ps_prefix prefix,
                        ps_maxsize maxsize, ps_host *host);

  %feature("docstring")
  "Gives an iterator over what receive(pattern) gives. It ends when the peer has closed, after an
  unterminated last piece if there is one. Any other failure is raised, and what was read for
  the piece under way stays buffered.";
  ps_lines lines(ps_pattern pattern);

  %feature("docstring")
  "Sends bytes i to j of data from a client; both count from 1 and from the end when negative, and
  are the first and the last if absent. Gives the index of the last byte sent, with a failure
  too (i - 1 when none was), so that send(data, last + 1) goes on. Nothing is buffered here.
  Fails with 'timeout', 'closed' or the system's reason.";
  ps_sent send(ps_data data, ps_first i, ps_last j,
               ps_host *host);

  %feature("docstring")
  "Shuts one way of a connection down: 'send', 'receive', or 'both' if absent.";
  ps_always shutdown(ps_mode mode);

  %feature("docstring")
  "Gives address, port and family ('inet' or 'inet6') of the peer. Fails with 'closed' or the
  system's reason when there is no peer.";
  ps_address getpeername();

  %feature("docstring")
  "Gives address, port and family ('inet' or 'inet6') of this end. Fails with 'closed', or while
  there is no socket yet.";
  ps_address getsockname();

  %feature("docstring")
  "Gives 'inet4' or 'inet6'; 'inet4' as well while a master of tcp has not chosen.";
  ps_text getfamily();

  %feature("docstring")
  "Gives how many bytes were received by the caller and sent, and the age of the object in
  seconds.";
  ps_stats getstats();

  %feature("docstring")
  "Sets what getstats gives; what is absent stays. received and sent are counts of bytes, age is
  seconds.";
  ps_always setstats(ps_total received, ps_total sent,
                     ps_age age);

  %feature("docstring")
  "Limits the time of all later calls, in seconds: mode 'b', or none, limits each single wait,
  mode 't' the whole call, name resolution and all addresses included; with both, what comes
  first ends it. Absent or negative: no limit. 0: never wait.";
  ps_always settimeout(ps_seconds value, ps_mode mode);

  %feature("docstring")
  "Gives the limits of one wait and of a whole call in seconds; negative: none.";
  ps_limits gettimeout();

  %feature("docstring")
  "Sets a point in time, so many seconds from now, by which all later calls end. Absent: none. A
  point that has passed lets no call wait.";
  ps_always setdeadline(ps_moment seconds);

  %feature("docstring")
  "Gives the seconds that are left until the deadline, 0 when it has passed, nothing when there
  is none.";
  ps_left getdeadline();

  %feature("docstring")
  "Sets an option: keepalive, reuseaddr, reuseport, tcp-nodelay, ipv6-v6only, tcp-fastopen-connect
  (boolean); linger (its members on, boolean, and timeout, seconds); tcp-keepidle, tcp-keepcnt,
  tcp-keepintvl, tcp-defer-accept, tcp-fastopen, recv-buffer-size, send-buffer-size (integer);
  tcp-user-timeout (seconds); bindtodevice (text). Fails with 'option not supported here', with
  the system's reason, or while there is no socket yet.";
  ps_done setoption(ps_name option, ps_option value);

  %feature("docstring")
  "Gives the value of an option: those of setoption, and error, which is the text of a pending
  error or nothing, and which reading clears.";
  ps_value getoption(ps_name option);

  %feature("docstring")
  "Tells whether bytes are in the read buffer.";
  ps_yes dirty();

  %feature("docstring")
  "Gives how many bytes are in the read buffer.";
  ps_size pending();

  %feature("docstring")
  "Gives the descriptor; -1 for a closed object or one without a socket.";
  ps_fd getfd();

  %feature("docstring")
  "Replaces the descriptor and closes none. -1 makes the object a closed one.";
  ps_nothing setfd(ps_descriptor fd);

  %feature("docstring")
  "Gives the descriptor away; the object is closed then. Fails when bytes are buffered, when
  another thread uses the object, or with 'closed'.";
  ps_detached detach();

  %feature("docstring")
  "Closes the object, and wakes other threads that wait on it: they fail with 'closed'. Closing
  again is fine.";
  ps_always close();
}
