# A set is nil or a list, the timeout a number or nil.
# proves: misuse.select.sets misuse.select.timeout
# deviates: luasocket takes NaN
mod select 5 nil 0     X "bad argument #1 to 'select'"
mod select true nil 0  X "bad argument #1 to 'select'"
mod select nil true 0  X "bad argument #2 to 'select'"
mod select nil 5 0     X "bad argument #2 to 'select'"
mod select nil nil "x" X "bad argument #3 to 'select'"
mod select nil nil []  X "bad argument #3 to 'select'"
mod select nil nil nan X "bad argument #3 to 'select'"
  or luasocket stop
