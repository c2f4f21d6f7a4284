# The function bind takes a backlog, nil being the default.
# proves: module.bind.backlog
mod bind "127.0.0.1" 0 1   = object -> s
s getsockname              = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
mod bind "127.0.0.1" 0 nil = object -> s
