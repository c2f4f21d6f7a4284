# The buffer sizes are at least what was set.
# proves: option.recvbuf.roundtrip option.sendbuf.roundtrip
c tcp4                               = object
c setoption "recv-buffer-size" 30000 = 1
c getoption "recv-buffer-size"       = <integer 30000..120000>
c setoption "send-buffer-size" 40000 = 1
c getoption "send-buffer-size"       = <integer 40000..160000>
