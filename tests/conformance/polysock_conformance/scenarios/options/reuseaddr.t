# reuseaddr reads back what was set, both ways.
# proves: option.reuseaddr.roundtrip
c tcp4                        = object
c getoption "reuseaddr"       = false
c setoption "reuseaddr" true  = 1
c getoption "reuseaddr"       = true
c setoption "reuseaddr" false = 1
c getoption "reuseaddr"       = false
