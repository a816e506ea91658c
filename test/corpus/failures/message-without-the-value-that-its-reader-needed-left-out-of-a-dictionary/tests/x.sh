case $(lava-role) in
board) exec python3 send.py ;;
scope) exec perl read.pl ;;
esac
