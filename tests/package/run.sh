#!/bin/sh
# Makes the Debian package, installs it into a Debian 12 and uses it there: tests/package/run.sh [ROOT]
# ROOT is a root that debootstrap has made, and is changed; without one, a fresh one is made and
# removed. Needs root.
set -eu
cd "$(dirname "$0")/../.."

.ci/build.sh package
rm -f build/package/*.deb
(cd build/package && cpack > cpack.log 2>&1) || { cat build/package/cpack.log >&2; exit 1; }
package=$(echo build/package/*.deb)

own_root=
has_mounted=
if [ $# -gt 0 ]; then
  root=$1
else
  .ci/install.sh debootstrap
  own_root=$(mktemp -d)
  root=$own_root
fi
leave() {
  rm -rf "$root/tmp/osiiso.deb" "$root/tmp/samples"
  [ -z "$has_mounted" ] || umount "$root/proc"
  [ -z "$own_root" ] || rm -rf --one-file-system "$own_root"
}
trap leave EXIT
[ -z "$own_root" ] || debootstrap --variant=minbase bookworm "$root" > build/package/debootstrap.log

if ! mountpoint -q "$root/proc"; then
  mount -t proc proc "$root/proc"
  has_mounted=1
fi
cp "$package" "$root/tmp/osiiso.deb"
cp -r samples "$root/tmp/samples"
chroot "$root" /bin/sh -eu <<'END'
export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
apt-get -qq update
apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends /tmp/osiiso.deb > /dev/null
cd /tmp
osiiso --version
osiiso run samples/quickstart.yaml
if echo 'tasks: ["false"]' | osiiso run - > /dev/null 2>&1; then exit 1; fi
osiiso schema > /dev/null
for file in bin/osiiso include/osiiso/osiiso.hpp share/man/man1/osiiso.1.gz share/doc/osiiso/copyright \
    share/doc/osiiso/changelog.gz share/bash-completion/completions/osiiso \
    share/zsh/vendor-completions/_osiiso share/fish/vendor_completions.d/osiiso.fish; do
  # A minimal Debian may leave documents out, but the package has them.
  dpkg -L osiiso | grep -qx "/usr/$file" || { echo "no /usr/$file" >&2; exit 1; }
done
apt-get -qq -o Dpkg::Use-Pty=0 remove -y osiiso > /dev/null
if [ -e /usr/bin/osiiso ]; then exit 1; fi
END
echo "$package is installed, runs and is removed again"
