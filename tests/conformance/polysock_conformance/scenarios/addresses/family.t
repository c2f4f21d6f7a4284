# getfamily tells the family that an object was made for.
# proves: getfamily.inet4 module.tcp4
c tcp4      = object
c getfamily = "inet4"
c getfd     = <integer 0..>
