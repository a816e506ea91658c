[ "$(lava-role)" = a ] && exec python3 a.py
exec bash b.sh
