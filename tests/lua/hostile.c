/* SPDX-License-Identifier: MIT */
/* A hostile allocator: for every operation, the first, the second, the third… allocation
   of Lua fails, until the operation comes through. What it raises or returns is ordinary;
   no byte of the stream is lost or repeated, no descriptor and no memory stays behind. */

#include <dirent.h>
#include <string.h>

#include "embed.h"

static long countdown = -1; /* allocations until one fails; negative: none does */
static int failed;
static int lacks;   /* results that say so of an operation, where nothing was raised */
static size_t live; /* bytes that Lua holds */

static void *allocate(void *data, void *memory, size_t before, size_t size) {
  (void)data;
  if (memory == NULL) before = 0;
  if (size > before && countdown >= 0 && countdown-- == 0) {
    failed = 1;
    countdown = 0; /* and all later ones, as when memory is gone */
    return NULL;
  }
  live += size - before;
  if (size == 0) {
    free(memory);
    return NULL;
  }
  return realloc(memory, size);
}

static int descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (folder != NULL && readdir(folder) != NULL) count++;
  if (folder != NULL) closedir(folder);
  return count;
}

/* hostile(n, f, ...): pcall(f, ...) while the allocation n fails and all after it. Gives
   whether one did, and what pcall gives. */
static int hostile(lua_State *L) {
  lua_Integer number = luaL_checkinteger(L, 1);
  lua_remove(L, 1);
  lua_gc(L, LUA_GCSTOP); /* else a collection would find the memory */
  failed = 0;
  countdown = (long)number;
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  countdown = -1;
  lua_gc(L, LUA_GCRESTART);
  lua_checkstack(L, 2);
  lua_pushboolean(L, status == LUA_OK);
  lua_insert(L, 1);
  lua_pushboolean(L, failed);
  lua_insert(L, 1);
  return lua_gettop(L);
}

static const char program[] =
    "local name, number = ...\n"
    "local lack, returned = 'memory allocation failure', 0\n"
    "local server <close> = assert(polysock.bind('127.0.0.1', 0))\n"
    "local host, port = server:getsockname()\n"
    "local client <close> = assert(polysock.connect(host, port))\n"
    "local peer <close> = assert(server:accept())\n"
    "local text = ('0123456789'):rep(400)\n"
    "local long = ('0123456789'):rep(4000)\n"
    "client:settimeout(5)\n"
    "server:settimeout(5)\n"
    /* A receive: everything that was sent is in the result or comes after it. */
    "local function receives(stream, call, gone)\n"
    "  return function()\n"
    "    assert(peer:send(stream))\n"
    "    local hit, ok, data, err, partial = hostile(number, call)\n"
    "    if hit and ok and data == nil then\n"
    "      assert(err == lack or err == 'timeout' or err == 'oversized', err)\n"
    "      assert(err == lack or #partial > 0, name)\n" /* else it is not what happened */
    "      returned = err == lack and 1 or 0\n"
    "    end\n"
    "    local taken = ok and (data or partial) or ''\n"
    "    taken = taken:sub((gone or 0) + 1)\n"
    "    peer:shutdown('send')\n"
    "    client:settimeout(5)\n"
    "    local rest = client:receive('*a') or ''\n"
    "    local whole = taken .. rest\n"
    "    if ok and data then\n" /* an end of line or a delimiter is no part of the result
                                 */
    "      whole = taken .. stream:sub(#taken + 1, #stream - #rest) .. rest\n"
    "      assert(stream:sub(1, #taken) == taken, name)\n"
    "    end\n"
    "    assert(whole == stream, name .. ': bytes were lost or repeated')\n"
    "    return hit\n"
    "  end\n"
    "end\n"
    "local function plain(call)\n"
    "  return function() return (hostile(number, call)) end\n"
    "end\n"
    "local function makes(call)\n"
    "  return function()\n"
    "    local hit, ok, one, err = hostile(number, call)\n"
    "    if ok and not one then assert(err == lack, err) end\n"
    "    assert(not ok or one ~= 'not enough memory', name)\n" /* it is no result */
    "    return hit\n"
    "  end\n"
    "end\n"
    "local lines = client:lines()\n"
    "local raw = client:lines('*L')\n"
    "local more = client:lines(50000)\n"
    "local pieces = client:lines(#long)\n"
    "local source = polysock.source('by-length', client, #text)\n"
    "local sets = { client, server, {}, { getfd = function() return 0 end } }\n"
    "local poller <close> = assert(polysock.poller())\n"
    "local foreign = { getfd = function() return peer:getfd() end,\n"
    "  dirty = function() return true end }\n"
    /* Whatever came of it, the poller goes on, and has the members that it says. */
    "local function polls(call)\n"
    "  return function()\n"
    "    poller:add(server, 'r', 'server')\n"
    "    local hit, ok, one, err = hostile(number, call)\n"
    "    if ok and not one then assert(err == lack, err) end\n"
    "    local there = (ok and one) and 1 or 0\n"
    "    assert(poller:modify(server, 'r', 'again') == 1)\n"
    "    for _, object in ipairs({ client, foreign }) do\n"
    "      if poller:remove(object) then there = there - 1 end\n"
    "    end\n"
    "    assert(poller:count() == 1 and (name == 'wait' or there == 0), name)\n"
    "    assert(poller:add(client, 'w', 'client') == 1)\n"
    "    for token in poller:wait(0) do assert(token == 'client') end\n"
    "    return hit\n"
    "  end\n"
    "end\n"
    "local coro = function() return coroutine.wrap(function()\n"
    "  return client:receive('*l') end)() end\n"
    "local operations = {\n"
    "  line = receives(text .. '\\nmore', function() return client:receive() end),\n"
    "  long = receives(long .. '\\nmore', function() return client:receive('*l') end),\n"
    "  raw = receives(text .. '\\r\\nmore', function() return client:receive('*L') "
    "end),\n"
    "  prefix = receives(text .. '\\nmore', function()\n"
    "    return client:receive('*l', 'prefix') end, 6),\n"
    "  count = receives(text .. 'more', function() return client:receive(#text) end),\n"
    "  large = receives(long .. 'more', function() return client:receive(#long) end),\n"
    "  behind = receives(long .. 'more', function()\n"
    "    return client:receive(#long + 6, 'prefix') end, 6),\n"
    "  late = receives(long, function()\n"
    "    client:settimeout(0) return client:receive(50000) end),\n"
    "  unfinished = receives(long, function()\n"
    "    client:settimeout(0) return more() end),\n"
    "  pieces = receives(long .. 'more', pieces),\n"
    "  any = receives(text, function() return client:receiveany() end),\n"
    "  ['until'] = receives(text .. '--more', function()\n"
    "    return client:receiveuntil('--') end),\n"
    "  oversized = receives(text .. '\\n', function()\n"
    "    return client:receive('*l', nil, 100) end),\n"
    "  timeout = receives(text, function()\n"
    "    client:settimeout(0) return client:receive('*l') end),\n"
    "  lines = receives(text .. '\\nmore', lines),\n"
    "  rawlines = receives(text .. '\\nmore', raw),\n"
    "  source = receives(text .. 'more', function() return source() end),\n"
    "  coroutine = receives(text .. '\\nmore', coro),\n"
    "  send = plain(function() return client:send(text) end),\n"
    "  number = plain(function() return client:send(12345) end),\n"
    "  tcp = makes(function() return polysock.tcp() end),\n"
    "  tcp4 = makes(function() return polysock.tcp4() end),\n"
    "  bind = makes(function() return polysock.bind('127.0.0.1', 0) end),\n"
    "  refused = plain(function() return polysock.connect('127.0.0.1', 1) end),\n"
    "  connect = makes(function() return polysock.connect(host, port) end),\n"
    "  accept = function()\n"
    "    local one <close> = assert(polysock.connect(host, port))\n"
    "    return (hostile(number, function() return server:accept() end))\n"
    "  end,\n"
    "  fromfd = plain(function() return polysock.fromfd(2147483647, 'client') end),\n"
    "  select = plain(function() return polysock.select(sets, sets, 0) end),\n"
    "  poller = makes(function() return polysock.poller() end),\n"
    "  add = polls(function() return poller:add(client, 'r', {}) end),\n"
    "  foreign = polls(function() return poller:add(foreign, 'r') end),\n"
    "  many = function()\n"
    "    local all = {}\n"
    "    for i = 1, 16 do\n"
    "      all[i] = assert(polysock.tcp4())\n"
    "      assert(poller:add(all[i], 'r'))\n"
    "    end\n"
    "    local hit, ok, one = hostile(number, function()\n"
    "      return poller:add(client, 'r') end)\n"
    "    local there = (ok and one) and 1 or 0\n"
    "    assert(poller:count() == 16 + there, name)\n"
    "    assert((poller:remove(client) and 1 or 0) == there, name)\n"
    "    local found = {}\n"
    "    for token in poller:wait(0) do found[token] = true end\n"
    "    for i = 1, 16 do assert(found[all[i]], name) end\n"
    "    for i = 1, 16 do assert(poller:remove(all[i]) == 1) end\n"
    "    assert(poller:add(client, 'w', 'client') == 1 and poller:count() == 1)\n"
    "    for token in poller:wait(0) do assert(token == 'client') end\n"
    "    return hit\n"
    "  end,\n"
    "  wait = polls(function()\n"
    "    poller:add(client, 'w')\n"
    "    for _ in poller:wait(0) do end\n"
    "    return true\n"
    "  end),\n"
    "  names = plain(function() return client:getpeername() end),\n"
    "  text = plain(function() return tostring(client) end),\n"
    "  option = plain(function() return client:getoption('linger') end),\n"
    "  misuse = plain(function() return client:receive('*x') end),\n"
    "  self = plain(function() return client.receive(io.stdout) end),\n"
    "  toip = makes(function() return polysock.dns.toip('127.0.0.1') end),\n"
    "  addresses = makes(function() return polysock.dns.getaddrinfo('127.0.0.1') end),\n"
    "  protect = plain(polysock.protect(function() polysock.try(nil, 'words') end)),\n"
    "  iterator = plain(function() return client:lines() end),\n"
    "  close = plain(function() return client:close() end),\n"
    "}\n"
    "if not name then\n"
    "  local names = {}\n"
    "  for key in pairs(operations) do names[#names + 1] = key end\n"
    "  table.sort(names)\n"
    "  return names\n"
    "end\n"
    "local hit = operations[name]()\n"
    "assert(client:close() == 1)\n"
    "return hit, returned\n";

/* Runs one operation in a new state. Returns whether an allocation failed. */
static int once(char **arguments, const char *name, int number) {
  int before = descriptors();
  lua_State *L = lua_newstate(allocate, NULL);
  if (L == NULL) die(NULL, "newstate");
  load_module(L, arguments);
  lua_register(L, "hostile", hostile);
  if (luaL_loadstring(L, program) != LUA_OK) die(L, "program");
  lua_pushstring(L, name);
  lua_pushinteger(L, number);
  if (lua_pcall(L, 2, 2, 0) != LUA_OK) die(L, name);
  int hit = lua_toboolean(L, -2);
  lacks += (int)lua_tointeger(L, -1);
  lua_close(L);
  if (live != 0) die(NULL, "memory was left behind");
  if (descriptors() != before) die(NULL, "a descriptor was left behind");
  return hit;
}

int main(int count, char **arguments) {
  if (count != 3) die(NULL, "usage: hostile CORE INIT");
  lua_State *L = lua_newstate(allocate, NULL);
  load_module(L, arguments);
  lua_register(L, "hostile", hostile);
  if (luaL_loadstring(L, program) != LUA_OK || lua_pcall(L, 0, 1, 0) != LUA_OK)
    die(L, "list");
  int total = 0;
  for (lua_Integer i = 1; lua_rawgeti(L, 1, i) == LUA_TSTRING; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s", lua_tostring(L, -1));
    lua_settop(L, 1);
    size_t held = live;
    live = 0;
    int number = 0;
    lacks = 0;
    while (once(arguments, name, number)) number++;
    live = held;
    if (strcmp(name, "long") == 0 && lacks == 0)
      die(NULL, "for a long result it is a failure, not an error");
    if (number > 100) die(NULL, "an operation takes too many allocations");
    total += number;
  }
  lua_close(L);
  if (total < 50) die(NULL, "too few allocations failed");
  printf("%d allocations failed\n", total);
  return 0;
}
