if [ $(lava-role) = server ]; then perl srv.pl; else python3 cli.py; fi
