# An unknown name is a failure in toip and tohostname.
# proves: dns.toip.unknown
dns toip "no such host"       ! <text 5..80>
dns tohostname "no such host" ! <text 5..80>
