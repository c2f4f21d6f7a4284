# Closing an object shuts nothing down for another holder of its descriptor.
# proves: together.close.holder
# needs: copies
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
peer:h adopt $f
c close                 = 1
peer:h send "from the holder"
peer expect "from the holder"
