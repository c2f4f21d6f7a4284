# bindtodevice refuses what is no text.
# proves: option.type
# needs: linux
c tcp4                          = object
c setoption "bindtodevice" true X "bad argument #2 to 'setoption'"
c setoption "bindtodevice" []   X "bad argument #2 to 'setoption'"
c setoption "bindtodevice" nil  X "bad argument #2 to 'setoption'"
