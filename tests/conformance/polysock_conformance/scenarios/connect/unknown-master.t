# After a failure of name resolution the object is still a master.
# proves: connect.refused.master
# level: extended
# deviates: luasocket makes the object a client whatever came of connect
c tcp                       = object
c connect "no such host" 80 ! "host or service not provided, or not known"
c tostring                  = <like "tcp{master}: *">
  or luasocket              = <like "tcp{client}: *">
c getfd                     = -1
