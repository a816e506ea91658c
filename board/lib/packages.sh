# shellcheck shell=sh
# shellcheck disable=SC2034 # lava-install-packages reads what is set here
# The package manager of the board's distribution, found by its program.

packages_tries_max=5
packages_pause_seconds=60 # a mirror that is away comes back

# Sets packages_manager; empty: none that is known.
packages_find() {
  for packages_manager in apt-get dnf yum zypper pacman opkg apk slackpkg; do
    if command -v "$packages_manager" >/dev/null 2>&1; then return 0; fi
  done
  packages_manager=''
}

# Installs packages $@, once.
packages_install() {
  case $packages_manager in
    apt-get)
      export DEBIAN_FRONTEND=noninteractive
      apt-get update -q || :
      apt-get install -y -q "$@"
      ;;
    dnf | yum) "$packages_manager" -e 0 -y -q install "$@" ;;
    zypper) zypper --non-interactive install "$@" ;;
    pacman) pacman -Sy --noprogressbar --noconfirm --needed "$@" ;;
    opkg)
      opkg update || :
      opkg install "$@"
      ;;
    apk) apk add --update-cache "$@" ;;
    slackpkg)
      slackpkg -batch=on -default_answer=y update || :
      slackpkg -batch=on -default_answer=y install "$@"
      ;;
  esac
}

# Prints `package: NAME : VERSION` of every package.
packages_list() {
  case $packages_manager in
    apt-get)
      # shellcheck disable=SC2016 # the fields are dpkg's
      dpkg-query -W -f '${db:Status-Status} ${Package} : ${Version}\n' | sed -n 's/^installed /package: /p'
      ;;
    dnf | yum | zypper) rpm -qa --qf 'package: %{NAME} : %{VERSION}-%{RELEASE}\n' ;;
    pacman) pacman -Q | sed 's/^\([^ ]*\) /package: \1 : /' ;;
    opkg) opkg list-installed | sed -e 's/ - / : /' -e 's/^/package: /' ;;
    apk) apk info -v | sed 's/^\(.*\)-\([^-]*-r[0-9]*\)$/package: \1 : \2/' ;;
    slackpkg)
      for packages_name in /var/log/packages/*; do printf '%s\n' "${packages_name##*/}"; done |
        sed 's/^\(.*\)-\([^-]*\)-[^-]*-[^-]*$/package: \1 : \2/'
      ;;
  esac
}
