# Masters and servers answer dirty too.
# proves: dirty.kinds
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s dirty                = false
m tcp                  = object
m dirty                = false
