# gethostname is a text.
# proves: dns.gethostname
dns gethostname = <text 1..255>
