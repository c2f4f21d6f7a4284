# fromfd wants an integer and one of the kinds.
# proves: misuse.fromfd
mod fromfd "x" "client"        X "bad argument #1 to 'fromfd'"
mod fromfd [] "client"         X "bad argument #1 to 'fromfd'"
mod fromfd 1.5 "client"        X "bad argument #1 to 'fromfd'"
mod fromfd -1 "client"         X "bad argument #1 to 'fromfd'"
mod fromfd 4294967296 "client" X "bad argument #1 to 'fromfd'"
mod fromfd nil "client"        X "bad argument #1 to 'fromfd'"
mod fromfd 999999 "x"          X "bad argument #2 to 'fromfd'"
mod fromfd 999999 []           X "bad argument #2 to 'fromfd'"
