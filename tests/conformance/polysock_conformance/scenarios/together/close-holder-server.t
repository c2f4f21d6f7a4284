# The same for a server: another holder of its descriptor still accepts.
# proves: together.close.holder together.close
# needs: threads copies
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s getfd                = <integer $f>
peer:h adopt $f
start r s accept
s close                = 1
collect r              ! "closed" <1s
peer connect "127.0.0.1" $p
