# bindtodevice refuses what is no text, and what is too long for one.
# proves: option.type
# needs: linux
c tcp4                          = object
c setoption "bindtodevice" true X "bad argument #2 to 'setoption'"
c setoption "bindtodevice" []   X "bad argument #2 to 'setoption'"
c setoption "bindtodevice" nil  X "bad argument #2 to 'setoption'"
c setoption "bindtodevice" repeat("x",255) ! <text 5..80>
c setoption "bindtodevice" repeat("x",256) X "bad argument #2 to 'setoption' (value: text too long)"
