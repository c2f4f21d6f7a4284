# When the peer closes without a byte, *a fails with closed and an empty partial.
# proves: receive.all.nothing convention.partial
peer listen
mod connect $host $port = object -> c
peer accept
peer close
c receive "*a"          ! "closed" ""
