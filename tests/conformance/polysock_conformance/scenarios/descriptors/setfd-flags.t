# setfd changes no flag of a descriptor, neither of the new one nor of the one it replaces.
# proves: setfd.flags
# needs: linux
c tcp                   = object
descriptor 0 blocking
c setfd 0               = nil
descriptor 0 blocking
c getfd                 = 0
c setfd -1              = nil
descriptor 0 blocking
