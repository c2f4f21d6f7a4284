# Version, set size and invalid descriptor.
# proves: module.version module.setsize module.socketinvalid
# level: extended
# deviates: luasocket has its own name and limit
mod _VERSION       = <like "polysock *.*.*">
  or luasocket     = <like "LuaSocket *">
mod _SETSIZE       = <integer 64..>
mod _SOCKETINVALID = -1
