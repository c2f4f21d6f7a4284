# monotime is a number of seconds.
# proves: module.monotime
# skip: luasocket has no monotime
mod monotime = <number 0..99999999999>
