-- SPDX-License-Identifier: MIT
-- Settings of luacheck. The files of tests/lua run under busted.

std = "max"
max_line_length = 100
files["tests/lua/**/*_spec.lua"] = { std = "lua54+busted" }
