# A deadline is a number or nil.
# proves: misuse.setdeadline.value
c tcp             = object
c setdeadline 100 = 1
c setdeadline "x" X "bad argument #1 to 'setdeadline'"
c setdeadline []  X "bad argument #1 to 'setdeadline'"
c setdeadline nan X "bad argument #1 to 'setdeadline'"
c getdeadline     = <number 90..100>
