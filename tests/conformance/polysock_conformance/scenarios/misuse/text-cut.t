# A long name in a misuse text is cut between two characters, never inside of one.
# proves: misuse.text.cut
# skip: luasocket has other words or none
peer listen
mod connect $host $port                         = object -> c
c setoption repeat("\xc3\xa9",200) true         X <like "*unsupported option '\xc3\xa9*\xc3\xa9'*">
c setoption "x"+repeat("\xc3\xa9",200) true     X <like "*unsupported option 'x\xc3\xa9*\xc3\xa9'*">
c getoption repeat("\xe2\x82\xac",100)          X <like "*unsupported option '\xe2\x82\xac*\xe2\x82\xac'*">
c getoption "x"+repeat("\xe2\x82\xac",100)      X <like "*unsupported option 'x\xe2\x82\xac*\xe2\x82\xac'*">
c getoption "xx"+repeat("\xe2\x82\xac",100)     X <like "*unsupported option 'xx\xe2\x82\xac*\xe2\x82\xac'*">
c getoption repeat("\xf0\x9f\x92\xa1",100)      X <like "*unsupported option '\xf0\x9f\x92\xa1*\xf0\x9f\x92\xa1'*">
c getoption "x"+repeat("\xf0\x9f\x92\xa1",100)  X <like "*unsupported option 'x\xf0\x9f\x92\xa1*\xf0\x9f\x92\xa1'*">
c getoption "xx"+repeat("\xf0\x9f\x92\xa1",100) X <like "*unsupported option 'xx\xf0\x9f\x92\xa1*\xf0\x9f\x92\xa1'*">
