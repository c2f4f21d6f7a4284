/* SPDX-License-Identifier: MIT */
/* Two Lua states in two threads use the module at once: each has a server and clients of
   its own, talks, waits, resolves, fails and collects. Neither may see anything of the
   other. */

#include <pthread.h>

#include "embed.h"

static const char program[] =
    "local server = assert(polysock.bind('127.0.0.1', 0))\n"
    "local host, port = server:getsockname()\n"
    "for round = 1, 60 do\n"
    "  local client <close> = assert(polysock.connect(host, port))\n"
    "  local peer <close> = assert(server:accept())\n"
    "  local text = mark:rep(round * 1000)\n"
    "  assert(client:send(text .. '\\n' .. mark .. '\\n'))\n"
    "  assert(peer:receive() == text)\n"
    "  for line in peer:lines() do assert(line == mark) break end\n"
    "  peer:settimeout(0.001)\n"
    "  local data, err, partial = peer:receive(5, mark)\n"
    "  assert(data == nil and err == 'timeout' and partial == mark)\n"
    "  local _, writable = polysock.select({ peer }, { client }, 5)\n"
    "  assert(writable[client] == 1)\n"
    "  assert(polysock.dns.toip('localhost'))\n"
    "  assert(not pcall(peer.receive, peer, '*x'))\n"
    "  local _, words = polysock.protect(polysock.try)(nil, mark)\n"
    "  assert(words == mark)\n"
    "  polysock.tcp4()\n"
    "  if round % 10 == 0 then collectgarbage() end\n"
    "end\n";

static char **arguments;

static void *run(void *mark) {
  lua_State *L = luaL_newstate();
  if (L == NULL) die(NULL, "newstate");
  load_module(L, arguments);
  lua_pushstring(L, mark);
  lua_setglobal(L, "mark");
  if (luaL_dostring(L, program) != LUA_OK) die(L, mark);
  lua_close(L);
  return NULL;
}

int main(int count, char **words) {
  static char marks[2][8] = {"one", "two"};
  pthread_t threads[2];
  if (count != 3) die(NULL, "usage: states CORE INIT");
  arguments = words;
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, run, marks[i]) != 0) die(NULL, "thread");
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
