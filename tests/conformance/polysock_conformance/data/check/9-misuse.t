# An error that is raised is answered `TAG error CLASS TEXT`.
# CLASS is the class of the error, TEXT its message, as one text (`s` and %XX). Classes that
# mean misuse stand in the greeting: `misuse=TypeError,ArgumentError`. A language that cannot
# make such a call at all answers `TAG error compiler`.
c tcp                 = object
c settimeout "soon"   X <text>
