# The same for bytes that are no UTF-8; the A-labels of an international name are an ordinary name.
# proves: misuse.text.ascii
# skip: luasocket asks the resolver for it
# resolver: xn--mnchen-3ya.test 0 127.0.0.1
peer listen
c tcp                               = object
c connect "m\xfcnchen.test" 80      X "bad argument #1 to 'connect' (address: name in ASCII expected)"
dns toip "\xff"                     X "bad argument #1 to 'toip' (address: name in ASCII expected)"
c connect "xn--mnchen-3ya.test" $port = 1
