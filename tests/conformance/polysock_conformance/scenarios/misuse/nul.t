# A name with a NUL inside is misuse, and never cut there.
# proves: misuse.text.nul
# deviates: luasocket cuts at the NUL
peer listen
c tcp                                 = object
c connect "127.0.0.1\0.example" $port X "bad argument #1 to 'connect'"
c bind "127.0.0.1\0x" 0               X "bad argument #1 to 'bind'"
c connect "127.0.0.1" "80\0x"         X "bad argument #2 to 'connect'"
c tostring                            = <like "tcp{master}: *">
