role=$(lava-role)
id=hello-${role^^}
lava-send "$id"
