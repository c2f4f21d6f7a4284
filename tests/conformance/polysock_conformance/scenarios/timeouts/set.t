# settimeout answers 1; without a mode it sets the block limit, which gettimeout tells first.
# proves: timeout.set timeout.block.default timeout.get timeout.get.fraction
c tcp                = object
c settimeout 5       = 1
c gettimeout         = 5.0 -1.0
c settimeout 0.1 "b" = 1
c gettimeout         = 0.1 -1.0
c settimeout 2.5 "t" = 1
c gettimeout         = 0.1 2.5
c settimeout 0 nil   = 1
c gettimeout         = 0.0 2.5
