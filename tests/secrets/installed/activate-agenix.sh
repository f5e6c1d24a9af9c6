#!/nix/store/xy4jjgw87sbgwylm5kn047d9gkbhsr9x-bash-5.2p37/bin/bash
# Modelled on the activation script of a NixOS 25.05 system with agenix
# (modules/age.nix): one secret under /run/agenix, one with `symlink = false` and
# a path with a blank.

#### Activation script snippet agenixNewGeneration:
_localstatus=0
_agenix_generation="$(basename "$(readlink /run/agenix)" || echo 0)"
(( ++_agenix_generation ))
echo "[agenix] creating new generation in /run/agenix.d/$_agenix_generation"
mkdir -p "/run/agenix.d"
chmod 0751 "/run/agenix.d"

#### Activation script snippet agenixInstall:
_localstatus=0
echo "[agenix] decrypting secrets..."
_truePath="/run/agenix.d/$_agenix_generation/wifi"

echo "decrypting '/nix/store/g5dlvmj0sgwlbsl7zy5cfb29n0c7p4xx-source/secrets/wifi.age' to '$_truePath'..."
TMP_FILE="$_truePath.tmp"

IDENTITIES=()
for identity in /etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ed25519_key; do
  test -r "$identity" || continue
  test -s "$identity" || continue
  IDENTITIES+=(-i)
  IDENTITIES+=("$identity")
done

test "${#IDENTITIES[@]}" -eq 0 && echo "[agenix] WARNING: no readable identities found!"

mkdir -p "$(dirname "$_truePath")"
[ "/run/agenix/wifi" != "/run/agenix/wifi" ] && mkdir -p "$(dirname "/run/agenix/wifi")"
(
  umask u=r,g=,o=
  test -f "/nix/store/g5dlvmj0sgwlbsl7zy5cfb29n0c7p4xx-source/secrets/wifi.age" || echo '[agenix] WARNING: encrypted file /nix/store/g5dlvmj0sgwlbsl7zy5cfb29n0c7p4xx-source/secrets/wifi.age does not exist!'
  test -d "$(dirname "$TMP_FILE")" || echo "[agenix] WARNING: $(dirname "$TMP_FILE") does not exist!"
  LANG=C.UTF-8 /nix/store/0wnx5xnh7pxyh6hpfkm6kpn8cr0kfd2x-age-1.2.1/bin/age --decrypt "${IDENTITIES[@]}" -o "$TMP_FILE" "/nix/store/g5dlvmj0sgwlbsl7zy5cfb29n0c7p4xx-source/secrets/wifi.age"
)
chmod 0400 "$TMP_FILE"
mv -f "$TMP_FILE" "$_truePath"

_truePath="/var/lib/my app/token"

echo "decrypting '/nix/store/2p4nl05kzi2hdvgrcwyzgbqrjqzbzcdl-token.age' to '$_truePath'..."
TMP_FILE="$_truePath.tmp"

IDENTITIES=()
for identity in /etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ed25519_key; do
  test -r "$identity" || continue
  IDENTITIES+=(-i)
  IDENTITIES+=("$identity")
done
(
  umask u=r,g=,o=
  LANG=C.UTF-8 /nix/store/0wnx5xnh7pxyh6hpfkm6kpn8cr0kfd2x-age-1.2.1/bin/age --decrypt "${IDENTITIES[@]}" -o "$TMP_FILE" "/nix/store/2p4nl05kzi2hdvgrcwyzgbqrjqzbzcdl-token.age"
)
mv -f "$TMP_FILE" "$_truePath"

#### Activation script snippet agenixChown:
_localstatus=0
chown 0:0 "$_truePath"
