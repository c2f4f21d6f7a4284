# bindtodevice of an object that is bound to none is the empty text.
# proves: option.bindtodevice.read
# needs: linux
c tcp4                                  = object
c getoption "bindtodevice"              = ""
c setoption "bindtodevice" "nosuchdev0" ! <text 5..80>
