/* SPDX-License-Identifier: MIT */
/* An echo server, as README shows it. tests/examples has clients that misbehave. */
#include <stdio.h>
#include <stdlib.h>

#include "polysock.h"

static void echo(ps_socket *client) {
  char line[4096];
  ps_prefix none = {NULL, 0};
  ps_status status = {PS_OK, 0, 0, NULL};
  ps_socket_settimeout(client, 10, "t"); /* for each line */
  ps_socket_setdeadline(client, 60);     /* for all of them */
  while (status.code == PS_OK) {
    ps_bytes got = ps_socket_receive(client, PS_LINE_WITH_END, none, sizeof line, NULL);
    if (got.status.code != PS_OK) break; /* it has gone, or took too long */
    ps_data data = {line, ps_bytes_size(&got)};
    ps_bytes_copy(&got, line);
    status = ps_socket_send(client, data, 1, -1, NULL).status;
  }
  ps_socket_free(client, NULL);
}

int main(int count, char **arguments) {
  ps_port port = {count > 1 ? arguments[1] : "7007", 0};
  ps_object server = ps_bind("127.0.0.1", port, 32, NULL);
  if (server.status.code != PS_OK) {
    char words[PS_WORDS];
    fprintf(stderr, "%s\n", ps_status_words(server.status, words));
    return EXIT_FAILURE;
  }
  ps_address address = ps_socket_getsockname(server.socket);
  printf("%s %d\n", address.ip, address.port);
  for (;;) {
    ps_object client = ps_socket_accept(server.socket, NULL);
    if (client.status.code == PS_OK) echo(client.socket);
  }
}
