proc role {} { return [string trim [exec lava-role]] }
proc verb {args} { return [exec {*}$args 2>@1] }   ;
if {[role] eq "server"} {
    after 2000
    verb lava-send server-ready port=4000
    verb lava-wait client-ready
} else {
    verb lava-send server-ready                  ;
    set f [open /tmp/lava_multi_node_cache.txt]  ;
    gets $f line
    if {![regexp {port=(\d+)} $line all port]} { puts "no port"; exit 1 }
    verb lava-send client-ready port=$port
}
