# Closing wakes a call that waits for a name, which fails with closed.
# proves: together.close
# needs: threads
# resolver: never.test never
c tcp                 = object
start r c connect "never.test" 80
c close               = 1
collect r             ! "closed" <1s
