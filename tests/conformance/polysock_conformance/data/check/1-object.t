# tcp makes an object.
# Call the constructor of your library, keep what it returns under the name INTO, and answer
# `TAG ok oINTO`. A later line with that name as its SLOT calls a method of the object.
c tcp   = object
c close = 1
