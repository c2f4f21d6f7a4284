# The last argument of the look-ups is a limit in seconds.
# proves: dns.timeout
# resolver: never.test never
dns toip "never.test" 0.1            ! "timeout" ~0.1s
dns tohostname "never.test" 0.1      ! "timeout" ~0.1s
dns getaddrinfo "never.test" 0.1     ! "timeout" ~0.1s
dns getnameinfo "never.test" nil 0.1 ! "timeout" ~0.1s
dns toip "never.test" 0              ! "timeout" ~0s
dns getaddrinfo "never.test" 0       ! "timeout" ~0s
