/* SPDX-License-Identifier: MIT */
/* An example for C: a server that echoes one line, and the client that sends it. The
   tests build and run it. */

#include <stdio.h>

#include "polysock.h"

static int fail(const char *what, ps_status status) {
  char buffer[PS_WORDS];
  fprintf(stderr, "%s: %s\n", what, ps_status_words(status, buffer));
  return 1;
}

int main(void) {
  ps_port any = {NULL, 0};
  ps_prefix none = {NULL, 0};

  ps_object server = ps_bind("127.0.0.1", any, 32, NULL);
  if (server.status.code != PS_OK) return fail("bind", server.status);
  ps_address address = ps_socket_getsockname(server.socket);

  ps_port port = {NULL, address.port};
  ps_object client = ps_connect(address.ip, port, NULL, any, NULL, -1, NULL);
  if (client.status.code != PS_OK) return fail("connect", client.status);
  ps_object peer = ps_socket_accept(server.socket, NULL);
  if (peer.status.code != PS_OK) return fail("accept", peer.status);

  ps_data hello = {"hello from C\n", 13};
  ps_sent sent = ps_socket_send(client.socket, hello, 1, -1, NULL);
  if (sent.status.code != PS_OK) return fail("send", sent.status);

  ps_socket_settimeout(peer.socket, 5, NULL);
  ps_bytes line = ps_socket_receive(peer.socket, PS_LINE, none, 0, NULL);
  if (line.status.code != PS_OK) return fail("receive", line.status);
  printf("%.*s\n", (int)line.size, line.data);

  ps_socket_free(peer.socket, NULL);
  ps_socket_free(client.socket, NULL);
  ps_socket_free(server.socket, NULL);
  return 0;
}
