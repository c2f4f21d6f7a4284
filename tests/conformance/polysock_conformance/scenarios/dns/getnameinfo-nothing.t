# Neither host nor service is misuse.
# proves: dns.getnameinfo.nothing
dns getnameinfo         X "host and serv"
dns getnameinfo nil nil X "host and serv"
