# The time to sleep is a number.
# proves: misuse.sleep
# deviates: luasocket takes NaN
mod sleep "x" X "bad argument #1 to 'sleep'"
mod sleep []  X "bad argument #1 to 'sleep'"
mod sleep nil X "bad argument #1 to 'sleep'"
mod sleep nan X "bad argument #1 to 'sleep'"
  or luasocket stop
