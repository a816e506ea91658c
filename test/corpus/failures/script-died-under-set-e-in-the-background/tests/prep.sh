prepare() {
    mkdir -p /tmp/prep
    cp /usr/share/traffic/profile.cfg /tmp/prep/
    echo "profile there"
}
