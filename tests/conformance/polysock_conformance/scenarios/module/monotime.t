# monotime is a number of seconds.
# proves: module.monotime
mod monotime = <number 0..99999999999>
