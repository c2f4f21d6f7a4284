# gettime is the wall clock, monotime a clock that goes on; both in seconds.
# proves: module.gettime
mod gettime = <number 1700000000..99999999999>
