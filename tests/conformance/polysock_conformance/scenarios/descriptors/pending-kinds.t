# Masters and servers answer pending too.
# proves: dirty.kinds
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s pending              = 0
m tcp                  = object
m pending              = 0
