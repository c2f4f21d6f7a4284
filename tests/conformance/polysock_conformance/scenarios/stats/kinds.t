# Masters and servers have stats too.
# proves: stats.kinds
# deviates: luasocket keeps stats for clients only
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s getstats             = 0 0 <number 0..5>
  or luasocket         X "tcp{client} expected"
s setstats 1 2 3       = 1
  or luasocket stop
s getstats             = 1 2 <number 3..10>
m tcp                  = object
m getstats             = 0 0 <number 0..5>
m setstats 1 2 3       = 1
m getstats             = 1 2 <number 3..10>
